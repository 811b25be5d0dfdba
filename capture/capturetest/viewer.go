// Package capturetest has what tests of sources share.
package capturetest

import (
	"context"
	"image"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"framebridge/capture"
	"framebridge/internal/pix"
)

// NewViewer returns a viewer of a source.
func NewViewer(tb testing.TB, src capture.Source) *Viewer { return &Viewer{tb: tb, Source: src} }

// Viewer keeps the picture that a source's frames add up to.
type Viewer struct {
	tb      testing.TB
	Source  capture.Source
	Image   *pix.Image
	Cursor  *capture.Cursor
	Pointer image.Point
}

// timeout is far above what anything here takes, also on a busy machine.
const timeout = time.Minute

func (v *Viewer) Next() *capture.Frame {
	v.tb.Helper()
	ctx, cancel := context.WithTimeout(v.tb.Context(), timeout)
	defer cancel()
	f, err := v.Source.Next(ctx)
	require.NoError(v.tb, err)
	v.Take(f)
	return f
}

func (v *Viewer) Take(f *capture.Frame) {
	v.tb.Helper()
	if v.Image == nil || v.Image.Rect.Max != f.Size {
		v.Image = pix.New(image.Rectangle{Max: f.Size})
		area := 0
		for _, p := range f.Patches {
			area += p.Rect.Dx() * p.Rect.Dy()
		}
		require.Equal(v.tb, f.Size.X*f.Size.Y, area, "a new size comes with the whole screen")
	}
	for i, p := range f.Patches {
		require.True(v.tb, p.Rect.In(v.Image.Rect) && !p.Rect.Empty(), "%v", p.Rect)
		for _, q := range f.Patches[:i] {
			require.False(v.tb, p.Rect.Overlaps(q.Rect))
		}
		pix.Copy(v.Image, &p, p.Rect)
	}
	if f.Cursor != nil {
		v.Cursor = f.Cursor
	}
	if f.HavePointer {
		v.Pointer = f.Pointer
	}
}

// Until takes frames until cond holds.
func (v *Viewer) Until(cond func() bool) {
	v.tb.Helper()
	for !cond() {
		v.Next()
	}
}

func (v *Viewer) Equals(want *pix.Image) bool {
	return v.Image != nil && v.Image.Rect == want.Rect && pix.Equal(v.Image, want, want.Rect)
}

// Shows takes frames until the picture is the truth, and reports whether it came to
// that. What the screen shows may reach the source late, and change meanwhile.
func (v *Viewer) Shows(truth func() *pix.Image) bool {
	v.tb.Helper()
	for start := time.Now(); time.Since(start) < timeout; {
		if v.Equals(truth()) {
			return true
		}
		ctx, cancel := context.WithTimeout(v.tb.Context(), quietTime)
		f, err := v.Source.Next(ctx)
		cancel()
		if err == nil {
			v.Take(f)
		} else {
			require.ErrorIs(v.tb, err, context.DeadlineExceeded)
		}
	}
	return false
}

// Idle takes frames until none has come for a while.
func (v *Viewer) Idle() {
	v.tb.Helper()
	for start := time.Now(); time.Since(start) < timeout; {
		ctx, cancel := context.WithTimeout(v.tb.Context(), quietTime)
		f, err := v.Source.Next(ctx)
		cancel()
		if err != nil {
			require.ErrorIs(v.tb, err, context.DeadlineExceeded)
			return
		}
		v.Take(f)
	}
	v.tb.Fatal("the source does not come to rest")
}

// quietTime is many times what an X server takes to report a drawing.
const quietTime = 60 * time.Millisecond
