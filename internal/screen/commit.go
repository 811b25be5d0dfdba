package screen

import (
	"image"
	"time"

	"framebridge/capture"
	"framebridge/internal/pix"
)

// commit takes a frame into the store: it finds what really changed, stamps it
// with the next generation and wakes the viewers. Only Run's goroutine calls it,
// so the store can be read without the lock; the lock is held only to copy what
// changed.
func (s *Screen) commit(f *capture.Frame) {
	if s.store == nil || s.store.Rect.Size() != f.Size {
		s.resize(f.Size)
	}
	rects, move, moved := s.diff(f)
	if moved {
		rects = s.diffAround(f, move)
	}

	s.mu.Lock()
	changed := moved || len(rects) > 0
	if changed {
		s.gen++
		if s.gen-s.base > journalLen {
			s.base = s.gen - journalLen
		}
		var moves []Move
		if moved {
			s.store.Move(move.Dst, move.Src)
			s.stamp(move.To())
			moves = []Move{move.Move}
		}
		c := &s.journal[s.gen%journalLen]
		c.moves = moves
		c.damage = pix.RegionOf(merge(rects)...)
		for _, r := range c.damage.Rects() {
			s.stamp(r)
		}
		for i := range f.Patches {
			p := &f.Patches[i]
			for _, r := range c.damage.Rects() {
				if r = r.Intersect(p.Rect); !r.Empty() {
					pix.Copy(s.store, p, r)
				}
			}
		}
	}
	if changed {
		s.changedAt = time.Now()
	}
	wake := changed
	if f.Cursor != nil {
		s.cursor = f.Cursor
		s.curGen++
		wake = true
	}
	if f.HavePointer && (!s.havePtr || f.Pointer != s.pointer) {
		s.pointer, s.havePtr = f.Pointer, true
		wake = true
	}
	if !s.synced {
		s.synced = true
		wake = true
	}
	s.mu.Unlock()
	if wake {
		s.wakeAll(changed)
	}
}

// resize starts a new store. All viewers lack all of it.
func (s *Screen) resize(size image.Point) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store = pix.New(image.Rectangle{Max: size})
	s.across = (size.X + TileSide - 1) / TileSide
	s.tiles = make([]uint64, s.across*((size.Y+TileSide-1)/TileSide))
	s.gen++
	s.base = s.gen
	for i := range s.tiles {
		s.tiles[i] = s.gen
	}
	for i := range s.journal {
		s.journal[i] = change{}
	}
}

// stamp marks the tiles that r touches as changed in this generation.
func (s *Screen) stamp(r image.Rectangle) {
	for ty := r.Min.Y / TileSide; ty*TileSide < r.Max.Y; ty++ {
		for tx := r.Min.X / TileSide; tx*TileSide < r.Max.X; tx++ {
			s.tiles[ty*s.across+tx] = s.gen
		}
	}
}

// diff compares the frame with the store. It returns a move that explains much of
// what differs, or else all that differs: each rectangle is the smallest that holds
// its tile's changed pixels. A second move would have to reckon with what the first
// did to the store.
func (s *Screen) diff(f *capture.Frame) (rects []image.Rectangle, move found, moved bool) {
	// Who scrolls, scrolls on: then only what the move does not explain is to be
	// compared tile by tile.
	for i := range f.Patches {
		p := &f.Patches[i]
		if move, moved = s.repeat(p, p.Rect.Intersect(s.store.Rect)); moved {
			return nil, move, true
		}
	}
	for i := range f.Patches {
		p := &f.Patches[i]
		n := len(rects)
		rects = s.diffTiles(rects, p, s.store, p.Rect)
		var changed image.Rectangle
		for _, r := range rects[n:] {
			changed = changed.Union(r)
		}
		if move, moved = s.findMove(p, changed); moved {
			return nil, move, true
		}
	}
	return rects, found{}, false
}

// diffAround compares the frame with what the store will be after the move. What the
// move is known to make right is not looked at again.
func (s *Screen) diffAround(f *capture.Frame, move found) (rects []image.Rectangle) {
	to, right := pix.RegionOf(move.To()), pix.RegionOf(move.right...)
	moved := *s.store
	moved.Rect = moved.Rect.Add(move.Dst.Sub(move.Src.Min))
	for i := range f.Patches {
		p := &f.Patches[i]
		rest := pix.RegionOf(p.Rect.Intersect(s.store.Rect)).Subtract(right)
		for _, r := range rest.Subtract(to).Rects() {
			rects = s.diffTiles(rects, p, s.store, r)
		}
		for _, r := range rest.Intersect(to).Rects() {
			rects = s.diffTiles(rects, p, &moved, r)
		}
	}
	return rects
}

// diffTiles appends the changed part of each tile of area, which lies in p: what
// differs from old.
func (s *Screen) diffTiles(rects []image.Rectangle, p, old *pix.Image, area image.Rectangle) []image.Rectangle {
	area = area.Intersect(s.store.Rect)
	for y := area.Min.Y &^ (TileSide - 1); y < area.Max.Y; y += TileSide {
		// Memory is read faster along whole rows.
		band := image.Rect(area.Min.X, y, area.Max.X, y+TileSide).Intersect(area)
		if band.Min.Y += pix.EqualRows(p, old, band, image.Point{}); band.Empty() {
			continue
		}
		for x := area.Min.X &^ (TileSide - 1); x < area.Max.X; x += TileSide {
			r := image.Rect(x, y, x+TileSide, y+TileSide).Intersect(band)
			if d := pix.Diff(p, old, r); !d.Empty() {
				rects = append(rects, d)
			}
		}
	}
	return rects
}
