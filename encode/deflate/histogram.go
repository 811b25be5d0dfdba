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
	bits := h.entropy(0, n)*float64(literals) + matchBits*float64(len(seqs))
	return bits > 8*float64(len(data))*(1-1.0/fastGain)
}

const (
	// grainProbes is how many pixels grain looks at.
	grainProbes = 512
	// grainLike: grain has fewer pixels than one in so many that are like one beside.
	grainLike = 16
	// grainGain: at Fast coding the grain of a photograph is worth its time if it becomes
	// smaller by one part in so many; storing it takes a twentieth of the time.
	grainGain = 5
	// grainBits is the least entropy of the differences.
	grainBits = 3
)

// grain guesses whether data, mostly of p, is a photograph that literals make hardly
// smaller: pixels are not like those beside, and differ from them by ever other values,
// unlike those of gradients. It clobbers h.
func (h *histogram) grain(data []byte, p Part) bool {
	clear(h[0][:])
	clear(h[1][:])
	unit, back := p.Unit, p.Stride
	if back <= unit || back > window {
		back = unit
	}
	step := (len(data) - back - 8) / grainProbes / unit * unit
	if step < unit {
		return false
	}
	step += unit * (1 - step/unit&1) // an odd number of pixels, so as not to stay in a column
	like, n := 0, 0
	shift := (64 - 8*unit) & 63
	d := viewOf(data)
	for i := back; i < len(data)-8; i += step {
		v, left := d.load64(i), d.load64(i-unit)
		if (v^left)<<shift == 0 || (v^d.load64(i-back))<<shift == 0 {
			if like++; like > grainProbes/grainLike {
				return false
			}
		}
		channel := 8 * uint(n%unit) & 63
		h[0][v>>channel&255]++
		h[1][(v>>channel-left>>channel)&255]++
		n++
	}
	return h.entropy(0, n) > 8*(1-1.0/grainGain) && h.entropy(1, n) > grainBits
}

// entropy returns the bits per symbol of the n in h[at].
func (h *histogram) entropy(at, n int) float64 {
	sum := 0.0
	used := 0
	for _, f := range h[at] {
		if f > 0 {
			sum += float64(f) * math.Log2(float64(n)/float64(f))
			used++
		}
	}
	// Few probes see too little of rare values (Miller, 1955).
	return sum/float64(n) + float64(used-1)/(2*math.Ln2*float64(n))
}
