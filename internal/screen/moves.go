package screen

import (
	"image"
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

// minMoveArea is how many pixels must have changed before moves are looked
// for; below, encoding costs less than looking.
const minMoveArea = 64 * 64 * 2

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
	if m, ok := s.repeat(p, changed); ok {
		return m, true
	}
	if s.misses.skip(changed) {
		return s.findDrag(p, changed)
	}
	for _, a := range []axis{vertical, horizontal} {
		if m, ok := s.findScroll(p, changed, a); ok {
			s.lastMove = m.Src.Min.Sub(m.Dst)
			s.misses = misses{}
			return m, true
		}
	}
	s.lastMove = image.Point{}
	s.misses.add(changed)
	return s.findDrag(p, changed)
}

// repeat looks whether area, of which any part may have changed, moved as the last one
// did.
func (s *Screen) repeat(p *pix.Image, area image.Rectangle) (found, bool) {
	d := s.lastMove
	if d == (image.Point{}) || area.Dx()*area.Dy() < minMoveArea {
		return found{}, false
	}
	strip, ok := s.plausible(p, area, d)
	if !ok {
		return found{}, false
	}
	return s.grow(p, s.changedColumns(p, area, d), d, strip, d.X != 0 && d.Y == 0)
}

// changedColumns returns the columns of area that have changed, as far as some rows tell,
// and those beside them that are the old ones at displacement d in all these rows. What
// stands beside a scroll and is blank here and there is not to be moved with it.
func (s *Screen) changedColumns(p *pix.Image, area image.Rectangle, d image.Point) image.Rectangle {
	const rows = 64
	step := max(1, area.Dy()/rows)
	x0, x1 := area.Max.X, area.Min.X
	for y := area.Min.Y; y < area.Max.Y; y += step {
		x0 = pix.MatchRight(p, s.store, y, area.Min.X, x0, image.Point{})
		x1 = pix.MatchLeft(p, s.store, y, x1, area.Max.X, image.Point{})
	}
	if x0 >= x1 {
		return image.Rectangle{}
	}
	in := area.Intersect(s.store.Rect.Sub(d)) // where d leads to the screen
	left, right := x0, x1
	if in.Min.X < x0 && x0 <= in.Max.X {
		left = in.Min.X
		for y := in.Min.Y; y < in.Max.Y; y += step {
			left = pix.MatchLeft(p, s.store, y, left, x0, d)
		}
	}
	if in.Min.X <= x1 && x1 < in.Max.X {
		right = in.Max.X
		for y := in.Min.Y; y < in.Max.Y; y += step {
			right = pix.MatchRight(p, s.store, y, x1, right, d)
		}
	}
	area.Min.X, area.Max.X = left, right
	return area
}

// findScroll looks for a scroll along an axis.
func (s *Screen) findScroll(p *pix.Image, changed image.Rectangle, a axis) (m found, ok bool) {
	g, ok := newGrid(changed, a)
	if !ok {
		return m, false
	}
	what, dist, strip := s.voter.sample(p, s.store, &g)
	if what == noMove {
		return m, false
	}
	if what == move {
		if m, ok = s.grow(p, changed, g.displacement(dist), strip, a == horizontal); ok {
			return m, true
		}
	}
	if dist, strip, ok = s.voter.count(p, s.store, &g); !ok {
		return m, false
	}
	return s.grow(p, changed, g.displacement(dist), strip, a == horizontal)
}

// misses are searches that found nothing, one after the other in the same area: a
// video. Looking for scrolls there costs nearly as much as finding the changes does.
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

// grow extends the strip to the rectangle in area whose new pixels are the old
// ones at displacement d, and says whether the move is worth it. sideways says
// that the strip is one of columns, across the area.
func (s *Screen) grow(p *pix.Image, area image.Rectangle, d image.Point, strip image.Rectangle, sideways bool) (found, bool) {
	// Only places whose source lies on the screen can have been moved there.
	from := s.store.Rect
	if sideways {
		// A strip of columns spans the area; what scrolled sideways came from
		// inside it.
		from = area
	}
	area = area.Intersect(from.Sub(d))
	if sideways {
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
	// The rows: from the first to the last that match, if most between them do. It is
	// worth it when a sixth of the area is gained: matches and was not so before.
	var right []image.Rectangle
	matched, toGain := 0, (area.Dx()*area.Dy()+6*to.Dx()-1)/(6*to.Dx())
	changed := to.Max.Y // the first row of those gained
	for y := to.Min.Y; y < to.Max.Y; y++ {
		band := image.Rect(to.Min.X, y, to.Max.X, to.Max.Y)
		n := pix.EqualRows(p, s.store, band, d)
		if n == 0 {
			continue
		}
		band.Max.Y = y + n
		right = append(right, band)
		matched += n
		for ; y < band.Max.Y && toGain > 0; y++ {
			if !pix.Equal(p, s.store, image.Rect(to.Min.X, y, to.Max.X, y+1)) {
				toGain--
				changed = min(changed, y)
			}
		}
		y = band.Max.Y // which differs
	}
	if len(right) == 0 || toGain > 0 {
		return found{}, false
	}
	to.Min.Y, to.Max.Y = right[0].Min.Y, right[len(right)-1].Max.Y
	if matched*4 < to.Dy()*3 {
		return found{}, false
	}
	// What is blank above and below stayed as it was.
	to.Min.Y = changed
	for pix.Equal(p, s.store, image.Rect(to.Min.X, to.Max.Y-1, to.Max.X, to.Max.Y)) {
		to.Max.Y--
	}
	return found{Move{Src: to.Add(d), Dst: to.Min}, right}, true
}
