package vp8

import (
	"time"

	"framebridge/internal/pix"
)

// frame is what one frame's header says, and what it is made of.
type frame struct {
	key                   bool
	snapshot              bool // becomes the golden frame
	segments              bool
	segmentMap            bool     // macroblocks tell their segment
	q                     [4]uint8 // quantiser index by segment
	fresh, refined, video uint8    // and by what it is for
	filter                uint8
	segmentFilter         [4]uint8
	segmentProbs          [3]uint8
	logPartitions         int
	counts                *counts // for new probabilities, or nil

	probSkip, probIntra, probLast, probGolden uint8

	modes    modeChoice
	now      time.Duration
	kinds    [kindRefine + 1]int // macroblocks of each kind
	foreseen histogram           // of new contents, where there is a budget

}

// A modeChoice tells which modes may be used. The first partition, which has the
// modes, is bounded by a field of 19 bits; pictures beyond 5000x3000 can need more
// with the best of them.
type modeChoice uint8

const (
	allModes   modeChoice = iota
	largeModes            // no subblocks
	fewModes              // the mean of the neighbours, and vectors of moves
)

// A partition codes the residuals of every n-th row.
type partition struct {
	bool    boolEncoder
	events  []byte // see token.go
	refined int    // bytes of them of refinement
	counts  counts
}

// maxKeptEvents is the capacity of a partition's events up to which their memory is
// used again, more than a full screen of text takes.
const maxKeptEvents = 8 << 20

func (e *Encoder) encode(dst []byte, m *pix.Image, c *Change, o *Options) []byte {
	f := &e.frame
	e.picture = m
	e.mark(c, f)
	e.plan(f, o)
	e.collect(f)
	f.snapshot = e.wantSnapshot(f)
	if f.key {
		e.coeffProbs, e.mvContexts = defaultCoeffProbs, defaultMVContexts
	}
	if len(e.list) > e.firstLimit/subblocksBytes {
		f.modes = largeModes
	}
	if f.kinds[kindVideo] > 0 {
		e.costs.set(&e.coeffProbs)
	}
	start := len(dst)
	coeffs, vectors := e.coeffProbs, e.mvContexts
	for try := 0; ; try++ {
		dst = e.attempt(dst[:start], f)
		if !e.retry(f, o, len(dst)-start, try) {
			break
		}
		e.coeffProbs, e.mvContexts = coeffs, vectors
	}
	e.rate.learn(e, f, len(dst)-start)
	e.commit(f)
	e.picture = nil
	for p := range e.parts {
		if t := &e.parts[p]; cap(t.events) > maxKeptEvents {
			t.events = nil
		}
	}
	return dst
}

// attempt appends the frame, coded with f's quantisers.
func (e *Encoder) attempt(dst []byte, f *frame) []byte {
	e.assign(f)
	if n := e.split(); n > 0 {
		e.run(phaseCode, n)
	}
	e.applyFilter(f)
	e.inheritY2()
	e.chooseProbs(f)
	n := 1 << f.logPartitions
	e.run(phaseTokens, n)
	f.counts = nil
	if len(e.list) > 0 {
		e.total = e.parts[0].counts
		for p := 1; p < n; p++ {
			e.total.add(&e.parts[p].counts)
		}
		f.counts = &e.total
	}
	return e.assemble(dst, f)
}

// inheritY2 gives macroblocks without a Y2 block the context of the one before
// them in their row and column (RFC 6386, section 13.3), and notes which
// macroblocks are not still.
func (e *Encoder) inheritY2() {
	clear(e.busy)
	for _, it := range e.list {
		x, y := int(it.x), int(it.y)
		i := e.index(x, y)
		m := &e.info[i]
		if !m.withY2() {
			m.has = m.has&hasBlocks | e.info[i-1].has&hasY2Left | e.info[i-e.infoStride].has&hasY2Above
		}
		if m.coded || e.frame.segmentMap && m.seg != 0 || m.ref != refLast || m.mv != (mv{}) {
			e.busy.add(&e.geometry, x, y)
		}
	}
}

// chooseProbs makes the probabilities of the header those that suit the frame, and
// chooses the number of partitions.
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
	f.logPartitions = 0
	for 2<<f.logPartitions <= min(e.workers, int(coded)/minPerPartition) {
		f.logPartitions++
	}
}

// tokens makes the events of partition p of n.
func (t *partition) tokens(e *Encoder, p, n int) {
	t.events, t.refined = t.events[:0], 0
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
		before := len(t.events)
		if cap(t.events)-before < maxMacroblockBytes {
			grown := make([]byte, before, 2*cap(t.events)+4*maxMacroblockBytes)
			copy(grown, t.events)
			t.events = grown
		}
		t.events = appendMacroblock(t.events, &t.counts, &e.residuals[m.slot], m.withY2(), m.has, e.info[i-e.infoStride].has, e.info[i-1].has)
		if it.kind == kindRefine {
			t.refined += len(t.events) - before
		}
	}
}

// write codes the events.
func (t *partition) write(rows *eventRows) {
	t.bool.reset(t.bool.buf[:0])
	t.bool.events(t.events, rows)
	t.bool.finish()
}

// assemble appends the frame to dst: the first partition, the sizes of the others
// but the last, and these (RFC 6386, section 9.5).
func (e *Encoder) assemble(dst []byte, f *frame) []byte {
	b := &e.first
	b.reset(b.buf[:0])
	e.writeHeader(b, f)
	e.coeffProbs.rows(&e.eventRows)
	e.next.Store(0)
	n := 1 << f.logPartitions
	e.run(phaseWrite, n)
	dst = e.appendTag(dst, f.key, len(b.buf))
	dst = append(dst, b.buf...)
	for p := range n - 1 {
		size := len(e.parts[p].bool.buf)
		dst = append(dst, byte(size), byte(size>>8), byte(size>>16))
	}
	for p := range n {
		dst = append(dst, e.parts[p].bool.buf...)
	}
	return dst
}

// writeFirst writes what follows the header in the first partition.
func (e *Encoder) writeFirst() {
	e.writeModes(&e.first, &e.frame)
	e.first.finish()
}

// commit makes the frame the last one.
func (e *Encoder) commit(f *frame) {
	for len(e.moves) < len(e.list) {
		e.moves = append(e.moves, mbState{})
	}
	e.remember(f)
	for _, it := range e.list {
		x, y := int(it.x), int(it.y)
		e.ref.copyMacroblock(&e.cur, x, y)
		e.info[e.index(x, y)] = still
	}
	e.updateSnapshots(f)
}

// describe is what the caller is told of the frame.
func (e *Encoder) describe() Info {
	f := &e.frame
	q := f.fresh
	switch {
	case f.kinds[kindNew]+f.kinds[kindKey] > 0:
	case f.kinds[kindVideo] > 0:
		q = f.video
	case f.kinds[kindRefine] > 0:
		q = f.refined
	}
	return Info{Key: f.key, Quantiser: int(q), Macroblocks: len(e.list), Refining: !e.coarse.empty()}
}
