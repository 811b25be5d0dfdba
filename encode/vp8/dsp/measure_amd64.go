//go:build !purego

package dsp

//go:noescape
func sad16x16AVX2(a *uint8, aStride int, b *uint8, bStride int) int

//go:noescape
func sad8x8AVX2(a *uint8, aStride int, b *uint8, bStride int) int

//go:noescape
func sad16x16x4AVX2(src *uint8, srcStride int, b0, b1, b2, b3 *uint8, stride int, sums *[4]int)

//go:noescape
func sse16x16AVX2(a *uint8, aStride int, b *uint8, bStride int) int

//go:noescape
func sse8x8AVX2(a *uint8, aStride int, b *uint8, bStride int) int

//go:noescape
func moments16x16AVX2(a *uint8, stride int) (sum, sumSq int)

func sad16x16(a []uint8, aStride int, b []uint8, bStride int) int {
	if !hasAVX2 {
		return sadGeneric(a, aStride, b, bStride, 16)
	}
	return sad16x16AVX2(at(a, aStride, 16, 16), aStride, at(b, bStride, 16, 16), bStride)
}

func sad8x8(a []uint8, aStride int, b []uint8, bStride int) int {
	if !hasAVX2 {
		return sadGeneric(a, aStride, b, bStride, 8)
	}
	return sad8x8AVX2(at(a, aStride, 8, 8), aStride, at(b, bStride, 8, 8), bStride)
}

// bestSubblockAVX2 returns the mode, shifted left by 16, and the sum.
//
//go:noescape
func bestSubblockAVX2(src *uint8, stride int, predictions *uint8, p *Penalties) uint32

func bestSubblock(src []uint8, stride int, predictions *[16 * NumSubblockModes]uint8, p *Penalties) (SubblockMode, int) {
	if !hasAVX2 {
		return bestSubblockGeneric(src, stride, predictions, p)
	}
	best := bestSubblockAVX2(at(src, stride, 4, 4), stride, &predictions[0], p)
	return SubblockMode(best >> 16), int(best & 0xffff)
}

func sad16x16x4(src []uint8, srcStride int, ref []uint8, refStride int, offsets *[4]int) (sums [4]int) {
	if !hasAVX2 {
		return sad16x16x4Generic(src, srcStride, ref, refStride, offsets)
	}
	s := at(src, srcStride, 16, 16)
	b0, b1 := at(ref[offsets[0]:], refStride, 16, 16), at(ref[offsets[1]:], refStride, 16, 16)
	b2, b3 := at(ref[offsets[2]:], refStride, 16, 16), at(ref[offsets[3]:], refStride, 16, 16)
	sad16x16x4AVX2(s, srcStride, b0, b1, b2, b3, refStride, &sums)
	return sums
}

func sse16x16(a []uint8, aStride int, b []uint8, bStride int) int {
	if !hasAVX2 {
		return sseGeneric(a, aStride, b, bStride, 16)
	}
	return sse16x16AVX2(at(a, aStride, 16, 16), aStride, at(b, bStride, 16, 16), bStride)
}

func sse8x8(a []uint8, aStride int, b []uint8, bStride int) int {
	if !hasAVX2 {
		return sseGeneric(a, aStride, b, bStride, 8)
	}
	return sse8x8AVX2(at(a, aStride, 8, 8), aStride, at(b, bStride, 8, 8), bStride)
}

func moments16x16(a []uint8, stride int) (sum, sumSq int) {
	if !hasAVX2 {
		return moments16x16Generic(a, stride)
	}
	return moments16x16AVX2(at(a, stride, 16, 16), stride)
}
