package vp8

import (
	"framebridge/encode/vp8/dsp"
)

// A prediction is what the decoder has for a macroblock before the residual.
type prediction struct {
	y    [256]uint8
	u, v [64]uint8
}

// A coder codes macroblocks, one after the other. It reads the encoder's source
// and reference pictures and writes the current one and infos.
type coder struct {
	*Encoder
	pred      prediction
	trial     [256]uint8
	canvas    canvas
	subblocks [16 * dsp.NumSubblockModes]uint8 // predictions of one in all modes
	coef      [25 * 16]int16
	yEdge     dsp.Edge
	uEdge     dsp.Edge
	vEdge     dsp.Edge
	window    [(16 + 5) * 32]uint8 // of the reference, where a prediction reaches beyond it
}

// predictInter makes the prediction for the macroblock at column x and row y, from
// the place in ref that v says (RFC 6386, section 18). Chroma's vector is the
// same number, in eighths of a chroma sample.
func (c *coder) predictInter(p *prediction, ref *Planes, x, y int, v mv) {
	c.predictLuma(&p.y, ref, 16*x, 16*y, v)
	c.predictChroma(p, ref, x, y, v)
}

// predictLuma predicts the luma of a macroblock at (x, y) in samples.
func (c *coder) predictLuma(p *[256]uint8, ref *Planes, x, y int, v mv) {
	row, col := int(v.row), int(v.col)
	c.predictPlane(p[:], 16, ref.Y, ref.YStride, 16*c.mbHigh, x+col>>2, y+row>>2, 2*(col&3), 2*(row&3))
}

func (c *coder) predictChroma(p *prediction, ref *Planes, x, y int, v mv) {
	row, col := int(v.row), int(v.col)
	cx, cy, fx, fy := 8*x+col>>3, 8*y+row>>3, col&7, row&7
	c.predictPlane(p.u[:], 8, ref.U, ref.UVStride, 8*c.mbHigh, cx, cy, fx, fy)
	c.predictPlane(p.v[:], 8, ref.V, ref.UVStride, 8*c.mbHigh, cx, cy, fx, fy)
}

// predictPlane predicts size*size samples from those of plane at (x, y) and eighths.
// Beyond the edges of the plane, stride wide and high high, these repeat.
func (c *coder) predictPlane(dst []uint8, size int, plane []uint8, stride, high, x, y, fx, fy int) {
	if x >= dsp.TapsBefore && y >= dsp.TapsBefore && x+size+dsp.TapsAfter <= stride && y+size+dsp.TapsAfter <= high {
		dsp.SixTap(dst, size, plane, y*stride+x, stride, fx, fy, size, size)
		return
	}
	const winStride = 32
	n := size + dsp.TapsBefore + dsp.TapsAfter
	for j := range n {
		row := plane[min(max(y+j-dsp.TapsBefore, 0), high-1)*stride:][:stride]
		for i := range n {
			c.window[j*winStride+i] = row[min(max(x+i-dsp.TapsBefore, 0), stride-1)]
		}
	}
	dsp.SixTap(dst, size, c.window[:], dsp.TapsBefore*winStride+dsp.TapsBefore, winStride, fx, fy, size, size)
}

// code codes the source's macroblock at column x and row y given its prediction
// c.pred, and reconstructs it.
func (c *coder) code(m *mbInfo, x, y int, q *quantiser) {
	r := &c.residuals[m.slot]
	m.has = c.codeLuma(r, x, y, q) | c.codeChroma(r, x, y, q)
	m.coded = m.has != 0
}

// codeLuma codes Y and returns the blocks that have levels.
func (c *coder) codeLuma(r *residual, x, y int, q *quantiser) (has uint32) {
	at := 16 * (y*c.yStride + x)
	src, cur, pred := c.src.Y[at:], c.cur.Y[at:], c.pred.y[:]
	coef := c.coef[:]
	dsp.ForwardDCT(coef, src, c.yStride, pred, 16, 4, 4)
	y2 := (*[16]int16)(coef[24*16:])
	dsp.ForwardWHT(y2, coef)
	ac := dsp.Quantise(r.levels[:256], coef[:256], r.end[:16], &q.y, 1)
	dsp.Quantise(r.levels[24*16:], y2[:], r.end[24:], &q.y2, 0)
	if has = ac; r.end[24] != 0 {
		has |= hasY2Left | hasY2Above
	}
	if has != 0 {
		dsp.InverseWHT(coef, y2)
		dsp.InverseDCTAdd(cur, c.yStride, pred, 16, coef, ac, 4, 4)
		if q.bitWorth == 0 || !c.wastedLuma(r, dsp.SSE16x16(src, c.yStride, pred, 16)-dsp.SSE16x16(src, c.yStride, cur, c.yStride), q.bitWorth) {
			return has
		}
		clear(r.end[:16])
		r.end[24] = 0
	}
	dsp.Copy(cur, c.yStride, pred, 16, 16, 16)
	return 0
}

// codeChroma codes U and V and returns the blocks that have levels.
func (c *coder) codeChroma(r *residual, x, y int, q *quantiser) (has uint32) {
	at := 8 * (y*c.uvStride + x)
	coef := c.coef[256:]
	srcU, srcV, curU, curV := c.src.U[at:], c.src.V[at:], c.cur.U[at:], c.cur.V[at:]
	predU, predV := c.pred.u[:], c.pred.v[:]
	dsp.ForwardDCT(coef, srcU, c.uvStride, predU, 8, 2, 2)
	dsp.ForwardDCT(coef[64:], srcV, c.uvStride, predV, 8, 2, 2)
	ac := dsp.Quantise(r.levels[256:384], coef[:128], r.end[16:24], &q.uv, 0)
	for i, end := range r.end[16:24] {
		if end != 0 {
			has |= 1 << (16 + i)
		}
	}
	if has != 0 {
		dsp.InverseDCTAdd(curU, c.uvStride, predU, 8, coef, ac, 2, 2)
		dsp.InverseDCTAdd(curV, c.uvStride, predV, 8, coef[64:], ac>>4, 2, 2)
		if q.bitWorth == 0 || !c.wastedChroma(r, dsp.SSE8x8(srcU, c.uvStride, predU, 8)+dsp.SSE8x8(srcV, c.uvStride, predV, 8)-
			dsp.SSE8x8(srcU, c.uvStride, curU, c.uvStride)-dsp.SSE8x8(srcV, c.uvStride, curV, c.uvStride), q.bitWorth) {
			return has
		}
		clear(r.end[16:24])
	}
	dsp.Copy(curU, c.uvStride, predU, 8, 8, 8)
	dsp.Copy(curV, c.uvStride, predV, 8, 8, 8)
	return 0
}
