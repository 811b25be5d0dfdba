package screen

import (
	"encoding/binary"
	"image"
	"math/bits"
	"slices"

	"framebridge/internal/pix"
)

// How moves are found. When a large area changed, the distance of the last move
// is tried on a few samples first: who scrolls, scrolls on. Else a few strips
// through the area are hashed line by line, in the old picture and in the new
// one. Lines vote for the distances between their new place and their old ones.
// The distance with the most votes is then checked pixel by pixel, and the
// rectangle is grown over all that moved by it. Nothing depends on the guess
// being right: what is not known to be equal after the move is compared again,
// so a wrong or partial move costs bytes, never pixels.

const (
	// minMoveArea is how many pixels must have changed before moves are looked
	// for; below, encoding costs less than looking.
	minMoveArea = 64 * 64 * 2
	// strips is how many strips vote, stripWidth how many pixels of each line
	// they hash: text leaves parts of a page blank, so several places are tried.
	strips     = 6
	stripWidth = 32
	// firstLook is after how many strips without any agreement the search ends:
	// most changes are no moves, and they must not pay for those that are.
	firstLook = 2
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

// found is a move and what of its target is known to be right after it.
type found struct {
	Move
	right []image.Rectangle
}

// findMove looks in the patch for a scroll of the store's pixels. changed is
// the area that differs.
func (s *Screen) findMove(p *pix.Image, changed image.Rectangle) (found, bool) {
	if changed.Dx()*changed.Dy() < minMoveArea {
		return found{}, false
	}
	if d := s.lastMove; d != (image.Point{}) {
		if strip, ok := s.plausible(p, changed, d); ok {
			if m, ok := s.grow(p, changed, d, strip, d.X != 0 && d.Y == 0); ok {
				return m, true
			}
		}
	}
	if s.misses.skip(changed) {
		return s.findDrag(p, changed)
	}
	for _, a := range []axis{vertical, horizontal} {
		if d, strip, ok := s.vote(p, changed, a); ok {
			if m, ok := s.grow(p, changed, d, strip, a == horizontal); ok {
				s.lastMove = d
				s.misses = misses{}
				return m, true
			}
		}
	}
	s.lastMove = image.Point{}
	s.misses.add(changed)
	return s.findDrag(p, changed)
}

// misses are searches that found nothing, one after the other in the same area: a
// video. Looking for scrolls there costs a fifth of what all else does.
type misses struct {
	area image.Rectangle
	n    int // of searches
	wait int // how many are to be left out
}

const (
	// freeMisses is how many searches may find nothing before any is left out.
	freeMisses = 2
	// maxWait is how many are left out at most: a quarter of a second in which a
	// scroll where a video was is sent as pixels.
	maxWait = 15
)

// skip reports whether the search in area is left out.
func (m *misses) skip(area image.Rectangle) bool {
	if m.wait == 0 || !alike(m.area, area) {
		return false
	}
	m.wait--
	return true
}

func (m *misses) add(area image.Rectangle) {
	if !alike(m.area, area) {
		m.n = 0
	}
	m.area = area
	m.n++
	m.wait = 0
	if over := m.n - freeMisses; over > 0 {
		m.wait = min(1<<min(over, 8)-1, maxWait)
	}
}

// alike reports whether a and b are about the same area: what does not change at the
// edges of a video differs from frame to frame.
func alike(a, b image.Rectangle) bool {
	both := a.Intersect(b)
	return both.Dx()*both.Dy()*8 >= 7*max(a.Dx()*a.Dy(), b.Dx()*b.Dy())
}

// plausible looks at samples of area: of those that changed, do most have the
// pixels that were at displacement d? It returns a strip where they do.
func (s *Screen) plausible(p *pix.Image, area image.Rectangle, d image.Point) (strip image.Rectangle, ok bool) {
	const across, down = 4, 24
	in := area.Intersect(s.store.Rect.Sub(d))
	if in.Dx() < stripWidth || in.Dy() < down {
		return strip, false
	}
	told, moved, most := 0, 0, 0
	for i := range across {
		x := in.Min.X + (in.Dx()-stripWidth)*i/(across-1)
		here := 0
		for k := range down {
			y := in.Min.Y + (in.Dy()-1)*k/(down-1)
			r := image.Rect(x, y, x+stripWidth, y+1)
			if pix.Equal(p, s.store, r) {
				continue
			}
			told++
			if pix.EqualAt(p, s.store, r, d) {
				here++
			}
		}
		moved += here
		if here > most {
			most = here
			strip = image.Rect(x, area.Min.Y, x+stripWidth, area.Max.Y)
		}
	}
	return strip, moved >= minVotes && moved*2 > told
}

// vote returns the displacement that most lines agree on (new place + d = old
// place) and the strip that gave it the most votes.
func (s *Screen) vote(p *pix.Image, area image.Rectangle, a axis) (d image.Point, best image.Rectangle, ok bool) {
	length, width := area.Dy(), area.Dx()
	if a == horizontal {
		length, width = width, length
	}
	if length < 2*minVotes || width < stripWidth/2 {
		return d, best, false
	}
	type tally struct{ votes, inBest, stripBest int }
	tallies := make(map[int]*tally)
	old := make(map[uint64]int32, length) // hash to the last line that has it
	twin := make([]int32, length)         // the line before with the same hash, or -1
	hashes := make([]uint64, length)
	sw := min(stripWidth, width)
	if a == horizontal {
		sw = min(stripWidth/2, width) // rows are read whole, and columns hashed pixel by pixel
	}
	n := min(strips, width/sw)
	stripAt := func(i int) image.Rectangle {
		at := 0
		if n > 1 {
			at = (width - sw) * i / (n - 1)
		}
		if a == vertical {
			return image.Rect(area.Min.X+at, area.Min.Y, area.Min.X+at+sw, area.Max.Y)
		}
		return image.Rect(area.Min.X, area.Min.Y+at, area.Max.X, area.Min.Y+at+sw)
	}
	most := 0 // votes for a distance in one strip
	for k := range n {
		if k == firstLook && most < max(minVotes, length/40) {
			return d, image.Rectangle{}, false
		}
		i := k
		if n == strips {
			i = lookOrder[k]
		}
		strip := stripAt(i)
		clear(old)
		hashLines(hashes, s.store, strip, a)
		for l, h := range hashes {
			twin[l] = -1
			if o, ok := old[h]; ok {
				twin[l] = o
			}
			old[h] = int32(l)
		}
		hashLines(hashes, p, strip, a)
		votes := make(map[int]int)
		for l, h := range hashes {
			o, ok := old[h]
			if !ok || tooMany(twin, o) {
				continue
			}
			for ; o >= 0; o = twin[o] {
				if int(o) != l {
					votes[int(o)-l]++
				}
			}
		}
		for dist, v := range votes {
			t := tallies[dist]
			if t == nil {
				t = &tally{}
				tallies[dist] = t
			}
			t.votes += v
			most = max(most, v)
			if v > t.inBest {
				t.inBest, t.stripBest = v, i
			}
		}
	}
	most = 0
	dist := 0
	for k, t := range tallies {
		// The smaller distance wins a draw, so that the result does not depend on
		// the order of a map.
		if t.votes > most || t.votes == most && abs(k) < abs(dist) {
			most, dist = t.votes, k
		}
	}
	if most < minVotes {
		return d, best, false
	}
	if a == vertical {
		d = image.Pt(0, dist)
	} else {
		d = image.Pt(dist, 0)
	}
	return d, stripAt(tallies[dist].stripBest), true
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

// hashLines hashes each line of the strip: rows for vertical, columns for
// horizontal. The fourth byte of a pixel does not count.
func hashLines(dst []uint64, m *pix.Image, strip image.Rectangle, a axis) {
	const k = 0x9e3779b97f4a7c15
	const rgb2 = pix.RGBMask<<32 | pix.RGBMask
	if a == vertical {
		for i := range dst {
			row := m.Row(strip.Min.Y+i, strip.Min.X, strip.Max.X)
			// Two chains, because each step waits for a multiplication.
			h, g := uint64(k), uint64(k>>1)
			for ; len(row) >= 16; row = row[16:] {
				h = bits.RotateLeft64((h^binary.LittleEndian.Uint64(row)&rgb2)*k, 29)
				g = bits.RotateLeft64((g^binary.LittleEndian.Uint64(row[8:])&rgb2)*k, 31)
			}
			for ; len(row) >= 4; row = row[4:] {
				h = bits.RotateLeft64((h^uint64(binary.LittleEndian.Uint32(row)&pix.RGBMask))*k, 29)
			}
			dst[i] = h ^ g*k
		}
		return
	}
	for i := range dst {
		dst[i] = k
	}
	for y := strip.Min.Y; y < strip.Max.Y; y++ {
		row := m.Row(y, strip.Min.X, strip.Max.X)
		for i := range dst {
			v := binary.LittleEndian.Uint32(row[i*4:]) & pix.RGBMask
			dst[i] = bits.RotateLeft64((dst[i]^uint64(v))*k, 29)
		}
	}
}

// grow extends the strip to the rectangle in area whose new pixels are the old
// ones at displacement d, and says whether the move is worth it. sideways says
// that the strip is one of columns, across the area.
func (s *Screen) grow(p *pix.Image, area image.Rectangle, d image.Point, strip image.Rectangle, sideways bool) (found, bool) {
	// Only places whose source lies on the screen can have been moved there.
	area = area.Intersect(s.store.Rect.Sub(d))
	if sideways {
		// A strip of columns spans the area; what scrolled sideways came from
		// inside it.
		area = area.Intersect(area.Sub(d))
		strip = image.Rect(area.Min.X, strip.Min.Y, area.Max.X, strip.Max.Y)
	}
	strip = strip.Intersect(area)
	if strip.Empty() {
		return found{}, false
	}
	// The columns: on sampled rows that match in the strip, how far to both sides
	// the match goes. A quarter of the rows may say less (a cursor, a selection).
	var left, rights []int
	step := max(1, strip.Dy()/64)
	for y := strip.Min.Y; y < strip.Max.Y; y += step {
		if !pix.EqualAt(p, s.store, image.Rect(strip.Min.X, y, strip.Max.X, y+1), d) {
			continue
		}
		left = append(left, pix.MatchLeft(p, s.store, y, area.Min.X, strip.Min.X, d))
		rights = append(rights, pix.MatchRight(p, s.store, y, strip.Max.X, area.Max.X, d))
	}
	if len(left) == 0 {
		return found{}, false
	}
	slices.Sort(left)
	slices.Sort(rights)
	to := image.Rect(left[len(left)*3/4], strip.Min.Y, rights[len(rights)/4], strip.Max.Y)
	if to.Dx() < min(stripWidth, area.Dx())/2 {
		return found{}, false
	}
	if sideways {
		to.Min.Y, to.Max.Y = area.Min.Y, area.Max.Y
	}
	// The rows: from the first to the last that match, if most between them do.
	var right []image.Rectangle
	matched, gained := 0, 0
	for y := to.Min.Y; y < to.Max.Y; y++ {
		row := image.Rect(to.Min.X, y, to.Max.X, y+1)
		if !pix.EqualAt(p, s.store, row, d) {
			continue
		}
		if n := len(right); n > 0 && right[n-1].Max.Y == y {
			right[n-1].Max.Y = y + 1
		} else {
			right = append(right, row)
		}
		matched++
		if !pix.Equal(p, s.store, row) {
			gained++
		}
	}
	if len(right) == 0 {
		return found{}, false
	}
	to.Min.Y, to.Max.Y = right[0].Min.Y, right[len(right)-1].Max.Y
	if matched*4 < to.Dy()*3 || gained*to.Dx()*6 < area.Dx()*area.Dy() {
		return found{}, false
	}
	return found{Move{Src: to.Add(d), Dst: to.Min}, right}, true
}

func abs(v int) int {
	if v < 0 {
		return -v
	}
	return v
}
