//go:build !purego

package encode

import (
	"golang.org/x/sys/cpu"

	"framebridge/internal/pix"
)

// hasAVX2 selects the kernels of this package; a variable, for the tests to compare
// both ways.
var hasAVX2 = cpu.X86.HasAVX2

// indexRowAVX2 does n pixels, a multiple of indexGroup and not 0, or fewer.
//
//go:noescape
func indexRowAVX2(dst, src *byte, t *indexTable, n int) int

func indexRow(dst, src []byte, t *indexTable) int {
	n := len(dst) &^ (indexGroup - 1)
	if !hasAVX2 || n == 0 {
		return indexRowGeneric(dst, src, t)
	}
	_ = src[pix.BytesPerPixel*n-1]
	return indexRowAVX2(&dst[0], &src[0], t, n)
}
