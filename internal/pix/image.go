// Package pix holds the framebuffer's pixels and the kernels that work on
// them: comparison, conversion to a viewer's pixel format, copying.
//
// Inside framebridge every pixel is BGRX: four bytes, blue first, the fourth
// without meaning (X servers leave anything in it), so a pixel read as a
// little-endian uint32 is 0xXXRRGGBB.
package pix

import (
	"encoding/binary"
	"image"
	"math/bits"
)

// BytesPerPixel is the size of a BGRX pixel.
const BytesPerPixel = 4

// RGBMask selects the three colour bytes of a BGRX pixel read as a
// little-endian uint32.
const RGBMask = 0x00ffffff

// Image is a rectangle of BGRX pixels. Pixel (x, y) with Rect.Min <= (x, y) <
// Rect.Max is the four bytes of Pix from (y-Rect.Min.Y)*Stride +
// (x-Rect.Min.X)*4. Several images may share one Pix. The zero value is an
// empty image.
type Image struct {
	Pix    []byte
	Stride int // bytes between vertically adjacent pixels, at least 4*Rect.Dx()
	Rect   image.Rectangle
}

// New returns an image of r's size with all bytes zero.
func New(r image.Rectangle) *Image {
	stride := r.Dx() * BytesPerPixel
	return &Image{Pix: make([]byte, stride*r.Dy()), Stride: stride, Rect: r}
}

// Reset makes m a densely packed image of r's size, keeping m.Pix's memory
// where it is large enough. The contents are undefined.
func (m *Image) Reset(r image.Rectangle) {
	m.Stride = r.Dx() * BytesPerPixel
	n := m.Stride * r.Dy()
	if cap(m.Pix) < n {
		m.Pix = make([]byte, n)
	}
	m.Pix = m.Pix[:n]
	m.Rect = r
}

// Offset returns the index into Pix of pixel (x, y), which must lie in Rect.
func (m *Image) Offset(x, y int) int {
	return (y-m.Rect.Min.Y)*m.Stride + (x-m.Rect.Min.X)*BytesPerPixel
}

// Row returns the bytes of the pixels (x0, y) to (x1, y), x1 excluded. The
// range must lie in Rect.
func (m *Image) Row(y, x0, x1 int) []byte {
	o := m.Offset(x0, y)
	return m.Pix[o : o+(x1-x0)*BytesPerPixel : o+(x1-x0)*BytesPerPixel]
}

// At returns pixel (x, y) as 0x00RRGGBB. The pixel must lie in Rect.
func (m *Image) At(x, y int) uint32 {
	return binary.LittleEndian.Uint32(m.Pix[m.Offset(x, y):]) & RGBMask
}

// Set makes pixel (x, y) 0x00RRGGBB. The pixel must lie in Rect.
func (m *Image) Set(x, y int, rgb uint32) {
	binary.LittleEndian.PutUint32(m.Pix[m.Offset(x, y):], rgb&RGBMask)
}

// Sub returns the part of m inside r; it shares m's pixels.
func (m *Image) Sub(r image.Rectangle) Image {
	r = r.Intersect(m.Rect)
	if r.Empty() {
		return Image{Stride: m.Stride}
	}
	return Image{Pix: m.Pix[m.Offset(r.Min.X, r.Min.Y):], Stride: m.Stride, Rect: r}
}

// Fill makes every pixel of r, clipped to m, 0x00RRGGBB.
func (m *Image) Fill(r image.Rectangle, rgb uint32) {
	r = r.Intersect(m.Rect)
	if r.Empty() {
		return
	}
	first := m.Row(r.Min.Y, r.Min.X, r.Max.X)
	for i := 0; i < len(first); i += BytesPerPixel {
		binary.LittleEndian.PutUint32(first[i:], rgb&RGBMask)
	}
	for y := r.Min.Y + 1; y < r.Max.Y; y++ {
		copy(m.Row(y, r.Min.X, r.Max.X), first)
	}
}

// Copy copies the pixels of r, which must lie in both images, from src to dst.
func Copy(dst, src *Image, r image.Rectangle) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		copy(dst.Row(y, r.Min.X, r.Max.X), src.Row(y, r.Min.X, r.Max.X))
	}
}

// Move copies the pixels of src, a rectangle in m, to the rectangle of the
// same size at dst; the two may overlap. Both must lie in m.
func (m *Image) Move(dst image.Point, src image.Rectangle) {
	w, h := src.Dx(), src.Dy()
	if dst.Y <= src.Min.Y {
		for y := range h {
			copy(m.Row(dst.Y+y, dst.X, dst.X+w), m.Row(src.Min.Y+y, src.Min.X, src.Max.X))
		}
		return
	}
	for y := h - 1; y >= 0; y-- {
		copy(m.Row(dst.Y+y, dst.X, dst.X+w), m.Row(src.Min.Y+y, src.Min.X, src.Max.X))
	}
}

// Equal reports whether a and b have the same colours in r, which must lie in
// both. The fourth byte of each pixel does not count.
func Equal(a, b *Image, r image.Rectangle) bool { return equalRows(a, b, r, false) == r.Dy() }

// EqualAt reports whether the pixels of a in r have the colours that b has at r
// moved by d. r must lie in a, and r moved in b.
func EqualAt(a, b *Image, r image.Rectangle, d image.Point) bool {
	return Equal(a, &Image{Pix: b.Pix, Stride: b.Stride, Rect: b.Rect.Sub(d)}, r)
}

// EqualRows returns how many rows of a in r, from the top, have the colours that b has
// at r moved by d, up to the first that has not. r must lie in a, and r moved in b.
func EqualRows(a, b *Image, r image.Rectangle, d image.Point) int {
	return equalRows(a, &Image{Pix: b.Pix, Stride: b.Stride, Rect: b.Rect.Sub(d)}, r, false)
}

// Diff returns the smallest rectangle that holds every pixel of r whose colour
// differs between a and b; empty when the two are equal in r.
func Diff(a, b *Image, r image.Rectangle) image.Rectangle {
	if r.Min.Y += equalRows(a, b, r, false); r.Min.Y >= r.Max.Y {
		return image.Rectangle{}
	}
	r.Max.Y -= equalRows(a, b, r, true)
	// The first and the last row often tell how far the difference goes to the sides;
	// only what lies outside can be widened by the rows between.
	x0, x1 := r.Max.X, r.Min.X
	for _, y := range [2]int{r.Min.Y, r.Max.Y - 1} {
		ra, rb := a.Row(y, r.Min.X, r.Max.X), b.Row(y, r.Min.X, r.Max.X)
		x0 = min(x0, r.Min.X+firstDiff(ra, rb))
		x1 = max(x1, r.Min.X+lastDiff(ra, rb)+1)
	}
	for x := r.Min.X; x < x0; x += columns {
		part := image.Rect(max(r.Min.X, min(x, r.Max.X-columns)), r.Min.Y, min(x+columns, r.Max.X), r.Max.Y)
		if m := differing(a, b, part); m != 0 {
			x0 = part.Min.X + bits.TrailingZeros(m)
		}
	}
	for x := r.Max.X; x > x1; x -= columns {
		part := image.Rect(max(r.Min.X, x-columns), r.Min.Y, min(max(x, r.Min.X+columns), r.Max.X), r.Max.Y)
		if m := differing(a, b, part); m != 0 {
			x1 = part.Min.X + bits.Len(m)
		}
	}
	return image.Rect(x0, r.Min.Y, x1, r.Max.Y)
}

// MatchLeft returns the smallest x >= x0 such that the pixels (x, y) to
// (x1, y) of a have the colours that b has at the places moved by d.
func MatchLeft(a, b *Image, y, x0, x1 int, d image.Point) int {
	return x0 + lastDiff(a.Row(y, x0, x1), b.Row(y+d.Y, x0+d.X, x1+d.X)) + 1
}

// MatchRight returns the largest x <= x1 such that the pixels (x0, y) to
// (x, y) of a, x excluded, have the colours that b has at the places moved by d.
func MatchRight(a, b *Image, y, x0, x1 int, d image.Point) int {
	if i := firstDiff(a.Row(y, x0, x1), b.Row(y+d.Y, x0+d.X, x1+d.X)); i >= 0 {
		return x0 + i
	}
	return x1
}
