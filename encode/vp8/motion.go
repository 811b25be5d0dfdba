package vp8

import "framebridge/encode/vp8/dsp"

// A search looks for where in the last frame a macroblock's luma comes from: the
// vectors of neighbours and of the same place in the frame before are tried, then
// diamonds of whole samples around the best, then halves and quarters. What is compared
// is the sum of absolute differences and, in the same unit, the bits of the vector.
type search struct {
	src    []uint8
	x, y   int     // of the macroblock, in samples
	near   nearMVs // what the neighbours say
	lambda int     // of a bit, in 1/16

	best mv
	cost int
}

// vectorBits is roughly what a component of a vector costs, by its difference to
// the prediction, in bits.
var vectorBits = func() (t [1 << mvLongBits]uint8) {
	p := &defaultMVContexts[0]
	for d := range t {
		b := &bitCounter{}
		if d < 8 {
			b.bool(p[mvIsLong], false)
			c := shortMVTree[d]
			for i := range c.n {
				b.bool(p[mvShort+c.nodes[i]], c.path>>(c.n-1-i)&1 != 0)
			}
		} else {
			b.bool(p[mvIsLong], true)
			for i := range mvLongBits {
				b.bool(p[mvLong+i], d>>i&1 != 0)
			}
		}
		t[d] = uint8((b.bits + 128 + 256) >> 8) // and a sign
	}
	return t
}()

type bitCounter struct{ bits uint32 } // in 1/256

func (b *bitCounter) bool(p uint8, bit bool) {
	if bit {
		b.bits += boolCost[256-int(p)]
	} else {
		b.bits += boolCost[p]
	}
}

// rate is what coding v takes, in units of differences.
func (s *search) rate(v mv) int {
	bits := 0
	switch v {
	case s.near.nearest:
		bits = nearestBits
	case mv{}:
		bits = zeroBits
	case s.near.near:
		bits = nearBits
	default:
		r, c := abs(int(v.row)-int(s.near.best.row)), abs(int(v.col)-int(s.near.best.col))
		bits = newBits + int(vectorBits[min(r, maxDelta)]) + int(vectorBits[min(c, maxDelta)])
	}
	return bits * s.lambda >> 4
}

// What modes of vectors cost among moving ones, in bits.
const (
	nearestBits = 1
	zeroBits    = 3
	nearBits    = 3
	newBits     = 4
)

// maxReach bounds searched vectors, in quarters, so that one can always be coded
// relative to another.
const maxReach = maxDelta/2 - 8

// try compares a vector of whole samples within the picture.
func (c *coder) try(s *search, v mv) {
	v.row, v.col = (v.row+2)&^3, (v.col+2)&^3
	x, y := s.x+int(v.col)>>2, s.y+int(v.row)>>2
	if x < 0 || y < 0 || x+16 > c.yStride || y+16 > 16*c.mbHigh || max(abs(int(v.row)), abs(int(v.col))) > maxReach {
		return
	}
	if d := dsp.SAD16x16(s.src, c.yStride, c.ref.Y[y*c.yStride+x:], c.yStride) + s.rate(v); d < s.cost {
		s.best, s.cost = v, d
	}
}

// around tries the four vectors at the given distance in samples until none is
// better.
func (c *coder) around(s *search, step int) {
	for range 16 {
		x, y := s.x+int(s.best.col)>>2, s.y+int(s.best.row)>>2
		if x < step || y < step || x+16+step > c.yStride || y+16+step > 16*c.mbHigh ||
			max(abs(int(s.best.row)), abs(int(s.best.col)))+4*step > maxReach {
			return
		}
		at := y*c.yStride + x
		sads := dsp.SAD16x16x4(s.src, c.yStride, c.ref.Y, c.yStride, &[4]int{at - step, at + step, at - step*c.yStride, at + step*c.yStride})
		q := int16(4 * step)
		from := s.best
		for i, d := range sads {
			v := from
			switch i {
			case 0:
				v.col -= q
			case 1:
				v.col += q
			case 2:
				v.row -= q
			case 3:
				v.row += q
			}
			if d += s.rate(v); d < s.cost {
				s.best, s.cost = v, d
			}
		}
		if s.best == from {
			return
		}
	}
}

// tryPart compares a vector with parts of samples; the prediction stays in p if it
// is the best.
func (c *coder) tryPart(s *search, p *[256]uint8, v mv) bool {
	if max(abs(int(v.row)), abs(int(v.col))) > maxReach {
		return false
	}
	c.predictLuma(&c.trial, &c.ref, s.x, s.y, v)
	d := dsp.SAD16x16(s.src, c.yStride, c.trial[:], 16) + s.rate(v)
	if d >= s.cost {
		return false
	}
	s.best, s.cost = v, d
	*p = c.trial
	return true
}

// refinePart looks around the best vector at a distance in quarters of a sample:
// four sides and the corner between the better ones.
func (c *coder) refinePart(s *search, p *[256]uint8, step int16) {
	from := s.best
	side := func(v mv) int {
		before := s.cost
		if c.tryPart(s, p, v) {
			return before - s.cost
		}
		return 0
	}
	up := side(mv{from.row - step, from.col})
	down := side(mv{from.row + step, from.col})
	left := side(mv{from.row, from.col - step})
	right := side(mv{from.row, from.col + step})
	v := from
	switch {
	case down > 0:
		v.row += step
	case up > 0:
		v.row -= step
	}
	switch {
	case right > 0:
		v.col += step
	case left > 0:
		v.col -= step
	}
	if v.row != from.row && v.col != from.col {
		c.tryPart(s, p, v)
	}
}

// motion searches from the vectors that are likely and leaves luma's prediction in
// c.pred. zero is the difference with no motion.
func (c *coder) motion(s *search, zero int, likely ...mv) {
	s.best, s.cost = mv{}, zero+s.rate(mv{})
	for _, v := range likely {
		if v != (mv{}) {
			c.try(s, v)
		}
	}
	if s.cost > 2*256 {
		for step := 8; step >= 1; step >>= 1 {
			c.around(s, step)
		}
	}
	c.predictLuma(&c.pred.y, &c.ref, s.x, s.y, s.best)
	// The likely ones as they are: they cost least.
	for _, v := range likely {
		if (v.row|v.col)&3 != 0 {
			c.tryPart(s, &c.pred.y, v)
		}
	}
	if s.cost > 256 {
		c.refinePart(s, &c.pred.y, 2)
		c.refinePart(s, &c.pred.y, 1)
	}
}
