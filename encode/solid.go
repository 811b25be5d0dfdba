package encode

import (
	"encoding/binary"
	"image"

	"framebridge/internal/pix"
)

// mask2 selects the colour bytes of two BGRX pixels.
const mask2 = uint64(pix.RGBMask)<<32 | pix.RGBMask

// Solid reports whether all pixels of r, which lies in m and is not empty, have
// one colour, and which: 0x00RRGGBB. It stops at the first that differs, so
// asking costs next to nothing for most rectangles.
func Solid(m *pix.Image, r image.Rectangle) (rgb uint32, ok bool) {
	rgb = m.At(r.Min.X, r.Min.Y)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		if !rowIs(m.Row(y, r.Min.X, r.Max.X), rgb) {
			return 0, false
		}
	}
	return rgb, true
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
