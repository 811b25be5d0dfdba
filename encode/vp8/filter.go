package vp8

import "framebridge/encode/vp8/dsp"

// The loop filter (RFC 6386, section 15) smooths the edges of blocks, which pays
// for video alone. It would do so with still macroblocks as well, each frame a
// bit more: their segment has none. Filtering changes up to three samples of the
// macroblocks to the left and above, so that a macroblock is filtered only where
// these are video as well.

// detailLevel is the highest level at which the filter treats the least of steps
// beside an edge as detail (RFC 6386, section 15: the threshold of high edge
// variance). Above it films lose more by what is smoothed than they gain, up to
// detailQuantiser.
const (
	detailLevel     = 14
	detailQuantiser = 60
)

// filterLevel is the level of the filter for a quantiser index.
func filterLevel(q uint8) uint8 {
	if q <= detailQuantiser {
		return min(q/2, detailLevel)
	}
	return q / 2
}

// applyFilter filters the current picture.
func (e *Encoder) applyFilter(f *frame) {
	if f.filter == 0 {
		return
	}
	var l dsp.LoopLimits
	l.Set(int(f.filter), 0, f.key)
	for _, it := range e.list {
		x, y := int(it.x), int(it.y)
		m := &e.info[e.index(x, y)]
		if m.seg != segFiltered {
			continue
		}
		inner := m.coded || !m.withY2()
		dsp.LoopFilterLuma(e.cur.Y, 16*(y*e.yStride+x), e.yStride, &l, x > 0, y > 0, inner)
		at := 8 * (y*e.uvStride + x)
		dsp.LoopFilterChroma(e.cur.U, at, e.uvStride, &l, x > 0, y > 0, inner)
		dsp.LoopFilterChroma(e.cur.V, at, e.uvStride, &l, x > 0, y > 0, inner)
	}
}
