//go:build !purego

package dsp

//go:noescape
func predictTM16AVX2(dst *uint8, stride int, e *Edge)

//go:noescape
func predictTM8AVX2(dst *uint8, stride int, e *Edge)

// The kernels copy pairs of rows.

//go:noescape
func copy16AVX2(dst *uint8, dstStride int, src *uint8, srcStride, n int)

//go:noescape
func copy8AVX2(dst *uint8, dstStride int, src *uint8, srcStride, n int)

func copyBlock(dst []uint8, dstStride int, src []uint8, srcStride int, w, h int) {
	switch {
	case !hasAVX2 || w < 8 || h&1 != 0 || h == 0:
		copyGeneric(dst, dstStride, src, srcStride, w, h)
	case w == 16:
		copy16AVX2(at(dst, dstStride, 16, h), dstStride, at(src, srcStride, 16, h), srcStride, h/2)
	default:
		copy8AVX2(at(dst, dstStride, 8, h), dstStride, at(src, srcStride, 8, h), srcStride, h/2)
	}
}

func predictTM(dst []uint8, stride int, e *Edge, size int) {
	switch {
	case !hasAVX2:
		predictTMGeneric(dst, stride, e, size)
	case size == 16:
		predictTM16AVX2(at(dst, stride, 16, 16), stride, e)
	default:
		predictTM8AVX2(at(dst, stride, 8, 8), stride, e)
	}
}

// taps holds a filter's factors for the kernels.
type taps struct {
	// Of rows, as bytes: the pairs of taps 1 and 3, 2 and 4, 0 and 5.
	f13, f24, f05 [2]int8
	_             [2]int8
	// Of columns, as words.
	f [6]int16
}

var kernelTaps = func() (t [8]taps) {
	for i, f := range sixTap {
		t[i].f = f
		if i > 0 { // 128 is no int8, and not needed
			t[i].f13 = [2]int8{int8(f[1]), int8(f[3])}
			t[i].f24 = [2]int8{int8(f[2]), int8(f[4])}
			t[i].f05 = [2]int8{int8(f[0]), int8(f[5])}
		}
	}
	return t
}()

// shuffles pick the pairs of taps 1 and 3, 2 and 4, 0 and 5 for eight samples in
// each half of a vector.
type shuffles [3][32]uint8

// tapShuffles are those for the widths 16, 8 and 4. So that no byte too many is
// read, the halves hold the samples -2 to 13 and 3 to 18 of a row; or both hold -2
// to 5 and, of the width 8, 3 to 10, of 4, -1 to 6.
var tapShuffles = func() (t [3]shuffles) {
	for width := range t {
		for pair, taps := range [3][2]int{{-1, 1}, {0, 2}, {-2, 3}} {
			for i := range 32 {
				x := i%16/2 + taps[i%2] // the sample, from the half's first
				switch {
				case width == 0 && i < 16:
					x += 2
				case width == 0:
					x += 8 - 3
				case x <= 5:
					x += 2
				case width == 1:
					x += 8 - 3
				default:
					x += 8 + 1
				}
				t[width][pair][i] = uint8(min(x, 15))
			}
		}
	}
	return t
}()

// The kernels predict h rows of 16, 8 or 4 samples. A direction without a fraction
// has no taps. src is the block's first sample, TapsBefore rows higher if there is a
// fraction in that direction; h is even.

//go:noescape
func sixTap16AVX2(dst *uint8, dstStride int, src *uint8, stride, h int, fx, fy *taps, s *shuffles)

//go:noescape
func sixTap8AVX2(dst *uint8, dstStride int, src *uint8, stride, h int, fx, fy *taps, s *shuffles)

//go:noescape
func sixTap4AVX2(dst *uint8, dstStride int, src *uint8, stride, h int, fx, fy *taps, s *shuffles)

func sixTapPredict(dst []uint8, dstStride int, ref []uint8, index, refStride int, fx, fy int, w, h int) {
	if !hasAVX2 || h > 16 || h&1 != 0 { // the kernels have room for 16 rows
		sixTapGeneric(dst, dstStride, ref, index, refStride, fx, fy, w, h)
		return
	}
	d := at(dst, dstStride, w, h)
	first, last := index, index+(h-1)*refStride+w-1
	var tx, ty *taps
	if fy != 0 {
		ty = &kernelTaps[fy&7]
		index -= TapsBefore * refStride
		first, last = index, last+TapsAfter*refStride
	}
	if fx != 0 {
		tx = &kernelTaps[fx&7]
		first, last = first-TapsBefore, last+TapsAfter
	}
	_, _ = ref[first], ref[last]
	src := &ref[index]
	switch w {
	case 16:
		sixTap16AVX2(d, dstStride, src, refStride, h, tx, ty, &tapShuffles[0])
	case 8:
		sixTap8AVX2(d, dstStride, src, refStride, h, tx, ty, &tapShuffles[1])
	case 4:
		sixTap4AVX2(d, dstStride, src, refStride, h, tx, ty, &tapShuffles[2])
	default:
		panic("dsp: six-tap prediction of a width that is not 4, 8 or 16")
	}
}
