package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"framebridge/capture/rawfb"
	"framebridge/internal/x11vnc"
)

// -rawfb: pixels that are not an X server's.

// useRawFB makes the bridge show memory in place of a display.
func (s *x11vncServer) useRawFB(b *bridge) error {
	name := strings.TrimPrefix(s.cfg.Picture.RawFB, "+") // the display would stay open, which has no use here
	if command, ok := strings.CutPrefix(name, "setup:"); ok {
		if !s.mayRun("setup") {
			return fmt.Errorf("-rawfb setup: no commands are allowed")
		}
		out, code, err := s.hooks.run(context.Background(), command, nil, nil)
		if err == nil && code != 0 {
			err = fmt.Errorf("exit code %d", code)
		}
		if err != nil {
			return fmt.Errorf("-rawfb setup: %w", err)
		}
		name, _, _ = strings.Cut(string(out), "\n")
	}
	spec, err := rawfb.Parse(strings.TrimSpace(name))
	if err != nil {
		return fmt.Errorf("-rawfb %s: %w", x11vnc.Printable(name), err)
	}
	open := func() (*rawfb.Source, error) {
		src, err := rawfb.Open(spec, s.cfg.Picture.Wait)
		if err != nil {
			return nil, fmt.Errorf("-rawfb %s: %w", x11vnc.Printable(name), err)
		}
		return src, nil
	}
	// What is wrong is said at once.
	probe, err := open()
	if err != nil {
		return err
	}
	probe.Close()
	b.opened = nil
	b.other = func(context.Context) (*display, error) {
		src, err := open()
		if err != nil {
			return nil, permanent{err}
		}
		d := &display{source: b.wrap(src), sink: nowhere{}, gone: make(chan struct{})}
		d.closers = append(d.closers, io.Closer(d.source))
		return d, nil
	}
	return nil
}

// nowhere is where input goes that nothing can act on.
type nowhere struct{}

func (nowhere) Key(uint32, uint32, bool) error { return nil }
func (nowhere) Pointer(int, int, uint16) error { return nil }
