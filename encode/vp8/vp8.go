// Package vp8 is a realtime VP8 encoder (RFC 6386) for screens. Its cost follows the
// damage: a frame in which a character was typed takes a fiftieth of a millisecond,
// however large the screen.
//
// # How a frame comes about
//
// The encoder is told what changed, as rectangles and moves, and from this makes the
// list of macroblocks that the frame codes (damage.go): those with new pixels, those
// that are only moved, those that have had new pixels in every frame of late and
// count as video, and, where the caller wants them, some that are still but were coded
// coarsely. All others are still: they are copied from the last frame with
// no residual. The pictures of source and references stay from frame to frame and
// only listed macroblocks are touched in them.
//
// The list is coded in three phases, each of which several goroutines share
// (parallel.go). First, in bands of rows, each macroblock is converted from BGRX,
// predicted, transformed, quantised and reconstructed (rows.go). A moved one is a
// copy, by a vector of whole samples; its source is not even read. A new one is
// predicted from the same place of the last frame, from where a move says, from one
// of two snapshots of the screen at rest (snapshot.go), or from its neighbours, as
// a whole (intra.go) or by subblocks (subblocks.go); video also from where a search
// finds it in the last frame, to a quarter of a sample (motion.go). The row at the
// top of a band is predicted without what is above, so that bands know nothing of
// each other.
//
// Second, levels become events, a bool and the place of its probability each
// (token.go). Only when they are counted is it known which probabilities serve
// the frame (probs.go). Third, the arithmetic coder makes bytes of them
// (boolcoder.go), a token partition per goroutine, and one of them writes the
// headers and modes before (header.go). Runs of still macroblocks are coded many
// at a time, by tables of what such a run does to the coder.
//
// Quantisers differ by segment (rate.go): new contents, refinement, video. New
// contents are coded to be readable, or as coarse as the budget demands, which a
// sample of the changed macroblocks foretells; what is still for StillAfter is refined
// until it is as good as the source. Video keeps a macroblock's levels only where
// they are worth their bits (worth.go). The loop filter is on for video alone
// (filter.go), for it would blur what is still.
//
// Samples are BT.601 in the limited range, as decoders of VP8 assume.
package vp8

import (
	"fmt"
	"image"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"framebridge/internal/pix"
)

// maxSide is the largest width or height, 14 bits (RFC 6386, section 9.1).
const maxSide = 1<<14 - 1

// maxWorkers is the largest number of token partitions (RFC 6386, section 9.5).
const maxWorkers = 8

// Config is how an encoder works. The zero value is ready for use.
type Config struct {
	// Workers is how many goroutines Encode may keep busy, the caller's included,
	// 1 to 8; 0 is as many as GOMAXPROCS, at most 8. What is coded depends on it
	// a little.
	Workers int
}

// A Move is a copy of pixels within the picture: the pixels of Src went to the
// rectangle of the same size at Dst.
type Move struct {
	Src image.Rectangle
	Dst image.Point
}

// to is the rectangle that the move writes.
func (m Move) to() image.Rectangle { return m.Src.Add(m.Dst.Sub(m.Src.Min)) }

// A Change is what happened since the frame before: first the moves, in order,
// then the pixels of Damage got other values. Rectangles are relative to the
// picture's first pixel; what of them lies outside is ignored.
type Change struct {
	Damage []image.Rectangle
	Moves  []Move
}

// Quality is how new contents are coded when the budget does not decide.
type Quality uint8

// The qualities.
const (
	Auto  Quality = iota // readable at once, refined when still
	Sharp                // fine at once, at two to three times the bytes
	Fast                 // coarse at first, half of the bytes
)

// Options say how one frame is to be coded.
type Options struct {
	// Key asks for a frame that can be decoded without others. The first one is.
	Key bool
	// Budget is how many bytes the frame should not exceed; 0 is no bound. Where it
	// is too small the frame is as coarse as VP8 allows and may be larger.
	Budget int
	// Quality is that of new contents.
	Quality Quality
	// Refine spends what is left of the budget on areas that have been still for
	// StillAfter. It is worth a frame of its own when nothing changes and Info's
	// Refining was true; without bound on bytes it takes a few frames.
	Refine bool
	// Time is when the picture was taken, on any clock that does not go back. It
	// tells what is still and what moves. 0 is a thirtieth of a second after the
	// frame before.
	Time time.Duration
}

// Info tells what a frame is.
type Info struct {
	Key         bool
	Quantiser   int  // index of new contents, 0 (fine) to 127; of refinement where there are none
	Macroblocks int  // that are not as they were
	Refining    bool // more frames with Options.Refine would improve still areas
}

// An Encoder makes the frames of one stream. It must not be used from several
// goroutines at a time.
type Encoder struct {
	geometry
	workers    int
	firstLimit int // maxFirstPartition, but for tests

	src            Planes // the picture, where macroblocks of this frame are
	ref            Planes // the last frame, as decoders have it
	cur            Planes // the frame in the making; else the same as ref
	golden, altref snapshot

	state      []mbState
	coarse     macroblockMap // those that refinement would improve
	refineAt   int           // number of the macroblock at which refinement goes on
	coeffProbs coeffProbs
	costs      tokenCosts // with coeffProbs, where there is video
	mvContexts [2]mvContext
	rate       rate

	// The map of segments that decoders have, if they have one.
	segMap      []uint8
	mapFiltered int // macroblocks of segFiltered in it
	mapKnown    bool

	started bool
	now     time.Duration

	// Of the frame in the making.
	frame     frame
	picture   *pix.Image
	info      []mbInfo      // still, but for those of list
	dirty     macroblockMap // got new pixels
	moved     macroblockMap // moved as a whole
	refine    macroblockMap // are refined
	busy      macroblockMap // are not coded as still ones are
	farMoves  bool
	list      []item
	moves     []mbState // of list, by index: what moved ones are like
	residuals []residual

	// Memory that is used again.
	parts     [maxWorkers]partition
	first     boolEncoder
	total     counts
	mvCounts  mvCounts
	eventRows eventRows
	innerRun  runTable
	topRun    runTable
	runBools  [maxRunBools]runBool

	// Who does the work.
	coders  []*coder
	bands   []band
	helpers []func()
	phase   phase
	parties int
	next    atomic.Int32
	working sync.WaitGroup
}

// New returns an encoder of pictures of 1 to 16383 pixels in each direction. For
// another size make another one.
func New(width, height int, cfg Config) (*Encoder, error) {
	if min(width, height) < 1 || max(width, height) > maxSide {
		return nil, fmt.Errorf("vp8: size %dx%d is not within 1 and %d", width, height, maxSide)
	}
	if cfg.Workers < 0 || cfg.Workers > maxWorkers {
		return nil, fmt.Errorf("vp8: Workers is %d, want 0 to %d", cfg.Workers, maxWorkers)
	}
	e := &Encoder{geometry: newGeometry(width, height), workers: cfg.Workers, firstLimit: maxFirstPartition}
	if e.workers == 0 {
		e.workers = min(runtime.GOMAXPROCS(0), maxWorkers)
	}
	g := &e.geometry
	e.src, e.ref, e.cur = newPlanes(g), newPlanes(g), newPlanes(g)
	e.golden, e.altref = newSnapshot(g), newSnapshot(g)
	e.info = make([]mbInfo, (g.mbHigh+1)*g.infoStride)
	for y := range g.mbHigh {
		for x := range g.mbWide {
			e.info[g.index(x, y)] = still
		}
	}
	e.busy, e.dirty, e.moved, e.refine, e.coarse = newMap(g), newMap(g), newMap(g), newMap(g), newMap(g)
	e.state, e.segMap = make([]mbState, g.macroblocks()), make([]uint8, g.macroblocks())
	e.rate = newRate()
	e.hire()
	return e, nil
}

// hire makes what each worker needs.
func (e *Encoder) hire() {
	e.coders, e.helpers = nil, nil
	for k := range e.workers {
		e.coders = append(e.coders, &coder{Encoder: e})
		e.helpers = append(e.helpers, func() {
			defer e.working.Done()
			e.part(k)
		})
	}
	e.bands = make([]band, 0, e.workers)
}

// Clone returns an encoder that goes on from the same frame: decoders of one
// stream can be given the other's next frame.
func (e *Encoder) Clone() *Encoder {
	c := &Encoder{
		geometry: e.geometry, workers: e.workers, firstLimit: e.firstLimit,
		src: e.src.clone(), ref: e.ref.clone(), cur: e.cur.clone(),
		golden: e.golden.clone(), altref: e.altref.clone(),
		state: slices.Clone(e.state), coarse: slices.Clone(e.coarse), refineAt: e.refineAt,
		coeffProbs: e.coeffProbs, mvContexts: e.mvContexts, rate: e.rate, started: e.started, now: e.now,
		info:   slices.Clone(e.info),
		segMap: slices.Clone(e.segMap), mapFiltered: e.mapFiltered, mapKnown: e.mapKnown,
	}
	g := &c.geometry
	c.busy, c.dirty, c.moved, c.refine = newMap(g), newMap(g), newMap(g), newMap(g)
	c.hire()
	return c
}

// Reference returns the picture that a decoder of all frames so far shows. It is
// valid until the next call of Encode and must not be changed.
func (e *Encoder) Reference() Planes { return e.ref }

// Encode appends the next frame to dst. m is the whole picture, of which those
// macroblocks are read that c touches and those that are refined. On an error
// nothing has changed.
func (e *Encoder) Encode(dst []byte, m *pix.Image, c Change, o Options) ([]byte, Info, error) {
	if m.Rect.Dx() != e.width || m.Rect.Dy() != e.height {
		return dst, Info{}, fmt.Errorf("vp8: the picture is %dx%d, the encoder's size %dx%d", m.Rect.Dx(), m.Rect.Dy(), e.width, e.height)
	}
	if o.Budget < 0 {
		return dst, Info{}, fmt.Errorf("vp8: Budget is %d bytes", o.Budget)
	}
	if o.Quality > Fast {
		return dst, Info{}, fmt.Errorf("vp8: Quality is %d, want 0 to %d", o.Quality, Fast)
	}
	if o.Time == 0 {
		o.Time = e.now + time.Second/30
	}
	e.now = max(e.now, o.Time)
	e.frame = frame{key: o.Key || !e.started, now: e.now}
	e.started = true
	dst = e.encode(dst, m, &c, &o)
	return dst, e.describe(), nil
}
