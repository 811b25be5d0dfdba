package rfbtest

import (
	"encoding/binary"
	"image"

	"framebridge/internal/pix"
)

// maxPixels bounds a framebuffer: 16384x16384 would be a gigabyte.
const maxPixels = 64 << 20

// framebuffer is the screen as pixel values of the viewer's format.
type framebuffer struct {
	w, h   int
	values []uint32 // row after row
}

// resize sets a new size; what is in both keeps its place.
func (f *framebuffer) resize(w, h int) error {
	if w*h > maxPixels {
		return violation("framebuffer of %dx%d pixels, limit %d", w, h, maxPixels)
	}
	if w == f.w && h == f.h {
		return nil
	}
	values := make([]uint32, w*h)
	for y := range min(h, f.h) {
		copy(values[y*w:(y+1)*w], f.values[y*f.w:(y+1)*f.w])
	}
	f.w, f.h, f.values = w, h, values
	return nil
}

func (f *framebuffer) bounds() image.Rectangle { return image.Rect(0, 0, f.w, f.h) }

// row returns the values of (x, y) to (x+w, y), x+w excluded.
func (f *framebuffer) row(x, y, w int) []uint32 {
	o := y*f.w + x
	return f.values[o : o+w : o+w]
}

// fill makes all pixels of r, which lies within, v.
func (f *framebuffer) fill(r image.Rectangle, v uint32) {
	if r.Empty() {
		return
	}
	first := f.row(r.Min.X, r.Min.Y, r.Dx())
	first[0] = v
	for n := 1; n < len(first); n *= 2 {
		copy(first[n:], first[:n])
	}
	for y := r.Min.Y + 1; y < r.Max.Y; y++ {
		copy(f.row(r.Min.X, y, r.Dx()), first)
	}
}

// move copies the rectangle of r's size at src to r; both lie within and may
// overlap.
func (f *framebuffer) move(r image.Rectangle, src image.Point) {
	w := r.Dx()
	for i := range r.Dy() {
		if src.Y < r.Min.Y { // from the bottom, so as not to read what was written
			i = r.Dy() - 1 - i
		}
		copy(f.row(r.Min.X, r.Min.Y+i, w), f.row(src.X, src.Y+i, w))
	}
}

// image returns the pixels of f as colours.
func (f *framebuffer) image(x *expander) *pix.Image {
	m := pix.New(f.bounds())
	for i, v := range f.values {
		binary.LittleEndian.PutUint32(m.Pix[4*i:], x.rgb(v))
	}
	return m
}
