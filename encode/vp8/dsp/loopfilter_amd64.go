//go:build !purego

package dsp

// The kernels filter edges whose first sample beyond is b: horizontal ones of 16 or
// 8 samples, and vertical ones of n times 8.

//go:noescape
func macroblockRow16AVX2(b *uint8, stride int, l *LoopLimits)

//go:noescape
func macroblockRow8AVX2(b *uint8, stride int, l *LoopLimits)

//go:noescape
func macroblockColumnAVX2(b *uint8, stride, n int, l *LoopLimits)

//go:noescape
func subblockRow16AVX2(b *uint8, stride int, l *LoopLimits)

//go:noescape
func subblockRow8AVX2(b *uint8, stride int, l *LoopLimits)

//go:noescape
func subblockColumnAVX2(b *uint8, stride, n int, l *LoopLimits)

func (l *LoopLimits) macroblockEdge(b []uint8, at, across, along, n int) {
	if !hasAVX2 {
		l.macroblockEdgeGeneric(b, at, across, along, n)
		return
	}
	_, _ = b[at-4*across], b[at+3*across+(n-1)*along]
	switch {
	case across == 1:
		macroblockColumnAVX2(&b[at], along, n/8, l)
	case n == 16:
		macroblockRow16AVX2(&b[at], across, l)
	default:
		macroblockRow8AVX2(&b[at], across, l)
	}
}

func (l *LoopLimits) subblockEdge(b []uint8, at, across, along, n int) {
	if !hasAVX2 {
		l.subblockEdgeGeneric(b, at, across, along, n)
		return
	}
	_, _ = b[at-4*across], b[at+3*across+(n-1)*along]
	switch {
	case across == 1:
		subblockColumnAVX2(&b[at], along, n/8, l)
	case n == 16:
		subblockRow16AVX2(&b[at], across, l)
	default:
		subblockRow8AVX2(&b[at], across, l)
	}
}
