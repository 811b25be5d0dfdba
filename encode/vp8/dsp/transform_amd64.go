//go:build !purego

package dsp

// The kernels do four blocks at a time: a row of them, two rows of two, or, of
// which three are not used, a single one. coef has 64 values each time.

//go:noescape
func forward4AVX2(coef *int16, src *uint8, srcStride int, pred *uint8, predStride, n int)

//go:noescape
func forward2AVX2(coef *int16, src *uint8, srcStride int, pred *uint8, predStride, n int)

//go:noescape
func forward1AVX2(coef *int16, src *uint8, srcStride int, pred *uint8, predStride int)

//go:noescape
func inverse4AVX2(dst *uint8, dstStride int, pred *uint8, predStride int, coef *int16, ac uint32, n int)

//go:noescape
func inverse2AVX2(dst *uint8, dstStride int, pred *uint8, predStride int, coef *int16, n int)

//go:noescape
func inverse1AVX2(dst *uint8, dstStride int, pred *uint8, predStride int, coef *int16)

func forwardDCT(coef []int16, src []uint8, srcStride int, pred []uint8, predStride int, wide, high int) {
	if !hasAVX2 || high <= 0 {
		forwardDCTGeneric(coef, src, srcStride, pred, predStride, wide, high)
		return
	}
	_ = coef[16*wide*high-1]
	s, p := at(src, srcStride, 4*wide, 4*high), at(pred, predStride, 4*wide, 4*high)
	switch {
	case wide == 4:
		forward4AVX2(&coef[0], s, srcStride, p, predStride, high)
	case wide == 2 && high%2 == 0:
		forward2AVX2(&coef[0], s, srcStride, p, predStride, high/2)
	case wide == 1 && high == 1:
		forward1AVX2(&coef[0], s, srcStride, p, predStride)
	default:
		forwardDCTGeneric(coef, src, srcStride, pred, predStride, wide, high)
	}
}

func inverseDCTAdd(dst []uint8, dstStride int, pred []uint8, predStride int, coef []int16, ac uint32, wide, high int) {
	if !hasAVX2 || high <= 0 {
		inverseDCTAddGeneric(dst, dstStride, pred, predStride, coef, ac, wide, high)
		return
	}
	_ = coef[16*wide*high-1]
	d, p := at(dst, dstStride, 4*wide, 4*high), at(pred, predStride, 4*wide, 4*high)
	switch {
	case wide == 4:
		inverse4AVX2(d, dstStride, p, predStride, &coef[0], ac, high)
	case wide == 2 && high%2 == 0:
		inverse2AVX2(d, dstStride, p, predStride, &coef[0], high/2)
	case wide == 1 && high == 1:
		inverse1AVX2(d, dstStride, p, predStride, &coef[0])
	default:
		inverseDCTAddGeneric(dst, dstStride, pred, predStride, coef, ac, wide, high)
	}
}
