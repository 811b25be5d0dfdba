package deflate

import "math"

// A histogram counts literals; three take turns, so that counting one byte need not
// wait for the last.
type histogram [3][256]uint32

// count adds b.
func (h *histogram) count(b []byte) {
	for len(b) >= 3 {
		h[0][b[0]]++
		h[1][b[1]]++
		h[2][b[2]]++
		b = b[3:]
	}
	for i, v := range b {
		h[i&1][v]++
	}
}

// recount counts all literals.
func (h *histogram) recount(data []byte, seqs []sequence) {
	*h = histogram{}
	at := 0
	for _, s := range seqs {
		h.count(data[at : at+s.literals()])
		at += s.literals() + s.length()
	}
}

const (
	// sampleStep is how many literals there are to one that hardly looks at.
	sampleStep = 31
	// minSample is how many it must have seen to judge.
	minSample = 1000
	// matchBits is what a match takes, more or less.
	matchBits = 20
)

// hardly guesses, from a sample of the literals, whether a block of data becomes so
// little smaller that it had better be stored. It clobbers h.
func (h *histogram) hardly(data []byte, seqs []sequence) bool {
	clear(h[0][:])
	at, next, literals, n := 0, 0, 0, 0
	for _, s := range seqs {
		end := at + s.literals()
		literals += s.literals()
		for next = max(next, at); next < end; next += sampleStep {
			h[0][data[next]]++
			n++
		}
		at = end + s.length()
	}
	if n < minSample {
		return false
	}
	sum := 0.0
	for _, f := range h[0] {
		if f > 0 {
			sum += float64(f) * math.Log2(float64(n)/float64(f))
		}
	}
	bits := sum*float64(literals)/float64(n) + matchBits*float64(len(seqs))
	return bits > 8*float64(len(data))*(1-1.0/fastGain)
}
