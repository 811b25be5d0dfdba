package dsp

import (
	"encoding/binary"
	"math/bits"
)

// Mode is an intra prediction mode of a macroblock's luma or chroma (RFC 6386,
// sections 12.2 and 8.2).
type Mode uint8

// The modes, in the order of the RFC.
const (
	DCPred Mode = iota // the mean of the samples above and left
	VPred              // the row above
	HPred              // the column left
	TMPred             // TrueMotion: above + left - corner
)

// SubblockMode is an intra prediction mode of a 4x4 block (RFC 6386, section 12.3).
type SubblockMode uint8

// The modes, in the order of the RFC.
const (
	BDCPred SubblockMode = iota // the mean of the samples above and left
	BTMPred                     // TrueMotion
	BVEPred                     // the row above, smoothed
	BHEPred                     // the column left, smoothed
	BLDPred                     // diagonal, down and left
	BRDPred                     // diagonal, down and right
	BVRPred                     // vertical, a little to the right
	BVLPred                     // vertical, a little to the left
	BHDPred                     // horizontal, a little down
	BHUPred                     // horizontal, a little up
	NumSubblockModes
)

// An Edge is what lies around a square of 16x16 or 8x8 samples.
type Edge struct {
	Above             [16]uint8
	Left              [16]uint8
	Corner            uint8 // above and left
	HasAbove, HasLeft bool  // within the picture
}

// Load reads the surroundings of the size*size samples at (x, y) of a plane that
// begins with the picture. What lies outside is 127 above and 129 at the left, the
// corner belonging to the row above at the top and to the column else (RFC 6386,
// section 12.2).
func (e *Edge) Load(plane []uint8, stride, x, y, size int) {
	e.HasAbove, e.HasLeft = y > 0, x > 0
	at := y*stride + x
	if e.HasAbove {
		copy(e.Above[:size], plane[at-stride:])
	} else {
		fill(e.Above[:], 127)
	}
	if e.HasLeft {
		for i := range e.Left[:size] {
			e.Left[i] = plane[at+i*stride-1]
		}
	} else {
		fill(e.Left[:], 129)
	}
	switch {
	case !e.HasAbove:
		e.Corner = 127
	case !e.HasLeft:
		e.Corner = 129
	default:
		e.Corner = plane[at-stride-1]
	}
}

func fill(b []uint8, v uint8) {
	for i := range b {
		b[i] = v
	}
}

// Predict16x16 predicts the luma of a macroblock.
func Predict16x16(dst []uint8, stride int, mode Mode, e *Edge) {
	switch mode {
	case DCPred:
		fillRows16(dst, stride, uint64(e.mean(16))*ones)
	case VPred:
		for y := range 16 {
			*(*[16]uint8)(dst[y*stride:]) = e.Above
		}
	case HPred:
		for y, v := range e.Left {
			row, w := dst[y*stride:][:16], uint64(v)*ones
			binary.LittleEndian.PutUint64(row, w)
			binary.LittleEndian.PutUint64(row[8:], w)
		}
	case TMPred:
		predictTM(dst, stride, e, 16)
	}
}

// Predict8x8 predicts one of the chroma planes of a macroblock.
func Predict8x8(dst []uint8, stride int, mode Mode, e *Edge) {
	switch mode {
	case DCPred:
		fillRows8(dst, stride, uint64(e.mean(8))*ones)
	case VPred:
		fillRows8(dst, stride, binary.LittleEndian.Uint64(e.Above[:]))
	case HPred:
		for y, v := range e.Left[:8] {
			binary.LittleEndian.PutUint64(dst[y*stride:], uint64(v)*ones)
		}
	case TMPred:
		predictTM(dst, stride, e, 8)
	}
}

// mean is the mean of those of size samples above and left that are within the
// picture.
func (e *Edge) mean(size int) uint8 {
	sum, n := 0, 0
	if e.HasAbove {
		sum, n = sumBytes(e.Above[:size]), size
	}
	if e.HasLeft {
		sum, n = sum+sumBytes(e.Left[:size]), n+size
	}
	if n == 0 {
		return 128
	}
	return uint8((sum + n/2) >> (bits.Len(uint(n)) - 1))
}

// sumBytes adds up bytes, a multiple of eight below 256 of them.
func sumBytes(b []uint8) int {
	const even = 0x00ff00ff_00ff00ff
	var sum uint64
	for ; len(b) >= 8; b = b[8:] {
		w := binary.LittleEndian.Uint64(b)
		sum += w&even + w>>8&even
	}
	return int(sum * 0x00010001_00010001 >> 48)
}

// ones repeats a byte in all bytes of a word.
const ones = 0x01010101_01010101

func fillRows16(dst []uint8, stride int, w uint64) {
	for y := range 16 {
		row := dst[y*stride:][:16]
		binary.LittleEndian.PutUint64(row, w)
		binary.LittleEndian.PutUint64(row[8:], w)
	}
}

func fillRows8(dst []uint8, stride int, w uint64) {
	for y := range 8 {
		binary.LittleEndian.PutUint64(dst[y*stride:], w)
	}
}

func predictTMGeneric(dst []uint8, stride int, e *Edge, size int) {
	for y := range size {
		d := int32(e.Left[y]) - int32(e.Corner)
		row := dst[y*stride:][:size]
		for x := range row {
			row[x] = saturate(int32(e.Above[x]) + d)
		}
	}
}

// SubblockEdge holds the 13 samples around a 4x4 block, E of RFC 6386, section 12.3:
// from the lowest of the column left to the corner (at 4), then the four above and
// the four above and right.
type SubblockEdge [13]uint8

// PredictSubblock predicts a 4x4 block.
func PredictSubblock(dst []uint8, stride int, mode SubblockMode, e *SubblockEdge) {
	var b [16]uint8
	subblock(&b, mode, e)
	copy(dst[:4], b[:4])
	copy(dst[stride:][:4], b[4:])
	copy(dst[2*stride:][:4], b[8:])
	copy(dst[3*stride:][:4], b[12:])
}

// PredictSubblocks predicts a 4x4 block in all modes: in mode m it is the 16 samples
// from dst[16*m], row by row.
func PredictSubblocks(dst *[16 * NumSubblockModes]uint8, e *SubblockEdge) {
	predictSubblocks(dst, e)
}

func predictSubblocksGeneric(dst *[16 * NumSubblockModes]uint8, e *SubblockEdge) {
	for m := range NumSubblockModes {
		subblock((*[16]uint8)(dst[16*int(m):]), m, e)
	}
}

// avg2 and avg3 are the RFC's averages, with the middle twice in the latter.
func avg2(a, b uint8) uint8    { return uint8((uint(a) + uint(b) + 1) >> 1) }
func avg3(a, b, c uint8) uint8 { return uint8((uint(a) + 2*uint(b) + uint(c) + 2) >> 2) }

// subblock predicts in the order of the RFC, where e[i] is its E[i-4].
func subblock(b *[16]uint8, mode SubblockMode, e *SubblockEdge) {
	// smooth is avg3 around e[i].
	smooth := func(i int) uint8 { return avg3(e[i-1], e[i], e[i+1]) }
	switch mode {
	case BDCPred:
		sum := uint(4)
		for i := range 4 {
			sum += uint(e[i]) + uint(e[5+i])
		}
		fill(b[:], uint8(sum>>3))
	case BTMPred:
		for y := range 4 {
			d := int32(e[3-y]) - int32(e[4])
			for x := range 4 {
				b[4*y+x] = saturate(int32(e[5+x]) + d)
			}
		}
	case BVEPred:
		for x := range 4 {
			v := smooth(5 + x)
			b[x], b[4+x], b[8+x], b[12+x] = v, v, v, v
		}
	case BHEPred:
		fill(b[0:4], smooth(3))
		fill(b[4:8], smooth(2))
		fill(b[8:12], smooth(1))
		fill(b[12:16], avg3(e[1], e[0], e[0]))
	case BLDPred:
		var d [7]uint8
		for i := range 6 {
			d[i] = smooth(6 + i)
		}
		d[6] = avg3(e[11], e[12], e[12])
		for y := range 4 {
			copy(b[4*y:4*y+4], d[y:])
		}
	case BRDPred:
		var d [7]uint8
		for i := range d {
			d[i] = smooth(1 + i)
		}
		for y := range 4 {
			copy(b[4*y:4*y+4], d[3-y:])
		}
	case BVRPred:
		b[12] = smooth(2)
		b[8] = smooth(3)
		b[13], b[4] = smooth(4), smooth(4)
		b[9], b[0] = avg2(e[4], e[5]), avg2(e[4], e[5])
		b[14], b[5] = smooth(5), smooth(5)
		b[10], b[1] = avg2(e[5], e[6]), avg2(e[5], e[6])
		b[15], b[6] = smooth(6), smooth(6)
		b[11], b[2] = avg2(e[6], e[7]), avg2(e[6], e[7])
		b[7] = smooth(7)
		b[3] = avg2(e[7], e[8])
	case BVLPred:
		b[0] = avg2(e[5], e[6])
		b[4] = smooth(6)
		b[8], b[1] = avg2(e[6], e[7]), avg2(e[6], e[7])
		b[5], b[12] = smooth(7), smooth(7)
		b[9], b[2] = avg2(e[7], e[8]), avg2(e[7], e[8])
		b[13], b[6] = smooth(8), smooth(8)
		b[10], b[3] = avg2(e[8], e[9]), avg2(e[8], e[9])
		b[14], b[7] = smooth(9), smooth(9)
		// The last two break the pattern.
		b[11] = smooth(10)
		b[15] = smooth(11)
	case BHDPred:
		b[12] = avg2(e[0], e[1])
		b[13] = smooth(1)
		b[8], b[14] = avg2(e[1], e[2]), avg2(e[1], e[2])
		b[9], b[15] = smooth(2), smooth(2)
		b[10], b[4] = avg2(e[2], e[3]), avg2(e[2], e[3])
		b[11], b[5] = smooth(3), smooth(3)
		b[6], b[0] = avg2(e[3], e[4]), avg2(e[3], e[4])
		b[7], b[1] = smooth(4), smooth(4)
		b[2] = smooth(5)
		b[3] = smooth(6)
	case BHUPred:
		b[0] = avg2(e[3], e[2])
		b[1] = smooth(2)
		b[2], b[4] = avg2(e[2], e[1]), avg2(e[2], e[1])
		b[3], b[5] = smooth(1), smooth(1)
		b[6], b[8] = avg2(e[1], e[0]), avg2(e[1], e[0])
		b[7], b[9] = avg3(e[1], e[0], e[0]), avg3(e[1], e[0], e[0])
		v := e[0]
		b[10], b[11], b[12], b[13], b[14], b[15] = v, v, v, v, v, v
	}
}
