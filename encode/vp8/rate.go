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
	segFiltered // video with the loop filter
)

// Quantiser indices of new contents and of video by Quality, where the budget
// allows them.
var qualities = [...]struct{ fresh, video uint8 }{
	Auto:  {24, 56},
	Sharp: {10, 32},
	Fast:  {46, 74},
}

const (
	// finalQuantiser is where refinement ends: 50 dB.
	finalQuantiser = 3
	// maxRefined bounds the macroblocks refined in one frame, which new contents may
	// wait for: about 10 ms.
	maxRefined = 2048
	// maxTries bounds how often a frame is coded until it fits in its budget.
	maxTries = 4
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
	f.fresh, f.refined, f.video = base.fresh, finalQuantiser, base.video
	fresh := e.dirty.count()
	if f.key {
		fresh = e.macroblocks()
	}
	used := float64(overhead)
	if o.Budget > 0 && fresh > 0 {
		h := e.sample(f, fresh)
		q := f.fresh
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
	f.fresh, f.video = max(f.fresh, q), max(f.video, q)
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
			if f.now-e.state[g.number(x, y)].changed < StillAfter || e.refine.has(g, x, y) {
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

// assign gives macroblocks their segments. Decoders keep the map of segments from
// one frame to the next, so that a video that stays where it is costs its map once.
func (e *Encoder) assign(f *frame) {
	g := &e.geometry
	f.filter = 0
	if f.kinds[kindVideo] >= minFiltered {
		f.filter = filterLevel(f.video)
	}
	f.q = [4]uint8{segNew: f.fresh, segRefine: f.refined, segVideo: f.video, segFiltered: f.video}
	rest := f.kinds[kindNew] + f.kinds[kindKey] + f.kinds[kindRefine]
	mixed := rest > f.kinds[kindRefine] && f.kinds[kindRefine] > 0
	if f.kinds[kindRefine] > 0 && !mixed {
		// Refinement alone is the segment of what is not video.
		f.q[segNew] = f.refined
	}
	clear(e.busy) // here: video
	filtered := 0
	for i := range e.list {
		it := &e.list[i]
		x, y := int(it.x), int(it.y)
		seg := uint8(segNew)
		switch {
		case it.kind == kindVideo:
			seg = segVideo
			e.busy.add(g, x, y)
			if f.filter > 0 && (x == 0 || e.busy.has(g, x-1, y)) && (y == 0 || e.busy.has(g, x, y-1)) {
				seg = segFiltered
				filtered++
			}
		case it.kind == kindRefine && mixed:
			seg = segRefine
		}
		e.info[g.index(x, y)] = mbInfo{slot: int32(i), mv: it.wish, seg: seg}
	}
	if filtered == 0 {
		f.filter = 0
	}
	f.segmentFilter = [4]uint8{segFiltered: f.filter}
	f.segmentMap = false
	f.segments = mixed || f.kinds[kindVideo] > 0 && rest > 0 || filtered > 0
	if !f.segments {
		if f.kinds[kindVideo] > 0 {
			f.q[segNew] = f.video
		}
		q := f.q[segNew]
		f.q = [4]uint8{q, q, q, q}
		for _, it := range e.list {
			e.info[g.index(int(it.x), int(it.y))].seg = segNew
		}
		e.mapKnown = false // some decoders forget it
		return
	}
	e.updateMap(f, filtered)
}

// updateMap compares the map of segments that decoders have with the one that the
// frame needs: coded macroblocks must have theirs, and those that are not must not
// be filtered.
func (e *Encoder) updateMap(f *frame, filtered int) {
	f.segmentMap = !e.mapKnown || f.key
	known := 0
	for _, it := range e.list {
		i := e.number(int(it.x), int(it.y))
		seg := e.info[e.index(int(it.x), int(it.y))].seg
		if e.segMap[i] == segFiltered {
			known++
		}
		if e.segMap[i] != seg {
			f.segmentMap = true
		}
	}
	if f.filter > 0 && known != e.mapFiltered {
		f.segmentMap = true
	}
	if !f.segmentMap {
		return
	}
	clear(e.segMap)
	for _, it := range e.list {
		e.segMap[e.number(int(it.x), int(it.y))] = e.info[e.index(int(it.x), int(it.y))].seg
	}
	e.mapFiltered, e.mapKnown = filtered, true
}

// minFiltered is the number of macroblocks below which the filter is not worth
// telling macroblocks apart.
const minFiltered = 24

// retry tells whether a frame of size bytes is to be coded again, and makes it
// smaller: it leaves out refinement, or else is coarser.
func (e *Encoder) retry(f *frame, o *Options, size, try int) bool {
	if len(e.first.buf) > e.firstLimit && f.modes < fewModes {
		f.modes++
		e.mapKnown = e.mapKnown && !f.segmentMap
		return true
	}
	if o.Budget == 0 || size <= o.Budget || try+1 >= maxTries {
		return false
	}
	if f.segmentMap {
		e.mapKnown = false // it was not sent
	}
	if f.kinds[kindRefine] > 0 {
		fixed := overhead
		if f.kinds[kindNew]+f.kinds[kindVideo]+f.kinds[kindMoved] > 0 {
			_, part := e.refinedShare(f, size)
			fixed = size - int(part)
		}
		keep := float64(o.Budget-fixed) / float64(max(size-fixed, 1)) * (0.9 - 0.15*float64(try))
		e.leaveOut(f, int(float64(f.kinds[kindRefine])*max(keep, 0)))
		return true
	}
	q := f.fresh
	if f.kinds[kindVideo] > f.kinds[kindNew]+f.kinds[kindKey] {
		q = f.video
	}
	if q == maxQuantiser {
		return false
	}
	want := f.foreseen.bytes(q) * max(float64(o.Budget)-overhead, 1) / float64(size) * 0.9
	for q++; q < maxQuantiser && f.foreseen.bytes(q) > want; q++ {
	}
	f.coarser(q)
	return true
}

// leaveOut takes all refined macroblocks but the first keep out of the frame.
func (e *Encoder) leaveOut(f *frame, keep int) {
	list := e.list[:0]
	for _, it := range e.list {
		if it.kind == kindRefine {
			if keep--; keep < 0 {
				x, y := int(it.x), int(it.y)
				e.cur.copyMacroblock(&e.ref, x, y)
				e.info[e.index(x, y)] = still
				f.kinds[kindRefine]--
				continue
			}
		}
		list = append(list, it)
	}
	e.list = list
	f.snapshot = false
}

// refinedShare is the number of refined macroblocks and what they take of a
// frame's size.
func (e *Encoder) refinedShare(f *frame, size int) (n int, part float64) {
	all, refined := 0, 0
	for p := range 1 << f.logPartitions {
		all += len(e.parts[p].events)
		refined += e.parts[p].refined
	}
	if all == 0 {
		return f.kinds[kindRefine], 0
	}
	return f.kinds[kindRefine], float64(size) * float64(refined) / float64(all)
}

// learn compares what was foreseen with the size of a frame.
func (r *rate) learn(e *Encoder, f *frame, size int) {
	n, part := e.refinedShare(f, size)
	if n >= 16 {
		r.refine += (max(part/float64(n), 4) - r.refine) / 2
	}
	if b := f.foreseen.bytes(f.fresh); b > 400 {
		ratio := (float64(size) - part) / b
		r.factor += (min(max(ratio, 0.1), 4) - r.factor) / 2
	}
}
