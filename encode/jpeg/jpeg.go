// Package jpeg makes baseline JPEG pictures (ITU-T T.81) of BGRX pixels, as Tight
// rectangles need them: the fixed Huffman tables of annex K, the usual quality
// scale, no metadata.
//
// A picture is made one row of MCUs at a time: convert.go turns the pixels of
// such a strip into three planes of bytes, chroma already subsampled; fdct.go
// transforms and quantises blocks of 8x8; huffman.go writes them.
package jpeg

import (
	"image"

	"framebridge/internal/pix"
)

// Subsampling says how chroma is thinned out.
type Subsampling uint8

// One chroma sample per pixel, per 2x1 and per 2x2 pixels.
const (
	S444 Subsampling = iota
	S422
	S420
)

// Encoder makes pictures; it holds scratch memory and tables for the quality and
// subsampling used last, so keep one. The zero value is ready. Use it from one
// goroutine.
type Encoder struct {
	header  []byte // SOI to SOS; the size is written over
	sizeAt  int    // of the height and width in header
	quality int    // 0: header and tables are not made
	sub     Subsampling
	quant   [2]quantiser // luma, chroma

	planes [3][]byte // of a strip: Y, Cb, Cr
	padded [2][]byte // BGRX rows, the last pixel repeated up to a whole MCU
	coef   [64]int16
	pred   [3]int32
	bits   bitWriter
}

// MaxSize is the largest width and height.
const MaxSize = 65535

// AppendEncode appends a complete JPEG file of the pixels of m in r, which lies
// in m, is not empty and at most MaxSize on each side. quality is 1 to 100 on the
// scale of the Independent JPEG Group; values outside become the nearest.
func (e *Encoder) AppendEncode(dst []byte, m *pix.Image, r image.Rectangle, quality int, s Subsampling) []byte {
	quality = min(max(quality, 1), 100)
	if quality != e.quality || s != e.sub {
		e.quality, e.sub = quality, s
		e.makeHeader()
	}
	at := len(dst) + e.sizeAt
	dst = append(dst, e.header...)
	w, h := r.Dx(), r.Dy()
	dst[at], dst[at+1] = byte(h>>8), byte(h)
	dst[at+2], dst[at+3] = byte(w>>8), byte(w)

	mcuW, mcuH := 8, 8
	if s != S444 {
		mcuW = 16
	}
	if s == S420 {
		mcuH = 16
	}
	columns := (w + mcuW - 1) / mcuW
	width := columns * mcuW // of the Y plane
	chroma := columns * 8   // of the Cb and Cr planes
	e.planes[0] = resize(e.planes[0], width*mcuH)
	e.planes[1] = resize(e.planes[1], chroma*8)
	e.planes[2] = resize(e.planes[2], chroma*8)
	e.pred = [3]int32{}
	e.bits = bitWriter{buf: dst}
	for y := r.Min.Y; y < r.Max.Y; y += mcuH {
		e.convert(m, r, y, width, chroma)
		for c := range columns {
			e.bits.reserve()
			switch s {
			case S444:
				e.block(0, c*8, width)
			case S422:
				e.block(0, c*16, width)
				e.block(0, c*16+8, width)
			case S420:
				e.block(0, c*16, width)
				e.block(0, c*16+8, width)
				e.block(0, c*16+8*width, width)
				e.block(0, c*16+8*width+8, width)
			}
			e.block(1, c*8, chroma)
			e.block(2, c*8, chroma)
		}
	}
	dst = e.bits.close()
	e.bits.buf = nil
	return append(dst, 0xff, 0xd9) // EOI
}

// block codes the 8x8 samples of a plane from index at on.
func (e *Encoder) block(plane, at, stride int) {
	table := min(plane, 1)
	nonzero := e.quant[table].transform(&e.coef, e.planes[plane][at:], stride)
	dc := int32(e.coef[0])
	e.bits.block(&e.coef, nonzero, dc-e.pred[plane], &huffmanTables[table])
	e.pred[plane] = dc
}

// convert fills the planes with the strip of r that begins at row y.
func (e *Encoder) convert(m *pix.Image, r image.Rectangle, y, width, chroma int) {
	last := r.Max.Y - 1
	if e.sub == S420 {
		for i := range 8 {
			a := e.row(0, m, r, min(y+2*i, last), width)
			b := e.row(1, m, r, min(y+2*i+1, last), width)
			convert420(e.planes[0][2*i*width:][:width], e.planes[0][(2*i+1)*width:][:width],
				e.planes[1][i*chroma:][:chroma], e.planes[2][i*chroma:][:chroma], a, b)
		}
		return
	}
	for i := range 8 {
		src := e.row(0, m, r, min(y+i, last), width)
		luma, cb, cr := e.planes[0][i*width:][:width], e.planes[1][i*chroma:][:chroma], e.planes[2][i*chroma:][:chroma]
		if e.sub == S422 {
			convert422(luma, cb, cr, src)
		} else {
			convert444(luma, cb, cr, src)
		}
	}
}

// row returns width BGRX pixels of row y: the image's own, or a copy in which
// the last one is repeated (T.81, A.2.4, leaves the filling to us; repeating
// makes the least new detail).
func (e *Encoder) row(slot int, m *pix.Image, r image.Rectangle, y, width int) []byte {
	src := m.Row(y, r.Min.X, r.Max.X)
	n := width * pix.BytesPerPixel
	if len(src) == n {
		return src
	}
	e.padded[slot] = resize(e.padded[slot], n)
	row := e.padded[slot]
	for i := copy(row, src); i < n; i += pix.BytesPerPixel {
		copy(row[i:], src[len(src)-pix.BytesPerPixel:])
	}
	return row
}

func resize(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}

// makeHeader builds everything up to the coded data for e.quality and e.sub.
func (e *Encoder) makeHeader() {
	h := append(e.header[:0], 0xff, 0xd8) // SOI
	// APP0 (JFIF 1.02) says that the colours are YCbCr as converted here.
	h = append(h, 0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 2, 0, 0, 1, 0, 1, 0, 0)
	for i := range e.quant { // DQT (B.2.4.1), in zigzag order
		e.quant[i].set(&quantBase[i], e.quality)
		h = append(h, 0xff, 0xdb, 0, 67, byte(i))
		h = append(h, e.quant[i].steps[:]...)
	}
	h = append(h, 0xff, 0xc0, 0, 17, 8) // SOF0 (B.2.2): baseline, 8 bits
	e.sizeAt = len(h)
	factors := [...]byte{S444: 0x11, S422: 0x21, S420: 0x22}[e.sub]
	h = append(h, 0, 0, 0, 0, 3, 1, factors, 0, 2, 0x11, 1, 3, 0x11, 1)
	for i, s := range huffmanSpecs { // DHT (B.2.4.2)
		n := 19 + len(s.values)
		h = append(h, 0xff, 0xc4, byte(n>>8), byte(n), byte(i&1<<4|i>>1))
		h = append(h, s.counts[:]...)
		h = append(h, s.values...)
	}
	// SOS (B.2.3)
	e.header = append(h, 0xff, 0xda, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0)
}
