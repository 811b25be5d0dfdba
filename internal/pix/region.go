package pix

import (
	"image"
	"slices"
)

// Region is a set of pixels, held as disjoint rectangles in bands: sorted from
// the top, all rectangles of a band with the same Min.Y and Max.Y, sorted from
// the left and not touching each other; bands that touch differ. So equal sets
// are equal slices. The zero value is the empty set. A Region is a value: its
// methods never change the rectangles of their receiver or argument.
type Region struct {
	rects []image.Rectangle
}

// RegionOf returns the union of the rectangles, which may overlap. Empty ones
// do not count.
func RegionOf(rs ...image.Rectangle) Region {
	switch len(rs) {
	case 0:
		return Region{}
	case 1:
		if rs[0].Empty() {
			return Region{}
		}
		return Region{rects: []image.Rectangle{rs[0]}}
	}
	half := len(rs) / 2
	return RegionOf(rs[:half]...).Union(RegionOf(rs[half:]...))
}

// Rects returns the region's disjoint rectangles, from the top, then from the
// left. The caller must not change them.
func (g Region) Rects() []image.Rectangle { return g.rects }

// Empty reports whether the region has no pixel.
func (g Region) Empty() bool { return len(g.rects) == 0 }

// Bounds returns the smallest rectangle that holds the region.
func (g Region) Bounds() image.Rectangle {
	if len(g.rects) == 0 {
		return image.Rectangle{}
	}
	b := g.rects[0]
	for _, r := range g.rects[1:] {
		b.Min.X = min(b.Min.X, r.Min.X)
		b.Max.X = max(b.Max.X, r.Max.X)
	}
	b.Max.Y = g.rects[len(g.rects)-1].Max.Y
	return b
}

// Area returns the number of pixels.
func (g Region) Area() int {
	n := 0
	for _, r := range g.rects {
		n += r.Dx() * r.Dy()
	}
	return n
}

// Overlaps reports whether a pixel of r lies in the region.
func (g Region) Overlaps(r image.Rectangle) bool {
	for _, q := range g.rects {
		if q.Min.Y >= r.Max.Y {
			return false
		}
		if q.Overlaps(r) {
			return true
		}
	}
	return false
}

// Equal reports whether both regions have the same pixels.
func (g Region) Equal(h Region) bool { return slices.Equal(g.rects, h.rects) }

// Translate returns the region moved by d.
func (g Region) Translate(d image.Point) Region {
	if len(g.rects) == 0 || d == (image.Point{}) {
		return g
	}
	out := make([]image.Rectangle, len(g.rects))
	for i, r := range g.rects {
		out[i] = r.Add(d)
	}
	return Region{rects: out}
}

// Union returns the pixels in g or h.
func (g Region) Union(h Region) Region {
	switch {
	case len(h.rects) == 0:
		return g
	case len(g.rects) == 0:
		return h
	}
	return combine(g, h, opUnion)
}

// Intersect returns the pixels in both g and h.
func (g Region) Intersect(h Region) Region {
	if len(g.rects) == 0 || len(h.rects) == 0 {
		return Region{}
	}
	return combine(g, h, opIntersect)
}

// Subtract returns the pixels of g that are not in h.
func (g Region) Subtract(h Region) Region {
	if len(g.rects) == 0 || len(h.rects) == 0 {
		return g
	}
	return combine(g, h, opSubtract)
}

// Clip returns the pixels of g in r.
func (g Region) Clip(r image.Rectangle) Region {
	if len(g.rects) == 0 || g.Bounds().In(r) {
		return g
	}
	return g.Intersect(RegionOf(r))
}

type regionOp uint8

const (
	opUnion regionOp = iota
	opIntersect
	opSubtract
)

// keep tells whether pixels that are in a and b as given are in the result.
func (o regionOp) keep(inA, inB bool) bool {
	switch o {
	case opUnion:
		return inA || inB
	case opIntersect:
		return inA && inB
	}
	return inA && !inB
}

// combine sweeps both regions from the top. Between two neighbouring edges in
// y, each region has one row of spans; the result's row is made from the two.
func combine(a, b Region, op regionOp) Region {
	out := make([]image.Rectangle, 0, len(a.rects)+len(b.rects))
	ra, rb := a.rects, b.rects
	y := min(ra[0].Min.Y, rb[0].Min.Y)
	last := -1 // where the band before starts in out
	for len(ra) > 0 || len(rb) > 0 {
		bandA, bandB := band(ra), band(rb)
		// The band's bottom is the next edge below y.
		const far = int(^uint(0) >> 1)
		bottom := far
		inA, inB := false, false
		for _, v := range [2][]image.Rectangle{bandA, bandB} {
			if len(v) > 0 {
				if y < v[0].Min.Y {
					bottom = min(bottom, v[0].Min.Y)
				} else {
					bottom = min(bottom, v[0].Max.Y)
				}
			}
		}
		if len(bandA) > 0 {
			inA = y >= bandA[0].Min.Y
		}
		if len(bandB) > 0 {
			inB = y >= bandB[0].Min.Y
		}
		spansA, spansB := bandA, bandB
		if !inA {
			spansA = nil
		}
		if !inB {
			spansB = nil
		}
		start := len(out)
		out = appendSpans(out, spansA, spansB, y, bottom, op)
		out, last = coalesce(out, last, start)
		y = bottom
		if len(bandA) > 0 && bandA[0].Max.Y == y {
			ra = ra[len(bandA):]
		}
		if len(bandB) > 0 && bandB[0].Max.Y == y {
			rb = rb[len(bandB):]
		}
		if op != opUnion && len(ra) == 0 {
			break
		}
	}
	return Region{rects: out}
}

// band returns the first band of rs.
func band(rs []image.Rectangle) []image.Rectangle {
	for i := range rs {
		if rs[i].Min.Y != rs[0].Min.Y {
			return rs[:i]
		}
	}
	return rs
}

// appendSpans appends the result's rectangles between top and bottom.
func appendSpans(out, a, b []image.Rectangle, top, bottom int, op regionOp) []image.Rectangle {
	inA, inB, open := false, false, false
	x0 := 0
	for len(a) > 0 || len(b) > 0 {
		const far = int(^uint(0) >> 1)
		xa, xb := far, far
		if len(a) > 0 {
			xa = a[0].Min.X
			if inA {
				xa = a[0].Max.X
			}
		}
		if len(b) > 0 {
			xb = b[0].Min.X
			if inB {
				xb = b[0].Max.X
			}
		}
		x := min(xa, xb)
		if xa == x {
			if inA {
				a = a[1:]
			}
			inA = !inA
		}
		if xb == x {
			if inB {
				b = b[1:]
			}
			inB = !inB
		}
		switch k := op.keep(inA, inB); {
		case k && !open:
			open, x0 = true, x
		case !k && open:
			open = false
			out = append(out, image.Rect(x0, top, x, bottom))
		}
	}
	return out
}

// coalesce joins the band out[start:] with the band out[last:start] when they
// touch and have the same spans. It returns where the last band starts.
func coalesce(out []image.Rectangle, last, start int) ([]image.Rectangle, int) {
	if start == len(out) {
		return out, last
	}
	if last < 0 || start-last != len(out)-start || out[last].Max.Y != out[start].Min.Y {
		return out, start
	}
	prev, cur := out[last:start], out[start:]
	for i := range cur {
		if prev[i].Min.X != cur[i].Min.X || prev[i].Max.X != cur[i].Max.X {
			return out, start
		}
	}
	for i := range prev {
		prev[i].Max.Y = cur[i].Max.Y
	}
	return out[:start], last
}
