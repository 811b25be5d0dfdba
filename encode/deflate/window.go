package deflate

import (
	"slices"
	"sync"
)

// A Window compresses data of which much was there before: an endless stream of small
// pieces, words that programs write here and there, menus, pointers. Each piece may
// refer back to the 32 KiB before it.
//
// Small pieces, and all at high levels, go byte by byte through hash chains with a
// look one byte further (chains.go). Large ones go through the scan for pixels, which
// sees the history as if it were the beginning of the data.
//
// It holds 150 KiB. The zero value is ready. Use it from one goroutine.
type Window struct {
	history
	chains
}

const (
	// scanLevel is the highest level at which large pieces are scanned, and scanSize
	// from which size on: the chains find a little more, in several times the time.
	scanLevel = 6
	scanSize  = 4 << 10
	// maxJoined is the largest piece that is scanned with what was before it, in a copy
	// of both. The history hardly matters in a larger one.
	maxJoined = 128 << 10
	// primeStep is of how many pixels of the history the scan knows one: a match begins
	// there and goes back.
	primeStep = 4
	// tinySize is below which size much is looked at at all levels, because the search
	// takes little of the time: a word of text.
	tinySize = 256
)

// Reset forgets the history: what follows refers to nothing before. It takes no time.
func (w *Window) Reset() {
	w.start = w.n
	w.indexed = w.n
}

// Append appends data as raw deflate that ends with a sync flush, see
// Compressor.Append, but for references into what Append was given since the last
// Reset. parts are what data consists of. level is 1 to 9, from fast to small; levels
// beyond count as the nearest.
func (w *Window) Append(dst, data []byte, parts []Part, level int) []byte {
	level = min(max(level, 1), 9)
	c := compressors.Get().(*Compressor)
	defer compressors.Put(c)
	switch {
	case len(data) < tinySize:
		g := guideFor(data, parts, tinySearch)
		return w.search(c, dst, data, &g)
	case level > scanLevel || len(data) < scanSize:
		g := guideFor(data, parts, searches[level])
		return w.search(c, dst, data, &g)
	}
	return w.scan(c, dst, data, parts, level)
}

// scan makes sequences of data with the scan.
func (w *Window) scan(c *Compressor, dst, data []byte, parts []Part, level int) []byte {
	part := mainPart(parts)
	c.effort = Small
	if level == 1 {
		c.effort = Fast
		if c.hist.grain(data, part) {
			w.keep(data, part.Unit)
			w.indexed = w.n // nothing of it comes again
			return c.blocks.appendStored(c.blocks.appendStored(dst, data), nil)
		}
	}
	before := w.bytes()
	if len(data) > maxJoined {
		before = nil
	}
	joined := data
	if len(before) > 0 {
		c.joined = slices.Grow(c.joined[:0], len(before)+len(data))
		c.joined = append(append(c.joined, before...), data...)
		joined = c.joined
	}
	dst = c.scanAll(dst, joined, len(before), parts)
	w.keep(data, part.Unit)
	return dst
}

// search makes sequences of data with the hash chains.
func (w *Window) search(c *Compressor, dst, data []byte, g *guide) []byte {
	c.effort = Small
	c.begin(0)
	if w.n-w.indexed >= minMatch {
		w.indexStep()
	}
	w.indexed += (w.n - w.indexed) % g.step
	from := 0 // of the block
	for at := 0; at < len(data); {
		n := w.push(data[at:])
		for i := w.n - n; i < w.n; {
			off := at - (w.n - n)
			i = w.parse(c, i, off, g)
			c.at = i + off
			if c.n >= maxSequences-1 || c.at-from > maxBlock-maxPush {
				dst = c.searched(dst, data, from)
				from = c.at
			}
		}
		at += n
	}
	w.unit = 1
	if from < len(data) {
		dst = c.searched(dst, data, from)
	}
	return c.blocks.appendStored(dst, nil)
}

// searched appends a block whose literals are not counted yet.
func (c *Compressor) searched(dst, data []byte, from int) []byte {
	c.leaps = 1
	return c.block(dst, data, from)
}

// maxPush is how many bytes history takes at a time.
const maxPush = 12 * 1365 // pixels of all sizes; 16 KiB

// A history is the end of the data so far. Bytes are told by their index in buf and,
// where they must be remembered, by their place: a number of 16 bits that goes on as buf
// slides. Places come again after 64 KiB; who finds one verifies it.
type history struct {
	buf   [window + maxPush + 8]byte // what is behind the last byte is read, never used
	n     int                        // bytes in buf
	start int                        // the first that may be referred to
	base  uint16                     // place of buf[0]
}

// bytes returns what may be referred to.
func (h *history) bytes() []byte { return h.buf[max(h.start, h.n-window):h.n] }

// slide moves the last n bytes of buf to its beginning.
func (h *history) slide(n int) (by int) {
	by = h.n - n
	copy(h.buf[:], h.buf[by:h.n])
	h.n = n
	h.base += uint16(by)
	h.start = max(0, h.start-by)
	return by
}

// push takes bytes from the front of data and returns how many.
func (w *Window) push(data []byte) int {
	if w.n+min(len(data), maxPush) > window+maxPush {
		w.indexed = max(0, w.indexed-w.slide(window))
	}
	n := copy(w.buf[w.n:], data[:min(len(data), maxPush)])
	w.n += n
	return n
}

// keep takes all of data, mostly pixels of unit bytes. The chains learn of it when they
// are needed.
func (w *Window) keep(data []byte, unit int) {
	w.unit = unit
	if rest := len(data) - window; rest > 0 {
		w.base += uint16(w.n + rest) // so that buf is empty and rest bytes went by
		w.n, w.start, w.indexed = 0, 0, 0
		data = data[rest:]
	}
	for len(data) > 0 {
		data = data[w.push(data):]
	}
}

// mainPart returns the largest of parts, valid.
func mainPart(parts []Part) Part {
	p := Part{Unit: 1}
	for _, q := range parts {
		if q.Size > p.Size && q.Unit >= 1 && q.Unit <= maxUnit {
			p = q
		}
	}
	return p
}

var windows = sync.Pool{New: func() any { return new(Window) }}

// GetWindow returns a Window without history, from a pool.
func GetWindow() *Window { return windows.Get().(*Window) }

// PutWindow gives w to the pool. The caller must not use it any more.
func PutWindow(w *Window) {
	w.Reset()
	windows.Put(w)
}
