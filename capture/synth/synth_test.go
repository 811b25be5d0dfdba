package synth_test

import (
	"context"
	"errors"
	"image"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"framebridge/capture/capturetest"
	"framebridge/capture/synth"
	"framebridge/internal/pix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newSource(tb testing.TB, o synth.Options) *synth.Source {
	tb.Helper()
	s, err := synth.New(o)
	require.NoError(tb, err)
	tb.Cleanup(func() { s.Close() })
	return s
}

// TestDamageIsTrue checks in every scene that the frames add up to the screen,
// that nothing outside the damage changes and that runs repeat themselves.
func TestDamageIsTrue(t *testing.T) {
	for _, scene := range synth.Scenes {
		for _, size := range []image.Point{{320, 240}, {33, 17}, {1, 1}} {
			t.Run(string(scene)+size.String(), func(t *testing.T) {
				o := synth.Options{Scene: scene, Width: size.X, Height: size.Y, Seed: 5}
				s, twin := newSource(t, o), newSource(t, o)
				v := capturetest.NewViewer(t, s)
				v.Next()
				require.True(t, v.Equals(s.Image()))
				changed := 0
				for i := range 60 {
					before := s.Image()
					drawn := s.Step()
					twin.Step()
					after := s.Image()
					for _, r := range pix.RegionOf(after.Rect).Subtract(drawn).Rects() {
						require.True(t, pix.Equal(before, after, r), "step %d", i)
					}
					if !pix.Equal(before, after, after.Rect) {
						changed++
					}
					if i%3 == 0 && scene != synth.Still {
						v.Next()
						require.True(t, v.Equals(after))
					}
				}
				require.True(t, pix.Equal(s.Image(), twin.Image(), s.Image().Rect))
				if scene == synth.Still {
					require.Zero(t, changed)
				} else if size.X > 100 {
					require.Greater(t, changed, 40)
				}
				require.NotNil(t, v.Cursor)
			})
		}
	}
}

func TestResize(t *testing.T) {
	s := newSource(t, synth.Options{Scene: synth.Scroll, Width: 100, Height: 80})
	v := capturetest.NewViewer(t, s)
	v.Next()
	s.Step()
	s.Resize(120, 60)
	s.Step()
	v.Next()
	require.Equal(t, image.Pt(120, 60), v.Image.Rect.Max)
	require.True(t, v.Equals(s.Image()))
	v.Idle()
}

func TestMissAndSample(t *testing.T) {
	s := newSource(t, synth.Options{Scene: synth.Video, Width: 100, Height: 80, Miss: func(step int) bool { return step == 2 }})
	v := capturetest.NewViewer(t, s)
	v.Next()
	all := []image.Rectangle{image.Rect(-10, -10, 200, 200)}
	_, pending, err := s.Sample(t.Context(), all)
	require.NoError(t, err)
	assert.False(t, pending)
	s.Step()
	_, pending, err = s.Sample(t.Context(), all)
	require.NoError(t, err)
	assert.True(t, pending)
	v.Next()
	s.Step() // missed
	f, pending, err := s.Sample(t.Context(), all)
	require.NoError(t, err)
	assert.False(t, pending)
	require.Len(t, f.Patches, 1)
	truth := s.Image()
	assert.True(t, pix.Equal(&f.Patches[0], truth, truth.Rect))
	assert.False(t, v.Equals(truth))
	v.Idle()
}

func TestEnds(t *testing.T) {
	s := newSource(t, synth.Options{Width: 10, Height: 10})
	capturetest.NewViewer(t, s).Next()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := s.Next(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	lost := errors.New("lost")
	time.AfterFunc(10*time.Millisecond, func() { s.Fail(lost) })
	_, err = s.Next(t.Context())
	require.ErrorIs(t, err, lost)
	_, _, err = s.Sample(t.Context(), nil)
	require.ErrorIs(t, err, lost)

	s = newSource(t, synth.Options{Width: 10, Height: 10})
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	_, err = s.Next(t.Context())
	require.ErrorIs(t, err, synth.ErrClosed)
}

func TestPlay(t *testing.T) {
	s := newSource(t, synth.Options{Scene: synth.Typing, Width: 100, Height: 80})
	v := capturetest.NewViewer(t, s)
	v.Next()
	tick := make(chan time.Time)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.Play(ctx, tick) }()
	for range 5 {
		tick <- time.Time{}
		v.Next()
	}
	cancel()
	<-done
	require.True(t, v.Equals(s.Image()))
}

func TestOptions(t *testing.T) {
	for want, o := range map[string]synth.Options{
		"Scene":  {Scene: "opera"},
		"Width":  {Width: -1},
		"Height": {Height: 1 << 20},
	} {
		_, err := synth.New(o)
		require.ErrorContains(t, err, want)
	}
}

func BenchmarkStep(b *testing.B) {
	for _, scene := range synth.Scenes {
		b.Run(string(scene), func(b *testing.B) {
			s := newSource(b, synth.Options{Scene: scene, Width: 1920, Height: 1080})
			b.ReportAllocs()
			for b.Loop() {
				s.Step()
			}
		})
	}
}
