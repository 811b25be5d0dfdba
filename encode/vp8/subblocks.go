package vp8

import "framebridge/encode/vp8/dsp"

// Text and drawings have flat ground around strokes: predicted block by block, from
// what is just above and left, the ground costs nothing. Each subblock is
// reconstructed before the next is predicted.

// subblocksBytes is about the most that a macroblock's subblock modes take on
// average.
const subblocksBytes = 8

// subModeBits is what a subblock mode costs outside of key frames, in 1/16 bit.
var subModeBits = func() (t [numSubModes]int) {
	for m, c := range subModeTree {
		var b bitCounter
		for i := range c.n {
			b.bool(subModeProbs[c.nodes[i]], c.path>>(c.n-1-i)&1 != 0)
		}
		t[m] = int(b.bits / 16)
	}
	return t
}()

// looksRight are the modes that read beyond the four samples above.
var looksRight = [numSubModes]bool{dsp.BVEPred: true, dsp.BLDPred: true, dsp.BVLPred: true}

// A canvas is a macroblock's luma in the making with what is around it: a row above
// and a column left of canvasAt.
type canvas [17 * canvasStride]uint8

const (
	canvasStride = 32
	canvasAt     = canvasStride + 8
)

// load reads what is around the macroblock at column x and row y, of which c.yEdge
// has most, and returns whether the samples above and to the right are known.
func (v *canvas) load(c *coder, x, y int) (right bool) {
	v[canvasAt-canvasStride-1] = c.yEdge.Corner
	copy(v[canvasAt-canvasStride:], c.yEdge.Above[:16])
	for i, l := range c.yEdge.Left[:16] {
		v[canvasAt+i*canvasStride-1] = l
	}
	beyond := v[canvasAt-canvasStride+16:][:4]
	switch {
	case y == 0:
		copy(beyond, "\x7f\x7f\x7f\x7f")
	case x+1 < c.mbWide:
		copy(beyond, c.cur.Y[(16*y-1)*c.yStride+16*x+16:])
	default:
		return false // decoders differ
	}
	return true
}

// edge is what is around the subblock at column bx and row by.
func (v *canvas) edge(e *dsp.SubblockEdge, bx, by int) {
	at := canvasAt + 4*by*canvasStride + 4*bx
	for i := range 4 {
		e[i] = v[at+(3-i)*canvasStride-1]
	}
	copy(e[4:], v[at-canvasStride-1:][:9])
	if bx == 3 {
		// Those below are not there yet: all rows take the macroblock's.
		copy(e[9:], v[canvasAt-canvasStride+16:][:4])
	}
}

// codeSubblocks codes luma by subblocks unless that promises to be worse than most,
// the weighted difference of another way. On success the macroblock is
// reconstructed.
func (c *coder) codeSubblocks(m *mbInfo, x, y, most int, q *quantiser) bool {
	r := &c.residuals[m.slot]
	v := &c.canvas
	right := v.load(c, x, y)
	src := c.src.Y[16*(y*c.yStride+x):]
	var e dsp.SubblockEdge
	modes := &c.subblocks
	var all, inside dsp.Penalties // inside: of modes that do not look to the right
	for m := range all {
		all[m], inside[m] = 65535, 65535
		if m < numSubModes {
			all[m] = uint16(min(subModeBits[m]*q.lambda>>8, 65535))
			if !looksRight[m] {
				inside[m] = all[m]
			}
		}
	}
	coef := c.coef[:16]
	cost := 0
	has := uint32(0)
	for i := range 16 {
		bx, by := i&3, i>>2
		v.edge(&e, bx, by)
		block := src[4*(by*c.yStride+bx):]
		dsp.PredictSubblocks(modes, &e)
		penalties := &all
		if bx == 3 && !right {
			penalties = &inside
		}
		best, least := dsp.BestSubblock(block, c.yStride, modes, penalties)
		r.modes[i] = uint8(best)
		pred := modes[16*int(best):][:16]
		if cost += least; cost >= most {
			return false
		}
		dsp.ForwardDCT(coef, block, c.yStride, pred, 4, 1, 1)
		ac := dsp.Quantise(r.levels[16*i:16*i+16], coef, r.end[i:i+1], &q.y, 0)
		dst := v[canvasAt+4*by*canvasStride+4*bx:]
		if r.end[i] == 0 {
			dsp.Copy(dst, canvasStride, pred, 4, 4, 4)
			continue
		}
		has |= 1 << i
		dsp.InverseDCTAdd(dst, canvasStride, pred, 4, coef, ac, 1, 1)
	}
	dsp.Copy(c.cur.Y[16*(y*c.yStride+x):], c.yStride, v[canvasAt:], canvasStride, 16, 16)
	m.has = has
	return true
}
