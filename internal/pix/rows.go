package pix

import (
	"bytes"
	"encoding/binary"
	"image"
)

// The kernels for rows of pixels; each has a plain twin here, which also does what
// is left of a row that is no multiple of a vector.
//
// firstDiff and lastDiff return the index of the first or last pixel whose colour
// differs between a and b, or -1. maskRow copies the pixels of src to dst, which is
// as long, with the fourth byte zero.
//
// equalRows and differing work on the rectangle r of two images, which lies in both.
// equalRows returns how many rows, from the top or, with up, from the bottom, have the
// same colours before the first that has not. differing has a bit for each of r's
// columns, at most columns of them, the lowest for the left one: whether a colour
// differs there in any row.

// columns is how many columns differing compares at a time.
const columns = 8

func firstDiffGeneric(a, b []byte) int {
	n := min(len(a), len(b)) &^ 3
	i := 0
	for ; i+8 <= n; i += 8 {
		if (binary.LittleEndian.Uint64(a[i:])^binary.LittleEndian.Uint64(b[i:]))&0x00ffffff_00ffffff != 0 {
			break
		}
	}
	for ; i < n; i += 4 {
		if (binary.LittleEndian.Uint32(a[i:])^binary.LittleEndian.Uint32(b[i:]))&RGBMask != 0 {
			return i / BytesPerPixel
		}
	}
	return -1
}

func lastDiffGeneric(a, b []byte) int {
	for i := min(len(a), len(b))&^3 - 4; i >= 0; i -= 4 {
		if (binary.LittleEndian.Uint32(a[i:])^binary.LittleEndian.Uint32(b[i:]))&RGBMask != 0 {
			return i / BytesPerPixel
		}
	}
	return -1
}

func maskRowGeneric(dst, src []byte) {
	dst = dst[:len(src)]
	i := 0
	for ; i+8 <= len(src); i += 8 {
		binary.LittleEndian.PutUint64(dst[i:], binary.LittleEndian.Uint64(src[i:])&0x00ffffff_00ffffff)
	}
	if i+4 <= len(src) {
		binary.LittleEndian.PutUint32(dst[i:], binary.LittleEndian.Uint32(src[i:])&RGBMask)
	}
}

func equalRowsGeneric(a, b *Image, r image.Rectangle, up bool) int {
	for i := range r.Dy() {
		y := r.Min.Y + i
		if up {
			y = r.Max.Y - 1 - i
		}
		// The memory comparison settles nearly all rows; only where it finds a
		// difference are the colours looked at.
		ra, rb := a.Row(y, r.Min.X, r.Max.X), b.Row(y, r.Min.X, r.Max.X)
		if !bytes.Equal(ra, rb) && firstDiff(ra, rb) >= 0 {
			return i
		}
	}
	return r.Dy()
}

func differingGeneric(a, b *Image, r image.Rectangle) (mask uint) {
	var pairs [columns / 2]uint64
	var last uint32 // of an odd number of columns
	n := r.Dx()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		ra, rb := a.Row(y, r.Min.X, r.Max.X), b.Row(y, r.Min.X, r.Max.X)
		for i := range n / 2 {
			pairs[i] |= binary.LittleEndian.Uint64(ra[8*i:]) ^ binary.LittleEndian.Uint64(rb[8*i:])
		}
		if n%2 != 0 {
			last |= binary.LittleEndian.Uint32(ra[4*n-4:]) ^ binary.LittleEndian.Uint32(rb[4*n-4:])
		}
	}
	for i, p := range pairs[:n/2] {
		if p&RGBMask != 0 {
			mask |= 1 << (2 * i)
		}
		if p>>32&RGBMask != 0 {
			mask |= 2 << (2 * i)
		}
	}
	if last&RGBMask != 0 {
		mask |= 1 << (n - 1)
	}
	return mask
}
