//go:build !amd64 || purego

package dsp

func convertRows(y0, y1, cb, cr []uint8, src0, src1 []byte) {
	convertRowsGeneric(y0, y1, cb, cr, src0, src1)
}

func forwardDCT(coef []int16, src []uint8, srcStride int, pred []uint8, predStride int, wide, high int) {
	forwardDCTGeneric(coef, src, srcStride, pred, predStride, wide, high)
}

func inverseDCTAdd(dst []uint8, dstStride int, pred []uint8, predStride int, coef []int16, ac uint32, wide, high int) {
	inverseDCTAddGeneric(dst, dstStride, pred, predStride, coef, ac, wide, high)
}

func quantise(levels, coef []int16, end []uint8, q *Quant, first int) uint32 {
	return quantiseGeneric(levels, coef, end, q, first)
}

func sad16x16(a []uint8, aStride int, b []uint8, bStride int) int {
	return sadGeneric(a, aStride, b, bStride, 16)
}

func sad8x8(a []uint8, aStride int, b []uint8, bStride int) int {
	return sadGeneric(a, aStride, b, bStride, 8)
}

func copyBlock(dst []uint8, dstStride int, src []uint8, srcStride int, w, h int) {
	copyGeneric(dst, dstStride, src, srcStride, w, h)
}

func sad16x16x4(src []uint8, srcStride int, ref []uint8, refStride int, at *[4]int) [4]int {
	return sad16x16x4Generic(src, srcStride, ref, refStride, at)
}

func sse16x16(a []uint8, aStride int, b []uint8, bStride int) int {
	return sseGeneric(a, aStride, b, bStride, 16)
}

func sse8x8(a []uint8, aStride int, b []uint8, bStride int) int {
	return sseGeneric(a, aStride, b, bStride, 8)
}

func moments16x16(a []uint8, stride int) (sum, sumSq int) { return moments16x16Generic(a, stride) }

func predictTM(dst []uint8, stride int, e *Edge, size int) { predictTMGeneric(dst, stride, e, size) }

func sixTapPredict(dst []uint8, dstStride int, ref []uint8, at, refStride int, fx, fy int, w, h int) {
	sixTapGeneric(dst, dstStride, ref, at, refStride, fx, fy, w, h)
}

func (l *LoopLimits) macroblockEdge(b []uint8, at, across, along, n int) {
	l.macroblockEdgeGeneric(b, at, across, along, n)
}

func (l *LoopLimits) subblockEdge(b []uint8, at, across, along, n int) {
	l.subblockEdgeGeneric(b, at, across, along, n)
}

func predictSubblocks(dst *[16 * NumSubblockModes]uint8, e *SubblockEdge) {
	predictSubblocksGeneric(dst, e)
}

func bestSubblock(src []uint8, stride int, predictions *[16 * NumSubblockModes]uint8, p *Penalties) (SubblockMode, int) {
	return bestSubblockGeneric(src, stride, predictions, p)
}
