package dsp

// The transforms. RFC 6386, section 14.3, gives the inverse ones to the bit; with T
// the matrix of rows (1, 1, 1, 1), (c, s, -s, -c), (1, -1, -1, 1), (s, -c, c, -s),
// where c and s are sqrt(2) times the cosine and the sine of pi/8, the inverse DCT
// is transposed(T)*X*T/8, and as T is twice an orthonormal matrix, X is
// T*x*transposed(T)/2. In the same way the WHT's factors are a half and an eighth.

const (
	// Factors of the inverse transform, 16 bits of fraction: c-1 and s.
	cosM1 = 20091
	sin   = 35468
	// Of the forward one, 15 bits.
	fwdCosM1 = 10045
	fwdSin   = 17734
	fwdBits  = 3 // of fraction: what then is largest, 4*4*255<<3, still fits in 16 bits
)

// ForwardDCT transforms the differences of src and pred of wide*high blocks of 4x4
// samples and writes 16 coefficients per block to coef. wide is 1, 2 or 4 and high
// any number. Coefficients are within -2040 and 2040; InverseDCTAdd gives src
// again to within rounding.
func ForwardDCT(coef []int16, src []uint8, srcStride int, pred []uint8, predStride int, wide, high int) {
	forwardDCT(coef, src, srcStride, pred, predStride, wide, high)
}

func forwardDCTGeneric(coef []int16, src []uint8, srcStride int, pred []uint8, predStride int, wide, high int) {
	for by := range high {
		for bx := range wide {
			forwardBlock((*[16]int16)(coef), src[4*by*srcStride+4*bx:], srcStride, pred[4*by*predStride+4*bx:], predStride)
			coef = coef[16:]
		}
	}
}

// mulRound is a*f with 15 bits of fraction, rounded (the processor's PMULHRSW).
func mulRound(a, f int32) int32 { return (a*f + 1<<14) >> 15 }

func forwardBlock(out *[16]int16, src []uint8, srcStride int, pred []uint8, predStride int) {
	s0, s1 := (*[4]uint8)(src), (*[4]uint8)(src[srcStride:])
	s2, s3 := (*[4]uint8)(src[2*srcStride:]), (*[4]uint8)(src[3*srcStride:])
	p0, p1 := (*[4]uint8)(pred), (*[4]uint8)(pred[predStride:])
	p2, p3 := (*[4]uint8)(pred[2*predStride:]), (*[4]uint8)(pred[3*predStride:])
	var t [16]int32
	for x := range 4 {
		r0, r1 := int32(s0[x])-int32(p0[x]), int32(s1[x])-int32(p1[x])
		r2, r3 := int32(s2[x])-int32(p2[x]), int32(s3[x])-int32(p3[x])
		a, b, c, d := (r0+r3)<<fwdBits, (r1+r2)<<fwdBits, (r1-r2)<<fwdBits, (r0-r3)<<fwdBits
		t[x] = a + b
		t[4+x] = d + mulRound(d, fwdCosM1) + mulRound(c, fwdSin)
		t[8+x] = a - b
		t[12+x] = mulRound(d, fwdSin) - c - mulRound(c, fwdCosM1)
	}
	const down = fwdBits + 1
	const round = 1 << (down - 1)
	for y := 0; y < 16; y += 4 {
		a, b, c, d := t[y]+t[y+3], t[y+1]+t[y+2], t[y+1]-t[y+2], t[y]-t[y+3]
		out[y] = int16((a + b + round) >> down)
		out[y+1] = int16((d + mulRound(d, fwdCosM1) + mulRound(c, fwdSin) + round) >> down)
		out[y+2] = int16((a - b + round) >> down)
		out[y+3] = int16((mulRound(d, fwdSin) - c - mulRound(c, fwdCosM1) + round) >> down)
	}
}

// ForwardWHT transforms the first coefficients of a macroblock's 16 luma blocks,
// luma[0], luma[16] and so on, to those of its Y2 block (RFC 6386, section 14.2).
// Of what ForwardDCT gives the results are within -16320 and 16320.
func ForwardWHT(y2 *[16]int16, luma []int16) {
	l := (*[256]int16)(luma)
	var t [16]int32
	for x := range 4 {
		r0, r1, r2, r3 := int32(l[16*x]), int32(l[16*x+64]), int32(l[16*x+128]), int32(l[16*x+192])
		a, b, c, d := r0+r3, r1+r2, r1-r2, r0-r3
		t[x], t[4+x], t[8+x], t[12+x] = a+b, d+c, a-b, d-c
	}
	for y := 0; y < 16; y += 4 {
		a, b, c, d := t[y]+t[y+3], t[y+1]+t[y+2], t[y+1]-t[y+2], t[y]-t[y+3]
		y2[y] = int16((a + b + 1) >> 1)
		y2[y+1] = int16((d + c + 1) >> 1)
		y2[y+2] = int16((a - b + 1) >> 1)
		y2[y+3] = int16((d - c + 1) >> 1)
	}
}

// InverseWHT makes the first coefficients of a macroblock's 16 luma blocks, luma[0],
// luma[16] and so on, of its dequantised Y2 block, exactly as RFC 6386, section 14.3,
// says. The other coefficients are left as they are.
func InverseWHT(luma []int16, y2 *[16]int16) {
	l := (*[256]int16)(luma)
	var t [16]int32
	for x := range 4 {
		r0, r1, r2, r3 := int32(y2[x]), int32(y2[4+x]), int32(y2[8+x]), int32(y2[12+x])
		a, b, c, d := r0+r3, r1+r2, r1-r2, r0-r3
		t[x], t[4+x], t[8+x], t[12+x] = a+b, d+c, a-b, d-c
	}
	for y := range 4 {
		a, b, c, d := t[4*y]+t[4*y+3], t[4*y+1]+t[4*y+2], t[4*y+1]-t[4*y+2], t[4*y]-t[4*y+3]
		l[64*y] = int16((a + b + 3) >> 3)
		l[64*y+16] = int16((d + c + 3) >> 3)
		l[64*y+32] = int16((a - b + 3) >> 3)
		l[64*y+48] = int16((d - c + 3) >> 3)
	}
}

// InverseDCTAdd transforms the dequantised coefficients of wide*high blocks and
// adds them to pred, saturated, exactly as RFC 6386, sections 14.3 and 14.5, say.
// dst and pred may be the same samples. wide is 1, 2 or 4. ac has the bit 1<<i for
// each block i that has more than its first coefficient, as Quantise returns it;
// of the others the rest must be zero. The sum of the magnitudes of a block's
// coefficients must be below 16384, or the result is undefined; those of Quantise
// are.
func InverseDCTAdd(dst []uint8, dstStride int, pred []uint8, predStride int, coef []int16, ac uint32, wide, high int) {
	inverseDCTAdd(dst, dstStride, pred, predStride, coef, ac, wide, high)
}

func inverseDCTAddGeneric(dst []uint8, dstStride int, pred []uint8, predStride int, coef []int16, ac uint32, wide, high int) {
	for by := range high {
		for bx := range wide {
			d, p := dst[4*by*dstStride+4*bx:], pred[4*by*predStride+4*bx:]
			if ac&1 != 0 {
				inverseBlock(d, dstStride, p, predStride, (*[16]int16)(coef))
			} else {
				addDC(d, dstStride, p, predStride, (int32(coef[0])+4)>>3)
			}
			ac >>= 1
			coef = coef[16:]
		}
	}
}

// saturate limits v to 0..255.
func saturate(v int32) uint8 {
	if uint32(v) > 255 {
		v = ^v >> 31
	}
	return uint8(v)
}

func addDC(dst []uint8, dstStride int, pred []uint8, predStride int, dc int32) {
	for y := range 4 {
		d, p := (*[4]uint8)(dst[y*dstStride:]), (*[4]uint8)(pred[y*predStride:])
		d[0], d[1] = saturate(int32(p[0])+dc), saturate(int32(p[1])+dc)
		d[2], d[3] = saturate(int32(p[2])+dc), saturate(int32(p[3])+dc)
	}
}

func inverseBlock(dst []uint8, dstStride int, pred []uint8, predStride int, coef *[16]int16) {
	var t [16]int32
	for x := range 4 {
		i0, i1, i2, i3 := int32(coef[x]), int32(coef[4+x]), int32(coef[8+x]), int32(coef[12+x])
		a, b := i0+i2, i0-i2
		c := i1*sin>>16 - (i3 + i3*cosM1>>16)
		d := i1 + i1*cosM1>>16 + i3*sin>>16
		t[x], t[4+x], t[8+x], t[12+x] = a+d, b+c, b-c, a-d
	}
	for y := range 4 {
		i0, i1, i2, i3 := t[4*y]+4, t[4*y+1], t[4*y+2], t[4*y+3]
		a, b := i0+i2, i0-i2
		c := i1*sin>>16 - (i3 + i3*cosM1>>16)
		d := i1 + i1*cosM1>>16 + i3*sin>>16
		o, p := (*[4]uint8)(dst[y*dstStride:]), (*[4]uint8)(pred[y*predStride:])
		o[0], o[1] = saturate(int32(p[0])+(a+d)>>3), saturate(int32(p[1])+(b+c)>>3)
		o[2], o[3] = saturate(int32(p[2])+(b-c)>>3), saturate(int32(p[3])+(a-d)>>3)
	}
}
