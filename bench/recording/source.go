package recording

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"framebridge/capture"
)

// ErrClosed is the error of Next after Close.
var ErrClosed = errors.New("recording: source closed")

// SourceOptions say how a recording is played. The zero value plays it as fast as
// Next is called.
type SourceOptions struct {
	RealTime bool // wait until a frame's time has come
}

// Source plays a recording. After its last frame Next returns io.EOF.
type Source struct {
	mu       sync.Mutex // held by Next; Close waits for it
	r        *Reader
	o        SourceOptions
	start    time.Time
	frame    *capture.Frame // read, and its time has not come
	at       time.Duration
	done     chan struct{}
	close    sync.Once
	finished error
}

var _ capture.Source = (*Source)(nil)

// NewSource plays the recording that r reads; r stays the caller's.
func NewSource(r io.Reader, o SourceOptions) (*Source, error) {
	rec, err := NewReader(r)
	if err != nil {
		return nil, err
	}
	return &Source{r: rec, o: o, done: make(chan struct{})}, nil
}

// Next implements capture.Source.
func (s *Source) Next(ctx context.Context) (*capture.Frame, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.done:
		return nil, ErrClosed
	default:
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.finished != nil {
		return nil, s.finished
	}
	if s.frame == nil {
		if s.frame, s.at, s.finished = s.r.Next(); s.finished != nil {
			return nil, s.finished
		}
	}
	if s.o.RealTime {
		if s.start.IsZero() {
			s.start = time.Now()
		}
		t := time.NewTimer(time.Until(s.start.Add(s.at)))
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-s.done:
			return nil, ErrClosed
		}
	}
	f := s.frame
	s.frame = nil
	return f, nil
}

// At returns the time of the frame that Next returned last, since the recording's
// start.
func (s *Source) At() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

// Close implements capture.Source.
func (s *Source) Close() error {
	s.close.Do(func() {
		close(s.done)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.r.Close()
	})
	return nil
}
