package deflate

import "math/bits"

// The chains find where bytes occurred before. head has the last place of four bytes
// with a hash and prev, for each place, the one before it with the same hash; near has
// the last place of three bytes. Nothing is ever cleared: places that are too far, or
// not those of the bytes looked for, are found out when they are looked at.
//
// A match is worth eight bits for each byte, less the bits that its distance takes. The
// best of those at a byte is taken unless the next byte has a better one.
type chains struct {
	indexed int // bytes of the history before this index are in the tables
	unit    int // of the pixels that follow, if there are many
	head    [1 << headBits]uint16
	near    [1 << nearBits]uint16
	prev    [window]uint16
}

const (
	headBits = 13
	nearBits = 11
	// nearDist is how far three bytes are worth a match: in the fixed code it takes 22
	// bits there.
	nearDist = 4096
	// inside: of longer matches only each sparse-th byte and the last few are put in the
	// tables, so that the chains are not full of what is found together.
	inside = 16
	sparse = 16
	// good is the length of a match from which on a quarter of the search will do for a
	// better one at the next byte.
	good = 32
)

// A search says how much is looked at.
type search struct {
	depth int // places in a chain
	nice  int // length that is good enough to end the search
	lazy  int // length from which on the next byte is not looked at
	calm  int // logarithm of how many bytes without a match make steps a byte longer
}

var searches = [10]search{
	1: {4, 32, 8, 6}, 2: {8, 64, 16, 6}, 3: {8, 64, 32, 6}, 4: {16, 128, 32, 6}, 5: {24, 128, 64, 6},
	6: {32, 128, 64, 7}, 7: {24, 258, 128, 7}, 8: {64, 1024, 258, 8}, 9: {1024, 1 << 16, 1 << 16, 20},
}

// tinySearch looks at much.
var tinySearch = search{128, 258, 258, 20}

// A guide is a search between pixels of some bytes.
type guide struct {
	search
	step  int
	least int // the shortest match
	row   int // distance of the row above, which is looked at first; 0: none
	again int // distance of a match that ended where the window's bytes did, or 0
}

// guideFor returns one for data.
func guideFor(data []byte, parts []Part, s search) guide {
	g := guide{search: s, step: 1, least: minMatch}
	p := mainPart(parts)
	if p.Size < len(data)-len(data)/16 {
		return g
	}
	if p.Stride > p.Unit && p.Stride <= window {
		g.row = p.Stride
	}
	if p.Unit > 1 && len(data) >= scanSize {
		g.step, g.least = p.Unit, minLengths[p.Unit]
	}
	return g
}

func hash3(v uint64) uint64 { return v << 40 * hashFactor >> (64 - nearBits) }
func hash4(v uint64) uint64 { return v << 32 * hashFactor >> (64 - headBits) }

// index puts the bytes before i, each step-th, in the tables; the last three need those
// that follow.
func (w *Window) index(i, step int) {
	i = min(i, w.n-3)
	d := viewOf(w.buf[:])
	j := w.indexed
	for ; j < i; j += step {
		w.insert(d.load64(j), w.base+uint16(j))
	}
	w.indexed = j
}

// insert remembers the place of the bytes at the low end of v.
func (w *Window) insert(v uint64, place uint16) {
	w.near[hash3(v)] = place
	h := &w.head[hash4(v)]
	w.prev[place&(window-1)] = *h
	*h = place
}

// indexStep puts each pixel of the history in the tables that is not there yet.
func (w *Window) indexStep() {
	d := viewOf(w.buf[:])
	unit := max(1, w.unit)
	from := max(w.indexed, w.start, w.n-window)
	for from += (w.n - from) % unit; from < w.n-3; from += unit {
		w.insert(d.load64(from), w.base+uint16(from))
	}
	w.indexed = max(w.indexed, w.n-3)
}

// worth is the bits that a match saves, about, but for a constant.
func worth(length, dist int) int { return 8*length - bits.Len(uint(dist)) }

// parse makes sequences of buf from i on and returns where it ends: at the end of what
// is there, or where no more sequences fit. Indices in c's data are higher by off.
func (w *Window) parse(c *Compressor, i, off int, g *guide) int {
	misses := 0
	if d := g.again; d > 0 && d <= min(i-w.start, window) {
		if l := viewOf(w.buf[:]).match(i, d, w.n-i) / g.step * g.step; l >= g.least {
			i = w.take(c, i, off, l, d, g)
		}
	}
	for i < w.n && c.n < maxSequences-1 {
		length, dist := w.find(i, g.depth, g)
		if length == 0 {
			misses++
			i += g.step * (1 + misses>>g.calm)
			if misses >= 1<<g.calm {
				w.indexed = max(w.indexed, i) // what is left out is not indexed
			}
			continue
		}
		for d := viewOf(w.buf[:]); i+off-g.step >= c.literal && i-g.step-dist >= w.start &&
			d.match(i-g.step, dist, g.step) == g.step; i -= g.step {
			length += g.step // it begins in what was left out
		}
		misses = 0
		for length < g.lazy {
			depth := g.depth
			if length >= good {
				depth >>= 2
			}
			l, d := w.find(i+g.step, depth, g)
			if l == 0 || worth(l, d) <= worth(length, dist) {
				break
			}
			i += g.step
			length, dist = l, d
		}
		i = w.take(c, i, off, length, dist, g)
	}
	return min(i, w.n)
}

// take adds a match at i and returns where it ends.
func (w *Window) take(c *Compressor, i, off, length, dist int, g *guide) int {
	c.add(i+off, length, dist)
	if length > inside {
		w.index(i, g.step)
		d := viewOf(w.buf[:])
		end := i + length - 4
		for j := w.indexed; j < min(end, w.n-3); j += sparse * g.step {
			w.insert(d.load64(j), w.base+uint16(j))
		}
		w.indexed = max(w.indexed, i+(length-4+g.step-1)/g.step*g.step)
	}
	i += length
	g.again = 0
	if i == w.n {
		g.again = dist
	}
	return i
}

// find returns the best match for the bytes from i on; a length of 0 if there is none.
func (w *Window) find(i, depth int, g *guide) (length, dist int) {
	room := w.n - i
	if room < g.least {
		return 0, 0
	}
	w.index(i, g.step)
	d := viewOf(w.buf[:])
	most := min(i-w.start, window)
	v := d.load64(i)
	place := w.base + uint16(i)

	best := 0
	if g.row > 0 && g.row <= most && (v^d.load64(i-g.row))<<32 == 0 {
		l := d.match(i, g.row, room)
		l -= l % g.step
		if l >= g.least {
			length, dist, best = l, g.row, worth(l, g.row)
			if l >= g.nice {
				return length, dist
			}
		}
	}
	if n := int(place - w.near[hash3(v)]); n != 0 && n <= min(most, nearDist) && (v^d.load64(i-n))<<40 == 0 {
		l := d.match(i, n, room)
		l -= l % g.step
		if b := worth(l, n); l >= g.least && b > best {
			length, dist, best = l, n, b
			if l >= g.nice {
				return length, dist
			}
		}
	}
	if room <= minMatch {
		return length, dist
	}
	at := w.head[hash4(v)]
	last := 0
	for range depth {
		n := int(place - at)
		if n <= last || n > most { // 0, or places have come round
			break
		}
		last = n
		if x := v ^ d.load64(i-n); x<<32 == 0 {
			if length < 8 || d.load64(i+length-7) == d.load64(i+length-7-n) { // it may be longer
				l := d.match(i, n, room)
				l -= l % g.step
				if b := worth(l, n); l > length && b > best {
					length, dist, best = l, n, b
					if l >= g.nice || l == room {
						break
					}
				}
			}
		}
		at = w.prev[at&(window-1)]
	}
	return length, dist
}

// match returns how many of room bytes from i on are like those dist before. It reads
// up to eight bytes beyond.
func (d view) match(i, dist, room int) int {
	for n := 0; n < room; n += 8 {
		if x := d.load64(i+n) ^ d.load64(i+n-dist); x != 0 {
			return min(room, n+bits.TrailingZeros64(x)>>3)
		}
	}
	return room
}
