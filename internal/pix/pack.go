package pix

import (
	"encoding/binary"
	"math/bits"
)

// PackRGB writes the colours of the BGRX pixels of src, a multiple of four bytes, as
// three bytes each: red, green, blue. dst has exactly as many as that takes, and is
// not src's memory.
func PackRGB(dst, src []byte) {
	n := packRGB(dst, src)
	packRGBGeneric(dst[3*n:], src[BytesPerPixel*n:])
}

// PackBGR is PackRGB in the order blue, green, red.
func PackBGR(dst, src []byte) {
	n := packBGR(dst, src)
	packBGRGeneric(dst[3*n:], src[BytesPerPixel*n:])
}

// Two pixels are six bytes; storing eight is quicker, and the two too many are
// overwritten by the next.

func packRGBGeneric(dst, src []byte) {
	for len(dst) >= 8 && len(src) >= 8 {
		a := bits.ReverseBytes32(binary.LittleEndian.Uint32(src)) >> 8
		b := bits.ReverseBytes32(binary.LittleEndian.Uint32(src[4:])) >> 8
		binary.LittleEndian.PutUint64(dst, uint64(a)|uint64(b)<<24)
		dst, src = dst[6:], src[8:]
	}
	for len(dst) >= 3 && len(src) >= 4 {
		dst[0], dst[1], dst[2] = src[2], src[1], src[0]
		dst, src = dst[3:], src[4:]
	}
}

func packBGRGeneric(dst, src []byte) {
	for len(dst) >= 8 && len(src) >= 8 {
		v := binary.LittleEndian.Uint64(src)
		binary.LittleEndian.PutUint64(dst, v&RGBMask|v>>32&RGBMask<<24)
		dst, src = dst[6:], src[8:]
	}
	for len(dst) >= 3 && len(src) >= 4 {
		dst[0], dst[1], dst[2] = src[0], src[1], src[2]
		dst, src = dst[3:], src[4:]
	}
}
