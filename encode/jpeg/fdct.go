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

// A quantiser divides coefficients, which the transform leaves eight times too
// large, by the steps of a table. All in zigzag order.
type quantiser struct {
	steps [64]byte
	half  [64]int32  // half of 8*step: what is smaller becomes zero
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
		q.half[k] = int32(4 * s)
		q.recip[k] = (1<<32 + uint64(8*s) - 1) / uint64(8*s)
	}
}

// transform computes the quantised coefficients of the 8x8 samples at src in
// zigzag order. Bit k of the result, k > 0, tells that coefficient k is not zero;
// of the others only the first is written. Bit 0 has no meaning. At most times most are zero, and the multiply
// is spent on the rest alone.
func (q *quantiser) transform(coef *[64]int16, src []byte, stride int) (nonzero uint64) {
	if flat(src, stride) {
		// Only the mean remains: the transform's result would be 64*(src[0]-128).
		v := 64 * (int32(src[0]) - 128)
		sign := v >> 31
		v = int32(uint64((v^sign)-sign+q.half[0]) * q.recip[0] >> 32)
		coef[0] = int16((v ^ sign) - sign)
		return 0
	}
	var block [64]int32
	fdct(&block, src, stride)
	// First which are not zero, without a branch; then the few divisions.
	for k := range 64 {
		v := block[zigzag[k]&63]
		sign := v >> 31
		nonzero |= uint64(uint32(q.half[k]-1-((v^sign)-sign))>>31) << k
	}
	coef[0] = 0
	for left := nonzero; left != 0; left &= left - 1 {
		k := bits.TrailingZeros64(left) & 63
		v := block[zigzag[k]&63]
		sign := v >> 31
		v = int32(uint64((v^sign)-sign+q.half[k]) * q.recip[k] >> 32)
		coef[k] = int16((v ^ sign) - sign)
	}
	return nonzero
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

// fdct transforms the 8x8 samples at src, stride bytes from row to row, less 128.
func fdct(out *[64]int32, src []byte, stride int) {
	const down1, down2 = fixBits - passBits, fixBits + passBits
	const round1, round2 = 1 << (down1 - 1), 1 << (down2 - 1)
	for y := range 8 {
		s := src[y*stride:][:8]
		o := out[y*8:][:8]
		s0, s7 := int32(s[0]), int32(s[7])
		s1, s6 := int32(s[1]), int32(s[6])
		s2, s5 := int32(s[2]), int32(s[5])
		s3, s4 := int32(s[3]), int32(s[4])
		a, b, c, d := s0+s7, s1+s6, s2+s5, s3+s4
		e, f := a+d, b+c
		o[0] = (e + f - 8*128) << passBits
		o[4] = (e - f) << passBits
		e, f = a-d, b-c
		z := (e+f)*fC6 + round1
		o[2] = (z + e*fC2mC6) >> down1
		o[6] = (z - f*fC2pC6) >> down1

		a, b, c, d = s3-s4, s2-s5, s1-s6, s0-s7
		z5 := (a+c+b+d)*fC3 + round1
		z3 := z5 - (a+c)*fC3pC5
		z4 := z5 - (b+d)*fC3mC5
		z1 := (a + d) * fC3mC7
		z2 := (b + c) * fC1pC3
		o[7] = (a*fA - z1 + z3) >> down1
		o[5] = (b*fB - z2 + z4) >> down1
		o[3] = (c*fC - z2 + z3) >> down1
		o[1] = (d*fD - z1 + z4) >> down1
	}
	for x := range 8 {
		s0, s7 := out[x], out[x+56]
		s1, s6 := out[x+8], out[x+48]
		s2, s5 := out[x+16], out[x+40]
		s3, s4 := out[x+24], out[x+32]
		a, b, c, d := s0+s7, s1+s6, s2+s5, s3+s4
		e, f := a+d+1<<(passBits-1), b+c
		out[x] = (e + f) >> passBits
		out[x+32] = (e - f) >> passBits
		e, f = a-d, b-c
		z := (e+f)*fC6 + round2
		out[x+16] = (z + e*fC2mC6) >> down2
		out[x+48] = (z - f*fC2pC6) >> down2

		a, b, c, d = s3-s4, s2-s5, s1-s6, s0-s7
		z5 := (a+c+b+d)*fC3 + round2
		z3 := z5 - (a+c)*fC3pC5
		z4 := z5 - (b+d)*fC3mC5
		z1 := (a + d) * fC3mC7
		z2 := (b + c) * fC1pC3
		out[x+56] = (a*fA - z1 + z3) >> down2
		out[x+40] = (b*fB - z2 + z4) >> down2
		out[x+24] = (c*fC - z2 + z3) >> down2
		out[x+8] = (d*fD - z1 + z4) >> down2
	}
}
