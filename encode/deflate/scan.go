package deflate

// The scan cuts data into sequences: literals, then a match. It goes from pixel to
// pixel, where a pixel is a unit of one to four bytes, and compares the bytes from
// there on with those
//
//   - a pixel before: a run;
//   - a row above;
//   - where a table remembers some pixels with the same hash: text repeats;
//   - where another remembers one pixel with the same hash: colours of the edges of
//     letters are hardly more compressible than noise, but each occurs again and
//     again. In noise only near ones are worth their distance.
//
// At first eight bytes are compared, which tells whether there is nothing, a single
// pixel or more. For more, 32 bytes are, and the longest match wins; in doubt, the
// first in this order, because distances that are used often cost the fewest bits.
// Then it is made as long as it goes. There is no looking for a better one a pixel
// further on.
//
// Where nothing is found for long, pixels are left out, more and more: that is a
// photograph. A match goes back over what was left out.

const (
	maxUnit = 4
	// clip is how many bytes of candidates are compared.
	clip = 32

	longBits  = 13 // of a place in the table for several pixels
	shortBits = 12 // and for one
	// hashFactor is 2^64 divided by the golden ratio.
	hashFactor = 0x9e3779b185ebca87

	// skipShift is the logarithm of how many misses make the step a pixel longer;
	// farShift of how many halve the distance up to which a single one is taken.
	skipShift = 5
	farShift  = 3
	// maxMisses bounds the step to 16 pixels. There even counting literals is given
	// up: after 4000 pixels without a match they are noise.
	maxMisses = 16<<skipShift - 1
)

// A scanner is how far a scan has come.
type scanner struct {
	at        int // the next byte to look at
	literal   int // the first that is not in a sequence
	misses    int // pixels without a match since several matched; halved by a single one
	n         int // sequences
	leaps     int // 1: some literals are not counted
	sequences [maxSequences]sequence
	hist      histogram // of the literals since the block's start

	// The last place of a hash. Places are verified: at first all are 0.
	long  [1 << longBits]uint32
	short [1 << shortBits]uint32
}

// reset makes ready for data from at on.
func (s *scanner) reset(at int) {
	s.at, s.literal, s.misses, s.n, s.leaps = at, at, 0, 0, 0
}

func (s *scanner) clearTables() {
	clear(s.long[:])
	clear(s.short[:])
}

// prime fills the tables with each step-th place in data, which is before what will be
// scanned, mostly in pixels of unit bytes.
func (s *scanner) prime(data []byte, unit, step int) {
	longLen, shortLen := hashLens[unit&7][0], hashLens[unit&7][1]
	longShift, shortShift := (64-8*longLen)&63, (64-8*shortLen)&63
	d := viewOf(data)
	for i := len(data) % step; i <= len(data)-8; i += step {
		v := d.load64(i)
		s.long[v<<longShift*hashFactor>>(64-longBits)] = uint32(i)
		s.short[v<<shortShift*hashFactor>>(64-shortBits)] = uint32(i)
	}
}

// finish makes a sequence of the literals that are left.
func (s *scanner) finish() {
	if s.literal < s.at {
		s.add(s.at, 0, 1)
	}
}

// add appends a sequence of the literals before at, and a match.
func (s *scanner) add(at, length, dist int) {
	s.sequences[s.n&(maxSequences-1)] = makeSequence(at-s.literal, length, dist)
	s.n++
	s.literal = at + length
}

// span is where a scan may go: from the scanner's place up to limit, so that clip
// bytes can be read, with matches that end before end; back is the distance to the
// row above, or to the pixel before where there is none.
type span struct {
	limit, end, back int
}

// scan goes on up to end, or to less if there are enough sequences, in p, which
// begins at first.
func (s *scanner) scan(data []byte, first, end int, p Part) {
	if s.at < p.Unit { // there is no pixel before
		n := min(p.Unit-s.at, end-s.at)
		s.hist.count(data[s.at : s.at+n])
		s.at += n
	}
	last := min(end-minLengths[p.Unit&7], len(data)-clip)
	if p.Stride > p.Unit {
		s.run(data, span{min(last, first+p.Stride-1), end, p.Unit}, p.Unit)
	}
	s.run(data, span{last, end, p.Stride}, p.Unit)
	if s.at > last && s.n < maxSequences-1 {
		s.hist.count(data[s.at:end])
		s.at = end
	}
}

// run calls the kernel if there is something to do.
func (s *scanner) run(data []byte, to span, unit int) {
	if s.at > to.limit || s.n >= maxSequences-1 {
		return
	}
	s.kernel(data, to, unit)
}

// hashLens are how many bytes are hashed for several pixels and for one, by the unit.
var hashLens = [8][2]int{1: {5, 3}, 2: {6, 4}, 3: {8, 3}, 4: {8, 4}}

// minLengths are the shortest matches, by the unit.
var minLengths = [8]int{1: 3, 2: 4, 3: 3, 4: 4}
