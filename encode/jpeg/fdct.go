package jpeg

import (
	"encoding/binary"
	"math/bits"
)

// quantBase holds the luminance and chrominance quantisation tables of T.81,
// annex K.1, row by row.
var quantBase = [2][64]byte{{
	16, 11, 10, 16, 24, 40, 51, 61,
	12, 12, 14, 19, 26, 58, 60, 55,
	14, 13, 16, 24, 40, 57, 69, 56,
	14, 17, 22, 29, 51, 87, 80, 62,
	18, 22, 37, 56, 68, 109, 103, 77,
	24, 35, 55, 64, 81, 104, 113, 92,
	49, 64, 78, 87, 103, 121, 120, 101,
	72, 92, 95, 98, 112, 100, 103, 99,
}, {
	17, 18, 24, 47, 99, 99, 99, 99,
	18, 21, 26, 66, 99, 99, 99, 99,
	24, 26, 56, 99, 99, 99, 99, 99,
	47, 66, 99, 99, 99, 99, 99, 99,
	99, 99, 99, 99, 99, 99, 99, 99,
	99, 99, 99, 99, 99, 99, 99, 99,
	99, 99, 99, 99, 99, 99, 99, 99,
	99, 99, 99, 99, 99, 99, 99, 99,
}}

// zigzag gives the row-by-row index of the k-th coefficient (T.81, figure 5).
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// transposed[k] is where coefficient k lies in a block: the kernels leave blocks
// column by column, which spares them one of two transpositions.
var transposed = func() (t [64]uint8) {
	for k, i := range zigzag {
		t[k] = i&7<<3 | i>>3
	}
	return t
}()

// A block is what the transform hands to the Huffman coder.
type block struct {
	// The coefficients that are not zero, at transposed[k], as T.81, F.1.2.2.1,
	// codes them: one less if negative. What stands in place of others is
	// undefined; so is the first.
	coef    [64]int16
	nonzero uint64 // bit k > 0: coefficient k is not zero
	dc      int32  // the first coefficient
	// These are made once for a subsampling.
	back  int32 // how many blocks before this one the DC prediction lies
	table int64 // 0 luma, 1 chroma
}

// A quantiser divides coefficients, which the transform leaves eight times too
// large, by the steps of a table. The divisions are exact, rounded half away from
// zero.
type quantiser struct {
	// For the kernels, in transposed order: half of d = 8*step; then with j the
	// logarithm of step, rounded down, 2^(18+j)/d, rounded up, and 2^(14-j).
	// Sums x of a coefficient and a half are below 2^13.3 and the second factor's
	// error is below 1, so that x*error < 2^(18+j)/d and nothing carries over.
	half16  [64]uint16
	recip16 [64]uint16
	shift16 [64]uint16

	// In zigzag order.
	steps [64]byte
	half  [64]uint32 // half of 8*step: what is smaller becomes zero
	recip [64]uint64 // 2^32/(8*step), rounded up: exact for all values below 2^16
}

// set scales a base table to a quality of 1 to 100, as the Independent JPEG Group
// does and as everybody expects.
func (q *quantiser) set(base *[64]byte, quality int) {
	scale := 200 - 2*quality
	if quality < 50 {
		scale = 5000 / quality
	}
	for k, i := range zigzag {
		s := min(max((int(base[i])*scale+50)/100, 1), 255)
		q.steps[k] = byte(s)
		q.half[k] = uint32(4 * s)
		q.recip[k] = (1<<32 + uint64(8*s) - 1) / uint64(8*s)
		t, j := transposed[k], bits.Len(uint(s))-1
		q.half16[t] = uint16(4 * s)
		q.recip16[t] = uint16((1<<(18+j) + 8*s - 1) / (8 * s))
		q.shift16[t] = 1 << (14 - j)
	}
}

// A layout says where pairs of blocks lie: pair i are the samples at i*step and
// i*step+pair in a plane, and they become the blocks i*dstStep and
// i*dstStep+dstPair.
type layout struct {
	pair, step       int
	dstPair, dstStep int
}

// transformGeneric transforms and quantises n pairs of blocks of 8x8 samples,
// stride bytes from row to row.
func (q *quantiser) transformGeneric(dst []block, src []byte, stride, n int, l layout) {
	for i := range n {
		q.transformBlock(&dst[i*l.dstStep], src[i*l.step:], stride)
		q.transformBlock(&dst[i*l.dstStep+l.dstPair], src[i*l.step+l.pair:], stride)
	}
}

// transformBlock does one block. At most times most coefficients are zero, and the
// multiply is spent on the rest alone.
func (q *quantiser) transformBlock(b *block, src []byte, stride int) {
	if flat(src, stride) {
		// Only the mean remains: the transform's result would be 64*(src[0]-128).
		b.dc = q.divide(0, 64*(int32(src[0])-128))
		b.nonzero = 0
		return
	}
	var out [64]int32
	fdct(&out, src, stride)
	// First which are not zero, without a branch; then the few divisions.
	var nonzero uint64
	for k := 63; k > 0; k-- {
		// -half < v < half, as one unsigned comparison whose borrow is the bit.
		most := uint64(q.half[k] - 1)
		v := uint32(out[zigzag[k]&63] + int32(most))
		nonzero = 2*nonzero + (2*most-uint64(v))>>63
	}
	nonzero *= 2
	b.dc = q.divide(0, out[0])
	b.nonzero = nonzero
	for ; nonzero != 0; nonzero &= nonzero - 1 {
		k := bits.TrailingZeros64(nonzero) & 63
		v := q.divide(k, out[zigzag[k]&63])
		b.coef[transposed[k]&63] = int16(v + v>>31)
	}
}

// divide quantises a value of coefficient k.
func (q *quantiser) divide(k int, v int32) int32 {
	sign := v >> 31
	v = int32(uint64(uint32((v^sign)-sign)+q.half[k&63]) * q.recip[k&63] >> 32)
	return (v ^ sign) - sign
}

// flat reports whether all of the 8x8 samples at src are equal, as in the plain
// parts of a screen that a photograph shares a rectangle with.
func flat(src []byte, stride int) bool {
	same := uint64(src[0]) * 0x01010101_01010101
	for y := range 8 {
		if binary.LittleEndian.Uint64(src[y*stride:]) != same {
			return false
		}
	}
	return true
}

// The transform is the fast DCT of C. Loeffler, A. Ligtenberg and G. Moschytz,
// "Practical fast 1-D DCT algorithms with 11 multiplications" (ICASSP 1989), in
// the variant with 12 multiplications, whose factors are below; c(k) stands for
// sqrt(2)*cos(k*pi/16). They have 13 bits of fraction. Each of the two passes
// leaves its results sqrt(8) too large.
const (
	fixBits  = 13
	passBits = 2 // fraction kept between the passes

	fC6    = 4433  // c6
	fC2mC6 = 6270  // c2-c6
	fC2pC6 = 15137 // c2+c6
	fC3    = 9633  // c3
	fC3mC7 = 7373  // c3-c7
	fC1pC3 = 20995 // c1+c3
	fC3pC5 = 16069 // c3+c5
	fC3mC5 = 3196  // c3-c5
	fA     = 2446  // -c1+c3+c5-c7
	fB     = 16819 // c1+c3-c5+c7
	fC     = 25172 // c1+c3+c5-c7
	fD     = 12299 // c1+c3-c5-c7
)

// fdct transforms the 8x8 samples at src, stride bytes from row to row, less 128:
// first the columns, then the rows. What lies between the passes fits in 16 bits,
// and the results do, which the kernels rely upon.
func fdct(out *[64]int32, src []byte, stride int) {
	const down1, down2 = fixBits - passBits, fixBits + passBits
	const round1, round2 = 1 << (down1 - 1), 1 << (down2 - 1)
	r0, r1 := (*[8]byte)(src), (*[8]byte)(src[stride:])
	r2, r3 := (*[8]byte)(src[2*stride:]), (*[8]byte)(src[3*stride:])
	r4, r5 := (*[8]byte)(src[4*stride:]), (*[8]byte)(src[5*stride:])
	r6, r7 := (*[8]byte)(src[6*stride:]), (*[8]byte)(src[7*stride:])
	for x := range 8 {
		s0, s7 := int32(r0[x]), int32(r7[x])
		s1, s6 := int32(r1[x]), int32(r6[x])
		s2, s5 := int32(r2[x]), int32(r5[x])
		s3, s4 := int32(r3[x]), int32(r4[x])
		a, b, c, d := s0+s7, s1+s6, s2+s5, s3+s4
		e, f := a+d, b+c
		out[x] = (e + f - 8*128) << passBits
		out[x+32] = (e - f) << passBits
		e, f = a-d, b-c
		z := (e+f)*fC6 + round1
		out[x+16] = (z + e*fC2mC6) >> down1
		out[x+48] = (z - f*fC2pC6) >> down1

		a, b, c, d = s3-s4, s2-s5, s1-s6, s0-s7
		z5 := (a+c+b+d)*fC3 + round1
		z3 := z5 - (a+c)*fC3pC5
		z4 := z5 - (b+d)*fC3mC5
		z1 := (a + d) * fC3mC7
		z2 := (b + c) * fC1pC3
		out[x+56] = (a*fA - z1 + z3) >> down1
		out[x+40] = (b*fB - z2 + z4) >> down1
		out[x+24] = (c*fC - z2 + z3) >> down1
		out[x+8] = (d*fD - z1 + z4) >> down1
	}
	for y := range 8 {
		o := (*[8]int32)(out[y*8:])
		s0, s7 := o[0], o[7]
		s1, s6 := o[1], o[6]
		s2, s5 := o[2], o[5]
		s3, s4 := o[3], o[4]
		a, b, c, d := s0+s7, s1+s6, s2+s5, s3+s4
		e, f := a+d+1<<(passBits-1), b+c
		o[0] = (e + f) >> passBits
		o[4] = (e - f) >> passBits
		e, f = a-d, b-c
		z := (e+f)*fC6 + round2
		o[2] = (z + e*fC2mC6) >> down2
		o[6] = (z - f*fC2pC6) >> down2

		a, b, c, d = s3-s4, s2-s5, s1-s6, s0-s7
		z5 := (a+c+b+d)*fC3 + round2
		z3 := z5 - (a+c)*fC3pC5
		z4 := z5 - (b+d)*fC3mC5
		z1 := (a + d) * fC3mC7
		z2 := (b + c) * fC1pC3
		o[7] = (a*fA - z1 + z3) >> down2
		o[5] = (b*fB - z2 + z4) >> down2
		o[3] = (c*fC - z2 + z3) >> down2
		o[1] = (d*fD - z1 + z4) >> down2
	}
}
