package jpeg

import "encoding/binary"

// BGRX to YCbCr as JFIF has it (ITU-T T.871, section 7), 16 bits of fraction:
//
//	Y  =  0.299 R    + 0.587 G    + 0.114 B
//	Cb = -0.168736 R - 0.331264 G + 0.5 B      + 128
//	Cr =  0.5 R      - 0.418688 G - 0.081312 B + 128
//
// Chroma of several pixels is computed from the sum of their colours, which is
// exact because the equations are linear. The rounding of chroma is one short of
// a half, so that pure blue and red give 255 and not 256.
//
// The kernels convert444, convert422 and convert420 take whole units of
// unitWidth pixels; all of them do the same integer arithmetic.
const (
	yR, yG, yB = 19595, 38470, 7471
	cbR, cbG   = 11059, 21709
	crG, crB   = 27439, 5329
	half       = 32768
	yRound     = half
	cOffset    = 128<<16 + half - 1
)

// convert444Generic converts len(y) pixels; cb and cr are as long as y.
func convert444Generic(y, cb, cr, src []byte) {
	cb, cr = cb[:len(y)], cr[:len(y)]
	src = src[:4*len(y)]
	for i := range y {
		p := binary.LittleEndian.Uint32(src[4*i:])
		r, g, b := int32(p>>16&255), int32(p>>8&255), int32(p&255)
		y[i] = byte((yR*r + yG*g + yB*b + yRound) >> 16)
		cb[i] = byte((half*b - cbR*r - cbG*g + cOffset) >> 16)
		cr[i] = byte((half*r - crG*g - crB*b + cOffset) >> 16)
	}
}

// convert422Generic converts len(y) pixels; cb and cr are half as long.
func convert422Generic(y, cb, cr, src []byte) {
	n := len(y) / 2
	cb, cr = cb[:n], cr[:n]
	y, src = y[:2*n], src[:8*n]
	for i := range cb {
		p := binary.LittleEndian.Uint64(src[8*i:])
		r0, g0, b0 := int32(p>>16&255), int32(p>>8&255), int32(p&255)
		r1, g1, b1 := int32(p>>48&255), int32(p>>40&255), int32(p>>32&255)
		a := uint16((yR*r0+yG*g0+yB*b0+yRound)>>16) | uint16((yR*r1+yG*g1+yB*b1+yRound)>>16)<<8
		binary.LittleEndian.PutUint16(y[2*i:], a)
		r, g, b := r0+r1, g0+g1, b0+b1
		cb[i] = byte((half*b - cbR*r - cbG*g + 2*cOffset) >> 17)
		cr[i] = byte((half*r - crG*g - crB*b + 2*cOffset) >> 17)
	}
}

// convert420Generic converts two rows of len(y0) pixels; cb and cr are half as long.
func convert420Generic(y0, y1, cb, cr, src0, src1 []byte) {
	n := len(y0) / 2
	cb, cr = cb[:n], cr[:n]
	y0, y1 = y0[:2*n], y1[:2*n]
	src0, src1 = src0[:8*n], src1[:8*n]
	for i := range cb {
		p, q := binary.LittleEndian.Uint64(src0[8*i:]), binary.LittleEndian.Uint64(src1[8*i:])
		a := (yR*uint32(p>>16&255) + yG*uint32(p>>8&255) + yB*uint32(p&255) + yRound) >> 16
		a |= (yR*uint32(p>>48&255) + yG*uint32(p>>40&255) + yB*uint32(p>>32&255) + yRound) >> 16 << 8
		binary.LittleEndian.PutUint16(y0[2*i:], uint16(a))
		a = (yR*uint32(q>>16&255) + yG*uint32(q>>8&255) + yB*uint32(q&255) + yRound) >> 16
		a |= (yR*uint32(q>>48&255) + yG*uint32(q>>40&255) + yB*uint32(q>>32&255) + yRound) >> 16 << 8
		binary.LittleEndian.PutUint16(y1[2*i:], uint16(a))
		// Sums of four fit in 16 bits each: blue and red side by side, green alone.
		const even, odd = 0x00ff00ff_00ff00ff, 0x000000ff_000000ff
		rb := p&even + q&even
		rb += rb >> 32
		gg := p>>8&odd + q>>8&odd
		gg += gg >> 32
		r, g, b := int32(rb>>16&0xffff), int32(gg&0xffff), int32(rb&0xffff)
		cb[i] = byte((half*b - cbR*r - cbG*g + 4*cOffset) >> 18)
		cr[i] = byte((half*r - crG*g - crB*b + 4*cOffset) >> 18)
	}
}
