// Package jpeg makes baseline JPEG pictures (ITU-T T.81) of BGRX pixels, as Tight
// rectangles need them: the fixed Huffman tables of annex K, the usual quality
// scale, no metadata.
//
// A picture is made in strips of a row of MCUs and a strip in segments of a few
// MCUs, so that what is between the steps stays in the first-level cache: convert.go
// turns the pixels of a segment into three planes of bytes, chroma already
// subsampled; fdct.go transforms and quantises blocks of 8x8; huffman.go codes them.
// The steps are kernels, in assembly where the processor has the instructions, all
// of which give the same bytes as their plain twins.
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

	planes planes
	padded [2][4 * unitWidth]byte // the last pixels of rows, repeated
	blocks [leadBlocks + segmentBlocks]block
	bits   bitWriter
	raw    [segmentBlocks*maxBlockBytes + 8]byte
}

const (
	// unitWidth is a multiple of every MCU's width, and the least that the
	// kernels convert at once.
	unitWidth = 16
	// segmentWidth is how many pixels of a strip go through the steps together.
	segmentWidth = 16 * unitWidth
	// segmentBlocks is how many blocks a segment has: six for each unit, for 4:4:4
	// two MCUs of three, for 4:2:0 one of six, for 4:2:2 one of only four.
	segmentBlocks = 6 * segmentWidth / unitWidth
	// leadBlocks is room for the last MCU of the segment before, from which DC is
	// predicted.
	leadBlocks = 6
)

// planes are the samples of a segment. Cb and Cr lie side by side, so that pairs of
// blocks can be one of each.
type planes struct {
	luma   [16 * segmentWidth]byte
	chroma [8 * chromaStride]byte
}

const chromaStride = 2 * segmentWidth

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

	mcuW, mcuH, perMCU := 8, 8, 3
	switch s {
	case S422:
		mcuW, perMCU = 16, 4
	case S420:
		mcuW, mcuH, perMCU = 16, 16, 6
	}
	lead := e.blocks[leadBlocks-perMCU : leadBlocks]
	for i := range lead {
		lead[i].dc = 0
	}
	e.bits = bitWriter{}
	for y := r.Min.Y; y < r.Max.Y; y += mcuH {
		for x := r.Min.X; x < r.Max.X; x += segmentWidth {
			part := image.Rect(x, y, min(x+segmentWidth, r.Max.X), min(y+mcuH, r.Max.Y))
			e.convert(m, part)
			columns := (part.Dx() + mcuW - 1) / mcuW
			e.transform(columns)
			end := leadBlocks + columns*perMCU
			n := e.bits.huffman(e.raw[:], e.blocks[:end], leadBlocks)
			dst = stuff(dst, e.raw[:n])
			for i := range lead {
				lead[i].dc = e.blocks[end-perMCU+i].dc
			}
		}
	}
	dst = stuff(dst, e.bits.close(e.raw[:]))
	return append(dst, 0xff, 0xd9) // EOI
}

// transform fills the blocks of so many MCUs from the planes, pair by pair.
func (e *Encoder) transform(columns int) {
	const row = 8 * segmentWidth
	blocks, p := e.blocks[leadBlocks:], &e.planes
	chroma := layout{pair: segmentWidth, step: 8, dstPair: 1}
	switch e.sub {
	case S444:
		// Luma in pairs of MCUs, of which the last may not be needed.
		e.quant[0].transform(blocks, p.luma[:], segmentWidth, (columns+1)/2, layout{8, 16, 3, 6})
		chroma.dstStep = 3
		e.quant[1].transform(blocks[1:], p.chroma[:], chromaStride, columns, chroma)
	case S422:
		e.quant[0].transform(blocks, p.luma[:], segmentWidth, columns, layout{8, 16, 1, 4})
		chroma.dstStep = 4
		e.quant[1].transform(blocks[2:], p.chroma[:], chromaStride, columns, chroma)
	case S420:
		e.quant[0].transform(blocks, p.luma[:], segmentWidth, columns, layout{8, 16, 1, 6})
		e.quant[0].transform(blocks[2:], p.luma[row:], segmentWidth, columns, layout{8, 16, 1, 6})
		chroma.dstStep = 6
		e.quant[1].transform(blocks[4:], p.chroma[:], chromaStride, columns, chroma)
	}
}

// convert fills the planes with the pixels of r, whole units at a time: the last
// column and row are repeated (T.81, A.2.4, leaves the filling to us; repeating
// makes the least new detail).
func (e *Encoder) convert(m *pix.Image, r image.Rectangle) {
	if whole := r.Dx() / unitWidth * unitWidth; whole > 0 {
		for i := range 8 {
			if e.sub == S420 {
				e.convertRows(i, 0, whole,
					m.Row(min(r.Min.Y+2*i, r.Max.Y-1), r.Min.X, r.Min.X+whole),
					m.Row(min(r.Min.Y+2*i+1, r.Max.Y-1), r.Min.X, r.Min.X+whole))
			} else {
				e.convertRows(i, 0, whole, m.Row(min(r.Min.Y+i, r.Max.Y-1), r.Min.X, r.Min.X+whole), nil)
			}
		}
	}
	if rest := r.Dx() % unitWidth; rest > 0 {
		at := r.Dx() - rest
		for i := range 8 {
			if e.sub == S420 {
				e.convertRows(i, at, unitWidth,
					e.pad(0, m.Row(min(r.Min.Y+2*i, r.Max.Y-1), r.Min.X+at, r.Max.X)),
					e.pad(1, m.Row(min(r.Min.Y+2*i+1, r.Max.Y-1), r.Min.X+at, r.Max.X)))
			} else {
				e.convertRows(i, at, unitWidth, e.pad(0, m.Row(min(r.Min.Y+i, r.Max.Y-1), r.Min.X+at, r.Max.X)), nil)
			}
		}
	}
}

// convertRows converts n pixels of row i of the chroma planes to column x on; b is
// the second row for 4:2:0.
func (e *Encoder) convertRows(i, x, n int, a, b []byte) {
	cw, cx := n, x
	if e.sub != S444 {
		cw, cx = n/2, x/2
	}
	cb := e.planes.chroma[i*chromaStride+cx:][:cw]
	cr := e.planes.chroma[i*chromaStride+segmentWidth+cx:][:cw]
	switch e.sub {
	case S444:
		convert444(e.planes.luma[i*segmentWidth+x:][:n], cb, cr, a)
	case S422:
		convert422(e.planes.luma[i*segmentWidth+x:][:n], cb, cr, a)
	case S420:
		convert420(e.planes.luma[2*i*segmentWidth+x:][:n], e.planes.luma[(2*i+1)*segmentWidth+x:][:n], cb, cr, a, b)
	}
}

// pad returns a copy of src, at least a pixel and less than a unit, in which the
// last pixel is repeated up to a unit.
func (e *Encoder) pad(slot int, src []byte) []byte {
	row := e.padded[slot][:]
	for i := copy(row, src); i < len(row); i += pix.BytesPerPixel {
		copy(row[i:], src[len(src)-pix.BytesPerPixel:])
	}
	return row
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
	e.makePattern()
	// SOS (B.2.3)
	e.header = append(h, 0xff, 0xda, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0)
}

// makePattern sets which table each block takes and from which block its DC is
// predicted: the one before of the same component.
func (e *Encoder) makePattern() {
	luma := [...]int{S444: 1, S422: 2, S420: 4}[e.sub]
	blocks := e.blocks[leadBlocks:]
	for i := range blocks {
		b := &blocks[i]
		switch at := i % (luma + 2); {
		case at >= luma:
			b.table, b.back = 1, int32(luma+2)
		case at == 0:
			b.table, b.back = 0, 3 // over Cb and Cr
		default:
			b.table, b.back = 0, 1
		}
	}
}
