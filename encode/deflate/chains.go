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
	// maxIndexed is how many bytes at each end of a run are put in the tables, and the
	// longest period of one.
	maxIndexed = 256
	// calm is the logarithm of how many bytes without a match make steps a byte longer.
	calm = 6
)

// A search says how much is looked at.
type search struct {
	depth int // places in a chain
	nice  int // length that is good enough to end the search
	lazy  int // length from which on the next byte is not looked at
}

var searches = [10]search{
	1: {4, 32, 8}, 2: {8, 64, 16}, 3: {8, 64, 32}, 4: {16, 128, 32}, 5: {24, 128, 64},
	6: {32, 128, 64}, 7: {64, 258, 128}, 8: {128, 258, 258}, 9: {1024, 1 << 16, 1 << 16},
}

func hash3(v uint64) uint64 { return v << 40 * hashFactor >> (64 - nearBits) }
func hash4(v uint64) uint64 { return v << 32 * hashFactor >> (64 - headBits) }

// index puts the bytes before i in the tables; the last three need those that follow.
func (w *Window) index(i int) {
	i = min(i, w.n-3)
	d := viewOf(w.buf[:])
	for j := w.indexed; j < i; j++ {
		w.insert(d.load64(j), w.base+uint16(j))
	}
	w.indexed = max(w.indexed, i)
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

// worth is the bits that a match saves, about.
func worth(length, dist int) int { return 8*length - bits.Len(uint(dist)) }

// parse makes sequences of buf from i on and returns where it ends: at the end of what
// is there, or where no more sequences fit. Indices in c's data are higher by off.
func (w *Window) parse(c *Compressor, i, off int, s *search) int {
	misses := 0
	for i < w.n && c.n < maxSequences-1 {
		length, dist := w.find(i, s)
		if length == 0 {
			misses++
			i += 1 + misses>>calm
			if misses >= 1<<calm {
				w.indexed = max(w.indexed, min(i, w.n-3)) // what is left out is not indexed
			}
			continue
		}
		misses = 0
		for length < s.lazy {
			l, d := w.find(i+1, s)
			if l == 0 || worth(l, d) <= worth(length, dist) {
				break
			}
			i++
			length, dist = l, d
		}
		c.add(i+off, length, dist)
		i += length
		if length > 2*maxIndexed && dist < maxIndexed {
			w.index(i - length + maxIndexed)
			w.indexed = max(w.indexed, min(i-maxIndexed, w.n-3))
		}
	}
	return min(i, w.n)
}

// find returns the best match for the bytes from i on; a length of 0 if there is none.
func (w *Window) find(i int, s *search) (length, dist int) {
	room := w.n - i
	if room < minMatch {
		return 0, 0
	}
	w.index(i)
	d := viewOf(w.buf[:])
	most := min(i-w.start, window)
	v := d.load64(i)
	place := w.base + uint16(i)

	best := 0
	if n := int(place - w.near[hash3(v)]); n != 0 && n <= min(most, nearDist) && (v^d.load64(i-n))<<40 == 0 {
		length, dist = d.match(i, n, room), n
		best = worth(length, n)
	}
	if room <= minMatch || length >= s.nice {
		return length, dist
	}
	at := w.head[hash4(v)]
	last := 0
	for range s.depth {
		n := int(place - at)
		if n <= last || n > most { // 0, or places have come round
			break
		}
		last = n
		if x := v ^ d.load64(i-n); x<<32 == 0 {
			if length < 8 || d.load64(i+length-7) == d.load64(i+length-7-n) { // it may be longer
				l := d.match(i, n, room)
				if b := worth(l, n); l > length && b > best {
					length, dist, best = l, n, b
					if l >= s.nice || l == room {
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
