package dsp

import (
	"encoding/binary"
	"math/bits"
)

// SAD16x16 is the sum of absolute differences of two blocks of 16x16 samples.
func SAD16x16(a []uint8, aStride int, b []uint8, bStride int) int {
	return sad16x16(a, aStride, b, bStride)
}

// SAD8x8 is SAD16x16 of 8x8 samples.
func SAD8x8(a []uint8, aStride int, b []uint8, bStride int) int {
	return sad8x8(a, aStride, b, bStride)
}

// SAD4x4 is SAD16x16 of 4x4 samples.
func SAD4x4(a []uint8, aStride int, b []uint8, bStride int) int {
	return sadGeneric(a, aStride, b, bStride, 4)
}

// Penalties are added to the differences of subblock modes, saturated: with 65535 a
// mode is out. Those beyond the last mode must be 65535.
type Penalties [16]uint16

// BestSubblock compares the 4x4 samples at src with the predictions of all modes as
// PredictSubblocks makes them and returns the first mode whose sum of absolute
// differences and penalty is smallest, and this sum.
func BestSubblock(src []uint8, stride int, predictions *[16 * NumSubblockModes]uint8, p *Penalties) (mode SubblockMode, sum int) {
	return bestSubblock(src, stride, predictions, p)
}

// SAD16x16x4 compares the 16x16 samples at src with four blocks of the plane ref,
// which begin at the indices at.
func SAD16x16x4(src []uint8, srcStride int, ref []uint8, refStride int, at *[4]int) [4]int {
	return sad16x16x4(src, srcStride, ref, refStride, at)
}

// SSE16x16 is the sum of squared differences of two blocks of 16x16 samples.
func SSE16x16(a []uint8, aStride int, b []uint8, bStride int) int {
	return sse16x16(a, aStride, b, bStride)
}

// SSE8x8 is SSE16x16 of 8x8 samples.
func SSE8x8(a []uint8, aStride int, b []uint8, bStride int) int {
	return sse8x8(a, aStride, b, bStride)
}

// SSE4x4 is SSE16x16 of 4x4 samples.
func SSE4x4(a []uint8, aStride int, b []uint8, bStride int) int {
	return sseGeneric(a, aStride, b, bStride, 4)
}

// Moments16x16 is the sum of 16x16 samples and the sum of their squares: the mean
// is sum/256, the variance sumSq/256 less the mean's square.
func Moments16x16(a []uint8, stride int) (sum, sumSq int) {
	return moments16x16(a, stride)
}

// Equal16x16 reports whether two blocks of 16x16 samples are the same.
func Equal16x16(a []uint8, aStride int, b []uint8, bStride int) bool {
	for y := range 16 {
		p, q := a[y*aStride:][:16], b[y*bStride:][:16]
		if binary.LittleEndian.Uint64(p) != binary.LittleEndian.Uint64(q) ||
			binary.LittleEndian.Uint64(p[8:]) != binary.LittleEndian.Uint64(q[8:]) {
			return false
		}
	}
	return true
}

// Equal8x8 is Equal16x16 of 8x8 samples.
func Equal8x8(a []uint8, aStride int, b []uint8, bStride int) bool {
	for y := range 8 {
		if binary.LittleEndian.Uint64(a[y*aStride:]) != binary.LittleEndian.Uint64(b[y*bStride:]) {
			return false
		}
	}
	return true
}

// Odd constants with about as many ones as zeros, of the fractions of pi.
const (
	hashA = 0x243f6a8885a308d3
	hashB = 0x13198a2e03707345
)

// Hash is a hash of a macroblock's samples, 16x16 of y and 8x8 of u and v, within
// one program: no two different macroblocks of a picture are likely to share it,
// but somebody may make such, so that what matters must be compared.
func Hash(y, u, v []uint8, yStride, uvStride int) uint64 {
	h0, h1 := uint64(hashA), uint64(hashB)
	mix := func(h, a, b uint64) uint64 {
		hi, lo := bits.Mul64(h^a, b^hashA)
		return bits.RotateLeft64(h, 29) ^ hi ^ lo
	}
	for i := range 16 {
		row := y[i*yStride:][:16]
		a, b := binary.LittleEndian.Uint64(row), binary.LittleEndian.Uint64(row[8:])
		if i&1 == 0 {
			h0 = mix(h0, a, b)
		} else {
			h1 = mix(h1, a, b)
		}
	}
	for i := range 8 {
		a, b := binary.LittleEndian.Uint64(u[i*uvStride:]), binary.LittleEndian.Uint64(v[i*uvStride:])
		if i&1 == 0 {
			h0 = mix(h0, a, b)
		} else {
			h1 = mix(h1, a, b)
		}
	}
	return mix(h0, h1, hashB)
}

// byteDiffs is |a-b| of eight bytes side by side.
func byteDiffs(a, b uint64) uint64 {
	const high = 0x80808080_80808080
	d := ((a | high) - b&^high) ^ (a^^b)&high // a-b, without borrows between bytes
	less := (^a&b | (^a|b)&d) & high >> 7     // 1 where a byte borrows
	return (d ^ less*0xff) + less             // these negated
}

// sadGeneric compares n*n samples, n 4, 8 or 16.
func sadGeneric(a []uint8, aStride int, b []uint8, bStride int, n int) int {
	const even = 0x00ff00ff_00ff00ff
	var sum uint64 // four sums of up to 256*255/4
	switch n {
	case 16:
		for y := range 16 {
			p, q := (*[16]uint8)(a[y*aStride:]), (*[16]uint8)(b[y*bStride:])
			d := byteDiffs(binary.LittleEndian.Uint64(p[:]), binary.LittleEndian.Uint64(q[:]))
			e := byteDiffs(binary.LittleEndian.Uint64(p[8:]), binary.LittleEndian.Uint64(q[8:]))
			sum += d&even + d>>8&even + e&even + e>>8&even
		}
	case 8:
		for y := range 8 {
			d := byteDiffs(binary.LittleEndian.Uint64(a[y*aStride:]), binary.LittleEndian.Uint64(b[y*bStride:]))
			sum += d&even + d>>8&even
		}
	default:
		for y := range 4 {
			d := byteDiffs(uint64(binary.LittleEndian.Uint32(a[y*aStride:])), uint64(binary.LittleEndian.Uint32(b[y*bStride:])))
			sum += d&even + d>>8&even
		}
	}
	return int(sum * 0x00010001_00010001 >> 48)
}

func bestSubblockGeneric(src []uint8, stride int, predictions *[16 * NumSubblockModes]uint8, p *Penalties) (mode SubblockMode, least int) {
	const even = 0x00ff00ff_00ff00ff
	rows := func(y int) uint64 {
		return uint64(binary.LittleEndian.Uint32(src[y*stride:])) | uint64(binary.LittleEndian.Uint32(src[(y+1)*stride:]))<<32
	}
	upper, lower := rows(0), rows(2)
	least = 65536
	for m := range NumSubblockModes {
		b := predictions[16*int(m):][:16]
		c := byteDiffs(upper, binary.LittleEndian.Uint64(b))
		d := byteDiffs(lower, binary.LittleEndian.Uint64(b[8:]))
		sum := (c&even + c>>8&even + d&even + d>>8&even) * 0x00010001_00010001 >> 48
		if sum := min(int(sum)+int(p[m]), 65535); sum < least {
			mode, least = m, sum
		}
	}
	return mode, least
}

func sad16x16x4Generic(src []uint8, srcStride int, ref []uint8, refStride int, at *[4]int) (sums [4]int) {
	for i := range sums {
		sums[i] = sadGeneric(src, srcStride, ref[at[i]:], refStride, 16)
	}
	return sums
}

func sseGeneric(a []uint8, aStride int, b []uint8, bStride int, n int) (sum int) {
	for y := range n {
		p, q := a[y*aStride:][:n], b[y*bStride:][:n]
		for x := range p {
			d := int(p[x]) - int(q[x])
			sum += d * d
		}
	}
	return sum
}

func moments16x16Generic(a []uint8, stride int) (sum, sumSq int) {
	for y := range 16 {
		for _, v := range a[y*stride:][:16] {
			sum += int(v)
			sumSq += int(v) * int(v)
		}
	}
	return sum, sumSq
}
