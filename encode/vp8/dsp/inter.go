package dsp

import "encoding/binary"

// sixTap holds the filters for eighths of a sample (RFC 6386, section 18.3), 7 bits
// of fraction. Those of odd eighths have but four taps.
var sixTap = [8][6]int16{
	{0, 0, 128, 0, 0, 0},
	{0, -6, 123, 12, -1, 0},
	{2, -11, 108, 36, -8, 1},
	{0, -9, 93, 50, -6, 0},
	{3, -16, 77, 77, -16, 3},
	{0, -6, 50, 93, -9, 0},
	{1, -8, 36, 108, -11, 2},
	{0, -1, 12, 123, -6, 0},
}

// How far SixTap may read around its block in a direction with a fraction.
const (
	TapsBefore = 2
	TapsAfter  = 3
)

// Copy copies a block of w*h samples; w is 4, 8 or 16.
func Copy(dst []uint8, dstStride int, src []uint8, srcStride int, w, h int) {
	copyBlock(dst, dstStride, src, srcStride, w, h)
}

func copyGeneric(dst []uint8, dstStride int, src []uint8, srcStride int, w, h int) {
	switch w {
	case 16:
		for y := range h {
			*(*[16]uint8)(dst[y*dstStride:]) = *(*[16]uint8)(src[y*srcStride:])
		}
	case 8:
		for y := range h {
			binary.LittleEndian.PutUint64(dst[y*dstStride:], binary.LittleEndian.Uint64(src[y*srcStride:]))
		}
	case 4:
		for y := range h {
			binary.LittleEndian.PutUint32(dst[y*dstStride:], binary.LittleEndian.Uint32(src[y*srcStride:]))
		}
	}
}

// SixTap predicts w*h samples of those at index at of the plane ref, moved right by
// fx and down by fy eighths of a sample (RFC 6386, section 18.3): w and h are 4, 8
// or 16. Quarters of luma are even eighths. In a direction with a fraction it reads
// up to TapsBefore samples before and TapsAfter after the block, which must lie in
// ref. dst must not share memory with what is read.
func SixTap(dst []uint8, dstStride int, ref []uint8, at, refStride int, fx, fy int, w, h int) {
	if fx|fy == 0 {
		Copy(dst, dstStride, ref[at:], refStride, w, h)
		return
	}
	sixTapPredict(dst, dstStride, ref, at, refStride, fx, fy, w, h)
}

// sixTapGeneric filters rows and then columns, with what lies between rounded and
// saturated. The filter of no fraction changes nothing and its pass is left out.
func sixTapGeneric(dst []uint8, dstStride int, ref []uint8, at, refStride int, fx, fy int, w, h int) {
	if fy == 0 {
		filterRows(dst, dstStride, ref, at, refStride, &sixTap[fx], 1, w, h)
		return
	}
	if fx == 0 {
		filterRows(dst, dstStride, ref, at, refStride, &sixTap[fy], refStride, w, h)
		return
	}
	var mid [(16 + TapsBefore + TapsAfter) * 16]uint8
	filterRows(mid[:], 16, ref, at-TapsBefore*refStride, refStride, &sixTap[fx], 1, w, h+TapsBefore+TapsAfter)
	filterRows(dst, dstStride, mid[:], TapsBefore*16, 16, &sixTap[fy], 16, w, h)
}

// filterRows applies a filter whose taps lie step samples apart. Outer taps that
// are zero read nothing.
func filterRows(dst []uint8, dstStride int, ref []uint8, at, refStride int, f *[6]int16, step, w, h int) {
	f0, f1, f2 := int32(f[0]), int32(f[1]), int32(f[2])
	f3, f4, f5 := int32(f[3]), int32(f[4]), int32(f[5])
	for y := range h {
		row, o := dst[y*dstStride:][:w], at+y*refStride
		b, c, d, e := ref[o-step:][:w], ref[o:][:w], ref[o+step:][:w], ref[o+2*step:][:w]
		if f0 == 0 {
			for x := range row {
				row[x] = saturate((f1*int32(b[x]) + f2*int32(c[x]) + f3*int32(d[x]) + f4*int32(e[x]) + 64) >> 7)
			}
			continue
		}
		a, g := ref[o-2*step:][:w], ref[o+3*step:][:w]
		for x := range row {
			row[x] = saturate((f0*int32(a[x]) + f1*int32(b[x]) + f2*int32(c[x]) + f3*int32(d[x]) + f4*int32(e[x]) + f5*int32(g[x]) + 64) >> 7)
		}
	}
}
