package dsp

// The normal loop filter (RFC 6386, section 15), for one macroblock at a time.

// LoopLimits are the thresholds of a filter level.
type LoopLimits struct {
	edge     uint8 // of differences across the macroblock's own edges
	subblock uint8 // and across those between its subblocks
	interior uint8 // of differences between neighbours beside an edge
	hev      uint8 // above it the variance beside an edge is high
}

// Set makes the limits of a filter level of 1 to 63 and a sharpness of 0 to 7
// (RFC 6386, sections 9.6 and 15.2 to 15.4). A level of 0 means not to filter.
func (l *LoopLimits) Set(level, sharpness int, keyFrame bool) {
	interior := level
	if sharpness > 0 {
		interior >>= 1
		if sharpness > 4 {
			interior >>= 1
		}
		interior = min(interior, 9-sharpness)
	}
	interior = max(interior, 1)
	hev := 0
	switch {
	case keyFrame && level >= 40:
		hev = 2
	case keyFrame && level >= 15:
		hev = 1
	case keyFrame:
	case level >= 40:
		hev = 3
	case level >= 20:
		hev = 2
	case level >= 15:
		hev = 1
	}
	*l = LoopLimits{uint8((level+2)*2 + interior), uint8(level*2 + interior), uint8(interior), uint8(hev)}
}

// LoopFilterLuma filters the luma of the macroblock whose first sample is plane[at]:
// its left edge if left, its top edge if top, in between those of its subblocks if
// inner. Macroblocks are filtered in raster order; left and top are false at the
// picture's edges, inner where a macroblock has no coefficients and no prediction
// by subblocks. It changes up to 3 samples beyond the left and top edge and reads 4.
func LoopFilterLuma(plane []uint8, at, stride int, l *LoopLimits, left, top, inner bool) {
	loopFilter(plane, at, stride, 16, l, left, top, inner)
}

// LoopFilterChroma is LoopFilterLuma for the 8x8 samples of a chroma plane.
func LoopFilterChroma(plane []uint8, at, stride int, l *LoopLimits, left, top, inner bool) {
	loopFilter(plane, at, stride, 8, l, left, top, inner)
}

func loopFilter(plane []uint8, at, stride, size int, l *LoopLimits, left, top, inner bool) {
	if left {
		l.macroblockEdge(plane, at, 1, stride, size)
	}
	if inner {
		for x := 4; x < size; x += 4 {
			l.subblockEdge(plane, at+x, 1, stride, size)
		}
	}
	if top {
		l.macroblockEdge(plane, at, stride, 1, size)
	}
	if inner {
		for y := 4; y < size; y += 4 {
			l.subblockEdge(plane, at+y*stride, stride, 1, size)
		}
	}
}

// clampS8 limits v to -128..127.
func clampS8(v int32) int32 { return min(max(v, -128), 127) }

// unsigned makes a sample of a signed value.
func unsigned(v int32) uint8 { return uint8(clampS8(v) + 128) }

func abs32(v int32) int32 { return (v ^ v>>31) - v>>31 }

// segment is the eight samples across an edge, p3 to q3, less 128.
type segment struct{ p3, p2, p1, p0, q0, q1, q2, q3 int32 }

// load reads the segment whose first sample beyond the edge is b[at] and reports
// whether it is to be filtered, and whether its variance is high.
func (s *segment) load(b []uint8, at, across int, edge, interior, threshold int32) (filter, hev bool) {
	b = b[at-4*across:]
	s.p3, s.p2, s.p1, s.p0 = int32(b[0])-128, int32(b[across])-128, int32(b[2*across])-128, int32(b[3*across])-128
	s.q0, s.q1, s.q2, s.q3 = int32(b[4*across])-128, int32(b[5*across])-128, int32(b[6*across])-128, int32(b[7*across])-128
	if abs32(s.p0-s.q0)*2+abs32(s.p1-s.q1)>>1 > edge {
		return false, false
	}
	a, c := abs32(s.p1-s.p0), abs32(s.q1-s.q0)
	if max(abs32(s.p3-s.p2), abs32(s.p2-s.p1), a, c, abs32(s.q2-s.q1), abs32(s.q3-s.q2)) > interior {
		return false, false
	}
	return true, max(a, c) > threshold
}

// adjust is the RFC's common_adjust; it returns by how much q0 was lowered.
func (s *segment) adjust(b []uint8, at, across int, outer bool) int32 {
	a := int32(0)
	if outer {
		a = clampS8(s.p1 - s.q1)
	}
	a = clampS8(a + 3*(s.q0-s.p0))
	f := min(a+4, 127) >> 3
	b[at] = unsigned(s.q0 - f)
	b[at-across] = unsigned(s.p0 + min(a+3, 127)>>3)
	return f
}

// subblockEdge filters n segments along an edge between subblocks.
func (l *LoopLimits) subblockEdgeGeneric(b []uint8, at, across, along, n int) {
	var s segment
	for ; n > 0; n-- {
		if filter, hev := s.load(b, at, across, int32(l.subblock), int32(l.interior), int32(l.hev)); filter {
			a := (s.adjust(b, at, across, hev) + 1) >> 1
			if !hev {
				b[at+across] = unsigned(s.q1 - a)
				b[at-2*across] = unsigned(s.p1 + a)
			}
		}
		at += along
	}
}

// macroblockEdge filters n segments along an edge between macroblocks.
func (l *LoopLimits) macroblockEdgeGeneric(b []uint8, at, across, along, n int) {
	var s segment
	for ; n > 0; n-- {
		if filter, hev := s.load(b, at, across, int32(l.edge), int32(l.interior), int32(l.hev)); filter {
			if hev {
				s.adjust(b, at, across, true)
			} else {
				w := clampS8(clampS8(s.p1-s.q1) + 3*(s.q0-s.p0))
				a := (27*w + 63) >> 7
				b[at], b[at-across] = unsigned(s.q0-a), unsigned(s.p0+a)
				a = (18*w + 63) >> 7
				b[at+across], b[at-2*across] = unsigned(s.q1-a), unsigned(s.p1+a)
				a = (9*w + 63) >> 7
				b[at+2*across], b[at-3*across] = unsigned(s.q2-a), unsigned(s.p2+a)
			}
		}
		at += along
	}
}
