package vp8

import "framebridge/encode/vp8/dsp"

// loadEdges reads the samples around the macroblock at column x and row y of the
// current picture, those above if that is allowed.
func (c *coder) loadEdges(x, y int, withAbove bool) {
	top := 0
	if !withAbove {
		top, y = y, 0
	}
	c.yEdge.Load(c.cur.Y[16*top*c.yStride:], c.yStride, 16*x, 16*y, 16)
	c.uEdge.Load(c.cur.U[8*top*c.uvStride:], c.uvStride, 8*x, 8*y, 8)
	c.vEdge.Load(c.cur.V[8*top*c.uvStride:], c.uvStride, 8*x, 8*y, 8)
}

// bestLuma predicts luma in the mode with the smallest difference to the source.
// withAbove tells whether the row above may be used.
func (c *coder) bestLuma(p *[256]uint8, x, y int, withAbove bool) (mode dsp.Mode, sad int) {
	src := c.src.Y[16*(y*c.yStride+x):]
	if !withAbove {
		dsp.Predict16x16(p[:], 16, dsp.HPred, &c.yEdge)
		return dsp.HPred, dsp.SAD16x16(src, c.yStride, p[:], 16)
	}
	sad = 1 << 30
	var try [256]uint8
	for m := dsp.DCPred; m <= c.lastMode(); m++ {
		dsp.Predict16x16(try[:], 16, m, &c.yEdge)
		if d := dsp.SAD16x16(src, c.yStride, try[:], 16); d < sad {
			mode, sad, *p = m, d, try
		}
	}
	return mode, sad
}

// bestChroma is bestLuma for U and V.
func (c *coder) bestChroma(p *prediction, x, y int, withAbove bool) (mode dsp.Mode) {
	if !withAbove {
		dsp.Predict8x8(p.u[:], 8, dsp.HPred, &c.uEdge)
		dsp.Predict8x8(p.v[:], 8, dsp.HPred, &c.vEdge)
		return dsp.HPred
	}
	at := 8 * (y*c.uvStride + x)
	sad := 1 << 30
	var u, v [64]uint8
	for m := dsp.DCPred; m <= c.lastMode(); m++ {
		dsp.Predict8x8(u[:], 8, m, &c.uEdge)
		dsp.Predict8x8(v[:], 8, m, &c.vEdge)
		d := dsp.SAD8x8(c.src.U[at:], c.uvStride, u[:], 8) + dsp.SAD8x8(c.src.V[at:], c.uvStride, v[:], 8)
		if d < sad {
			mode, sad, p.u, p.v = m, d, u, v
		}
	}
	return mode
}

// lastMode is the last of the modes that may be tried.
func (c *coder) lastMode() dsp.Mode {
	if c.frame.modes == fewModes {
		return dsp.DCPred
	}
	return dsp.TMPred
}
