package dsp

import (
	"encoding/binary"
	"image"

	"framebridge/internal/pix"
)

// BGRX to YCbCr of ITU-R BT.601 in the limited range, which viewers assume of VP8:
//
//	Y  =  65.481 R + 128.553 G +  24.966 B +  16
//	Cb = -37.797 R -  74.203 G + 112.000 B + 128
//	Cr = 112.000 R -  93.786 G -  18.214 B + 128
//
// with R, G and B from 0 to 1, here with 15 bits of fraction. The factors of
// chroma add up to nothing, so that grey stays grey, and those of luma to 219/255,
// so that white is 235. Chroma is that of the mean of 2x2 pixels.
const (
	yR, yG, yB    = 8414, 16520, 3208
	cbR, cbG, cbB = -4857, -9535, 14392
	crR, crG, crB = 14392, -12052, -2340
	yOffset       = 16<<15 + 1<<14
	cOffset       = 4*(128<<15) + 1<<16 // for sums of four
)

// unit is how many pixels of a row the conversion works on at a time.
const unit = 16

// Convert converts the pixels r of m to the planes of an I420 picture whose sample
// (0, 0) is m's first pixel: y has a stride of yStride, u and v of uvStride. r is
// relative to m's first pixel as well; its corners are multiples of 16, and what of
// it lies beyond m repeats m's last column and row. The picture's planes hold r.
// m must not be empty.
func Convert(y, u, v []uint8, yStride, uvStride int, m *pix.Image, r image.Rectangle) {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	if r.Empty() {
		return
	}
	n := r.Dx()
	inside := min(max(w&^(unit-1)-r.Min.X, 0), n) // pixels of whole units
	for top := r.Min.Y; top < r.Max.Y; top += 2 {
		a, b := min(top, h-1), min(top+1, h-1)
		y0, y1 := y[top*yStride+r.Min.X:][:n], y[(top+1)*yStride+r.Min.X:][:n]
		c := top/2*uvStride + r.Min.X/2
		cb, cr := u[c:][:n/2], v[c:][:n/2]
		if inside > 0 {
			x := r.Min.X * pix.BytesPerPixel
			convertRows(y0[:inside], y1, cb, cr, m.Pix[a*m.Stride+x:], m.Pix[b*m.Stride+x:])
		}
		for x := inside; x < n; x += unit {
			var s0, s1 [unit * pix.BytesPerPixel]byte
			padUnit(&s0, m.Pix[a*m.Stride:][:w*pix.BytesPerPixel], r.Min.X+x)
			padUnit(&s1, m.Pix[b*m.Stride:][:w*pix.BytesPerPixel], r.Min.X+x)
			convertRows(y0[x:][:unit], y1[x:], cb[x/2:], cr[x/2:], s0[:], s1[:])
		}
	}
}

// padUnit copies the unit at pixel x of a row, the last pixel repeated.
func padUnit(dst *[unit * pix.BytesPerPixel]byte, row []byte, x int) {
	x *= pix.BytesPerPixel
	n := 0
	if x < len(row) {
		n = copy(dst[:], row[x:])
	}
	for ; n < len(dst); n += pix.BytesPerPixel {
		copy(dst[n:], row[len(row)-pix.BytesPerPixel:])
	}
}

// convertRowsGeneric converts two rows of len(y0) pixels, an even number.
func convertRowsGeneric(y0, y1, cb, cr []uint8, src0, src1 []byte) {
	n := len(y0) / 2
	cb, cr = cb[:n], cr[:n]
	y0, y1 = y0[:2*n], y1[:2*n]
	src0, src1 = src0[:8*n], src1[:8*n]
	for i := range cb {
		p, q := binary.LittleEndian.Uint64(src0[8*i:]), binary.LittleEndian.Uint64(src1[8*i:])
		l := (yR*uint32(p>>16&255) + yG*uint32(p>>8&255) + yB*uint32(p&255) + yOffset) >> 15
		l |= (yR*uint32(p>>48&255) + yG*uint32(p>>40&255) + yB*uint32(p>>32&255) + yOffset) >> 15 << 8
		binary.LittleEndian.PutUint16(y0[2*i:], uint16(l))
		l = (yR*uint32(q>>16&255) + yG*uint32(q>>8&255) + yB*uint32(q&255) + yOffset) >> 15
		l |= (yR*uint32(q>>48&255) + yG*uint32(q>>40&255) + yB*uint32(q>>32&255) + yOffset) >> 15 << 8
		binary.LittleEndian.PutUint16(y1[2*i:], uint16(l))
		// Sums of four fit in 16 bits each: blue and red side by side, green alone.
		const even, odd = 0x00ff00ff_00ff00ff, 0x000000ff_000000ff
		rb := p&even + q&even
		rb += rb >> 32
		gg := p>>8&odd + q>>8&odd
		gg += gg >> 32
		r, g, b := int32(rb>>16&0xffff), int32(gg&0xffff), int32(rb&0xffff)
		cb[i] = uint8((cbR*r + cbG*g + cbB*b + cOffset) >> 17)
		cr[i] = uint8((crR*r + crG*g + crB*b + cOffset) >> 17)
	}
}
