package encode

import (
	"encoding/binary"
	"image"

	"framebridge/internal/pix"
)

// mask2 selects the colour bytes of two BGRX pixels.
const mask2 = uint64(pix.RGBMask)<<32 | pix.RGBMask

// Solid reports whether all pixels of r, which lies in m and is not empty, have
// one colour, and which: 0x00RRGGBB. It stops at the first row or few that differ, so
// asking costs next to nothing for most rectangles.
func Solid(m *pix.Image, r image.Rectangle) (rgb uint32, ok bool) {
	rgb = m.At(r.Min.X, r.Min.Y)
	// Much of what is not solid begins with an empty row and ends otherwise.
	if m.At(r.Max.X-1, r.Max.Y-1) != rgb || m.At((r.Min.X+r.Max.X)/2, (r.Min.Y+r.Max.Y)/2) != rgb {
		return 0, false
	}
	from, to := m.Offset(r.Min.X, r.Min.Y), m.Offset(r.Max.X-1, r.Max.Y-1)+pix.BytesPerPixel
	if !isSolid(m.Pix[from:to], m.Stride, r.Dx(), rgb) {
		return 0, false
	}
	return rgb, true
}

// isSolidGeneric reports whether all pixels of rows of w pixels, stride bytes apart,
// have the colour rgb. p ends with the last row's last pixel.
func isSolidGeneric(p []byte, stride, w int, rgb uint32) bool {
	for ; len(p) > stride; p = p[stride:] {
		if !rowIs(p[:pix.BytesPerPixel*w], rgb) {
			return false
		}
	}
	return rowIs(p, rgb)
}

// rowIs reports whether all pixels of row have the colour rgb.
func rowIs(row []byte, rgb uint32) bool {
	want := uint64(rgb)<<32 | uint64(rgb)
	for len(row) >= 32 {
		d := binary.LittleEndian.Uint64(row) ^ want
		d |= binary.LittleEndian.Uint64(row[8:]) ^ want
		d |= binary.LittleEndian.Uint64(row[16:]) ^ want
		d |= binary.LittleEndian.Uint64(row[24:]) ^ want
		if d&mask2 != 0 {
			return false
		}
		row = row[32:]
	}
	for len(row) >= 4 {
		if (binary.LittleEndian.Uint32(row)^rgb)&pix.RGBMask != 0 {
			return false
		}
		row = row[4:]
	}
	return true
}
