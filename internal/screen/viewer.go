package screen

import (
	"image"
	"slices"

	"framebridge/internal/pix"
)

// Viewer is one reader of the screen: what it has and what it still lacks. Its
// methods, but for Wake, are called from one goroutine at a time.
type Viewer struct {
	screen *Screen
	wake   chan struct{}
	want   bool // guarded by screen.vmu

	gen   uint64      // the generation that the viewer has, but for dirty and ahead
	size  image.Point // of the screen when gen was reached
	dirty pix.Region  // pixels that the viewer lacks
	ahead []aheadRect // pixels that the viewer has from later generations
}

// aheadRect is a rectangle that was read from a generation after Viewer.gen:
// the store went on between Take and Snapshot.
type aheadRect struct {
	area pix.Region
	gen  uint64
}

// Update is what a viewer lacks: first the moves, in order, then the pixels of
// Damage. The pixels are read with Snapshot.
type Update struct {
	Size   image.Point // of the screen
	Moves  []Move
	Damage pix.Region
}

// maxMoveLag is how many generations a viewer may lag and still be sent moves:
// beyond, it would copy the same pixels over and over to reach a state that the
// few pixels themselves describe.
const maxMoveLag = 16

// Wake returns the channel that becomes readable when there may be something
// new: pixels, a cursor, a pointer position, another size.
func (v *Viewer) Wake() <-chan struct{} { return v.wake }

func (v *Viewer) signal() {
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// Close removes the viewer from its screen.
func (v *Viewer) Close() {
	s := v.screen
	s.vmu.Lock()
	if _, ok := s.viewers[v]; ok {
		delete(s.viewers, v)
		if v.want {
			v.want = false
			s.wanting--
		}
	}
	if len(s.viewers) == 0 && s.unviewed != nil {
		s.unviewed()
	}
	s.vmu.Unlock()
	s.signalDemand()
}

// Want tells the screen whether the viewer could use an update now. The screen
// captures only while a viewer wants. When there is news already, the viewer is
// woken at once and wants no more.
func (v *Viewer) Want(want bool) {
	s := v.screen
	s.mu.RLock()
	news := s.synced && s.gen != v.gen
	s.mu.RUnlock()
	s.vmu.Lock()
	if want && news {
		v.signal()
	} else if v.want != want {
		v.want = want
		if want {
			s.wanting++
		} else {
			s.wanting--
		}
	}
	s.vmu.Unlock()
	if want {
		s.signalDemand()
	}
}

// Add makes r one of the pixels that the viewer lacks.
func (v *Viewer) Add(r image.Rectangle) {
	v.dirty = v.dirty.Union(pix.RegionOf(r))
}

// Return gives back what was taken but not sent.
func (v *Viewer) Return(g pix.Region) { v.dirty = v.dirty.Union(g) }

// Synced reports whether the store is no older than what the source knew when
// the viewer came, so that it is worth showing.
func (v *Viewer) Synced() bool {
	v.screen.mu.RLock()
	defer v.screen.mu.RUnlock()
	return v.screen.synced
}

// Take brings the viewer to the present generation and returns what it lacks
// inside area. What lies outside stays for later. Moves are returned only where
// moves is true and area is the whole screen; else their targets are damage.
func (v *Viewer) Take(area image.Rectangle, moves bool) Update {
	s := v.screen
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.store == nil || !s.synced {
		return Update{}
	}
	var u Update
	u.Size = s.store.Rect.Size()
	full := s.store.Rect.In(area)
	v.advance(&u, moves && full && s.gen-v.gen <= maxMoveLag)
	u.Damage = v.dirty.Clip(area.Intersect(s.store.Rect))
	if full {
		v.dirty = pix.Region{}
	} else {
		v.dirty = v.dirty.Subtract(u.Damage)
	}
	return u
}

// advance brings v from v.gen to s.gen. The caller holds s.mu.
func (v *Viewer) advance(u *Update, moves bool) {
	s := v.screen
	bounds := s.store.Rect
	if v.size != u.Size || v.gen < s.base {
		switch {
		case v.size != u.Size || v.gen == 0:
			v.dirty = pix.RegionOf(bounds)
		default:
			v.dirty = v.dirty.Union(s.tilesSince(v.gen))
		}
		v.size, v.gen, v.ahead = u.Size, s.gen, nil
		return
	}
	for v.gen < s.gen {
		v.gen++
		c := &s.journal[v.gen%journalLen]
		for _, m := range c.moves {
			v.move(u, m, moves)
		}
		// What was read from this or a later generation is not lacking.
		damage := c.damage
		for _, a := range v.ahead {
			if a.gen >= v.gen {
				damage = damage.Subtract(a.area)
			}
		}
		v.dirty = v.dirty.Union(damage)
	}
	v.ahead = v.ahead[:0]
}

// move follows a move of generation v.gen. The viewer may lack pixels of the
// source, or have newer ones than the move copied: their copies are lacking at
// the target, all else at the target is right after the copy.
func (v *Viewer) move(u *Update, m Move, copies bool) {
	to := pix.RegionOf(m.To())
	if !copies {
		// Drawing the target anew is right whatever the viewer has there. What it
		// has from later generations stays right.
		for _, a := range v.ahead {
			if a.gen >= v.gen {
				to = to.Subtract(a.area)
			}
		}
		v.dirty = v.dirty.Union(to)
		return
	}
	src := pix.RegionOf(m.Src)
	bad := v.dirty.Intersect(src)
	for i := range v.ahead {
		a := &v.ahead[i]
		if a.gen >= v.gen {
			bad = bad.Union(a.area.Intersect(src))
			a.area = a.area.Subtract(to)
		}
	}
	bad = bad.Translate(m.Dst.Sub(m.Src.Min))
	v.dirty = v.dirty.Subtract(to).Union(bad)
	u.Moves = append(u.Moves, m)
}

// Gen returns the generation that the last Take brought the viewer to.
func (v *Viewer) Gen() uint64 { return v.gen }

// Snapshot copies the pixels of r as they are now into dst, which becomes a
// densely packed image of r's size, and notes that the viewer has them. Pixels
// outside the screen are undefined. Called between two Takes, for rectangles of
// the Update's Damage.
func (v *Viewer) Snapshot(dst *pix.Image, r image.Rectangle) {
	v.Took(r, v.screen.Copy(dst, r))
}

// Read copies the pixels of r as they are now to the same place in dst, which must
// hold r, and notes that the viewer has them. Called between two Takes.
func (v *Viewer) Read(dst *pix.Image, r image.Rectangle) {
	s := v.screen
	s.mu.RLock()
	if s.store != nil {
		pix.Copy(dst, s.store, r.Intersect(s.store.Rect))
	}
	gen := s.gen
	s.mu.RUnlock()
	v.Took(r, gen)
}

// Clone adds a viewer that has, and lacks, the same as v.
func (v *Viewer) Clone() *Viewer {
	c := v.screen.View()
	c.gen, c.size, c.dirty, c.ahead = v.gen, v.size, v.dirty, slices.Clone(v.ahead)
	return c
}

// Took notes that the viewer is sent the pixels of r as they were in generation
// gen, which must not be older than Gen.
func (v *Viewer) Took(r image.Rectangle, gen uint64) {
	if gen == v.gen {
		return
	}
	if n := len(v.ahead); n > 0 && v.ahead[n-1].gen == gen {
		v.ahead[n-1].area = v.ahead[n-1].area.Union(pix.RegionOf(r))
		return
	}
	v.ahead = append(v.ahead, aheadRect{pix.RegionOf(r), gen})
}

// Copy copies the pixels of r as they are now into dst, which becomes a densely
// packed image of r's size, and returns their generation. Pixels outside the
// screen are undefined. It may be called from any goroutine.
func (s *Screen) Copy(dst *pix.Image, r image.Rectangle) (gen uint64) {
	dst.Reset(r)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.store != nil {
		pix.Copy(dst, s.store, r.Intersect(s.store.Rect))
	}
	return s.gen
}

// Inspect calls look with the picture and its generation. look must be quick, since
// the screen stands still meanwhile, and not keep or change the picture. It is not
// called when there is none.
func (s *Screen) Inspect(look func(m *pix.Image, gen uint64)) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.store != nil {
		look(s.store, s.gen)
	}
}

// tilesSince returns the tiles changed after gen. The caller holds s.mu.
func (s *Screen) tilesSince(gen uint64) pix.Region {
	var rs []image.Rectangle
	for i, g := range s.tiles {
		if g > gen {
			rs = append(rs, s.tileRect(i))
		}
	}
	return pix.RegionOf(joinAcross(rs)...)
}

func (s *Screen) tileRect(i int) image.Rectangle {
	x, y := i%s.across*TileSide, i/s.across*TileSide
	return image.Rect(x, y, x+TileSide, y+TileSide).Intersect(s.store.Rect)
}

// joinAcross joins rectangles that follow each other, touch and have the same
// top and bottom: fewer pieces for the region to sort.
func joinAcross(rs []image.Rectangle) []image.Rectangle {
	out := rs[:0]
	for _, r := range rs {
		if n := len(out); n > 0 && out[n-1].Max.X == r.Min.X && out[n-1].Min.Y == r.Min.Y && out[n-1].Max.Y == r.Max.Y {
			out[n-1].Max.X = r.Max.X
			continue
		}
		out = append(out, r)
	}
	return out
}
