package vp8

import (
	"image"
	"math/bits"
	"time"
)

// kind is why a frame codes a macroblock.
type kind uint8

const (
	kindNew    kind = iota // it got other pixels
	kindVideo              // it does so all the time
	kindMoved              // its pixels come from one place of the frame before
	kindKey                // it did not change, but this is a key frame
	kindRefine             // it did not change, but can be improved
)

// An item is a macroblock that a frame codes.
type item struct {
	x, y uint16
	kind kind
	wish mv // of the last move that touches it
}

// mbState is what an encoder remembers of a macroblock.
type mbState struct {
	changed time.Duration // when it got other pixels
	quality uint8         // quantiser index that its samples are as good as
	streak  uint8         // changes in quick succession
	drift   uint8         // moves since chroma was coded that interpolated it
	mv      mv            // of its last change
}

const (
	// StillAfter is how long a macroblock must not change until it is refined.
	StillAfter = 150 * time.Millisecond
	// quick is the longest time between two frames of a video.
	quick = 120 * time.Millisecond
	// videoStreak is how many changes in quick succession make a video.
	videoStreak = 4
	// maxDrift is how often chroma may be interpolated by moves of odd distances
	// until it is coded anew: each time blurs it.
	maxDrift = 3
)

// mark notes the macroblocks that changed and sets the vectors of those that a
// move touches.
func (e *Encoder) mark(c *Change, f *frame) {
	g := &e.geometry
	clear(e.dirty)
	clear(e.moved)
	clear(e.busy)
	for _, r := range c.Damage {
		e.dirty.addRect(g, g.cover(r))
	}
	e.farMoves = false
	for i := range c.Moves {
		if f.key {
			e.dirty.addRect(g, g.cover(c.Moves[i].to()))
			continue
		}
		e.markMove(c.Moves[:i+1])
	}
}

// collect makes the list of what is marked, in the order of coding.
func (e *Encoder) collect(f *frame) {
	g := &e.geometry
	e.list = e.list[:0]
	for y := range g.mbHigh {
		for w := range g.mapWords {
			at := y*g.mapWords + w
			set := e.dirty[at] | e.moved[at] | e.refine[at]
			if f.key {
				set = 1<<min(64, g.mbWide-64*w) - 1
			}
			for ; set != 0; set &= set - 1 {
				bit := bits.TrailingZeros64(set)
				it := item{x: uint16(w*64 + bit), y: uint16(y), wish: e.info[g.index(w*64+bit, y)].mv}
				switch {
				case e.dirty[at]>>bit&1 != 0:
					if s := &e.state[g.number(int(it.x), y)]; s.streak >= videoStreak && f.now-s.changed <= quick {
						it.kind = kindVideo
					}
				case e.moved[at]>>bit&1 != 0:
					it.kind = kindMoved
				case f.key:
					it.kind = kindKey
				default:
					it.kind = kindRefine
				}
				f.kinds[it.kind]++
				e.list = append(e.list, it)
			}
		}
	}
	for len(e.residuals) < len(e.list) {
		e.residuals = append(e.residuals, residual{})
	}
}

// markMove marks what the last of some moves writes. A macroblock of which all pixels
// come from one place of the frame before is only moved; others that it touches
// get new pixels.
func (e *Encoder) markMove(moves []Move) {
	g := &e.geometry
	m, before := moves[len(moves)-1], moves[:len(moves)-1]
	bounds := image.Rect(0, 0, g.width, g.height)
	to := m.to().Intersect(bounds)
	d := m.Src.Min.Sub(m.Dst)
	// Only what comes from within the picture is known.
	to = to.Intersect(bounds.Sub(d))
	v := mv{row: int16(4 * d.Y), col: int16(4 * d.X)}
	reach := abs(d.X) < maxMove && abs(d.Y) < maxMove && d != image.Point{}
	if max(abs(d.X), abs(d.Y))*4 > maxDelta/2 {
		e.farMoves = true
	}
	touched := g.cover(m.to())
	for y := touched.Min.Y; y < touched.Max.Y; y++ {
		for x := touched.Min.X; x < touched.Max.X; x++ {
			block := image.Rect(16*x, 16*y, 16*x+16, 16*y+16)
			pure := reach && block.In(to) && !e.dirty.has(g, x, y) && !e.moved.has(g, x, y)
			for _, b := range before {
				pure = pure && !block.Add(d).Overlaps(b.to())
			}
			if pure && d.X&1|d.Y&1 != 0 && e.driftAt(block.Add(d)) >= maxDrift {
				pure = false
			}
			if reach {
				e.info[g.index(x, y)].mv = v
			}
			if pure {
				e.moved.add(g, x, y)
			} else {
				e.dirty.add(g, x, y)
			}
		}
	}
}

// maxMove bounds distances of moves in pixels: vectors have 16 bits of quarters.
const maxMove = 1 << 12

// driftAt is the largest drift of the macroblocks that r touches.
func (e *Encoder) driftAt(r image.Rectangle) (drift uint8) {
	e.eachState(r, func(s *mbState) { drift = max(drift, s.drift) })
	return drift
}

// eachState calls do for the macroblocks that r touches.
func (e *Encoder) eachState(r image.Rectangle, do func(*mbState)) {
	c := e.cover(r)
	for y := c.Min.Y; y < c.Max.Y; y++ {
		for x := c.Min.X; x < c.Max.X; x++ {
			do(&e.state[e.number(x, y)])
		}
	}
}

// remember updates what is known of the macroblocks that the frame coded.
func (e *Encoder) remember(f *frame) {
	g := &e.geometry
	// Moved ones take after where they come from, in the state before this frame.
	for i, it := range e.list {
		if it.kind != kindMoved {
			continue
		}
		x, y := int(it.x), int(it.y)
		mb := &e.info[g.index(x, y)]
		from := image.Rect(16*x, 16*y, 16*x+16, 16*y+16).Add(image.Pt(int(mb.mv.col)/4, int(mb.mv.row)/4))
		n := &e.moves[i]
		*n = mbState{}
		e.eachState(from, func(s *mbState) {
			n.quality = max(n.quality, s.quality)
			n.drift = max(n.drift, s.drift)
		})
		if (mb.mv.col|mb.mv.row)&4 != 0 {
			n.drift++
		}
	}
	for i, it := range e.list {
		x, y := int(it.x), int(it.y)
		s := &e.state[g.number(x, y)]
		s.mv = e.info[g.index(x, y)].mv
		switch it.kind {
		case kindNew, kindVideo, kindMoved:
			if f.now-s.changed > quick {
				s.streak = 0
			}
			s.streak = min(s.streak+1, 255-1)
			s.changed = f.now
		}
		if it.kind == kindMoved {
			s.quality, s.drift, s.streak = e.moves[i].quality, e.moves[i].drift, 0
		} else {
			mb := &e.info[g.index(x, y)]
			s.quality, s.drift = f.q[mb.seg], 0
			if mb.restored && !mb.coded {
				s.quality = finalQuantiser
			}
		}
		if s.quality > finalQuantiser || s.drift > 0 {
			e.coarse.add(g, x, y)
		} else {
			e.coarse.remove(g, x, y)
		}
	}
}
