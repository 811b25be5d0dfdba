package main

import (
	"context"
	"fmt"
	"image"
	"strings"
	"sync"

	"framebridge/capture"
	"framebridge/capture/view"
	"framebridge/input"
	"framebridge/internal/x11vnc"
)

// What part of the picture viewers see, how large, and which way up.

// viewOptions returns what the options say about the picture. A monitor or window
// that it is the part of is not known before the display is.
func viewOptions(p *x11vnc.Picture) (o view.Options, err error) {
	wrong := func(option, value string, err error) error {
		return fmt.Errorf("%s %s: %w", option, x11vnc.Printable(value), err)
	}
	if p.Clip != "" && !strings.HasPrefix(p.Clip, monitorPrefix) {
		if o.Clip, err = view.ParseGeometry(p.Clip); err != nil {
			return o, wrong("-clip", p.Clip, err)
		}
	}
	if p.Blackout != "" {
		if o.Blackout, o.KeepOut, err = view.ParseBlackout(p.Blackout); err != nil {
			return o, wrong("-blackout", p.Blackout, err)
		}
	}
	if p.Scale != "" {
		if o.Scale, err = view.ParseScale(p.Scale); err != nil {
			return o, wrong("-scale", p.Scale, err)
		}
	}
	if p.ScaleCursor != "" {
		scale, err := view.ParseScale(p.ScaleCursor)
		if err != nil {
			return o, wrong("-scale_cursor", p.ScaleCursor, err)
		}
		if scale == (view.Scale{}) {
			scale = view.Scale{X: 1, Y: 1}
		}
		o.ScaleCursor = &scale
	}
	if p.Rotate != "" {
		if o.Rotation, o.KeepCursor, err = view.ParseRotation(p.Rotate); err != nil {
			return o, wrong("-rotate", p.Rotate, err)
		}
	}
	o.Blank = p.NoPicture
	return o, nil
}

// monitorPrefix begins -clip's value when that is a monitor.
const monitorPrefix = "xinerama"

// viewOf shows a display as the options say. Also without any it can be changed
// later, by remote control.
func (s *x11vncServer) viewOf(src capture.Source, size image.Point) capture.Source {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := view.New(src, s.show)
	if err != nil {
		// Showing all where a part was asked for would be worse than nothing.
		return failed{src, err}
	}
	v.Expect(size)
	s.view = v
	return v
}

// failed is a source that cannot be shown as it was to be.
type failed struct {
	capture.Source
	err error
}

func (f failed) Next(context.Context) (*capture.Frame, error) { return nil, f.err }

// setView changes what viewers see.
func (s *x11vncServer) setView(change func(o *view.Options) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.show
	if err := change(&o); err != nil {
		return err
	}
	if s.view != nil {
		if err := s.view.Set(o); err != nil {
			return err
		}
	}
	s.show = o
	return nil
}

// viewOnlySink takes no input while remote control says so. What is held can be
// released.
type viewOnlySink struct {
	input.Sink
	s *x11vncServer

	mu   sync.Mutex
	x, y int
	held uint16
}

func (f *viewOnlySink) Key(keysym, code uint32, down bool) error {
	if down && f.s.now().ViewOnly {
		return nil
	}
	return f.Sink.Key(keysym, code, down)
}

func (f *viewOnlySink) Pointer(x, y int, buttons uint16) error {
	only := f.s.now().ViewOnly
	f.mu.Lock()
	if !only {
		f.x, f.y, f.held = x, y, buttons
		f.mu.Unlock()
		return f.Sink.Pointer(x, y, buttons)
	}
	// What is held is let go of, where it was.
	held := f.held
	x, y, f.held = f.x, f.y, 0
	f.mu.Unlock()
	if held == 0 {
		return nil
	}
	return f.Sink.Pointer(x, y, 0)
}

// viewOnlyClipboard does not let viewers' clipboards in then.
type viewOnlyClipboard struct {
	clipsOf
	s *x11vncServer
}

func (c viewOnlyClipboard) SetText(text string) error {
	if c.s.now().ViewOnly {
		return nil
	}
	return c.clipsOf.SetText(text)
}

// now returns the configuration as it is now.
func (s *x11vncServer) now() *x11vnc.Config { return s.live.Load() }

// change changes the configuration. Readers keep what they have.
func (s *x11vncServer) change(f func(c *x11vnc.Config) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := *s.live.Load()
	if err := f(&c); err != nil {
		return err
	}
	s.live.Store(&c)
	return nil
}
