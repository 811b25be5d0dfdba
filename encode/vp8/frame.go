package vp8

import (
	"image"
	"math/bits"

	"framebridge/encode/vp8/dsp"
	"framebridge/internal/pix"
)

// A partition codes the residuals of every n-th row.
type partition struct {
	bool   boolEncoder
	events []event
	ends   []int // of rows in events, unused ones left out
	counts counts
}

func (e *Encoder) encode(dst []byte, m *pix.Image, c *Change, o *Options, f *frame) []byte {
	e.mark(c, f)
	e.convert(m)
	if f.key {
		e.coeffProbs = defaultCoeffProbs
		e.mvContexts = defaultMVContexts
	}
	f.q = [4]uint8{30, 30, 30, 30}
	for i, it := range e.list {
		mb := &e.info[e.index(int(it.x), int(it.y))]
		*mb = mbInfo{slot: int32(i)}
	}
	e.coders[0].codeRows(f, e.list)
	e.inheritY2()
	n := 1 << f.logPartitions
	for p := range n {
		e.parts[p].tokens(e, p, n)
	}
	f.counts = nil
	if n := len(e.list); n > 0 {
		e.total = e.parts[0].counts
		for p := 1; p < 1<<f.logPartitions; p++ {
			e.total.add(&e.parts[p].counts)
		}
		f.counts = &e.total
	}
	e.chooseProbs(f)
	dst = e.assemble(dst, f)
	e.commit(f)
	return dst
}

// mark makes the list of macroblocks that are coded.
func (e *Encoder) mark(c *Change, f *frame) {
	clear(e.dirty)
	clear(e.busy)
	if f.key {
		e.dirty.addRect(&e.geometry, image.Rect(0, 0, e.mbWide, e.mbHigh))
	} else {
		for _, r := range c.Damage {
			e.dirty.addRect(&e.geometry, e.cover(r))
		}
		for _, m := range c.Moves {
			e.dirty.addRect(&e.geometry, e.cover(m.to()))
		}
	}
	e.list = e.list[:0]
	for y := range e.mbHigh {
		for w := range e.mapWords {
			for set := e.dirty[y*e.mapWords+w]; set != 0; set &= set - 1 {
				e.list = append(e.list, item{x: uint16(w*64 + bits.TrailingZeros64(set)), y: uint16(y)})
			}
		}
	}
	for len(e.residuals) < len(e.list) {
		e.residuals = append(e.residuals, residual{})
	}
}

// convert brings the source up to date where macroblocks are coded, run by run.
func (e *Encoder) convert(m *pix.Image) {
	for i := 0; i < len(e.list); {
		a := e.list[i]
		n := 1
		for i+n < len(e.list) && e.list[i+n].y == a.y && int(e.list[i+n].x) == int(a.x)+n {
			n++
		}
		x, y := 16*int(a.x), 16*int(a.y)
		dsp.Convert(e.src.Y, e.src.U, e.src.V, e.yStride, e.uvStride, m, image.Rect(x, y, x+16*n, y+16))
		i += n
	}
}

// codeRows codes the macroblocks of a list.
func (c *coder) codeRows(f *frame, list []item) {
	q := quantisers()
	for _, it := range list {
		x, y := int(it.x), int(it.y)
		m := &c.info[c.index(x, y)]
		at := 16 * (y*c.yStride + x)
		c.loadEdges(x, y)
		mode, sad := c.bestLuma(&c.pred.y, x, y, true)
		if !f.key {
			if inter := dsp.SAD16x16(c.src.Y[at:], c.yStride, c.ref.Y[at:], c.yStride); inter < sad+500 {
				c.predictInter(&c.pred, &c.ref, x, y, mv{})
				m.ref = refLast
				c.code(m, x, y, &q[0][f.q[0]])
				continue
			}
		}
		m.mode = mode
		m.uvMode = c.bestChroma(&c.pred, x, y, true)
		c.code(m, x, y, &q[0][f.q[0]])
	}
}

// inheritY2 gives macroblocks without a Y2 block the context of the one before
// them in their row and column (RFC 6386, section 13.3), and notes which
// macroblocks are not still.
func (e *Encoder) inheritY2() {
	for _, it := range e.list {
		x, y := int(it.x), int(it.y)
		i := e.index(x, y)
		m := &e.info[i]
		if !m.withY2() {
			m.has = m.has&hasBlocks | e.info[i-1].has&hasY2Left | e.info[i-e.infoStride].has&hasY2Above
		}
		if m.coded || m.ref != refLast || m.mv != (mv{}) {
			e.busy.add(&e.geometry, x, y)
		}
	}
}

// tokens makes the events of partition p of n.
func (t *partition) tokens(e *Encoder, p, n int) {
	t.events = t.events[:0]
	t.counts = counts{}
	for _, it := range e.list {
		y := int(it.y)
		if y&(n-1) != p {
			continue
		}
		i := e.index(int(it.x), y)
		m := &e.info[i]
		if !m.coded {
			continue
		}
		if cap(t.events)-len(t.events) < 25*maxBlockEvents {
			grown := make([]event, len(t.events), 2*cap(t.events)+64*maxBlockEvents)
			copy(grown, t.events)
			t.events = grown
		}
		t.events = appendMacroblock(t.events, &e.residuals[m.slot], m.withY2(), m.has, e.info[i-e.infoStride].has, e.info[i-1].has)
	}
	t.counts.count(t.events)
}

// chooseProbs makes the probabilities of the header those that suit the frame.
func (e *Encoder) chooseProbs(f *frame) {
	all := uint32(e.macroblocks())
	var coded, intra, golden, altref uint32
	var seg [4]uint32
	for _, it := range e.list {
		m := &e.info[e.index(int(it.x), int(it.y))]
		if m.coded {
			coded++
		}
		switch m.ref {
		case refIntra:
			intra++
		case refGolden:
			golden++
		case refAltref:
			altref++
		}
		seg[m.seg]++
	}
	f.probSkip = best(coded, all-coded)
	f.probIntra = best(intra, all-intra)
	f.probLast = best(all-intra-golden-altref, golden+altref)
	f.probGolden = best(golden, altref)
	seg[0] += all - uint32(len(e.list))
	f.segmentProbs = [3]uint8{best(seg[0]+seg[1], seg[2]+seg[3]), best(seg[0], seg[1]), best(seg[2], seg[3])}
}

// assemble appends the frame to dst.
func (e *Encoder) assemble(dst []byte, f *frame) []byte {
	b := &e.first
	b.reset(b.buf[:0])
	e.writeHeader(b, f)
	e.writeModes(b, f)
	first := b.finish()
	var probs [numEventProbs]uint8
	e.coeffProbs.flat(&probs)
	dst = e.appendTag(dst, f.key, len(first))
	dst = append(dst, first...)
	n := 1 << f.logPartitions
	for p := range n {
		t := &e.parts[p]
		t.bool.reset(t.bool.buf[:0])
		t.bool.events(t.events, &probs)
		size := len(t.bool.finish())
		if p < n-1 {
			dst = append(dst, byte(size), byte(size>>8), byte(size>>16))
		}
	}
	for p := range n {
		dst = append(dst, e.parts[p].bool.buf...)
	}
	return dst
}

// commit makes the frame the last one.
func (e *Encoder) commit(f *frame) {
	for _, it := range e.list {
		x, y := int(it.x), int(it.y)
		e.ref.copyMacroblock(&e.cur, x, y)
		e.info[e.index(x, y)] = still
	}
}
