// Package xshm captures an X display: DAMAGE says where, MIT-SHM brings the
// pixels through memory shared with the server, without a copy of our own.
//
// A capture is two rounds with the server. The first moves the damage to a
// region and reads that (see x11.Monitor); the second asks for the pixels of
// all its rectangles at once, each into its own part of the shared segment.
// Frames are views of the segment.
package xshm

import (
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"runtime"
	"sync"

	"github.com/BurntSushi/xgb"
	"github.com/BurntSushi/xgb/xproto"

	"framebridge/capture"
	"framebridge/internal/pix"
	"framebridge/internal/x11"
)

// Method is a way for pixels to get here.
type Method string

const (
	// Auto is the first of the others that works, in their order.
	Auto Method = "auto"
	// ShmFd is MIT-SHM 1.2 with a file descriptor passed over the unix socket: it
	// works across containers and users.
	ShmFd Method = "shmfd"
	// Shm is MIT-SHM with a SysV segment: server and we must share an IPC
	// namespace, and the server's user must be ours or root.
	Shm Method = "shm"
	// GetImage sends pixels through the socket: for X over TCP.
	GetImage Method = "getimage"
)

// Options of Open. The zero value captures $DISPLAY in the best way there is.
type Options struct {
	Display  string       // display name; default $DISPLAY
	AuthFile string       // Xauthority file; default $XAUTHORITY, then ~/.Xauthority
	Method   Method       // default Auto
	Logger   *slog.Logger // default slog.Default()
}

// Source captures an X screen. It implements capture.Source and
// capture.Sampler.
type Source struct {
	conn *x11.Conn
	mon  *x11.Monitor
	log  *slog.Logger
	want Method
	grab *grabber
	conv *x11.Converter

	mu     sync.Mutex // held by Next and Sample; Close waits for it
	size   image.Point
	logged map[Method]bool  // methods whose failure has been logged
	cursor *x11.CursorImage // new and not yet in a frame
	areas  []image.Rectangle

	// The frame returned last lies in the Source itself, so that whoever uses it
	// keeps the Source, and with it the shared memory, from being collected.
	frame   capture.Frame
	array   [x11.MaxRects]pix.Image
	patches []pix.Image // of array, where it is long enough
	scratch [maxScratch]pix.Image
}

// maxScratch is how many converted patches keep their memory between frames.
const maxScratch = 8

var (
	_ capture.Source  = (*Source)(nil)
	_ capture.Sampler = (*Source)(nil)
)

// Open connects to a display and sets up its capture.
func Open(ctx context.Context, o Options) (*Source, error) {
	switch o.Method {
	case "":
		o.Method = Auto
	case Auto, ShmFd, Shm, GetImage:
	default:
		return nil, fmt.Errorf("capture: Method %q, want %s, %s, %s or %s", o.Method, Auto, ShmFd, Shm, GetImage)
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	conn, err := x11.Dial(ctx, x11.Options{Display: o.Display, AuthFile: o.AuthFile, Logger: o.Logger})
	if err != nil {
		return nil, err
	}
	s := &Source{conn: conn, log: o.Logger, want: o.Method, logged: map[Method]bool{}}
	if err := s.open(ctx); err != nil {
		conn.Close()
		if s.grab != nil {
			s.grab.mapping.free()
		}
		return nil, err
	}
	// Close cannot know whether a frame is still being read, so the segment goes
	// when nobody can.
	runtime.AddCleanup(s, func(g *mapping) { g.free() }, s.grab.mapping)
	return s, nil
}

func (s *Source) open(ctx context.Context) error {
	format, err := s.conn.PixelFormat()
	if err != nil {
		return err
	}
	if s.conv, err = x11.NewConverter(format); err != nil {
		return err
	}
	screen := s.conn.Screen()
	s.grab = &grabber{conn: s.conn, root: s.conn.Root(), format: format, mapping: &mapping{}}
	s.size = image.Pt(int(screen.WidthInPixels), int(screen.HeightInPixels))
	if err := s.attach(ctx); err != nil {
		return err
	}
	s.mon, err = s.conn.NewMonitor(ctx)
	return err
}

// Method returns the way that pixels come. It may change when the screen is
// resized.
func (s *Source) Method() Method {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.grab.method
}

// Size returns the screen's size at the time of the last frame, at first that of
// the opening. It waits for a Next that is under way.
func (s *Source) Size() image.Point {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size
}

// attach makes a segment for the screen's size, in the first way that works.
func (s *Source) attach(ctx context.Context) error {
	methods := []Method{s.want}
	if s.want == Auto {
		methods = []Method{ShmFd, Shm, GetImage}
	}
	var err error
	for _, m := range methods {
		if err = s.grab.attach(ctx, m, s.size); err == nil {
			s.log.Debug("capture", "method", m, "size", s.size)
			return nil
		}
		if s.conn.Err() != nil || ctx.Err() != nil {
			return err
		}
		if s.want == Auto && !s.logged[m] {
			s.logged[m] = true
			s.log.Info("capture method does not work here, trying the next", "method", m, "reason", err)
		}
	}
	return fmt.Errorf("capture with %s: %w", s.want, err)
}

// Next implements capture.Source.
func (s *Source) Next(ctx context.Context) (*capture.Frame, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tries := 0
	for {
		u, err := s.mon.Next(ctx)
		if err == nil {
			if err = s.use(ctx, u); err == nil {
				return &s.frame, nil
			}
			s.mon.Owe() // the update's damage is not the server's any more
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var xerr xgb.Error
		tries++
		switch {
		case s.conn.Err() != nil:
			return nil, s.conn.Err()
		case errors.As(err, new(xproto.MatchError)) && tries < resizeTries:
			// The usual cause is a screen that has just shrunk.
			s.mon.OweSize()
		case errors.As(err, &xerr) && tries < 2:
		default:
			return nil, fmt.Errorf("capture: %w", err)
		}
		s.log.Debug("capture failed, once more", "error", err)
	}
}

// resizeTries bounds how often a capture is begun anew because the screen was
// smaller than expected. Each time its size is asked for again, so more than a
// few need someone who resizes without a pause.
const resizeTries = 20

// use makes an update the frame.
func (s *Source) use(ctx context.Context, u x11.Update) error {
	if u.Cursor != nil {
		s.cursor = u.Cursor.Clamp(capture.MaxCursorSide) // kept until a frame takes it along
	}
	if u.Size != s.size || s.grab.method == "" {
		s.size = u.Size
		if err := s.attach(ctx); err != nil {
			return err
		}
	}
	if err := s.fetch(ctx, u.Damage, u.All); err != nil {
		return err
	}
	s.frame = capture.Frame{Size: s.size, Patches: s.patches, Pointer: u.Pointer, HavePointer: u.HavePointer}
	if s.cursor != nil {
		s.frame.Cursor = (*capture.Cursor)(s.cursor)
		s.cursor = nil
	}
	return nil
}

// fetch makes the pixels of rects, which lie inside the screen, the patches. all
// says that they are the whole screen.
func (s *Source) fetch(ctx context.Context, rects []image.Rectangle, all bool) error {
	s.patches = s.array[:0]
	if len(rects) == 0 {
		return nil
	}
	colours := s.conv.QueueColours(s.conn)
	parts, err := s.grab.fetch(ctx, rects)
	if err != nil {
		return err
	}
	if colours != nil {
		r, err := colours.Wait(ctx)
		if err != nil {
			return err
		}
		if s.conv.SetColours(r) && !all {
			s.mon.Owe() // pixels that have not changed look different now
		}
	}
	for i, p := range parts {
		s.patches = append(s.patches, s.patch(i, p))
	}
	return nil
}

// patch returns a part of the segment as BGRX.
func (s *Source) patch(i int, p part) pix.Image {
	if s.conv.Identity {
		return pix.Image{Pix: p.mem, Stride: p.stride, Rect: p.rect}
	}
	var m pix.Image
	if i < len(s.scratch) {
		m = s.scratch[i]
	}
	m.Reset(p.rect)
	if i < len(s.scratch) {
		s.scratch[i] = m
	}
	s.conv.Convert(m.Pix, p.mem, p.rect.Dx(), p.rect.Dy(), p.stride)
	return m
}

// Sample implements capture.Sampler.
func (s *Source) Sample(ctx context.Context, areas []image.Rectangle) (*capture.Frame, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	screen := image.Rectangle{Max: s.size}
	s.areas = s.areas[:0]
	for _, a := range areas {
		if a = a.Intersect(screen); !a.Empty() {
			s.areas = append(s.areas, a)
		}
	}
	err := s.fetch(ctx, s.areas, false)
	// The connection handles replies and events in the order of the stream, so
	// all drawing that the pixels can show has been heard of by now.
	pending := s.mon.Pending()
	var xerr xgb.Error
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return nil, pending, ctx.Err()
	case s.conn.Err() != nil:
		return nil, pending, s.conn.Err()
	case errors.As(err, &xerr):
		// The screen has shrunk; the next Next sees to it.
		s.mon.OweSize()
		s.patches, pending = nil, true
	default:
		return nil, pending, fmt.Errorf("capture: %w", err)
	}
	s.frame = capture.Frame{Size: s.size, Patches: s.patches}
	return &s.frame, pending, nil
}

// Close implements capture.Source.
func (s *Source) Close() error {
	s.conn.Abort() // makes Next and Sample return
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mon.Close()
	return s.conn.Close()
}
