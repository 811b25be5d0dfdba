package pix

import "encoding/binary"

// The kernels for rows of pixels; each has a plain twin here, which also does what
// is left of a row that is no multiple of a vector.
//
// firstDiff and lastDiff return the index of the first or last pixel whose colour
// differs between a and b, or -1. maskRow copies the pixels of src to dst, which is
// as long, with the fourth byte zero.

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
