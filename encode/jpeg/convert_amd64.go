//go:build !purego

package jpeg

import "golang.org/x/sys/cpu"

// hasAVX2 selects the kernels of convert_amd64.s and fdct_amd64.s, hasBMI the one
// of huffman_amd64.s. Variables, for the tests to compare both ways.
var (
	hasAVX2 = cpu.X86.HasAVX2
	hasBMI  = cpu.X86.HasBMI1 && cpu.X86.HasBMI2 && hasLZCNT()
)

// The kernels convert n pixels, a multiple of unitWidth, and touch no byte beyond.

//go:noescape
func convert444AVX2(y, cb, cr, src *byte, n int)

//go:noescape
func convert422AVX2(y, cb, cr, src *byte, n int)

//go:noescape
func convert420AVX2(y0, y1, cb, cr, src0, src1 *byte, n int)

func convert444(y, cb, cr, src []byte) {
	n := len(y)
	if !hasAVX2 || n == 0 || n%unitWidth != 0 {
		convert444Generic(y, cb, cr, src)
		return
	}
	_, _, _ = cb[n-1], cr[n-1], src[4*n-1]
	convert444AVX2(&y[0], &cb[0], &cr[0], &src[0], n)
}

func convert422(y, cb, cr, src []byte) {
	n := len(y)
	if !hasAVX2 || n == 0 || n%unitWidth != 0 {
		convert422Generic(y, cb, cr, src)
		return
	}
	_, _, _ = cb[n/2-1], cr[n/2-1], src[4*n-1]
	convert422AVX2(&y[0], &cb[0], &cr[0], &src[0], n)
}

func convert420(y0, y1, cb, cr, src0, src1 []byte) {
	n := len(y0)
	if !hasAVX2 || n == 0 || n%unitWidth != 0 {
		convert420Generic(y0, y1, cb, cr, src0, src1)
		return
	}
	_, _, _, _, _ = y1[n-1], cb[n/2-1], cr[n/2-1], src0[4*n-1], src1[4*n-1]
	convert420AVX2(&y0[0], &y1[0], &cb[0], &cr[0], &src0[0], &src1[0], n)
}
