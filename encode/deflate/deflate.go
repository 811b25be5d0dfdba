// Package deflate compresses pixels as raw deflate (RFC 1951), for speed.
//
// A picture is not text: it is made of rows and of pixels. A Layout says how many
// bytes these take, and then matches are looked for between whole pixels alone, at
// the pixel before and the one above first.
package deflate

import "sync"

// A Layout says what the bytes to be compressed are. It is a hint: any layout gives
// a correct result.
type Layout struct {
	Unit   int // bytes of a pixel; 0: unknown
	Stride int // bytes from a pixel to the one below it; 0: unknown
}

// A Compressor holds the scratch memory for one piece at a time. The zero value is
// ready. Use it from one goroutine.
type Compressor struct {
	blocks blockWriter
	seqs   []sequence
	table  [tableSize]uint32
	table3 [1 << T3bits]uint32
}

// maxBlock is the most data in a block: sequences count literals in countBits, and
// the frequencies of symbols must stay below 1<<23.
const maxBlock = 1 << 18

// maxSequences ends a block early.
const maxSequences = 1 << 14

// Append appends data as raw deflate that ends with a sync flush: an empty stored
// block, after which the output is at a byte boundary and can be decoded up to
// there. It refers to nothing before data.
func (c *Compressor) Append(dst, data []byte, l Layout) []byte {
	c.blocks.acc, c.blocks.nacc = 0, 0
	if cap(c.seqs) == 0 {
		c.seqs = make([]sequence, 0, maxSequences)
	}
	clear(c.table[:])
	clear(c.table3[:])
	if l.Unit < 1 || l.Unit > 8 {
		l.Unit = 1
	}
	if l.Stride < l.Unit || l.Stride > window {
		l.Stride = l.Unit
	}
	for at := 0; at < len(data); {
		c.blocks.start()
		n := c.scan(data, at, l)
		dst = c.blocks.append(dst, data[at:at+n], c.seqs)
		at += n
	}
	return c.blocks.appendStored(dst, nil)
}

var compressors = sync.Pool{New: func() any { return new(Compressor) }}

// Append is Compressor.Append with a compressor from a pool; it may be called from
// several goroutines.
func Append(dst, data []byte, l Layout) []byte {
	c := compressors.Get().(*Compressor)
	defer compressors.Put(c)
	return c.Append(dst, data, l)
}
