//go:build !purego

package pix

// packAVX2 packs n > 0 pixels, a multiple of packGroup, in the order that the shuffle
// of the bytes of four pixels gives; it writes 8 bytes beyond their place.
//
//go:noescape
func packAVX2(dst, src *byte, n int, order *[16]byte)

const packGroup = 8

var (
	orderRGB = [16]byte{2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 0x80, 0x80, 0x80, 0x80}
	orderBGR = [16]byte{0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0x80, 0x80, 0x80, 0x80}
)

func packRGB(dst, src []byte) int { return pack(dst, src, &orderRGB) }

func packBGR(dst, src []byte) int { return pack(dst, src, &orderBGR) }

// pack packs the pixels that the kernel can and returns how many.
func pack(dst, src []byte, order *[16]byte) int {
	n := (len(dst) - 8) / 3 &^ (packGroup - 1)
	if !hasAVX2 || n <= 0 {
		return 0
	}
	_ = src[BytesPerPixel*n-1]
	packAVX2(&dst[0], &src[0], n, order)
	return n
}
