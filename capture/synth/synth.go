// Package synth makes screens for tests and benchmarks: scenes that are the same
// in every run, drawn step by step when the caller says so.
package synth

import (
	"context"
	"errors"
	"fmt"
	"image"
	"slices"
	"sync"
	"time"

	"framebridge/capture"
	"framebridge/internal/pix"
)

// ErrClosed is the error of Next and Sample after Close.
var ErrClosed = errors.New("synth: source closed")

// Options describe a scene. The zero value is a still desktop of 1280x800.
type Options struct {
	Scene         Scene  // default Still
	Width, Height int    // default 1280x800
	Seed          uint64 // default 0; scenes of different seeds differ in their details
	// Miss says of a step, counted from 1, that the source does not hear of its
	// drawing: Next will not return it, as with a driver that draws without
	// DAMAGE. Default: none. It is called with the source locked.
	Miss func(step int) bool
}

// maxSide bounds a screen's sides, as X does.
const maxSide = 32767

// Source is a scene. Besides the methods of capture.Source and capture.Sampler
// all may be called at any time from any goroutine.
type Source struct {
	miss func(step int) bool

	mu      sync.Mutex
	img     *pix.Image // the truth
	scene   scene
	steps   int
	damage  pix.Region
	resized bool // whole screen owed
	cursor  bool // its shape is owed
	pointer image.Point
	moved   bool
	err     error

	wake  chan struct{} // capacity 1
	done  chan struct{} // closed with err set
	frame capture.Frame
	pool  [][]byte // memory of patches
}

var (
	_ capture.Source  = (*Source)(nil)
	_ capture.Sampler = (*Source)(nil)
)

// New returns a source that shows the scene's first picture.
func New(o Options) (*Source, error) {
	if o.Width == 0 {
		o.Width = 1280
	}
	if o.Height == 0 {
		o.Height = 800
	}
	for _, c := range []struct {
		name  string
		value int
	}{{"Width", o.Width}, {"Height", o.Height}} {
		if c.value < 1 || c.value > maxSide {
			return nil, fmt.Errorf("synth: %s %d, want 1 to %d", c.name, c.value, maxSide)
		}
	}
	sc, err := o.Scene.new(o.Seed)
	if err != nil {
		return nil, err
	}
	s := &Source{
		miss: o.Miss, scene: sc, img: pix.New(image.Rect(0, 0, o.Width, o.Height)),
		wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	s.start()
	return s, nil
}

// start draws the scene's first picture.
func (s *Source) start() {
	s.scene.start(s.img)
	s.pointer = s.img.Rect.Max.Div(2)
	s.resized, s.cursor, s.moved = true, true, true
	s.damage = pix.Region{}
	s.notify()
}

func (s *Source) notify() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Step draws the scene's next step and returns what it drew on.
func (s *Source) Step() pix.Region {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps++
	var drawn pix.Region
	for _, r := range s.scene.step(s.img) {
		drawn = drawn.Union(pix.RegionOf(r.Intersect(s.img.Rect)))
	}
	if p, ok := s.scene.pointer(s.img.Rect); ok && p != s.pointer {
		s.pointer, s.moved = p, true
	}
	s.report(drawn)
	return drawn
}

func (s *Source) report(drawn pix.Region) {
	if s.miss == nil || !s.miss(s.steps) {
		s.damage = s.damage.Union(drawn)
	}
	if !s.damage.Empty() || s.moved {
		s.notify()
	}
}

// Play steps at every tick until ctx is done.
func (s *Source) Play(ctx context.Context, tick <-chan time.Time) {
	for {
		select {
		case <-tick:
			s.Step()
		case <-ctx.Done():
			return
		}
	}
}

// Draw lets f draw on the screen; it returns the areas that it has drawn on,
// which are reported as damage. It counts as a step.
func (s *Source) Draw(f func(m *pix.Image) []image.Rectangle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps++
	s.report(pix.RegionOf(f(s.img)...).Clip(s.img.Rect))
}

// Resize gives the screen another size and starts the scene anew on it.
func (s *Source) Resize(width, height int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.img = pix.New(image.Rect(0, 0, width, height))
	s.start()
}

// Fail makes Next and Sample return err from now on, as when an X server dies.
func (s *Source) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
		close(s.done)
	}
}

// Close implements capture.Source.
func (s *Source) Close() error {
	s.Fail(ErrClosed)
	return nil
}

// Image returns a copy of the screen as it is.
func (s *Source) Image() *pix.Image {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := *s.img
	m.Pix = slices.Clone(m.Pix)
	return &m
}

// Next implements capture.Source.
func (s *Source) Next(ctx context.Context) (*capture.Frame, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f, err := s.take()
		if f != nil || err != nil {
			return f, err
		}
		select {
		case <-s.wake:
		case <-s.done:
		case <-ctx.Done():
		}
	}
}

// take returns a frame when there is something to show.
func (s *Source) take() (*capture.Frame, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	if s.resized {
		s.damage = pix.RegionOf(s.img.Rect)
	}
	if s.damage.Empty() && !s.moved && !s.cursor {
		return nil, nil
	}
	s.copyOut(s.damage.Rects())
	s.frame.Pointer, s.frame.HavePointer = s.pointer, true
	if s.cursor {
		s.frame.Cursor = arrow()
	}
	s.damage, s.resized, s.moved, s.cursor = pix.Region{}, false, false, false
	return &s.frame, nil
}

// copyOut makes copies of the rectangles the frame: the scene may go on while
// it is in use.
func (s *Source) copyOut(rects []image.Rectangle) {
	s.frame = capture.Frame{Size: s.img.Rect.Max, Patches: s.frame.Patches[:0]}
	for i, r := range rects {
		if i == len(s.pool) {
			s.pool = append(s.pool, nil)
		}
		m := pix.Image{Pix: s.pool[i]}
		m.Reset(r)
		s.pool[i] = m.Pix
		pix.Copy(&m, s.img, r)
		s.frame.Patches = append(s.frame.Patches, m)
	}
}

// Sample implements capture.Sampler.
func (s *Source) Sample(ctx context.Context, areas []image.Rectangle) (*capture.Frame, bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, false, s.err
	}
	var clipped []image.Rectangle
	for _, a := range areas {
		if a = a.Intersect(s.img.Rect); !a.Empty() {
			clipped = append(clipped, a)
		}
	}
	s.copyOut(clipped)
	return &s.frame, s.resized || !s.damage.Empty(), nil
}

// arrow is a small pointer: a black triangle with a white edge.
func arrow() *capture.Cursor {
	const w, h = 10, 16
	c := &capture.Cursor{Size: image.Pt(w, h), Hot: image.Pt(0, 0), Pix: make([]byte, w*h*4)}
	for y := range h {
		for x := range min(w, y*w/h+1) {
			p := c.Pix[(y*w+x)*4:][:4]
			p[3] = 255
			if x == 0 || x == y*w/h || y == h-1 {
				p[0], p[1], p[2] = 255, 255, 255
			}
		}
	}
	return c
}
