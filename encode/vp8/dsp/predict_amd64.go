//go:build !purego

package dsp

//go:noescape
func predictTM16AVX2(dst *uint8, stride int, e *Edge)

//go:noescape
func predictTM8AVX2(dst *uint8, stride int, e *Edge)

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

// tapShuffles picks the pairs of taps 1 and 3, 2 and 4, 0 and 5 for eight samples in
// each half of a vector, for the widths 16, 8 and 4. So that no byte too many is
// read, the halves hold the samples -2 to 13 and 3 to 18 of a row; or both hold -2
// to 5 and, of the width 8, 3 to 10, of 4, -1 to 6.
var tapShuffles = func() (t [3][3][32]uint8) {
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

// The kernels filter n rows of 16 samples, or pairs of rows of 8 or 4, to words of
// 16 or 8 a row and from there. What rows read begins TapsBefore before src and
// ends TapsAfter after.

//go:noescape
func tapsRows16AVX2(mid *uint16, src *uint8, stride, n int, t *taps)

//go:noescape
func tapsRows8AVX2(mid *uint16, src *uint8, stride, n int, t *taps)

//go:noescape
func tapsRows4AVX2(mid *uint16, src *uint8, stride, n int, t *taps)

//go:noescape
func widen16AVX2(mid *uint16, src *uint8, stride, n int)

//go:noescape
func widen8AVX2(mid *uint16, src *uint8, stride, n int)

//go:noescape
func widen4AVX2(mid *uint16, src *uint8, stride, n int)

//go:noescape
func tapsColumns16AVX2(dst *uint8, stride int, mid *uint16, n int, t *taps)

//go:noescape
func tapsColumns8AVX2(dst *uint8, stride int, mid *uint16, n int, t *taps)

//go:noescape
func tapsColumns4AVX2(dst *uint8, stride int, mid *uint16, n int, t *taps)

//go:noescape
func narrow16AVX2(dst *uint8, stride int, mid *uint16, n int)

//go:noescape
func narrow8AVX2(dst *uint8, stride int, mid *uint16, n int)

//go:noescape
func narrow4AVX2(dst *uint8, stride int, mid *uint16, n int)

func sixTapPredict(dst []uint8, dstStride int, ref []uint8, index, refStride int, fx, fy int, w, h int) {
	if !hasAVX2 {
		sixTapGeneric(dst, dstStride, ref, index, refStride, fx, fy, w, h)
		return
	}
	const rows = 16 + TapsBefore + TapsAfter + 1 // one more for pairs
	var mid [rows * 16]uint16
	d := at(dst, dstStride, w, h)
	// The first row and the number of rows that the first pass does.
	first, n := index, h
	if fy != 0 {
		first -= TapsBefore * refStride
		n += TapsBefore + TapsAfter
	}
	if fx != 0 {
		_ = ref[first-TapsBefore]
		_ = ref[first+(n-1)*refStride+w-1+TapsAfter]
	} else {
		_ = ref[first+(n-1)*refStride+w-1]
	}
	src, tx, ty := &ref[first], &kernelTaps[fx&7], &kernelTaps[fy&7]
	switch {
	case w == 16 && fx != 0:
		tapsRows16AVX2(&mid[0], src, refStride, n, tx)
	case w == 16:
		widen16AVX2(&mid[0], src, refStride, n)
	case w == 8 && fx != 0:
		tapsRows8AVX2(&mid[0], src, refStride, n, tx)
	case w == 8:
		widen8AVX2(&mid[0], src, refStride, n)
	case fx != 0:
		tapsRows4AVX2(&mid[0], src, refStride, n, tx)
	default:
		widen4AVX2(&mid[0], src, refStride, n)
	}
	switch {
	case w == 16 && fy != 0:
		tapsColumns16AVX2(d, dstStride, &mid[0], h, ty)
	case w == 16:
		narrow16AVX2(d, dstStride, &mid[0], h)
	case w == 8 && fy != 0:
		tapsColumns8AVX2(d, dstStride, &mid[0], h, ty)
	case w == 8:
		narrow8AVX2(d, dstStride, &mid[0], h)
	case fy != 0:
		tapsColumns4AVX2(d, dstStride, &mid[0], h, ty)
	default:
		narrow4AVX2(d, dstStride, &mid[0], h)
	}
}
