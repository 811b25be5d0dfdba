package screen

import (
	"encoding/binary"
	"image"
	"math/bits"
	"slices"

	"framebridge/internal/pix"
)

// How moves are found. When a large area changed, a few strips through it are
// hashed line by line, in the old picture and in the new one. Lines whose hash
// is unique in the old strip vote for the distance between their old and their
// new place. The distance with the most votes is then checked pixel by pixel,
// and the rectangle is grown over all that moved by it. Nothing depends on the
// guess being right: after the move has been made in the store, the frame is
// compared with it again, so a wrong or partial move costs bytes, never pixels.

const (
	// minMoveArea is how many pixels must have changed before moves are looked
	// for; below, encoding costs less than looking.
	minMoveArea = 64 * 64 * 2
	// strips is how many strips vote, stripWidth how many pixels of each line
	// they hash: text leaves parts of a page blank, so several places are tried.
	strips     = 8
	stripWidth = 32
	// minVotes is how many lines must agree on a distance.
	minVotes = 5
)

// axis maps "lines" and "positions along a line" to coordinates: lines are rows
// for vertical scrolls, columns for horizontal ones.
type axis bool

const (
	vertical   axis = false
	horizontal axis = true
)

// findMoves looks in the patch for a scroll of the store's pixels. changed is
// the area that differs.
func (s *Screen) findMoves(p *pix.Image, changed image.Rectangle) []Move {
	if changed.Dx()*changed.Dy() < minMoveArea {
		return nil
	}
	for _, a := range []axis{vertical, horizontal} {
		if d, strip, ok := s.vote(p, changed, a); ok {
			if m, ok := s.grow(p, changed, d, strip); ok {
				return []Move{m}
			}
		}
	}
	return nil
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
	old := make(map[uint64]int, length)
	hashes := make([]uint64, length)
	sw := min(stripWidth, width)
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
	for i := range n {
		strip := stripAt(i)
		clear(old)
		hashLines(hashes, s.store, strip, a)
		for l, h := range hashes {
			if _, dup := old[h]; dup {
				old[h] = -1
			} else {
				old[h] = l
			}
		}
		hashLines(hashes, p, strip, a)
		votes := make(map[int]int)
		for l, h := range hashes {
			if o, ok := old[h]; ok && o >= 0 && o != l {
				votes[o-l]++
			}
		}
		for dist, v := range votes {
			t := tallies[dist]
			if t == nil {
				t = &tally{}
				tallies[dist] = t
			}
			t.votes += v
			if v > t.inBest {
				t.inBest, t.stripBest = v, i
			}
		}
	}
	most, dist := 0, 0
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

// hashLines hashes each line of the strip: rows for vertical, columns for
// horizontal. The fourth byte of a pixel does not count.
func hashLines(dst []uint64, m *pix.Image, strip image.Rectangle, a axis) {
	const k = 0x9e3779b97f4a7c15
	if a == vertical {
		for i := range dst {
			row := m.Row(strip.Min.Y+i, strip.Min.X, strip.Max.X)
			h := uint64(k)
			for ; len(row) >= 8; row = row[8:] {
				h = bits.RotateLeft64((h^binary.LittleEndian.Uint64(row)&0x00ffffff_00ffffff)*k, 29)
			}
			if len(row) >= 4 {
				h = bits.RotateLeft64((h^uint64(binary.LittleEndian.Uint32(row)&pix.RGBMask))*k, 29)
			}
			dst[i] = h
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
// ones at displacement d, and says whether the move is worth it.
func (s *Screen) grow(p *pix.Image, area image.Rectangle, d image.Point, strip image.Rectangle) (Move, bool) {
	// Only places whose source lies on the screen can have been moved there.
	area = area.Intersect(s.store.Rect.Sub(d))
	if d.X != 0 {
		// A strip of columns spans the area; what scrolled sideways came from
		// inside it.
		area = area.Intersect(area.Sub(d))
		strip = image.Rect(area.Min.X, strip.Min.Y, area.Max.X, strip.Max.Y)
	}
	strip = strip.Intersect(area)
	if strip.Empty() {
		return Move{}, false
	}
	// The columns: on sampled rows that match in the strip, how far to both sides
	// the match goes. A quarter of the rows may say less (a cursor, a selection).
	var left, right []int
	step := max(1, strip.Dy()/64)
	for y := strip.Min.Y; y < strip.Max.Y; y += step {
		if !pix.EqualAt(p, s.store, image.Rect(strip.Min.X, y, strip.Max.X, y+1), d) {
			continue
		}
		left = append(left, pix.MatchLeft(p, s.store, y, area.Min.X, strip.Min.X, d))
		right = append(right, pix.MatchRight(p, s.store, y, strip.Max.X, area.Max.X, d))
	}
	if len(left) == 0 {
		return Move{}, false
	}
	slices.Sort(left)
	slices.Sort(right)
	to := image.Rect(left[len(left)*3/4], strip.Min.Y, right[len(right)/4], strip.Max.Y)
	if to.Dx() < min(stripWidth, area.Dx())/2 {
		return Move{}, false
	}
	if d.X != 0 {
		to.Min.Y, to.Max.Y = area.Min.Y, area.Max.Y
	}
	// The rows: from the first to the last that match, if most between them do.
	first, last, matched, gained := -1, -1, 0, 0
	for y := to.Min.Y; y < to.Max.Y; y++ {
		row := image.Rect(to.Min.X, y, to.Max.X, y+1)
		if !pix.EqualAt(p, s.store, row, d) {
			continue
		}
		if first < 0 {
			first = y
		}
		last = y
		matched++
		if !pix.Equal(p, s.store, row) {
			gained++
		}
	}
	if first < 0 || matched*4 < (last+1-first)*3 || gained*to.Dx()*6 < area.Dx()*area.Dy() {
		return Move{}, false
	}
	to.Min.Y, to.Max.Y = first, last+1
	return Move{Src: to.Add(d), Dst: to.Min}, true
}

func abs(v int) int {
	if v < 0 {
		return -v
	}
	return v
}
