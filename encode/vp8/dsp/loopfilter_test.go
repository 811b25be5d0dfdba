package dsp

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The loop filter in the words of RFC 6386, section 15.

func c(v int) int           { return min(max(v, -128), 127) }
func u2s(v uint8) int       { return int(v) - 128 }
func s2u(v int) uint8       { return uint8(c(v) + 128) }
func distance(a, b int) int { return max(a-b, b-a) }

type referenceFilter struct {
	b      []uint8
	at, by int // the first sample beyond the edge, and the way across
}

// p is the sample i before the edge, q the one i behind it.
func (r referenceFilter) p(i int) *uint8 { return &r.b[r.at-(i+1)*r.by] }
func (r referenceFilter) q(i int) *uint8 { return &r.b[r.at+i*r.by] }

func (r referenceFilter) adjust(outer bool) int {
	p1, p0, q0, q1 := u2s(*r.p(1)), u2s(*r.p(0)), u2s(*r.q(0)), u2s(*r.q(1))
	a := 0
	if outer {
		a = c(p1 - q1)
	}
	a = c(a + 3*(q0-p0))
	b := c(a+3) >> 3
	a = c(a+4) >> 3
	*r.q(0), *r.p(0) = s2u(q0-a), s2u(p0+b)
	return a
}

func (r referenceFilter) yes(interior, edge int) bool {
	p := func(i int) int { return int(*r.p(i)) }
	q := func(i int) int { return int(*r.q(i)) }
	// The RFC's text divides by four here, its decoder and all others by two.
	if distance(p(0), q(0))*2+distance(p(1), q(1))/2 > edge {
		return false
	}
	for i := range 3 {
		if distance(p(i), p(i+1)) > interior || distance(q(i), q(i+1)) > interior {
			return false
		}
	}
	return true
}

func (r referenceFilter) hev(threshold int) bool {
	return distance(int(*r.p(1)), int(*r.p(0))) > threshold || distance(int(*r.q(1)), int(*r.q(0))) > threshold
}

func (r referenceFilter) subblock(threshold, interior, edge int) {
	if !r.yes(interior, edge) {
		return
	}
	hv := r.hev(threshold)
	a := (r.adjust(hv) + 1) >> 1
	if !hv {
		*r.q(1), *r.p(1) = s2u(u2s(*r.q(1))-a), s2u(u2s(*r.p(1))+a)
	}
}

func (r referenceFilter) macroblock(threshold, interior, edge int) {
	if !r.yes(interior, edge) {
		return
	}
	if r.hev(threshold) {
		r.adjust(true)
		return
	}
	p1, p0, q0, q1 := u2s(*r.p(1)), u2s(*r.p(0)), u2s(*r.q(0)), u2s(*r.q(1))
	w := c(c(p1-q1) + 3*(q0-p0))
	for i, f := range []int{27, 18, 9} {
		a := c((f*w + 63) >> 7)
		*r.q(i), *r.p(i) = s2u(u2s(*r.q(i))-a), s2u(u2s(*r.p(i))+a)
	}
}

func TestLoopFilter(t *testing.T) {
	changed, round := 0, -1
	everyWay(t, 1500, func(t *testing.T, rnd *rand.Rand, mem memory) {
		round++
		size := 16 >> (round % 2)
		b, stride := plane(rnd, mem, 2*size, 2*size)
		if round%3 > 0 { // smooth, with steps
			for i := range b {
				b[i] = uint8(100 + i%stride*2 + rnd.IntN(1+round%7) + i%stride/size*rnd.IntN(30) + i/stride*(round%4))
			}
		}
		was, want := slices.Clone(b), slices.Clone(b)
		level, sharpness, key := 1+rnd.IntN(63), rnd.IntN(8), rnd.IntN(2) == 0
		left, top, inner := rnd.IntN(4) > 0, rnd.IntN(4) > 0, rnd.IntN(2) > 0

		interior := level
		if sharpness > 0 {
			interior >>= 1
			if sharpness > 4 {
				interior >>= 1
			}
			interior = min(interior, 9-sharpness)
		}
		interior = max(interior, 1)
		threshold := 0
		for i, l := range map[bool][]int{true: {15, 40}, false: {15, 20, 40}}[key] {
			if level >= l {
				threshold = i + 1
			}
		}
		at := size*stride + size
		for _, across := range []int{1, stride} {
			along := stride + 1 - across
			if across == 1 && left || across == stride && top {
				for i := range size {
					referenceFilter{want, at + i*along, across}.macroblock(threshold, interior, (level+2)*2+interior)
				}
			}
			for e := 4; inner && e < size; e += 4 {
				for i := range size {
					referenceFilter{want, at + e*across + i*along, across}.subblock(threshold, interior, level*2+interior)
				}
			}
		}

		var l LoopLimits
		l.Set(level, sharpness, key)
		if size == 16 {
			LoopFilterLuma(b, at, stride, &l, left, top, inner)
		} else {
			LoopFilterChroma(b, at, stride, &l, left, top, inner)
		}
		sameBlock(t, want, b, stride, "level %d, sharpness %d, key %t", level, sharpness, key)
		if !slices.Equal(was, b) {
			changed++
		}
	})
	require.Greater(t, changed, round/6)
}
