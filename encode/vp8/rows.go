package vp8

import "framebridge/encode/vp8/dsp"

// codeBand codes the macroblocks of a band.
func (c *coder) codeBand(b *band) {
	q := quantisers()
	f := &c.frame
	converted := 0 // items before it have their source
	for i := range b.list {
		it := &b.list[i]
		x, y := int(it.x), int(it.y)
		m := &c.info[c.index(x, y)]
		if it.kind == kindMoved {
			if c.farMoves && !c.near(x, y, m) {
				it.kind = kindNew
				c.convert(x, y, 1)
			} else {
				c.move(m, x, y)
				continue
			}
		} else if i >= converted {
			converted = c.convertRun(b.list, i)
		}
		switch {
		case it.kind == kindRefine:
			c.codeRefine(m, x, y, &q[1][f.q[m.seg]])
		case f.key:
			c.codeIntra(m, x, y, &q[0][f.q[m.seg]], y != b.top)
		default:
			c.codeNew(m, it, x, y, &q[0][f.q[m.seg]], y != b.top)
		}
	}
}

// convertRun converts the macroblocks from item i on that lie side by side, as far
// as they need it, and returns the item after them.
func (c *coder) convertRun(list []item, i int) int {
	a := list[i]
	n := 1
	for i+n < len(list) && list[i+n].y == a.y && int(list[i+n].x) == int(a.x)+n && list[i+n].kind != kindMoved {
		n++
	}
	c.convert(int(a.x), int(a.y), n)
	return i + n
}

// near tells whether the vector of m can be coded.
func (c *coder) near(x, y int, m *mbInfo) bool {
	n := c.nearMVs(c.info, x, y)
	return n.reaches(m.mv)
}

// move copies a macroblock from where it was in the frame before.
func (c *coder) move(m *mbInfo, x, y int) {
	m.ref = refLast
	c.predictInter(&c.pred, &c.ref, x, y, m.mv)
	c.keep(x, y)
}

// keep makes the prediction the macroblock.
func (c *coder) keep(x, y int) {
	at := 16 * (y*c.yStride + x)
	dsp.Copy(c.cur.Y[at:], c.yStride, c.pred.y[:], 16, 16, 16)
	at = 8 * (y*c.uvStride + x)
	dsp.Copy(c.cur.U[at:], c.uvStride, c.pred.u[:], 8, 8, 8)
	dsp.Copy(c.cur.V[at:], c.uvStride, c.pred.v[:], 8, 8, 8)
}

// codeRefine adds what the last frame lacks.
func (c *coder) codeRefine(m *mbInfo, x, y int, q *quantiser) {
	m.ref, m.mv = refLast, mv{}
	c.predictInter(&c.pred, &c.ref, x, y, mv{})
	c.code(m, x, y, q)
}

// codeIntra codes a macroblock from its neighbours.
func (c *coder) codeIntra(m *mbInfo, x, y int, q *quantiser, withAbove bool) {
	c.loadEdges(x, y, withAbove)
	m.ref, m.mv = refIntra, mv{}
	m.mode, _ = c.bestLuma(&c.pred.y, x, y, withAbove)
	m.uvMode = c.bestChroma(&c.pred, x, y, withAbove)
	c.code(m, x, y, q)
}

// codeNew codes new contents in the way that promises the least residual.
func (c *coder) codeNew(m *mbInfo, it *item, x, y int, q *quantiser, withAbove bool) {
	at := 16 * (y*c.yStride + x)
	src := c.src.Y[at:]
	bestMV := mv{}
	least := dsp.SAD16x16(src, c.yStride, c.ref.Y[at:], c.yStride)
	wish := m.mv
	m.mv = mv{}
	if wish != (mv{}) && least > 0 {
		if v, ok := c.reachable(x, y, wish); ok {
			c.predictInter(&c.pred, &c.ref, x, y, v)
			sad := dsp.SAD16x16(src, c.yStride, c.pred.y[:], 16)
			// On the way to a far one, what follows counts.
			if sad < least || v != wish {
				least, bestMV = sad, v
				if v != wish {
					least = 0
				}
			}
		}
	}
	if least > intraWorth {
		c.loadEdges(x, y, withAbove)
		mode, sad := c.bestLuma(&c.pred.y, x, y, withAbove)
		if sad+intraPenalty < least {
			m.ref, m.mode = refIntra, mode
			m.uvMode = c.bestChroma(&c.pred, x, y, withAbove)
			c.code(m, x, y, q)
			return
		}
	}
	m.ref, m.mv = refLast, bestMV
	c.predictInter(&c.pred, &c.ref, x, y, bestMV)
	c.code(m, x, y, q)
}

const (
	intraWorth   = 256
	intraPenalty = 256
)

// reachable returns the vector, or one on the way to it that can be coded.
func (c *coder) reachable(x, y int, v mv) (mv, bool) {
	if !c.farMoves {
		return v, abs(int(v.row)) <= maxDelta/2 && abs(int(v.col)) <= maxDelta/2
	}
	n := c.nearMVs(c.info, x, y)
	if n.reaches(v) {
		return v, true
	}
	// Whole samples, even ones.
	limit := func(v, pred int16) int16 {
		return int16(min(max(int(v), int(pred)-maxDelta), int(pred)+maxDelta)) &^ 7
	}
	v = mv{row: limit(v.row, n.best.row), col: limit(v.col, n.best.col)}
	return v, n.reaches(v)
}
