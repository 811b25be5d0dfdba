package screen

import (
	"image"

	"framebridge/internal/pix"
)

// How the distance of a scroll is found. Strips through the area are hashed line by
// line. First a few lines of the new picture are looked for among the old one's:
// most changes are no moves, and that few are found tells it; that most agree on a
// distance tells a move. In between, all lines vote for the distances between their new
// place and their old ones.

const (
	// strips is how many strips vote, stripWidth how many pixels of each line
	// they hash: text leaves parts of a page blank, so several places are tried.
	strips     = 6
	stripWidth = pix.MaxHashed
	// firstLook is after how many strips without any agreement the search ends:
	// most changes are no moves, and they must not pay for those that are.
	firstLook = 2
	// samples is how many lines of a strip are looked for first.
	samples = 24
	// enoughTold is how many of them must have told something for few votes to mean
	// that nothing moved.
	enoughTold = samples / 2
	// maxTwins is how many equal lines of a strip vote each: text has repeated
	// lines, blank areas have hundreds.
	maxTwins = 4
	// minVotes is how many lines must agree on a distance.
	minVotes = 5
)

// lookOrder is the order of the strips: text is rather on the left, and margins
// are at the edges.
var lookOrder = [strips]int{1, 3, 4, 2, 0, 5}

// axis maps "lines" and "positions along a line" to coordinates: lines are rows
// for vertical scrolls, columns for horizontal ones.
type axis bool

const (
	vertical   axis = false
	horizontal axis = true
)

// grid divides an area into strips of lines.
type grid struct {
	axis   axis
	area   image.Rectangle
	length int // lines
	width  int // pixels of a line in the area
	each   int // pixels of a line in a strip
	strips int
}

// newGrid reports whether the area is large enough to look for moves along the axis.
func newGrid(area image.Rectangle, a axis) (g grid, ok bool) {
	g = grid{axis: a, area: area, length: area.Dy(), width: area.Dx()}
	if a == horizontal {
		g.length, g.width = g.width, g.length
	}
	if g.length < 2*minVotes || g.width < stripWidth/2 {
		return g, false
	}
	// Whole vectors. Columns are read by rows, which are fetched as they are.
	g.each = min(stripWidth, g.width) &^ 7
	if a == horizontal {
		g.each = stripWidth / 2
	}
	g.strips = min(strips, g.width/g.each)
	return g, true
}

// strip returns the k-th strip in the order of looking.
func (g *grid) strip(k int) image.Rectangle {
	at := 0
	if g.strips == strips {
		k = lookOrder[k]
	}
	if g.strips > 1 {
		at = (g.width - g.each) * k / (g.strips - 1)
	}
	if g.axis == vertical {
		return image.Rect(g.area.Min.X+at, g.area.Min.Y, g.area.Min.X+at+g.each, g.area.Max.Y)
	}
	return image.Rect(g.area.Min.X, g.area.Min.Y+at, g.area.Max.X, g.area.Min.Y+at+g.each)
}

// hash hashes the lines of r.
func (g *grid) hash(dst []uint64, m *pix.Image, r image.Rectangle) {
	if g.axis == vertical {
		pix.HashRows(dst, m, r)
	} else {
		pix.HashColumns(dst, m, r)
	}
}

// displacement returns from where to where lines moved by dist.
func (g *grid) displacement(dist int) image.Point {
	if g.axis == vertical {
		return image.Pt(0, dist)
	}
	return image.Pt(dist, 0)
}

// voter looks for the distance that most lines agree on. It holds memory between
// searches; the zero value is ready.
type voter struct {
	old, new []uint64 // hashes of a strip's lines
	twin     []int32  // the line before with the same hash, or -1
	slots    []int32  // open addressing, by hash: the last line that has it, plus one; 0: free
	votes    []int32  // by distance, from -len(old): of a strip
	tallies  []tally  // by distance: of all strips
}

// tally counts the votes for a distance: all, and the most in one strip.
type tally struct {
	votes, inBest int32
	best          int // which strip
}

// reset makes the voter one for lines of a number.
func (v *voter) reset(length int) {
	if cap(v.old) < length {
		slots := 1
		for slots < 2*length {
			slots *= 2
		}
		*v = voter{
			old: make([]uint64, length), new: make([]uint64, length), twin: make([]int32, length),
			slots: make([]int32, slots), votes: make([]int32, 2*length), tallies: make([]tally, 2*length),
		}
	}
	v.old, v.new, v.twin = v.old[:length], v.new[:length], v.twin[:length]
	v.votes, v.tallies = v.votes[:2*length], v.tallies[:2*length]
}

// guess is what the samples say.
type guess uint8

const (
	unsure guess = iota
	noMove
	move // by the distance, as the strip shows best
)

// sample looks for some of p's lines in the old picture.
func (v *voter) sample(p, old *pix.Image, g *grid) (what guess, dist int, strip image.Rectangle) {
	v.reset(g.length)
	what = noMove
	for k := range min(firstLook, g.strips) {
		strip := g.strip(k)
		dist, agree, told := v.sampleStrip(p, old, g, strip)
		switch {
		case agree >= samples/3 && 2*agree > told:
			return move, dist, strip
		case told < enoughTold || 8*agree >= told:
			what = unsure
		}
	}
	return what, 0, strip
}

// sampleStrip returns the distance that most samples agree on, how many do, and how
// many have told anything: neither did they stay, nor are they like many others.
func (v *voter) sampleStrip(p, old *pix.Image, g *grid, strip image.Rectangle) (dist, agree, told int) {
	g.hash(v.old, old, strip)
	g.hash(v.new, p, strip)
	// The samples: from each part of the strip the first line that has changed and is
	// not like the lines beside it, as those of blank areas are.
	var (
		hashes [samples]uint64
		lines  [samples]int
		places [samples][maxTwins]int // in the old picture
		found  [samples]int
		filter [16]uint64 // a bit for each hash: nearly no line is like a sample
		n      int
	)
	for k := range samples {
		for l := g.length * k / samples; l < g.length*(k+1)/samples; l++ {
			h := v.new[l]
			if h == v.old[l] || l > 0 && h == v.new[l-1] || l+1 < g.length && h == v.new[l+1] {
				continue
			}
			hashes[n], lines[n] = h, l
			filter[h>>60] |= 1 << (h >> 54 & 63)
			n++
			break
		}
	}
	for l, h := range v.old {
		if filter[h>>60]>>(h>>54&63)&1 == 0 {
			continue
		}
		for s := range n {
			if hashes[s] == h {
				if found[s] < maxTwins {
					places[s][found[s]] = l
				}
				found[s]++
			}
		}
	}
	clear(v.votes)
	for s := range n {
		if found[s] > maxTwins {
			continue
		}
		told++
		for _, l := range places[s][:found[s]] {
			d := l - lines[s]
			v.votes[d+g.length]++
			// The smaller distance wins a draw, here as below.
			if c := int(v.votes[d+g.length]); c > agree || c == agree && abs(d) < abs(dist) {
				agree, dist = c, d
			}
		}
	}
	return dist, agree, told
}

// count has all lines vote. It returns the distance that most agree on (new place +
// distance = old place) and the strip that gave it the most votes.
func (v *voter) count(p, old *pix.Image, g *grid) (dist int, strip image.Rectangle, ok bool) {
	v.reset(g.length)
	clear(v.tallies)
	most := int32(0) // votes for a distance in one strip
	for k := range g.strips {
		if k == firstLook && int(most) < max(minVotes, g.length/40) {
			return 0, strip, false
		}
		strip := g.strip(k)
		g.hash(v.old, old, strip)
		g.hash(v.new, p, strip)
		v.countStrip()
		for i, n := range v.votes {
			if n == 0 {
				continue
			}
			t := &v.tallies[i]
			t.votes += n
			most = max(most, n)
			if n > t.inBest {
				t.inBest, t.best = n, k
			}
		}
	}
	most = 0
	for i := range v.tallies {
		if n, d := v.tallies[i].votes, i-g.length; n > most || n == most && abs(d) < abs(dist) {
			most, dist = n, d
		}
	}
	if most < minVotes {
		return 0, strip, false
	}
	return dist, g.strip(v.tallies[dist+g.length].best), true
}

// countStrip fills in the votes of the lines hashed last.
func (v *voter) countStrip() {
	clear(v.slots)
	mask := uint64(len(v.slots) - 1)
	for l, h := range v.old {
		slot := v.slot(h, mask)
		v.twin[l] = *slot - 1
		*slot = int32(l) + 1
	}
	clear(v.votes)
	for l, h := range v.new {
		o := *v.slot(h, mask) - 1
		if o < 0 || tooMany(v.twin, o) {
			continue
		}
		for ; o >= 0; o = v.twin[o] {
			if int(o) != l {
				v.votes[int(o)-l+len(v.old)]++
			}
		}
	}
}

// slot returns the slot of a hash, which is free if no line has it.
func (v *voter) slot(h, mask uint64) *int32 {
	for i := (h ^ h>>32) & mask; ; i = (i + 1) & mask {
		if l := v.slots[i]; l == 0 || v.old[l-1] == h {
			return &v.slots[i]
		}
	}
}

// tooMany reports whether more than maxTwins lines are alike.
func tooMany(twin []int32, l int32) bool {
	for range maxTwins {
		if l = twin[l]; l < 0 {
			return false
		}
	}
	return true
}

func abs(v int) int {
	if v < 0 {
		return -v
	}
	return v
}
