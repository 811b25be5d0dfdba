// Package view shows a source's picture as something else: a part of it, larger
// or smaller, turned, with parts blackened.
//
// # Order
//
// The clip comes first, then what is blacked out (in the source's coordinates),
// then the scale, then the rotation, as x11vnc has them. The pointer goes the
// same way, and what viewers do with it goes back through Sink.
//
// # Damage
//
// Without scaling, rotation and blackout patches are views of the source's. Else
// the part of the source that is shown is kept, patches are copied into it, and
// only the pixels that depend on them are made again. Which these are is known
// exactly: the tables that say what each pixel is made of (see scale.go) say so.
// A picture that grew patch by patch is therefore the same as one made at once.
package view

import (
	"context"
	"errors"
	"fmt"
	"image"
	"sync"
	"sync/atomic"

	"framebridge/capture"
	"framebridge/internal/pix"
)

// Options say what is shown. The zero value shows everything as it is.
type Options struct {
	// Clip is the part that is shown; zero: all of it. What lies outside the
	// source is left out; if nothing is left the picture is black.
	Clip Geometry
	// Blackout lists areas that are black, in the source's coordinates.
	Blackout []Geometry
	// KeepOut keeps viewers' pointers out of the areas of Blackout.
	KeepOut bool
	// Scale is the picture's size.
	Scale Scale
	// ScaleCursor is the scale of the pointer's shape; nil: Scale's.
	ScaleCursor *Scale
	// Rotation turns and mirrors the picture.
	Rotation Rotation
	// KeepCursor leaves the pointer's shape as it is under Rotation.
	KeepCursor bool
	// Blank makes the picture black.
	Blank bool
}

// plain reports whether patches can stay as they are but for their place.
func (o *Options) plain() bool {
	return len(o.Blackout) == 0 && o.Scale == (Scale{}) && o.Rotation == 0 && !o.Blank
}

// Source is what a View is a view of.
type Source interface {
	capture.Source
	capture.Sampler
}

// View is a capture.Source and capture.Sampler that shows another one. Set may
// be called at any time.
type View struct {
	src Source

	set struct {
		sync.Mutex
		options Options
		changed bool
		wake    context.CancelFunc // of the Next that waits
	}
	placed atomic.Pointer[placement] // for Sink: the one in use

	// What follows belongs to the caller of Next and Sample.

	mu      sync.Mutex
	opts    Options
	size    image.Point // of the source; zero before the first frame
	p       *placement
	kept    *pix.Image // the source's pixels in the clip; nil when plain
	out     *pix.Image // the picture; kept itself when it is the same
	frame   capture.Frame
	patches []pix.Image
	areas   []image.Rectangle
	rows    resampler
	cursor  *capture.Cursor // the source's
	pointer image.Point     // the source's
	known   bool            // pointer is known
	fresh   bool            // all of the picture is owed
}

var (
	_ capture.Source  = (*View)(nil)
	_ capture.Sampler = (*View)(nil)
)

// errNotSampler is for a source that cannot be asked for pixels.
var errNotSampler = errors.New("view: the source cannot be sampled")

// New returns a view of src, which must also be a capture.Sampler. It closes src
// when it is closed.
func New(src capture.Source, o Options) (*View, error) {
	s, ok := src.(Source)
	if !ok {
		return nil, errNotSampler
	}
	if err := o.check(image.Point{}); err != nil {
		return nil, err
	}
	v := &View{src: s, opts: o}
	v.set.options = o
	return v, nil
}

// Expect says which size the source will have, for who asks for the Placement
// before its first frame.
func (v *View) Expect(size image.Point) {
	v.set.Lock()
	defer v.set.Unlock()
	v.foresee(size)
}

// foresee makes the placement that the next frame will have known. v.set is held.
func (v *View) foresee(size image.Point) {
	if size == (image.Point{}) {
		return
	}
	if p, err := v.set.options.place(size); err == nil {
		v.placed.Store(p)
	}
}

// Options returns the options last set.
func (v *View) Options() Options {
	v.set.Lock()
	defer v.set.Unlock()
	return v.set.options
}

// Set changes what is shown. The next frame has all of it.
func (v *View) Set(o Options) error {
	size := image.Point{}
	if p := v.placed.Load(); p != nil {
		size = p.source
	}
	if err := o.check(size); err != nil {
		return err
	}
	v.set.Lock()
	defer v.set.Unlock()
	v.set.options, v.set.changed = o, true
	v.foresee(size)
	if v.set.wake != nil {
		v.set.wake()
	}
	return nil
}

// errSet ends the wait for the source when the options have changed.
var errSet = errors.New("view: set")

// begin returns a context for a wait that Set ends, and whether it was called
// since the last time.
func (v *View) begin(ctx context.Context) (context.Context, func(), bool) {
	ctx, cancel := context.WithCancelCause(ctx)
	v.set.Lock()
	changed := v.set.changed
	v.set.changed = false
	v.opts = v.set.options
	v.set.wake = func() { cancel(errSet) }
	v.set.Unlock()
	return ctx, func() {
		v.set.Lock()
		v.set.wake = nil
		v.set.Unlock()
		cancel(nil)
	}, changed
}

// Next implements capture.Source.
func (v *View) Next(ctx context.Context) (*capture.Frame, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for {
		wctx, done, changed := v.begin(ctx)
		if changed && v.p != nil {
			done()
			if err := v.again(ctx); err != nil {
				v.owe()
				return nil, err
			}
			return &v.frame, nil
		}
		f, err := v.src.Next(wctx)
		interrupted := err != nil && ctx.Err() == nil && errors.Is(context.Cause(wctx), errSet)
		done()
		if interrupted && errors.Is(err, context.Canceled) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if f.Size != v.size {
			if err := v.place(f.Size); err != nil {
				return nil, err
			}
		}
		v.use(f)
		if len(v.patches) == 0 && v.frame.Cursor == nil && !v.frame.HavePointer {
			continue // all of it happened where nobody looks
		}
		return &v.frame, nil
	}
}

// owe has the next Next show everything: for one that could not.
func (v *View) owe() {
	v.set.Lock()
	v.set.changed = true
	v.set.Unlock()
}

// again makes a frame of everything.
func (v *View) again(ctx context.Context) error {
	if err := v.place(v.size); err != nil {
		return err
	}
	f, _, err := v.src.Sample(ctx, []image.Rectangle{v.p.clip})
	if err != nil {
		return err
	}
	if f.Size != v.size {
		// The source has another size: its Next is about to say so, with all pixels.
		// Until then there is nothing to show but black.
		f = &capture.Frame{Size: v.size}
	}
	whole := *f
	whole.Cursor, whole.Pointer, whole.HavePointer = v.cursor, v.pointer, v.known
	v.use(&whole)
	switch {
	case v.kept != nil:
		v.patches = append(v.patches[:0], *v.out)
	case len(v.patches) == 0:
		v.patches = append(v.patches, *pix.New(image.Rectangle{Max: v.p.size}))
	}
	v.frame.Patches = v.patches
	return nil
}

// place works out what goes where for a source of the given size. The picture
// begins black.
func (v *View) place(size image.Point) error {
	p, err := v.opts.place(size)
	if err != nil {
		return err
	}
	v.size, v.p = size, p
	v.placed.Store(p)
	v.kept, v.out, v.fresh = nil, nil, true
	if v.opts.plain() && !p.nothing {
		return nil
	}
	v.kept = pix.New(p.clip)
	v.out = pix.New(image.Rectangle{Max: p.size})
	return nil
}

// use makes a frame of the source the view's.
func (v *View) use(f *capture.Frame) {
	v.patches = v.patches[:0]
	v.frame = capture.Frame{Size: v.p.size}
	switch {
	case v.kept == nil:
		for i := range f.Patches {
			if m := f.Patches[i].Sub(v.p.clip); !m.Rect.Empty() {
				m.Rect = m.Rect.Sub(v.p.clip.Min)
				v.patches = append(v.patches, m)
			}
		}
	case v.p.nothing || v.opts.Blank:
		if v.fresh { // black it is, and stays
			v.patches = append(v.patches, *v.out)
		}
	default:
		v.patches = v.keep(f, nil)
	}
	v.frame.Patches, v.fresh = v.patches, false
	if f.Cursor != nil {
		v.cursor = f.Cursor
		v.frame.Cursor = v.p.shape(f.Cursor)
	}
	if f.HavePointer {
		v.pointer, v.known = f.Pointer, true
		v.frame.Pointer, v.frame.HavePointer = v.p.forward(f.Pointer), true
	}
}

// keep takes over the frame's pixels and returns patches of what they change in
// the picture, and of what is asked for besides, in the picture's coordinates.
func (v *View) keep(f *capture.Frame, asked []image.Rectangle) []pix.Image {
	rects := v.areas[:0]
	for i := range f.Patches {
		r := f.Patches[i].Rect.Intersect(v.p.clip)
		if r.Empty() {
			continue
		}
		pix.Copy(v.kept, &f.Patches[i], r)
		for _, b := range v.p.black {
			v.kept.Fill(b.Intersect(r), 0)
		}
		if out := v.p.depends(r); !out.Empty() && asked == nil {
			rects = append(rects, out)
		}
	}
	rects = append(rects, asked...)
	v.areas = rects
	patches := v.patches[:0]
	// Rectangles that share pixels are made once.
	for _, r := range pix.RegionOf(rects...).Rects() {
		v.rows.make(v.out, r, v.kept, v.p)
		patches = append(patches, v.out.Sub(r))
	}
	return patches
}

// Sample implements capture.Sampler.
func (v *View) Sample(ctx context.Context, areas []image.Rectangle) (*capture.Frame, bool, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.p == nil {
		// Before the first frame nothing is known of sizes: all is pending.
		return &capture.Frame{}, true, ctx.Err()
	}
	v.patches = v.patches[:0]
	screen := image.Rectangle{Max: v.p.size}
	var asked, from []image.Rectangle
	for _, a := range areas {
		if a = a.Intersect(screen); !a.Empty() {
			asked = append(asked, a)
			if !v.p.nothing {
				from = append(from, v.p.needs(a))
			}
		}
	}
	if v.kept != nil {
		from = pix.RegionOf(from...).Rects() // a row may be needed for several
	}
	f, pending, err := v.src.Sample(ctx, from)
	if err != nil {
		return nil, pending, err
	}
	v.set.Lock()
	pending = pending || v.set.changed
	v.set.Unlock()
	v.frame = capture.Frame{Size: v.p.size}
	switch {
	case f.Size != v.size:
		v.frame.Patches = nil
		return &v.frame, true, nil
	case v.kept == nil:
		v.use(&capture.Frame{Size: f.Size, Patches: f.Patches})
		v.patches = cut(v.patches, asked)
	case v.p.nothing || v.opts.Blank:
		for _, a := range asked {
			v.patches = append(v.patches, v.out.Sub(a))
		}
	default:
		v.patches = v.keep(f, asked)
	}
	v.frame.Patches = v.patches
	return &v.frame, pending, nil
}

// cut leaves of patches what was asked for: a source may bring more.
func cut(patches []pix.Image, asked []image.Rectangle) []pix.Image {
	var out []pix.Image
	for i := range patches {
		for _, a := range asked {
			if m := patches[i].Sub(a); !m.Rect.Empty() {
				out = append(out, m)
			}
		}
	}
	return out
}

// Close implements capture.Source.
func (v *View) Close() error { return v.src.Close() }

// check finds values that no source could make right, and for a source of a
// known size those that do not fit it.
func (o *Options) check(size image.Point) error {
	if o.Rotation >= rotations {
		return fmt.Errorf("view: Rotation %d, want one of the constants", o.Rotation)
	}
	if err := o.Scale.check(); err != nil {
		return fmt.Errorf("view: Scale: %w", err)
	}
	if o.ScaleCursor != nil {
		if err := o.ScaleCursor.check(); err != nil {
			return fmt.Errorf("view: ScaleCursor: %w", err)
		}
	}
	if size == (image.Point{}) {
		return nil
	}
	_, err := o.place(size)
	return err
}
