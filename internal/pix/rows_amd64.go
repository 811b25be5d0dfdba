//go:build !purego

package pix

import (
	"image"
	"unsafe"

	"golang.org/x/sys/cpu"
)

// hasAVX2 selects the kernels of rows_amd64.s; a variable, for the tests to
// compare both ways.
var hasAVX2 = cpu.X86.HasAVX2

// The kernels take n > 0 bytes, a multiple of vector, and touch no others;
// equalRowsAVX2 takes any n >= vector, and rows > 0. The differences are offsets of
// pixels in bytes, or -1. Strides lead from a row to the one that is compared next.

const vector = 32

//go:noescape
func firstDiffAVX2(a, b *byte, n int) int

//go:noescape
func lastDiffAVX2(a, b *byte, n int) int

//go:noescape
func maskRowAVX2(dst, src *byte, n int)

//go:noescape
func equalRowsAVX2(a, b *byte, strideA, strideB, n, rows int) int

//go:noescape
func differingAVX2(a, b *byte, strideA, strideB, rows int) uint

func firstDiff(a, b []byte) int {
	n := min(len(a), len(b)) &^ (vector - 1)
	if !hasAVX2 || n == 0 {
		return firstDiffGeneric(a, b)
	}
	if i := firstDiffAVX2(&a[0], &b[0], n); i >= 0 {
		return i / BytesPerPixel
	}
	if i := firstDiffGeneric(a[n:], b[n:]); i >= 0 {
		return n/BytesPerPixel + i
	}
	return -1
}

func lastDiff(a, b []byte) int {
	n := min(len(a), len(b)) &^ 3
	head := n % vector
	if !hasAVX2 || n == head {
		return lastDiffGeneric(a, b)
	}
	if i := lastDiffAVX2(&a[head], &b[head], n-head); i >= 0 {
		return (head + i) / BytesPerPixel
	}
	return lastDiffGeneric(a[:head], b[:head])
}

func maskRow(dst, src []byte) {
	n := len(src) &^ (vector - 1)
	if hasAVX2 && n > 0 {
		_ = dst[n-1]
		maskRowAVX2(&dst[0], &src[0], n)
		dst, src = dst[n:], src[n:]
	}
	maskRowGeneric(dst, src)
}

// maskValues is maskRow to pixel values; src has len(dst) pixels. This processor's
// byte order is that of BGRX.
func maskValues(dst []uint32, src []byte) {
	if len(dst) > 0 {
		maskRow(unsafe.Slice((*byte)(unsafe.Pointer(&dst[0])), BytesPerPixel*len(dst)), src)
	}
}

func equalRows(a, b *Image, r image.Rectangle, up bool) int {
	if !hasAVX2 || r.Dx()*BytesPerPixel < vector || r.Empty() {
		return equalRowsGeneric(a, b, r, up)
	}
	pa, pb, sa, sb := corners(a, b, r, up)
	return equalRowsAVX2(pa, pb, sa, sb, r.Dx()*BytesPerPixel, r.Dy())
}

func differing(a, b *Image, r image.Rectangle) uint {
	if !hasAVX2 || r.Dx() != columns || r.Empty() {
		return differingGeneric(a, b, r)
	}
	pa, pb, sa, sb := corners(a, b, r, false)
	return differingAVX2(pa, pb, sa, sb, r.Dy())
}

// corners returns where r starts in a and b, and the strides: from the top or, with
// up, from the bottom. It panics when r, which is not empty, lies not in both.
func corners(a, b *Image, r image.Rectangle, up bool) (pa, pb *byte, strideA, strideB int) {
	first, last := r.Min.Y, r.Max.Y-1
	strideA, strideB = a.Stride, b.Stride
	if up {
		first, last = last, first
		strideA, strideB = -strideA, -strideB
	}
	_, _ = a.Row(last, r.Min.X, r.Max.X), b.Row(last, r.Min.X, r.Max.X)
	return &a.Row(first, r.Min.X, r.Max.X)[0], &b.Row(first, r.Min.X, r.Max.X)[0], strideA, strideB
}
