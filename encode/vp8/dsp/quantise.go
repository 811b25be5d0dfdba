package dsp

import (
	"fmt"
	"math/bits"
)

// Zigzag gives the index, row by row, of the k-th coefficient in the order in which
// they are coded (RFC 6386, section 13).
var Zigzag = [16]uint8{0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15}

// A Quant divides coefficients by the steps of one kind of block.
type Quant struct {
	// Row by row, for the kernels. With x = |coefficient| + round and j the
	// logarithm of step-1, rounded down: recip is 2^(16+j)/step, rounded up, and
	// shift 2^(16-j). As recip's error is below 1 and x below 2^15,
	// x*recip>>16*shift>>16 is exactly x/step, rounded down.
	round [16]uint16
	recip [16]uint16
	shift [16]uint16
	step  [16]int16
}

// maxStep is beyond the largest step of VP8 (RFC 6386, section 14.1).
const maxStep = 1 << 10

// Set prepares q for the steps dc, of the first coefficient, and ac, of the others.
// rounding says, row by row, what part of a step in units of 1/256 is added before
// a coefficient is divided and rounded down: 128 is the nearest level; less makes
// the dead zone around zero wider. It panics if a step is not within 4 and 1024 or
// a rounding is above 128, which no caller has a reason for.
func (q *Quant) Set(dc, ac int, rounding *[16]uint8) {
	if min(dc, ac) < 4 || max(dc, ac) > maxStep {
		panic(fmt.Sprintf("dsp: quantiser steps %d and %d are not within 4 and %d", dc, ac, maxStep))
	}
	for i, r := range rounding {
		if r > 128 {
			panic(fmt.Sprintf("dsp: rounding %d/256 is more than a half", r))
		}
		step := ac
		if i == 0 {
			step = dc
		}
		j := bits.Len(uint(step-1)) - 1
		q.round[i] = uint16(step * int(r) >> 8)
		q.recip[i] = uint16((1<<(16+j) + step - 1) / step)
		q.shift[i] = 1 << (16 - j)
		q.step[i] = int16(step)
	}
}

// Quantise divides the coefficients of len(end) blocks. For each block it writes 16
// levels in zigzag order, makes the coefficients what a decoder gets of these, and
// sets end to the index after the last level that is not zero, or 0. It returns the
// set of blocks, bit 1<<i for block i, that have other levels than the first.
//
// If first is 1, as in luma blocks whose first coefficients make a Y2 block, these
// are left as they are and their levels are zero; else first is 0. There are at
// most 32 blocks. Coefficients must be as ForwardDCT and ForwardWHT make them.
func Quantise(levels, coef []int16, end []uint8, q *Quant, first int) (ac uint32) {
	return quantise(levels, coef, end, q, first)
}

func quantiseGeneric(levels, coef []int16, end []uint8, q *Quant, first int) (ac uint32) {
	for b := range end {
		l, c := (*[16]int16)(levels[16*b:]), (*[16]int16)(coef[16*b:])
		last := 0
		l[0] = 0
		for k := first; k < 16; k++ {
			i := Zigzag[k] & 15
			v := int32(c[i])
			sign := v >> 31
			x := uint32((v^sign)-sign) + uint32(q.round[i])
			if x < uint32(q.step[i]) {
				l[k], c[i] = 0, 0
				continue
			}
			x = x * uint32(q.recip[i]) >> 16 * uint32(q.shift[i]) >> 16
			v = (int32(x) ^ sign) - sign
			l[k], c[i] = int16(v), int16(v*int32(q.step[i]))
			last = k + 1
		}
		end[b] = uint8(last)
		if last > 1 {
			ac |= 1 << b
		}
	}
	return ac
}

// Dequantise makes the coefficients of len(levels)/16 blocks of their levels, as a
// decoder does.
func Dequantise(coef, levels []int16, q *Quant) {
	for len(levels) >= 16 {
		l, c := (*[16]int16)(levels), (*[16]int16)(coef)
		for k, i := range Zigzag {
			c[i&15] = l[k] * q.step[i&15]
		}
		levels, coef = levels[16:], coef[16:]
	}
}
