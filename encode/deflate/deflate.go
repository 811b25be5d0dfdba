// Package deflate compresses pictures as raw deflate (RFC 1951), for speed.
//
// A picture is no text: it is made of pixels of some bytes, in rows. Who knows them
// says so, and then matches begin and end between pixels alone, which is a third of
// the work for pixels of three bytes, and four places are looked at for each (see
// scan.go): the pixel before, the one above, and the last place of the same pixel
// and of the same few pixels. Blocks are long and have Huffman codes of their own
// (block.go, huffman.go). A Window does so with a history, and looks closer at small
// data (window.go, chains.go).
package deflate

import "sync"

// A Part says what some of the data is. It is a hint: all data is compressed
// correctly, whatever its parts are said to be.
type Part struct {
	Size   int // bytes
	Unit   int // bytes of a pixel, 1 to 4; others count as 1
	Stride int // bytes from a pixel to the one below it; 0: unknown
}

// Effort says what is worth its time.
type Effort uint8

// Fast stores what would become less than a sixteenth smaller: noise, mostly, for
// which coding takes several times as long as copying. Small compresses all
// that becomes smaller.
const (
	Fast Effort = iota
	Small
)

// A Compressor compresses; it holds 130 KiB of scratch memory, so keep one. The zero
// value is ready. Use it from one goroutine.
type Compressor struct {
	scanner
	blocks blockWriter
	effort Effort
	joined []byte // a Window's history and data
}

const (
	// maxBlock is the most bytes of data in a block: a sequence counts literals in
	// countBits, and 4 MiB are the most that treeBuilder takes.
	maxBlock = 1 << 18
	// maxSequences ends a block, too. A sequence takes eight bytes of memory.
	maxSequences = 1 << 13
)

// Append appends data as raw deflate that ends with a sync flush: an empty stored
// block, after which the output is at a byte boundary and all of it can be decoded.
// It refers to nothing before data. parts are what data consists of, in order; what
// is beyond them counts as one more of bytes. It keeps none of the slices.
func (c *Compressor) Append(dst, data []byte, parts []Part, e Effort) []byte {
	c.effort = e
	return c.scanAll(dst, data, 0, parts)
}

// begin makes ready for data from at on.
func (c *Compressor) begin(at int) {
	c.reset(at)
	c.blocks.start()
	c.hist = histogram{}
}

// scanAll appends data from from on. What is before may be referred to.
func (c *Compressor) scanAll(dst, data []byte, from int, parts []Part) []byte {
	c.begin(from)
	c.clearTables()
	if from > 0 {
		p := mainPart(parts)
		step := primeStep * p.Unit
		if p.Size < len(data)-from {
			step++ // pixels lie anyhow
		}
		c.prime(data[:from], p.Unit, step)
	}
	for c.at < len(data) {
		p := Part{Size: len(data)}
		if len(parts) > 0 {
			p, parts = parts[0], parts[1:]
		}
		p.Size = min(max(p.Size, 0), len(data)-c.at)
		if p.Unit < 1 || p.Unit > maxUnit {
			p.Unit = 1
		}
		if p.Stride <= p.Unit || p.Stride > window {
			p.Stride = p.Unit
		}
		first := c.at
		for end := c.at + p.Size; c.at < end; {
			if c.n >= maxSequences-1 || from+maxBlock-c.at < p.Unit {
				dst = c.block(dst, data, from)
				from = c.at
			}
			c.scan(data, first, min(end, c.at+(from+maxBlock-c.at)/p.Unit*p.Unit), p)
		}
	}
	if from < len(data) {
		dst = c.block(dst, data, from)
	}
	return c.blocks.appendStored(dst, nil)
}

// block appends a block of the data between from and where the scan is.
func (c *Compressor) block(dst, data []byte, from int) []byte {
	c.finish()
	last := c.at == len(data)
	data = data[from:c.at]
	seqs := c.sequences[:c.n]
	if c.leaps == 0 {
		dst = c.blocks.append(dst, data, seqs, &c.hist, c.effort, last)
	} else if c.effort == Fast && c.hist.hardly(data, seqs) {
		dst = c.blocks.appendStored(dst, data)
	} else {
		c.hist.recount(data, seqs)
		dst = c.blocks.append(dst, data, seqs, &c.hist, c.effort, last)
	}
	c.n, c.leaps = 0, 0
	c.hist = histogram{}
	c.blocks.start()
	return dst
}

var compressors = sync.Pool{New: func() any { return new(Compressor) }}

// Append is Compressor.Append with a compressor from a pool; it may be called from
// several goroutines.
func Append(dst, data []byte, parts []Part, e Effort) []byte {
	c := compressors.Get().(*Compressor)
	defer compressors.Put(c)
	return c.Append(dst, data, parts, e)
}
