package vp8

import (
	"math/bits"

	"framebridge/encode/vp8/dsp"
)

// The golden frame is a picture of the screen at rest: it is taken when all that is
// still has been refined, and the alternate frame becomes the one before. A menu
// that closes, a window that comes back, show what one of the two has: such
// macroblocks cost next to nothing and are as fine as they were. What differs from
// the last frame is known, so that a snapshot copies that alone.

// A snapshot is the golden or the alternate reference frame.
type snapshot struct {
	Planes
	differs macroblockMap // macroblocks that are not as in the last frame
}

func newSnapshot(g *geometry) snapshot { return snapshot{Planes: newPlanes(g), differs: newMap(g)} }

func (s *snapshot) clone() snapshot {
	return snapshot{Planes: s.Planes.clone(), differs: append(macroblockMap(nil), s.differs...)}
}

// minSnapshot is how many macroblocks must have changed or been refined since the last
// snapshot for another one: typing is no reason to forget what a menu covers.
const minSnapshot = 48

// wantSnapshot tells whether a frame shows the screen at rest.
func (e *Encoder) wantSnapshot(f *frame) bool {
	if f.key || f.kinds[kindNew]+f.kinds[kindMoved] > 0 {
		return false
	}
	changed := 0
	for i, w := range e.golden.differs {
		// Video apart, which is what the frame got as new pixels.
		if e.coarse[i]&^(e.refine[i]|e.dirty[i]) != 0 {
			return false
		}
		changed += bits.OnesCount64((w | e.refine[i]) &^ e.dirty[i])
	}
	return changed >= min(minSnapshot, max(e.macroblocks()/8, 1))
}

// updateSnapshots follows what the frame does to the references, after the last
// frame became this one.
func (e *Encoder) updateSnapshots(f *frame) {
	for _, s := range []*snapshot{&e.golden, &e.altref} {
		if f.key {
			copy(s.Y, e.ref.Y)
			copy(s.U, e.ref.U)
			copy(s.V, e.ref.V)
			clear(s.differs)
			continue
		}
		for _, it := range e.list {
			s.differs.add(&e.geometry, int(it.x), int(it.y))
		}
	}
	if f.snapshot {
		e.golden, e.altref = e.altref, e.golden
		e.golden.differs.each(&e.geometry, func(x, y int) { e.golden.copyMacroblock(&e.ref, x, y) })
		clear(e.golden.differs)
	}
}

// restorable is the largest difference of a macroblock's luma to a snapshot's at
// which it counts as being the same: less than refinement leaves.
const restorable = 256

// restore tries the snapshots where they are not as the last frame, and returns
// the reference that is closest.
func (c *coder) restore(x, y, least int, q *quantiser) (ref uint8, sad int) {
	at := 16 * (y*c.yStride + x)
	ref, sad = refLast, least
	for i, s := range [2]*snapshot{&c.golden, &c.altref} {
		if !s.differs.has(&c.geometry, x, y) {
			continue
		}
		if d := dsp.SAD16x16(c.src.Y[at:], c.yStride, s.Y[at:], c.yStride); d+q.lambda*restoreBits>>4 < sad {
			ref, sad = refGolden+uint8(i), d
		}
	}
	return ref, sad
}

// restoreBits is about what another reference than the last frame costs.
const restoreBits = 8

// reference is the picture that a macroblock's reference stands for.
func (c *coder) reference(ref uint8) *Planes {
	switch ref {
	case refGolden:
		return &c.golden.Planes
	case refAltref:
		return &c.altref.Planes
	}
	return &c.ref
}
