// Package pix holds the framebuffer's pixels and the kernels that work on
// them: comparison, conversion to a viewer's pixel format, copying.
//
// Inside framebridge every pixel is BGRX: four bytes, blue first, the fourth
// without meaning (X servers leave anything in it), so a pixel read as a
// little-endian uint32 is 0xXXRRGGBB.
package pix

import (
	"bytes"
	"encoding/binary"
	"image"
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
func Equal(a, b *Image, r image.Rectangle) bool {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		if !equalRow(a.Row(y, r.Min.X, r.Max.X), b.Row(y, r.Min.X, r.Max.X)) {
			return false
		}
	}
	return true
}

// equalRow compares two runs of BGRX pixels of the same length. The memory
// comparison settles nearly all rows; only where it finds a difference are the
// colours looked at one by one.
func equalRow(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	return firstDiff(a, b) < 0
}

// Diff returns the smallest rectangle that holds every pixel of r whose colour
// differs between a and b; empty when the two are equal in r.
func Diff(a, b *Image, r image.Rectangle) image.Rectangle {
	y0, y1 := r.Min.Y, r.Max.Y
	for y0 < y1 && equalRow(a.Row(y0, r.Min.X, r.Max.X), b.Row(y0, r.Min.X, r.Max.X)) {
		y0++
	}
	if y0 == y1 {
		return image.Rectangle{}
	}
	for equalRow(a.Row(y1-1, r.Min.X, r.Max.X), b.Row(y1-1, r.Min.X, r.Max.X)) {
		y1--
	}
	x0, x1 := r.Max.X, r.Min.X
	for y := y0; y < y1; y++ {
		// Only what lies outside the columns known to differ can widen them.
		if x0 > r.Min.X {
			if i := firstDiff(a.Row(y, r.Min.X, x0), b.Row(y, r.Min.X, x0)); i >= 0 {
				x0 = r.Min.X + i
			}
		}
		if from := max(x1, x0); from < r.Max.X {
			if i := lastDiff(a.Row(y, from, r.Max.X), b.Row(y, from, r.Max.X)); i >= 0 {
				x1 = from + i + 1
			}
		}
		if x0 == r.Min.X && x1 == r.Max.X {
			break
		}
	}
	return image.Rect(x0, y0, x1, y1)
}

// EqualAt reports whether the pixels of a in r have the colours that b has at r
// moved by d. r must lie in a, and r moved in b.
func EqualAt(a, b *Image, r image.Rectangle, d image.Point) bool {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		if !equalRow(a.Row(y, r.Min.X, r.Max.X), b.Row(y+d.Y, r.Min.X+d.X, r.Max.X+d.X)) {
			return false
		}
	}
	return true
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
