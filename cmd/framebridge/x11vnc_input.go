package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"

	"framebridge/capture"
	"framebridge/capture/view"
	"framebridge/input"
	"framebridge/input/xtest"
	"framebridge/internal/x11vnc"
)

// What x11vnc's options make of keys, buttons, the pointer's shape and clipboards
// between the viewers and X.

// useInput sets how keys, clipboards and the keyboard of each display are handled.
func (s *x11vncServer) useInput(b *bridge) {
	in := s.cfg.Input
	b.keyboard = xtest.Options{
		NoModifiers: in.NoModTweak, WithoutXKB: in.NoXKB, NoSpares: in.NoAddKeysyms,
		SkipKeycodes: in.SkipKeycodes, ViewerRepeats: !in.Repeat,
	}
	b.selection.IgnorePrimary = in.NoPrimary
	b.selection.IgnoreClipboard = in.NoClipboard
	b.selection.KeepPrimary = in.NoSetPrimary
	b.selection.KeepClipboard = in.NoSetClipboard
	b.opened = func(d *display) (closed func()) {
		s.mu.Lock()
		s.injector = d.injector
		if s.view != nil {
			d.sink = &view.Sink{View: s.view, Sink: d.sink}
		}
		s.mu.Unlock()
		unwatch := s.watchDisplay()
		clearKeys := func() {
			if in.ClearKeys || in.ClearMods || in.ClearLocks {
				if err := d.injector.ReleaseKeys(!in.ClearKeys, in.ClearLocks); err != nil {
					s.log.Debug("cannot release keys", "error", err)
				}
			}
		}
		clearKeys()
		s.keyboardFor()
		return func() {
			unwatch()
			clearKeys()
			s.mu.Lock()
			s.injector = nil
			s.mu.Unlock()
		}
	}
}

// keyboardFor turns X's auto-repeat off while there are viewers, and on after them.
// With it a key whose release is late on the way types too much.
func (s *x11vncServer) keyboardFor() {
	// Viewers come and go at the same time: whoever is last here must see who is
	// there now.
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.injector == nil {
		return
	}
	if err := s.injector.HoldRepeat(s.viewers() > 0 && !s.now().Input.Repeat); err != nil {
		s.log.Debug("cannot switch auto-repeat", "error", err)
	}
}

// filter puts what the options say about keys and buttons before sink.
func (s *x11vncServer) filter(sink input.Sink) (input.Sink, error) {
	in := s.cfg.Input
	f := &inputFilter{Sink: sink, log: s.log, cfg: &s.cfg.Input}
	if in.Remap != "" {
		var err error
		if f.keys, f.clicks, err = readRemap(in.Remap); err != nil {
			return nil, fmt.Errorf("-remap %s: %w", x11vnc.Printable(in.Remap), err)
		}
	}
	if in.ButtonMap != "" {
		f.buttons, _ = x11vnc.ParseButtonMap(in.ButtonMap) // it was checked when it was read
	}
	if f.buttons == nil && f.keys == nil && f.clicks == nil && !in.SkipLockKeys && !in.DebugKeys && !in.DebugPtr {
		return sink, nil
	}
	return f, nil
}

// maxRemap bounds a file of keys.
const maxRemap = 256 << 10

// readRemap reads -remap's value, or the file that it names: what keys become, and
// which buttons keys click. A key that becomes 0 does nothing.
func readRemap(v string) (keys map[uint32]uint32, clicks map[uint32][]int, err error) {
	if st, err := os.Stat(v); err == nil && st.Size() <= maxRemap && !st.IsDir() {
		b, err := os.ReadFile(v)
		if err != nil {
			return nil, nil, pathReason(err)
		}
		v = string(b)
	} else if strings.Contains(v, "/") {
		return nil, nil, errors.New("is no file of keys")
	}
	pairs, err := x11vnc.ParseRemap(v)
	if err != nil {
		return nil, nil, err
	}
	keys, clicks = map[uint32]uint32{}, map[uint32][]int{}
	for _, p := range pairs {
		from, ok := input.KeysymByName(p[0])
		if !ok {
			return nil, nil, fmt.Errorf("there is no key %s", x11vnc.Printable(p[0]))
		}
		if b, ok := x11vnc.Clicks(p[1]); ok {
			clicks[from] = b
			continue
		}
		to, ok := input.KeysymByName(p[1])
		if !ok && p[1] != "NoSymbol" && p[1] != "None" {
			return nil, nil, fmt.Errorf("there is no key %s", x11vnc.Printable(p[1]))
		}
		keys[from] = to
	}
	return keys, clicks, nil
}

// inputFilter changes keys and buttons on their way.
type inputFilter struct {
	input.Sink
	log     *slog.Logger
	cfg     *x11vnc.InputCfg
	buttons map[int]x11vnc.Button
	keys    map[uint32]uint32 // what keysyms become; 0: nothing
	clicks  map[uint32][]int  // buttons that keysyms click

	mu   sync.Mutex
	mask uint16 // as viewers have it
	x, y int    // where the pointer is, as viewers have it
	out  uint16 // the buttons as they were passed on
}

// Keysyms of keys that lock (keysymdef.h).
var lockKeysyms = map[uint32]bool{
	0xffe5: true, // Caps_Lock
	0xffe6: true, // Shift_Lock
	0xff7f: true, // Num_Lock
	0xff14: true, // Scroll_Lock
}

// Key implements input.Sink.
func (f *inputFilter) Key(keysym, code uint32, down bool) error {
	if f.cfg.DebugKeys {
		f.log.Info("key", "keysym", keysym, "scancode", code, "down", down)
	}
	if f.cfg.SkipLockKeys && lockKeysyms[keysym] {
		return nil
	}
	if buttons, ok := f.clicks[keysym]; ok {
		if !down {
			return nil
		}
		return f.click(buttons)
	}
	if to, ok := f.keys[keysym]; ok {
		if to == 0 {
			return nil
		}
		keysym, code = to, 0 // the scancode would bring the old meaning
	}
	return f.Sink.Key(keysym, code, down)
}

// Pointer implements input.Sink.
func (f *inputFilter) Pointer(x, y int, buttons uint16) error {
	if f.cfg.DebugPtr {
		f.log.Info("pointer", "x", x, "y", y, "buttons", buttons)
	}
	f.mu.Lock()
	pressed := buttons &^ f.mask
	f.mask, f.x, f.y = buttons, x, y
	f.mu.Unlock()
	var out uint16
	var keys []string
	for n := 1; n <= 16; n++ {
		bit := uint16(1) << (n - 1)
		if buttons&bit == 0 {
			continue
		}
		to, ok := f.buttons[n]
		switch {
		case !ok:
			out |= bit
		case to.To > 0:
			out |= 1 << (to.To - 1)
		case pressed&bit != 0:
			keys = append(keys, to.Keys...)
		}
	}
	f.mu.Lock()
	f.out = out
	f.mu.Unlock()
	if err := f.Sink.Pointer(x, y, out); err != nil {
		return err
	}
	return f.tap(keys)
}

// click presses and releases buttons, one after the other, where the pointer is.
func (f *inputFilter) click(buttons []int) error {
	f.mu.Lock()
	x, y, out := f.x, f.y, f.out
	f.mu.Unlock()
	for _, n := range buttons {
		for _, mask := range []uint16{out | 1<<(n-1), out &^ (1 << (n - 1))} {
			if err := f.Sink.Pointer(x, y, mask); err != nil {
				return err
			}
		}
	}
	return nil
}

// tap presses and releases keys one after the other. A modifier is held until it
// comes again, or to the end; ButtonN clicks.
func (f *inputFilter) tap(names []string) error {
	var held []uint32
	for _, name := range names {
		if buttons, ok := x11vnc.Clicks(name); ok {
			if err := f.click(buttons); err != nil {
				return err
			}
			continue
		}
		k, ok := input.KeysymByName(name)
		if !ok {
			f.log.Warn("-buttonmap: no such key", "key", name)
			continue
		}
		if i := slices.Index(held, k); i >= 0 {
			held = slices.Delete(held, i, i+1)
			if err := f.Sink.Key(k, 0, false); err != nil {
				return err
			}
			continue
		}
		if err := f.Sink.Key(k, 0, true); err != nil {
			return err
		}
		if input.IsModifier(k) {
			held = append(held, k)
			continue
		}
		if err := f.Sink.Key(k, 0, false); err != nil {
			return err
		}
	}
	for i := len(held) - 1; i >= 0; i-- {
		if err := f.Sink.Key(held[i], 0, false); err != nil {
			return err
		}
	}
	return nil
}

// wrapSource changes what the display shows: the pointer's shape, and the picture.
func (s *x11vncServer) wrapSource(src capture.Source) capture.Source {
	size := image.Point{}
	if sized, ok := src.(interface{ Size() image.Point }); ok {
		size = sized.Size()
	}
	return s.viewOf(s.withCursor(src), size)
}

// withCursor gives the pointer the shape of the options.
func (s *x11vncServer) withCursor(src capture.Source) capture.Source {
	var shape *capture.Cursor
	switch p := s.cfg.Picture; {
	case p.NoCursor:
		return src
	case p.Cursor == "X":
		shape = drawCursor(crossShape, image.Pt(7, 7))
	case p.Cursor == "arrow" || p.NoFixes:
		shape = drawCursor(arrowShape, image.Pt(0, 0))
	default:
		return src
	}
	w := &ownCursor{Source: src, shape: shape}
	if sampler, ok := src.(capture.Sampler); ok {
		return &ownCursorSampler{w, sampler}
	}
	return w
}

// ownCursor is a source whose pointer always has the same shape.
type ownCursor struct {
	capture.Source
	shape *capture.Cursor
	told  bool
}

// Next implements capture.Source.
func (w *ownCursor) Next(ctx context.Context) (*capture.Frame, error) {
	f, err := w.Source.Next(ctx)
	if err != nil {
		return f, err
	}
	f.Cursor = nil
	if !w.told {
		w.told, f.Cursor = true, w.shape
	}
	return f, nil
}

// ownCursorSampler is an ownCursor of a source that can be sampled.
type ownCursorSampler struct {
	*ownCursor
	capture.Sampler
}

// Shapes: # is black, . white, the rest transparent.
const (
	arrowShape = `
##
#.#
#..#
#...#
#....#
#.....#
#......#
#.......#
#........#
#.....####
#..#..#
#.# #..#
##  #..#
     #..#
     #..#
      ##`
	crossShape = `
##           ##
#.#         #.#
 #.#       #.#
  #.#     #.#
   #.#   #.#
    #.# #.#
     #.#.#
      #.#
     #.#.#
    #.# #.#
   #.#   #.#
  #.#     #.#
 #.#       #.#
#.#         #.#
##           ##`
)

func drawCursor(shape string, hot image.Point) *capture.Cursor {
	rows := strings.Split(strings.TrimPrefix(shape, "\n"), "\n")
	size := image.Pt(0, len(rows))
	for _, r := range rows {
		size.X = max(size.X, len(r))
	}
	c := &capture.Cursor{Size: size, Hot: hot, Pix: make([]byte, size.X*size.Y*4)}
	for y, r := range rows {
		for x, v := range []byte(r) {
			p := c.Pix[(y*size.X+x)*4:]
			switch v {
			case '#':
				p[3] = 255
			case '.':
				p[0], p[1], p[2], p[3] = 255, 255, 255, 255
			}
		}
	}
	return c
}
