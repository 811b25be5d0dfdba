// Package fbdir captures the screen of an Xvfb that was started with -fbdir: its
// framebuffer is a file, which is mapped here. DAMAGE, cursor and size come from
// the X connection; no pixel goes through it, and none is copied.
//
// The patches of a frame are views of the mapping, so that the server may draw
// while they are read: a patch can show a later state than that of its Next, or
// a drawing half done. Both are repaired by the damage of that drawing, which
// the following Next returns. A reader must only not assume that it sees the
// same twice: who compares pixels and then copies them may copy others than it
// compared, newer ones.
package fbdir

import (
	"context"
	"fmt"
	"image"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"

	"framebridge/capture"
	"framebridge/internal/pix"
	"framebridge/internal/x11"
)

// Options of Open.
type Options struct {
	Dir      string       // the directory given to Xvfb's -fbdir
	Display  string       // display name; default $DISPLAY
	AuthFile string       // Xauthority file; default $XAUTHORITY, then ~/.Xauthority
	Logger   *slog.Logger // default slog.Default()
}

// Source captures an Xvfb's framebuffer file. It implements capture.Source and
// capture.Sampler.
type Source struct {
	conn *x11.Conn
	mon  *x11.Monitor
	conv *x11.Converter
	file []byte // the mapping
	xwd  xwd

	mu   sync.Mutex // held by Next and Sample; Close waits for it
	size image.Point

	// The frame returned last lies in the Source itself, so that whoever uses it
	// keeps the Source, and with it the mapping, from being collected.
	frame   capture.Frame
	array   [x11.MaxRects]pix.Image
	patches []pix.Image // of array, where it is long enough
	scratch [x11.MaxRects]pix.Image
}

var (
	_ capture.Source  = (*Source)(nil)
	_ capture.Sampler = (*Source)(nil)
)

// Open connects to a display and maps its framebuffer.
func Open(ctx context.Context, o Options) (*Source, error) {
	if o.Dir == "" {
		return nil, fmt.Errorf("capture: Dir is empty, want the directory given to Xvfb's -fbdir")
	}
	conn, err := x11.Dial(ctx, x11.Options{Display: o.Display, AuthFile: o.AuthFile, Logger: o.Logger})
	if err != nil {
		return nil, err
	}
	s := &Source{conn: conn}
	if err := s.open(ctx, o.Dir); err != nil {
		conn.Close()
		unmap(s.file)
		return nil, err
	}
	// Close cannot know whether a frame is still being read, so the mapping goes
	// when nobody can.
	runtime.AddCleanup(s, unmap, s.file)
	return s, nil
}

func (s *Source) open(ctx context.Context, dir string) error {
	path := filepath.Join(dir, "Xvfb_screen"+strconv.Itoa(s.conn.ScreenNumber()))
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("framebuffer of the X server (was it started with -fbdir %s?): %w", dir, err)
	}
	defer f.Close() // the mapping stays
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return fmt.Errorf("framebuffer %s: not a file of at most %d bytes", path, int64(maxFile))
	}
	// Xvfb sets the file's size once, before it answers, and removes the name
	// when it ends: the mapping stays whole all the time.
	if s.file, err = mapFile(f, int(info.Size())); err != nil {
		return fmt.Errorf("framebuffer %s: %w", path, err)
	}
	if s.xwd, err = parseXWD(s.file); err != nil {
		return fmt.Errorf("framebuffer %s: %w", path, err)
	}
	if s.conv, err = x11.NewConverter(s.xwd.format); err != nil {
		return fmt.Errorf("framebuffer %s: %w", path, err)
	}
	screen := s.conn.Screen()
	if int(screen.RootDepth) != s.xwd.format.Depth {
		return fmt.Errorf("framebuffer %s: depth %d, but the display has %d: it is another server's",
			path, s.xwd.format.Depth, screen.RootDepth)
	}
	s.readColours()
	if err := s.resize(image.Pt(int(screen.WidthInPixels), int(screen.HeightInPixels))); err != nil {
		return fmt.Errorf("framebuffer %s: %w", path, err)
	}
	s.mon, err = s.conn.NewMonitor(ctx)
	return err
}

// maxFile bounds the file: the largest screen has 4 GB.
const maxFile = 5 << 30

// resize takes over the screen's size. Xvfb's framebuffer stays that of the
// largest; a smaller screen is its top left corner.
func (s *Source) resize(size image.Point) error {
	if size.X > s.xwd.size.X || size.Y > s.xwd.size.Y {
		return fmt.Errorf("it holds %v, but the screen has %v: it is another server's", s.xwd.size, size)
	}
	s.size = size
	return nil
}

// Next implements capture.Source. The patches are views of the server's memory:
// see the package's comment.
func (s *Source) Next(ctx context.Context) (*capture.Frame, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.mon.Next(ctx)
	if err != nil {
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case s.conn.Err() != nil:
			return nil, s.conn.Err()
		}
		return nil, fmt.Errorf("capture: %w", err)
	}
	if u.Size != s.size {
		if err := s.resize(u.Size); err != nil {
			return nil, fmt.Errorf("capture: %w", err)
		}
	}
	if len(u.Damage) > 0 && s.readColours() && !u.All {
		s.mon.Owe() // pixels that have not changed look different now
	}
	s.patches = s.array[:0]
	for i, r := range u.Damage {
		if s.conv.Identity {
			s.patches = append(s.patches, pix.Image{Pix: s.from(r), Stride: s.xwd.stride, Rect: r})
		} else {
			s.patches = append(s.patches, s.copied(i, r))
		}
	}
	s.frame = capture.Frame{Size: s.size, Patches: s.patches, Pointer: u.Pointer, HavePointer: u.HavePointer}
	if u.Cursor != nil {
		s.frame.Cursor = (*capture.Cursor)(u.Cursor.Clamp(capture.MaxCursorSide))
	}
	return &s.frame, nil
}

// from returns the file from the first pixel of r to its last.
func (s *Source) from(r image.Rectangle) []byte {
	bytes := s.xwd.format.BitsPerPixel / 8
	o := s.xwd.pixels + r.Min.Y*s.xwd.stride + r.Min.X*bytes
	end := o + (r.Dy()-1)*s.xwd.stride + r.Dx()*bytes
	return s.file[o:end:end]
}

// copied returns the pixels of r in memory of our own, the i-th.
func (s *Source) copied(i int, r image.Rectangle) pix.Image {
	var spare pix.Image
	m := &spare
	if i < len(s.scratch) {
		m = &s.scratch[i]
	}
	m.Reset(r)
	s.conv.Convert(m.Pix, s.from(r), r.Dx(), r.Dy(), s.xwd.stride)
	return *m
}

// readColours reads the colour map, which Xvfb keeps in the file, and reports
// whether a colour has changed.
func (s *Source) readColours() bool {
	if s.conv.Format.Direct() {
		return false
	}
	changed := false
	for i := range s.xwd.ncolour {
		if pixel, rgb := s.xwd.colour(s.file, i); pixel < 256 && s.conv.SetColour(int(pixel), rgb) {
			changed = true
		}
	}
	return changed
}

// Sample implements capture.Sampler. Unlike those of Next its patches are
// copies: what was drawn after the question was answered must not be seen.
func (s *Source) Sample(ctx context.Context, areas []image.Rectangle) (*capture.Frame, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	screen := image.Rectangle{Max: s.size}
	s.patches = s.array[:0]
	for _, a := range areas {
		if a = a.Intersect(screen); !a.Empty() {
			s.patches = append(s.patches, s.copied(len(s.patches), a))
		}
	}
	// All drawing that the copies can show was begun before this request, so it
	// has been heard of when the reply is here.
	if err := s.conn.Sync(ctx); err != nil {
		if s.conn.Err() != nil {
			err = s.conn.Err()
		}
		return nil, false, err
	}
	s.frame = capture.Frame{Size: s.size, Patches: s.patches}
	return &s.frame, s.mon.Pending(), nil
}

// Close implements capture.Source.
func (s *Source) Close() error {
	s.conn.Abort() // makes Next and Sample return
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mon.Close()
	return s.conn.Close()
}
