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
			c.codeRefine(m, x, y, &q[forGood][f.q[m.seg]])
		case f.key:
			c.codeIntra(m, x, y, 1<<30, &q[forNow][f.q[m.seg]], y != b.top)
		case it.kind == kindVideo:
			c.codeNew(m, it, x, y, &q[forVideo][f.q[m.seg]], y != b.top)
		default:
			c.codeNew(m, it, x, y, &q[forNow][f.q[m.seg]], y != b.top)
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

// codeIntra codes a macroblock from its neighbours unless something else has a
// difference below least.
func (c *coder) codeIntra(m *mbInfo, x, y, least int, q *quantiser, withAbove bool) bool {
	c.loadEdges(x, y, withAbove)
	mode, sad := c.bestLuma(&c.trial, x, y, withAbove)
	m.ref, m.mode, m.mv = refIntra, mode, mv{}
	bySubblocks := withAbove && c.frame.modes == allModes && sad > subblocksWorth && c.codeSubblocks(m, x, y, min(sad, least)-q.lambda*subblocksBits>>4, q)
	if !bySubblocks && sad >= least {
		return false
	}
	m.uvMode = c.bestChroma(&c.pred, x, y, withAbove)
	if bySubblocks {
		m.mode = modeB
		m.has |= c.codeChroma(&c.residuals[m.slot], x, y, q)
		m.coded = m.has != 0
		return true
	}
	c.pred.y = c.trial
	c.code(m, x, y, q)
	return true
}

const (
	// subblocksWorth is the difference below which subblocks are not told apart.
	subblocksWorth = 512
	// subblocksBits is about what they cost more than one mode does, without their modes.
	subblocksBits = 30
)

// codeNew codes new contents in the way that promises the least residual.
func (c *coder) codeNew(m *mbInfo, it *item, x, y int, q *quantiser, withAbove bool) {
	at := 16 * (y*c.yStride + x)
	src := c.src.Y[at:]
	m.mv = mv{}
	zero := dsp.SAD16x16(src, c.yStride, c.ref.Y[at:], c.yStride)
	least := zero
	if zero > 0 {
		switch {
		case it.wish != mv{}:
			least = c.follow(m, it.wish, x, y, least)
		case it.kind == kindVideo && c.frame.modes < fewModes:
			least = c.searchMotion(m, x, y, zero, q, withAbove)
		}
	}
	ref := uint8(refLast)
	if least > intraWorth {
		if ref, least = c.restore(x, y, least, q); ref != refLast {
			m.mv = mv{}
			m.restored = least <= restorable
		}
	}
	if least > intraWorth {
		if v := m.mv; c.codeIntra(m, x, y, least-q.lambda*q.intraBits>>4, q, withAbove) {
			return
		} else {
			m.mv = v
		}
	}
	m.ref = ref
	c.predictInter(&c.pred, c.reference(ref), x, y, m.mv)
	c.code(m, x, y, q)
}

// intraWorth is the difference below which intra prediction is not tried.
const intraWorth = 256

// follow tries the vector of a move.
func (c *coder) follow(m *mbInfo, wish mv, x, y, least int) int {
	v, ok := c.reachable(x, y, wish)
	if !ok {
		return least
	}
	c.predictLuma(&c.trial, &c.ref, 16*x, 16*y, v)
	sad := dsp.SAD16x16(c.src.Y[16*(y*c.yStride+x):], c.yStride, c.trial[:], 16)
	if v != wish {
		// On the way to a far one what follows counts, if that cannot look up.
		above := c.index(x, y) - c.infoStride
		if c.info[above].mv != wish && c.info[above+1].mv != wish {
			m.mv = v
			return 0
		}
		return least
	}
	if sad < least {
		m.mv = v
		return sad
	}
	return least
}

// searchMotion looks for the best vector.
func (c *coder) searchMotion(m *mbInfo, x, y, zero int, q *quantiser, withAbove bool) int {
	i := c.index(x, y)
	s := search{src: c.src.Y[16*(y*c.yStride+x):], x: 16 * x, y: 16 * y, lambda: q.lambda}
	if withAbove {
		s.near = c.nearMVs(c.info, x, y)
	} else {
		s.near.nearest = c.info[i-1].mv
		s.near.best = s.near.nearest
	}
	c.motion(&s, zero, s.near.nearest, s.near.near, c.state[c.number(x, y)].mv)
	if c.farMoves && !c.near(x, y, &mbInfo{mv: s.best}) {
		return zero
	}
	m.mv = s.best
	return s.cost
}

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
		return int16(min(max(int(v), int(pred)-maxDelta+7), int(pred)+maxDelta)) &^ 7
	}
	v = mv{row: limit(v.row, n.best.row), col: limit(v.col, n.best.col)}
	return v, n.reaches(v)
}
