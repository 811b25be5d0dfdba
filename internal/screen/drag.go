package screen

import (
	"encoding/binary"
	"image"
	"time"

	"framebridge/internal/pix"
)

// How moves in any direction are found: windows that are dragged. Short runs of
// pixels of the new picture, the anchors, are looked for in the old one, at every
// column, with a rolling hash. Anchors that are found vote for a displacement.
// They are taken from groups of anchorRows rows below each other, so that one of
// every group lies on each of the old rows that are looked at, whatever the
// displacement: the others need not be hashed.

const (
	// anchorLen is the length of an anchor in pixels: long enough to be rare.
	anchorLen = 16
	// anchorRows is the number of rows in a group, and the distance of the old
	// rows that are looked at.
	anchorRows = 4
	// anchorGroups is how many groups are taken from an area.
	anchorGroups = 40
	// maxDragArea bounds the pixels that are looked at: about 1 ms of work.
	maxDragArea = 1920 * 1080
	// maxDragPause is up to how many searches are left out after some without
	// result: videos are no drags.
	maxDragPause = 31
	// dragPace is how soon after the last change a drag's next step comes.
	dragPace = 60 * time.Millisecond
	// dragMargin is how far outside the changed area a source may lie: what a
	// window uncovers is part of the change, so it is near.
	dragMargin = 48

	rollBase = 0x9e3779b97f4a7c15 | 1
)

// rollOut is rollBase to the power of anchorLen: the weight of the pixel that
// leaves the window.
var rollOut = func() uint64 {
	p := uint64(1)
	for range anchorLen {
		p *= rollBase
	}
	return p
}()

// findDrag looks for the displacement of a window that was dragged.
func (s *Screen) findDrag(p *pix.Image, changed image.Rectangle) (found, bool) {
	around := changed.Inset(-dragMargin).Intersect(s.store.Rect)
	if changed.Dx() < 3*anchorLen || changed.Dy() < 8*anchorRows || area(around) > maxDragArea {
		return found{}, false
	}
	if s.dragWait > 0 {
		s.dragWait--
		return found{}, false
	}
	if time.Since(s.changedAt) > dragPace {
		return found{}, false // a change of its own: a popup, a page
	}
	anchors := s.anchors(p, changed)
	if len(anchors) > 0 {
		if d, at, ok := s.match(anchors, around); ok {
			strip := image.Rect(at.X, changed.Min.Y, at.X+anchorLen, changed.Max.Y)
			if m, ok := s.grow(p, changed, d, strip, false); ok {
				s.dragPause = 0
				return m, true
			}
		}
	}
	s.dragPause = min(2*s.dragPause+1, maxDragPause)
	s.dragWait = s.dragPause
	return found{}, false
}

// anchors returns the places of runs of the new picture by their hash: runs that
// changed and that are not of one or two colours.
func (s *Screen) anchors(p *pix.Image, changed image.Rectangle) map[uint64]image.Point {
	anchors := make(map[uint64]image.Point, anchorGroups*anchorRows)
	step := max(anchorRows, changed.Dy()/anchorGroups)
	groups := 0
	for y := changed.Min.Y; y+anchorRows <= changed.Max.Y && groups < anchorGroups; y += step {
		// In each group of rows the first place that is telling enough.
		for x := changed.Min.X + groups*37%(changed.Dx()/4); x+anchorLen <= changed.Max.X; x += anchorLen / 2 {
			if !telling(p.Row(y, x, x+anchorLen)) || pix.Equal(p, s.store, image.Rect(x, y, x+anchorLen, y+1)) {
				continue
			}
			for k := range anchorRows {
				if row := p.Row(y+k, x, x+anchorLen); telling(row) {
					h := hashRun(row)
					if _, twice := anchors[h]; twice {
						delete(anchors, h)
					} else {
						anchors[h] = image.Pt(x, y+k)
					}
				}
			}
			groups++
			break
		}
	}
	return anchors
}

// telling reports whether a run of pixels has at least four changes of colour.
func telling(row []byte) bool {
	n := 0
	for i := 4; i < len(row); i += 4 {
		if (binary.LittleEndian.Uint32(row[i:])^binary.LittleEndian.Uint32(row[i-4:]))&pix.RGBMask != 0 {
			n++
		}
	}
	return n >= 4
}

func hashRun(row []byte) (h uint64) {
	for i := 0; i < len(row); i += 4 {
		h = h*rollBase + uint64(binary.LittleEndian.Uint32(row[i:])&pix.RGBMask)
	}
	return h
}

// match looks for the anchors in the old picture and returns the displacement
// that most of them agree on, and an anchor that does.
func (s *Screen) match(anchors map[uint64]image.Point, around image.Rectangle) (d, at image.Point, ok bool) {
	// Nearly no place has an anchor: one bit tells that.
	var filter [1 << 10]uint64
	for h := range anchors {
		filter[h>>54] |= 1 << (h >> 48 & 63)
	}
	votes := make(map[image.Point]int)
	places := make(map[image.Point]image.Point)
	for y := (around.Min.Y + anchorRows - 1) / anchorRows * anchorRows; y < around.Max.Y; y += anchorRows {
		row := s.store.Row(y, around.Min.X, around.Max.X)
		h := uint64(0)
		for i := 0; i+4 <= len(row); i += 4 {
			h = h*rollBase + uint64(binary.LittleEndian.Uint32(row[i:])&pix.RGBMask)
			if i < 4*(anchorLen-1) {
				continue
			}
			if i >= 4*anchorLen {
				h -= rollOut * uint64(binary.LittleEndian.Uint32(row[i-4*anchorLen:])&pix.RGBMask)
			}
			if filter[h>>54]>>(h>>48&63)&1 == 0 {
				continue
			}
			if a, hit := anchors[h]; hit {
				old := image.Pt(around.Min.X+i/4-anchorLen+1, y)
				if v := old.Sub(a); v != (image.Point{}) {
					votes[v]++
					places[v] = a
				}
			}
		}
	}
	most := 0
	for v, n := range votes {
		// The nearer wins a draw, so that the result does not depend on the order
		// of a map.
		if n > most || n == most && less(v, d) {
			most, d = n, v
		}
	}
	return d, places[d], most >= minVotes
}

// less orders displacements by their length, then by their parts.
func less(a, b image.Point) bool {
	if la, lb := a.X*a.X+a.Y*a.Y, b.X*b.X+b.Y*b.Y; la != lb {
		return la < lb
	}
	return a.X < b.X || a.X == b.X && a.Y < b.Y
}
