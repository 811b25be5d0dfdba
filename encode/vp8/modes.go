package vp8

import "framebridge/encode/vp8/dsp"

// Reference frames (RFC 6386, section 9.7).
const (
	refIntra = iota
	refLast
	refGolden
	refAltref
)

// modeB is the luma mode in which every subblock has its own; the others are
// dsp's. See RFC 6386, section 8.2.
const modeB = dsp.TMPred + 1

const numSubModes = int(dsp.NumSubblockModes)

// A mv is a motion vector in quarters of a luma sample: where in the reference the
// macroblock comes from.
type mv struct{ row, col int16 }

// maxDelta is the largest difference, by component, between a vector and the one
// that it is predicted from (RFC 6386, section 17.2).
const maxDelta = 1<<mvLongBits - 1

// mbInfo is what a frame says about a macroblock, apart from its residual.
type mbInfo struct {
	mv       mv
	ref      uint8
	mode     dsp.Mode // of luma, where ref is refIntra
	uvMode   dsp.Mode
	seg      uint8
	coded    bool   // has tokens
	restored bool   // shows what a snapshot has
	has      uint32 // blocks with levels, see residual
	slot     int32  // of its residual
}

// still is a macroblock that is as it was.
var still = mbInfo{ref: refLast}

// withY2 tells whether the first coefficients of luma have a block of their own.
func (m *mbInfo) withY2() bool { return m.ref != refIntra || m.mode != modeB }

// A treeCode is the way to a leaf of a tree of bools.
type treeCode struct {
	path  uint32
	n     int
	nodes [7]uint8
}

// leaf makes a treeCode of the bits and the nodes at which they are coded.
func leaf(path string, nodes ...uint8) treeCode {
	c := treeCode{n: len(path)}
	for _, bit := range path {
		c.path = c.path<<1 | uint32(bit-'0')
	}
	copy(c.nodes[:], nodes)
	return c
}

// The trees of modes, by mode (RFC 6386, sections 8.2, 11.2, 11.3 and 16.2).
var (
	yModeTree = [...]treeCode{
		dsp.DCPred: leaf("0", 0),
		dsp.VPred:  leaf("100", 0, 1, 2),
		dsp.HPred:  leaf("101", 0, 1, 2),
		dsp.TMPred: leaf("110", 0, 1, 3),
		modeB:      leaf("111", 0, 1, 3),
	}
	keyYModeTree = [...]treeCode{
		modeB:      leaf("0", 0),
		dsp.DCPred: leaf("100", 0, 1, 2),
		dsp.VPred:  leaf("101", 0, 1, 2),
		dsp.HPred:  leaf("110", 0, 1, 3),
		dsp.TMPred: leaf("111", 0, 1, 3),
	}
	uvModeTree = [...]treeCode{
		dsp.DCPred: leaf("0", 0),
		dsp.VPred:  leaf("10", 0, 1),
		dsp.HPred:  leaf("110", 0, 1, 2),
		dsp.TMPred: leaf("111", 0, 1, 2),
	}
	subModeTree = [numSubModes]treeCode{
		dsp.BDCPred: leaf("0", 0),
		dsp.BTMPred: leaf("10", 0, 1),
		dsp.BVEPred: leaf("110", 0, 1, 2),
		dsp.BHEPred: leaf("11100", 0, 1, 2, 3, 4),
		dsp.BRDPred: leaf("111010", 0, 1, 2, 3, 4, 5),
		dsp.BVRPred: leaf("111011", 0, 1, 2, 3, 4, 5),
		dsp.BLDPred: leaf("11110", 0, 1, 2, 3, 6),
		dsp.BVLPred: leaf("111110", 0, 1, 2, 3, 6, 7),
		dsp.BHDPred: leaf("1111110", 0, 1, 2, 3, 6, 7, 8),
		dsp.BHUPred: leaf("1111111", 0, 1, 2, 3, 6, 7, 8),
	}
	shortMVTree = func() (t [8]treeCode) {
		nodes := [8][3]uint8{{0, 1, 2}, {0, 1, 2}, {0, 1, 3}, {0, 1, 3}, {0, 4, 5}, {0, 4, 5}, {0, 4, 6}, {0, 4, 6}}
		for i := range t {
			t[i] = treeCode{path: uint32(i), n: 3}
			copy(t[i].nodes[:], nodes[i][:])
		}
		return t
	}()
)

// subModeOf is the subblock mode that a macroblock of another mode counts as when
// the modes of its neighbours' subblocks are coded (RFC 6386, section 11.3).
var subModeOf = [...]uint8{
	dsp.DCPred: uint8(dsp.BDCPred),
	dsp.VPred:  uint8(dsp.BVEPred),
	dsp.HPred:  uint8(dsp.BHEPred),
	dsp.TMPred: uint8(dsp.BTMPred),
}

// nearMVs is what the neighbours say about a macroblock's vector (RFC 6386,
// section 16.3).
type nearMVs struct {
	nearest, near, best mv       // clamped
	weights             [4]uint8 // of zero, nearest, near and split: they choose the probabilities
}

// clampMV limits a vector to 16 samples beyond the picture on the far side of each edge
// of the macroblock at column x and row y.
func (g *geometry) clampMV(v mv, x, y int) mv {
	const margin = 16 * 4
	return mv{
		row: int16(min(max(int(v.row), -64*y-margin), 64*(g.mbHigh-1-y)+margin)),
		col: int16(min(max(int(v.col), -64*x-margin), 64*(g.mbWide-1-x)+margin)),
	}
}

// nearMVs looks at the neighbours above, left and above left of the macroblock at
// column x and row y.
func (g *geometry) nearMVs(info []mbInfo, x, y int) nearMVs {
	i := g.index(x, y)
	var mvs [4]mv // zero and up to three others
	var n nearMVs
	k := 0
	for side, o := range [3]int{i - g.infoStride, i - 1, i - g.infoStride - 1} {
		m := &info[o]
		if m.ref == refIntra {
			continue
		}
		weight := uint8(2 - side>>1)
		switch {
		case m.mv == mv{}:
			n.weights[0] += weight
			continue
		case k == 0 || m.mv != mvs[k]:
			k++
			mvs[k] = m.mv
		}
		n.weights[k] += weight
	}
	// Three different ones, the third of which is as the first.
	if n.weights[3] > 0 && mvs[3] == mvs[1] {
		n.weights[1]++
	}
	n.weights[3] = 0 // no macroblock is split
	if n.weights[2] > n.weights[1] {
		n.weights[1], n.weights[2] = n.weights[2], n.weights[1]
		mvs[1], mvs[2] = mvs[2], mvs[1]
	}
	if n.weights[1] >= n.weights[0] {
		n.best = g.clampMV(mvs[1], x, y)
	}
	n.nearest = g.clampMV(mvs[1], x, y)
	n.near = g.clampMV(mvs[2], x, y)
	return n
}

// reaches tells whether v can be coded.
func (n *nearMVs) reaches(v mv) bool {
	return v == mv{} || v == n.nearest || v == n.near ||
		abs(int(v.row)-int(n.best.row)) <= maxDelta && abs(int(v.col)-int(n.best.col)) <= maxDelta
}

func abs(v int) int { return max(v, -v) }

// mvCounts counts the zeros and ones of each bool of vectors.
type mvCounts [2][mvProbs][2]uint32

// A mvCoder takes the bools of a vector's component: the k-th of its context.
type mvCoder interface {
	mvBool(component, k int, bit bool)
}

func (c *mvCounts) mvBool(component, k int, bit bool) {
	if bit {
		c[component][k][1]++
	} else {
		c[component][k][0]++
	}
}

// mvWriter codes the bools of vectors.
type mvWriter struct {
	b   *boolEncoder
	ctx *[2]mvContext
}

func (w mvWriter) mvBool(component, k int, bit bool) { w.b.bool(w.ctx[component][k], bit) }

// codeMV codes a vector's difference to the one it is predicted from (RFC 6386,
// section 17.2).
func codeMV[C mvCoder](c C, v, pred mv) {
	codeMVComponent(c, 0, int(v.row)-int(pred.row))
	codeMVComponent(c, 1, int(v.col)-int(pred.col))
}

func codeMVComponent[C mvCoder](c C, i, d int) {
	v := abs(d)
	if v < 8 {
		c.mvBool(i, mvIsLong, false)
		t := &shortMVTree[v]
		for k := range t.n {
			c.mvBool(i, mvShort+int(t.nodes[k]), t.path>>(t.n-1-k)&1 != 0)
		}
		if v == 0 {
			return
		}
	} else {
		c.mvBool(i, mvIsLong, true)
		for k := range 3 {
			c.mvBool(i, mvLong+k, v>>k&1 != 0)
		}
		for k := mvLongBits - 1; k > 3; k-- {
			c.mvBool(i, mvLong+k, v>>k&1 != 0)
		}
		if v > 15 { // else it is known to be set
			c.mvBool(i, mvLong+3, v>>3&1 != 0)
		}
	}
	c.mvBool(i, mvSign, d < 0)
}

// countMVs counts the bools of the vectors that are coded as new ones.
func (e *Encoder) countMVs() *mvCounts {
	c := &e.mvCounts
	*c = mvCounts{}
	for _, it := range e.list {
		x, y := int(it.x), int(it.y)
		m := &e.info[e.index(x, y)]
		if m.ref == refIntra || m.mv == (mv{}) {
			continue
		}
		if n := e.nearMVs(e.info, x, y); m.mv != n.nearest && m.mv != n.near {
			codeMV(c, m.mv, n.best)
		}
	}
	return c
}

// writeMVProbs sends the probabilities of vectors that are worth it, 7 bits each,
// and changes those in use to them.
func writeMVProbs(b *boolEncoder, ctx *[2]mvContext, c *mvCounts) {
	for i := range ctx {
		for k := range ctx[i] {
			old, up := &ctx[i][k], mvUpdateProbs[i][k]
			n0, n1 := c[i][k][0], c[i][k][1]
			p := max(best(n0, n1)&^1, 1)
			if n0|n1 == 0 || cost(p, n0, n1)+uint64(boolCost[256-int(up)])+7*256 >= cost(*old, n0, n1)+uint64(boolCost[up]) {
				b.bool(up, false)
				continue
			}
			b.bool(up, true)
			b.literal(uint32(p>>1), 7)
			*old = p
		}
	}
}
