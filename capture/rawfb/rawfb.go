package rawfb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"sync"
	"time"

	"github.com/BurntSushi/xgb/xproto"

	"framebridge/capture"
	"framebridge/internal/pix"
	"framebridge/internal/x11"
)

// ErrClosed is returned by a source that was closed.
var ErrClosed = errors.New("rawfb: closed")

// interval is how often a picture is looked at by default.
const interval = 50 * time.Millisecond

// Source is a picture in memory that others write. It implements capture.Source
// and capture.Sampler.
//
// Files are read and not mapped: one that gets shorter while it is mapped would
// kill us. What is missing of it then stays as it was.
type Source struct {
	spec  Spec
	every time.Duration
	file  *os.File
	shm   []byte
	conv  *x11.Converter

	closing sync.Once
	closed  chan struct{}

	mu      sync.Mutex // held by Next and Sample; Close waits for it
	raw     []byte     // as read last
	last    []byte     // as returned last by Next
	due     time.Time
	first   bool
	frame   capture.Frame
	patches []pix.Image
	out     pix.Image
}

var (
	_ capture.Source  = (*Source)(nil)
	_ capture.Sampler = (*Source)(nil)
)

// Open opens the memory. every is how often it is looked at; 0: 20 times a second.
func Open(spec Spec, every time.Duration) (*Source, error) {
	if err := spec.check(); err != nil {
		return nil, fmt.Errorf("rawfb: %w", err)
	}
	if every == 0 {
		every = interval
	}
	if every < 0 {
		return nil, fmt.Errorf("rawfb: looking every %v", every)
	}
	s := &Source{spec: spec, every: every, first: true, closed: make(chan struct{})}
	var err error
	// Rows are given to the converter one by one.
	s.conv, err = x11.NewConverter(x11.PixelFormat{
		Depth: spec.BitsPerPixel, BitsPerPixel: spec.BitsPerPixel, RowPad: 8, Class: xproto.VisualClassTrueColor,
		Red: spec.Red, Green: spec.Green, Blue: spec.Blue,
	})
	if err != nil {
		return nil, fmt.Errorf("rawfb: %w", err)
	}
	n := spec.bytes()
	s.raw, s.last = make([]byte, n), make([]byte, n)
	if spec.File == "" {
		if s.shm, err = attach(spec.Shm); err != nil {
			return nil, fmt.Errorf("rawfb: shared memory %d: %w", spec.Shm, err)
		}
		if int64(len(s.shm)) < spec.Offset+int64(n) {
			err = fmt.Errorf("rawfb: shared memory %d has %d bytes, and %d are needed", spec.Shm, len(s.shm), spec.Offset+int64(n))
			detach(s.shm)
			return nil, err
		}
		return s, nil
	}
	if s.file, err = spec.openFile(); err != nil {
		return nil, fmt.Errorf("rawfb: %w", err)
	}
	if got, err := s.file.ReadAt(s.raw, spec.Offset); got < n {
		s.file.Close()
		if err == io.EOF {
			err = fmt.Errorf("it has %d bytes from there on, and %d are needed", got, n)
		}
		return nil, fmt.Errorf("rawfb: %s from byte %d: %w", spec.File, spec.Offset, err)
	}
	return s, nil
}

// Size returns the picture's size.
func (s *Source) Size() image.Point { return image.Pt(s.spec.Width, s.spec.Height) }

// read brings what the memory has now.
func (s *Source) read() error {
	if s.shm != nil {
		copy(s.raw, s.shm[s.spec.Offset:])
		return nil
	}
	if _, err := s.file.ReadAt(s.raw, s.spec.Offset); err != nil && err != io.EOF {
		return fmt.Errorf("rawfb: %w", err)
	}
	return nil
}

// row returns the pixels of a row in memory.
func (s *Source) row(b []byte, y int) []byte {
	o := y * s.spec.Stride
	return b[o : o+s.spec.Width*s.spec.BitsPerPixel/8]
}

// Next implements capture.Source.
func (s *Source) Next(ctx context.Context) (*capture.Frame, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if err := s.wait(ctx); err != nil {
			return nil, err
		}
		if err := s.read(); err != nil {
			return nil, err
		}
		s.due = time.Now().Add(s.every)
		s.begin()
		// Bands of rows that changed.
		for y := 0; y < s.spec.Height; {
			y1 := y
			for y1 < s.spec.Height && (s.first || !bytes.Equal(s.row(s.raw, y1), s.row(s.last, y1))) {
				y1++
			}
			if y1 > y {
				s.add(image.Rect(0, y, s.spec.Width, y1))
			}
			y = y1 + 1
		}
		if len(s.patches) > 0 {
			s.first = false
			copy(s.last, s.raw)
			return s.end(), nil
		}
	}
}

// wait waits until it is time to look.
func (s *Source) wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d := time.Until(s.due)
	if s.first {
		d = 0
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-s.closed:
		return ErrClosed
	default:
	}
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closed:
		return ErrClosed
	}
}

func (s *Source) begin() {
	if s.out.Pix == nil {
		s.out = *pix.New(image.Rectangle{Max: s.Size()})
	}
	s.patches = s.patches[:0]
}

// add makes a patch of r.
func (s *Source) add(r image.Rectangle) {
	bytes := s.spec.BitsPerPixel / 8
	for y := r.Min.Y; y < r.Max.Y; y++ {
		src := s.row(s.raw, y)[r.Min.X*bytes : r.Max.X*bytes]
		dst := s.out.Row(y, r.Min.X, r.Max.X)
		if s.conv.Identity {
			copy(dst, src)
		} else {
			s.conv.Convert(dst, src, r.Dx(), 1, len(src))
		}
	}
	s.patches = append(s.patches, s.out.Sub(r))
}

func (s *Source) end() *capture.Frame {
	s.frame = capture.Frame{Size: s.Size(), Patches: s.patches}
	return &s.frame
}

// Sample implements capture.Sampler. There are no damage reports that could miss
// anything: a difference is what the next Next finds, and so always pending.
func (s *Source) Sample(ctx context.Context, areas []image.Rectangle) (*capture.Frame, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closed:
		return nil, false, ErrClosed
	default:
	}
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	if err := s.read(); err != nil {
		return nil, false, err
	}
	pending := s.first || !bytes.Equal(s.raw, s.last)
	s.begin()
	for _, a := range areas {
		if a = a.Intersect(image.Rectangle{Max: s.Size()}); !a.Empty() {
			s.add(a)
		}
	}
	return s.end(), pending, nil
}

// Close implements capture.Source.
func (s *Source) Close() error {
	s.closing.Do(func() {
		close(s.closed)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.file != nil {
			s.file.Close()
		}
		detach(s.shm)
		s.shm = nil
	})
	return nil
}
