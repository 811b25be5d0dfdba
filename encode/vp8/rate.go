package vp8

import (
	"image"
	"math"
	"math/bits"

	"framebridge/encode/vp8/dsp"
)

// Segments, which differ in quantisers and filters.
const (
	segNew = iota // also all that is still
	segRefine
	segVideo
)

// Quantiser indices of new contents and of video by Quality, where the budget
// allows them.
var qualities = [...]struct{ fresh, video uint8 }{
	Auto:  {24, 34},
	Sharp: {10, 18},
	Fast:  {46, 54},
}

const (
	// finalQuantiser is where refinement ends: 50 dB.
	finalQuantiser = 3
	// halfwayQuantiser is where it pauses when bytes are scarce.
	halfwayQuantiser = 20
	// maxRefined bounds the macroblocks refined in one frame, which new contents may
	// wait for: about 10 ms.
	maxRefined = 2048
	// maxTries bounds how often a frame is coded until it fits in its budget.
	maxTries = 3
)

// rate predicts sizes from what earlier frames were.
type rate struct {
	factor float64 // bytes of new macroblocks to those of sampled ones
	refine float64 // bytes of a refined macroblock
}

func newRate() rate { return rate{factor: 1, refine: 60} }

// A histogram counts coefficients by size: those from half a power of two on.
type histogram struct {
	bins  [24]int
	scale float64 // macroblocks per sample
}

// maxSamples bounds what is looked at to foresee a frame's size.
const maxSamples = 96

// sample looks at some of the n macroblocks that have new pixels.
func (e *Encoder) sample(f *frame, n int) (h histogram) {
	c := e.coders[0]
	step := max(n/maxSamples, 1)
	i, sampled := step/2, 0
	g := &e.geometry
	for y := range g.mbHigh {
		for w := range g.mapWords {
			set := e.dirty[y*g.mapWords+w]
			if f.key {
				set = 1<<min(64, g.mbWide-64*w) - 1
			}
			for ; set != 0; set &= set - 1 {
				if i++; i%step == 0 {
					x := w*64 + bits.TrailingZeros64(set)
					c.sample(&h, x, y, f.key)
					sampled++
				}
			}
		}
	}
	if sampled > 0 {
		h.scale = float64(n) / float64(sampled)
	}
	return h
}

func (c *coder) sample(h *histogram, x, y int, key bool) {
	c.convert(x, y, 1)
	at := 16 * (y*c.yStride + x)
	src := c.src.Y[at:]
	sum, _ := dsp.Moments16x16(src, c.yStride)
	p := c.pred.y[:]
	for i := range p {
		p[i] = uint8(sum >> 8)
	}
	stride := 16
	if !key && dsp.SAD16x16(src, c.yStride, c.ref.Y[at:], c.yStride) < dsp.SAD16x16(src, c.yStride, p, 16) {
		p, stride = c.ref.Y[at:], c.yStride
	}
	dsp.ForwardDCT(c.coef[:], src, c.yStride, p, stride, 4, 4)
	for _, v := range c.coef[:256] {
		k := bits.Len(uint(abs(int(v))))
		half := 0
		if k > 1 {
			half = abs(int(v)) >> (k - 2) & 1
		}
		h.bins[min(2*k+half, len(h.bins)-1)]++
	}
}

// bytes estimates the size of the sampled macroblocks with a quantiser index.
func (h *histogram) bytes(q uint8) float64 {
	step := float64(acSteps[q])
	total := 0.0
	for i, n := range h.bins {
		if n == 0 || i < 2 {
			continue
		}
		v := float64(int(1)<<(i/2-1)) * (1.2 + 0.4*float64(i&1))
		if r := v / step; r > 0.6 {
			total += float64(n) * (4 + 1.6*math.Log2(r+0.4))
		}
	}
	return total * h.scale / 8
}

// convert brings the source up to date in n macroblocks from column x of row y.
func (c *coder) convert(x, y, n int) {
	dsp.Convert(c.src.Y, c.src.U, c.src.V, c.yStride, c.uvStride, c.picture, image.Rect(16*x, 16*y, 16*(x+n), 16*y+16))
}

// plan chooses the quantisers and what is refined.
func (e *Encoder) plan(f *frame, o *Options) {
	base := qualities[o.Quality]
	f.q = [4]uint8{segNew: base.fresh, segRefine: finalQuantiser, segVideo: base.video, 3: base.video}
	fresh := e.dirty.count()
	if f.key {
		fresh = e.macroblocks()
	}
	used := float64(overhead)
	if o.Budget > 0 && fresh > 0 {
		h := e.sample(f, fresh)
		q := f.q[segNew]
		for q < maxQuantiser && h.bytes(q)*e.rate.factor > float64(o.Budget)-overhead {
			q++
		}
		f.coarser(q)
		used += h.bytes(q) * e.rate.factor
		f.foreseen = h
	}
	clear(e.refine)
	if !o.Refine || f.key {
		return
	}
	most := maxRefined - min(fresh, maxRefined)
	if o.Budget > 0 {
		most = min(most, int((float64(o.Budget)-used)/e.rate.refine))
	}
	e.pick(f, most)
}

// overhead is about what a frame takes besides the contents of macroblocks.
const overhead = 300

// coarser makes the quantiser index of new contents q, and that of video no finer.
func (f *frame) coarser(q uint8) {
	f.q[segNew] = max(f.q[segNew], q)
	f.q[segVideo] = max(f.q[segVideo], q)
	f.q[3] = f.q[segVideo]
}

// pick chooses up to most macroblocks that are still, going on where the last
// frame stopped.
func (e *Encoder) pick(f *frame, most int) {
	g := &e.geometry
	n := len(e.coarse)
	if n == 0 || most <= 0 {
		return
	}
	e.refineAt %= n
	for k := 0; k <= n; k++ {
		w := (e.refineAt + k) % n
		y := w / g.mapWords
		for set := e.coarse[w] &^ (e.dirty[w] | e.moved[w]); set != 0; set &= set - 1 {
			x := w%g.mapWords*64 + bits.TrailingZeros64(set)
			if f.now-e.state[g.number(x, y)].changed < stillAfter || e.refine.has(g, x, y) {
				continue
			}
			if most--; most < 0 {
				e.refineAt = w
				return
			}
			e.refine.add(g, x, y)
		}
	}
}

// assign gives macroblocks their segments.
func (e *Encoder) assign(f *frame) {
	used := 0
	for _, n := range []int{f.kinds[kindNew] + f.kinds[kindKey] + f.kinds[kindMoved], f.kinds[kindRefine], f.kinds[kindVideo]} {
		if n > 0 {
			used++
		}
	}
	f.segments = used > 1
	for i, it := range e.list {
		mb := &e.info[e.index(int(it.x), int(it.y))]
		*mb = mbInfo{slot: int32(i), mv: it.wish}
		if f.segments {
			mb.seg = it.kind.segment()
		}
	}
	if !f.segments && len(e.list) > 0 {
		q := f.q[e.list[0].kind.segment()]
		f.q = [4]uint8{q, q, q, q}
	}
}

func (k kind) segment() uint8 {
	switch k {
	case kindRefine:
		return segRefine
	case kindVideo:
		return segVideo
	}
	return segNew
}

// retry tells whether a frame of size bytes is to be coded again, coarser.
func (e *Encoder) retry(f *frame, o *Options, size, try int) bool {
	if o.Budget == 0 || size <= o.Budget || try+1 >= maxTries || f.kinds[kindNew]+f.kinds[kindKey]+f.kinds[kindVideo] == 0 {
		return false
	}
	q := f.q[segNew]
	if q == maxQuantiser {
		return false
	}
	want := f.foreseen.bytes(q) * max(float64(o.Budget)-overhead, 1) / float64(size) * 0.9
	for q++; q < maxQuantiser && f.foreseen.bytes(q) > want; q++ {
	}
	f.coarser(q)
	return true
}

// learn compares what was foreseen with the size of a frame.
func (r *rate) learn(e *Encoder, f *frame, size int) {
	all, refined := 0, 0
	for p := range 1 << f.logPartitions {
		all += len(e.parts[p].events)
		refined += e.parts[p].refined
	}
	if all == 0 {
		return
	}
	part := float64(size) * float64(refined) / float64(all)
	if n := f.kinds[kindRefine]; n >= 16 {
		r.refine += (max(part/float64(n), 4) - r.refine) / 4
	}
	if b := f.foreseen.bytes(f.q[segNew]); b > 400 {
		ratio := (float64(size) - part) / b
		r.factor += (min(max(ratio, 0.1), 4) - r.factor) / 2
	}
}
