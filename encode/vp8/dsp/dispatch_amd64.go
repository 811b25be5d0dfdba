//go:build !purego

package dsp

import "golang.org/x/sys/cpu"

// hasAVX2 selects the kernels in assembly; a variable, for the tests to compare
// both ways.
var hasAVX2 = cpu.X86.HasAVX2

// at returns where a block of w*h samples begins, having checked that b holds it.
func at(b []uint8, stride, w, h int) *uint8 {
	_ = b[(h-1)*stride+w-1]
	return &b[0]
}
