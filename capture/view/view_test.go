package view_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"framebridge/capture"
	"framebridge/capture/capturetest"
	"framebridge/capture/synth"
	"framebridge/capture/view"
	"framebridge/internal/pix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func draw(rng *rand.Rand, s *synth.Source) {
	s.Draw(func(m *pix.Image) []image.Rectangle {
		var rects []image.Rectangle
		for range rng.IntN(4) {
			p := image.Pt(rng.IntN(m.Rect.Dx()), rng.IntN(m.Rect.Dy()))
			r := image.Rectangle{p, p.Add(image.Pt(1+rng.IntN(9), 1+rng.IntN(9)))}.Intersect(m.Rect)
			for y := r.Min.Y; y < r.Max.Y; y++ {
				for x := r.Min.X; x < r.Max.X; x++ {
					m.Set(x, y, rng.Uint32())
				}
			}
			rects = append(rects, r)
		}
		return rects
	})
}

func options(rng *rand.Rand) view.Options {
	var o view.Options
	geometry := func() view.Geometry {
		return view.Geometry{
			Width: 1 + rng.IntN(40), Height: 1 + rng.IntN(30), X: rng.IntN(50) - 10, Y: rng.IntN(40) - 10,
			FromRight: rng.IntN(4) == 0, FromBottom: rng.IntN(4) == 0,
		}
	}
	if rng.IntN(2) == 0 {
		o.Clip = geometry()
	}
	for range rng.IntN(3) {
		if rng.IntN(2) == 0 {
			o.Blackout = append(o.Blackout, geometry())
		}
	}
	switch rng.IntN(4) {
	case 0:
		o.Scale.X, o.Scale.Y = 0.1+rng.Float64()*2.5, 0.1+rng.Float64()*2.5
	case 1:
		o.Scale.Width, o.Scale.Height = 1+rng.IntN(60), 1+rng.IntN(60)
	case 2:
		k := 1 + rng.IntN(4)
		o.Scale.X, o.Scale.Y = 1/float64(k), 1/float64(k)
		o.Scale.Pad = rng.IntN(4)
	}
	if o.Scale != (view.Scale{}) {
		o.Scale.Nearest, o.Scale.AnyWidth, o.Scale.Interpolate = rng.IntN(3) == 0, rng.IntN(2) == 0, rng.IntN(3) == 0
	}
	o.Rotation = view.Rotation(rng.IntN(8))
	o.Blank = rng.IntN(20) == 0
	return o
}

// drained takes frames until the source has no more.
func drained(t *testing.T, v *capturetest.Viewer) {
	t.Helper()
	for {
		// Damage that the view does not show makes no frame, so that Next may wait in
		// vain. When its time is up too early, the sampler knows.
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		f, err := v.Source.Next(ctx)
		cancel()
		if err == nil {
			v.Take(f)
			continue
		}
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_, pending, err := v.Source.(capture.Sampler).Sample(t.Context(), []image.Rectangle{image.Rect(0, 0, 1, 1)})
		require.NoError(t, err)
		if !pending {
			return
		}
	}
}

// TestDamage draws at random and compares the picture that grew by damage with
// one made at once.
func TestDamage(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 7))
	for round := range 150 {
		s, err := synth.New(synth.Options{Width: 1 + rng.IntN(45), Height: 1 + rng.IntN(35), Scene: synth.Still})
		require.NoError(t, err)
		draw(rng, s)
		o := options(rng)
		src, err := view.New(s, o)
		require.NoError(t, err)
		v := capturetest.NewViewer(t, src)
		v.Next()
		check := func(what string) {
			t.Helper()
			want := slow(s.Image(), src.Options())
			if !v.Equals(want) {
				require.Failf(t, "differs", "round %d, %s: %+v of %v: have %v, want %v",
					round, what, src.Options(), s.Image().Rect, v.Image.Rect, want.Rect)
			}
		}
		check("at first")
		for range 6 {
			switch rng.IntN(8) {
			case 0:
				require.NoError(t, src.Set(options(rng)))
				v.Next()
			case 1:
				s.Resize(1+rng.IntN(45), 1+rng.IntN(35))
				v.Next()
			case 2:
				// Both, with drawing that was not yet looked at.
				draw(rng, s)
				s.Resize(1+rng.IntN(45), 1+rng.IntN(35))
				require.NoError(t, src.Set(options(rng)))
				v.Next()
			default:
				draw(rng, s)
			}
			drained(t, v)
			check("later")
		}
		// Samples show the same, also of drawing that nobody reported.
		s.Draw(func(m *pix.Image) []image.Rectangle {
			m.Fill(image.Rect(3, 3, 20, 9), 0x123456)
			return nil
		})
		var areas []image.Rectangle
		for y := 0; y < v.Image.Rect.Max.Y; y += 3 {
			areas = append(areas, image.Rect(-5, y, 100, y+1))
		}
		want := slow(s.Image(), src.Options())
		f, pending, err := src.Sample(t.Context(), areas)
		require.NoError(t, err)
		require.False(t, pending)
		n := 0
		for _, p := range f.Patches {
			n += p.Rect.Dx() * p.Rect.Dy()
			require.True(t, pix.Equal(&p, want, p.Rect), "%+v", src.Options())
		}
		require.Equal(t, len(areas)*want.Rect.Dx(), n)
		require.NoError(t, src.Close())
	}
}

// TestDamageIsSmall holds the work to what depends on the damage.
func TestDamageIsSmall(t *testing.T) {
	s, err := synth.New(synth.Options{Width: 1000, Height: 800, Scene: synth.Still})
	require.NoError(t, err)
	for _, tt := range []struct {
		o    view.Options
		r    image.Rectangle
		want image.Rectangle
	}{
		{view.Options{}, image.Rect(10, 20, 30, 40), image.Rect(10, 20, 30, 40)},
		{view.Options{Scale: view.Scale{X: 0.5, Y: 0.5}}, image.Rect(10, 20, 30, 40), image.Rect(5, 10, 15, 20)},
		{view.Options{Scale: view.Scale{X: 0.5, Y: 0.5}}, image.Rect(11, 21, 12, 22), image.Rect(5, 10, 6, 11)},
		{view.Options{Scale: view.Scale{X: 2, Y: 2}}, image.Rect(10, 20, 11, 21), image.Rect(19, 39, 23, 43)},
		{view.Options{Scale: view.Scale{X: 2, Y: 2, Nearest: true}}, image.Rect(10, 20, 11, 21), image.Rect(20, 40, 22, 42)},
		{view.Options{Clip: view.Geometry{Width: 100, Height: 50, X: 20, Y: 30}}, image.Rect(10, 20, 30, 40), image.Rect(0, 0, 10, 10)},
		{view.Options{Rotation: view.Right}, image.Rect(10, 20, 30, 40), image.Rect(760, 10, 780, 30)},
		{view.Options{Rotation: view.Left}, image.Rect(10, 20, 30, 40), image.Rect(20, 970, 40, 990)},
	} {
		src, err := view.New(s, tt.o)
		require.NoError(t, err)
		v := capturetest.NewViewer(t, src)
		s.Resize(1000, 800)
		v.Next()
		s.Draw(func(m *pix.Image) []image.Rectangle { m.Fill(tt.r, 0xabcdef); return []image.Rectangle{tt.r} })
		f := v.Next()
		require.Len(t, f.Patches, 1)
		assert.Equal(t, tt.want, f.Patches[0].Rect, "%+v", tt.o)
	}
	require.NoError(t, s.Close())
}

// TestSetWakes changes the options while Next waits.
func TestSetWakes(t *testing.T) {
	s, err := synth.New(synth.Options{Width: 64, Height: 48, Scene: synth.Still})
	require.NoError(t, err)
	defer s.Close()
	src, err := view.New(s, view.Options{})
	require.NoError(t, err)
	v := capturetest.NewViewer(t, src)
	v.Next()
	for i := range 50 {
		got := make(chan struct{})
		go func() {
			defer close(got)
			v.Next()
		}()
		o := view.Options{Rotation: view.Rotation((i + 1) % 8)}
		require.NoError(t, src.Set(o))
		<-got
		require.True(t, v.Equals(slow(s.Image(), o)))
	}
	require.NoError(t, src.Set(view.Options{Clip: view.Geometry{Width: 20, Height: 10, X: 1, Y: 2}}))
	require.Equal(t, view.Placement{
		Source: image.Pt(64, 48), Clip: image.Rect(1, 2, 21, 12), Scaled: image.Pt(20, 10), Size: image.Pt(20, 10),
	}, src.Placement(), "at once")
	bad := errors.New("gone")
	s.Fail(bad)
	_, err = src.Next(t.Context())
	require.ErrorIs(t, err, bad)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = src.Next(ctx)
	require.Error(t, err)
}

// sink keeps what it was last told.
type sink struct {
	at      image.Point
	buttons uint16
	keys    int
}

func (s *sink) Key(uint32, uint32, bool) error { s.keys++; return nil }
func (s *sink) Pointer(x, y int, buttons uint16) error {
	s.at, s.buttons = image.Pt(x, y), buttons
	return nil
}

// TestPointer sends places there and back.
func TestPointer(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 150 {
		o := options(rng)
		o.Blackout, o.Blank = nil, false
		s, err := synth.New(synth.Options{Width: 20 + rng.IntN(45), Height: 20 + rng.IntN(35), Scene: synth.Still})
		require.NoError(t, err)
		src, err := view.New(s, o)
		require.NoError(t, err)
		v := capturetest.NewViewer(t, src)
		v.Next()
		back := &sink{}
		in := &view.Sink{View: src, Sink: back}
		clip := s.Image().Rect
		// Each pixel of the source has a colour of its own.
		s.Draw(func(m *pix.Image) []image.Rectangle {
			for i := range m.Rect.Dx() * m.Rect.Dy() {
				m.Set(i%m.Rect.Dx(), i/m.Rect.Dx(), uint32(i+1))
			}
			return nil
		})
		coloured := s.Image()
		shown := slow(coloured, o)
		if o.Clip != (view.Geometry{}) {
			if clip = o.Clip.In(clip.Max).Intersect(clip); clip.Empty() {
				continue
			}
		}
		corners := map[image.Point]bool{}
		size := v.Image.Rect.Max
		for y := -2; y < size.Y+2; y++ {
			for x := -2; x < size.X+2; x++ {
				if err := in.Pointer(x, y, 1); err != nil || !back.at.In(clip) {
					require.Failf(t, "outside", "%v: %v -> %v, %v", err, image.Pt(x, y), back.at, clip)
				}
				corners[back.at] = true
				if o.Scale == (view.Scale{}) && image.Pt(x, y).In(v.Image.Rect) {
					if shown.At(x, y) != coloured.At(back.at.X, back.at.Y) {
						require.Failf(t, "elsewhere", "%v -> %v: %+v", image.Pt(x, y), back.at, o)
					}
				}
			}
		}
		for _, c := range []image.Point{clip.Min, clip.Max.Sub(image.Pt(1, 1))} {
			require.True(t, corners[c] || size.X == 1 || size.Y == 1, "corner %v cannot be reached: %+v", c, o)
		}
		require.NoError(t, s.Close())
	}
}

func TestKeepOut(t *testing.T) {
	s, err := synth.New(synth.Options{Width: 100, Height: 100, Scene: synth.Still})
	require.NoError(t, err)
	defer s.Close()
	src, err := view.New(s, view.Options{Blackout: []view.Geometry{{Width: 10, Height: 10, X: 50, Y: 50}}, KeepOut: true})
	require.NoError(t, err)
	capturetest.NewViewer(t, src).Next()
	back := &sink{}
	in := &view.Sink{View: src, Sink: back}
	require.NoError(t, in.Pointer(10, 10, 1))
	require.NoError(t, in.Pointer(55, 55, 3))
	require.Equal(t, &sink{at: image.Pt(10, 10), buttons: 1}, back)
	require.NoError(t, in.Pointer(55, 55, 0))
	require.NoError(t, in.Pointer(55, 55, 1))
	require.Equal(t, &sink{at: image.Pt(10, 10)}, back)
	require.NoError(t, in.Pointer(60, 55, 1))
	require.NoError(t, in.Key('a', 0, true))
	require.Equal(t, &sink{at: image.Pt(60, 55), buttons: 1, keys: 1}, back)
	// Without the option it may go there.
	require.NoError(t, src.Set(view.Options{Blackout: src.Options().Blackout}))
	_, err = src.Next(t.Context())
	require.NoError(t, err)
	require.NoError(t, in.Pointer(55, 55, 0))
	require.Equal(t, image.Pt(55, 55), back.at)
}

func TestCursor(t *testing.T) {
	s, err := synth.New(synth.Options{Width: 100, Height: 80, Scene: synth.Still})
	require.NoError(t, err)
	defer s.Close()
	half := view.Scale{X: 0.5, Y: 0.5}
	for _, tt := range []struct {
		o         view.Options
		size, hot image.Point
		at        image.Point // of 50,40
	}{
		{view.Options{}, image.Pt(10, 16), image.Pt(0, 0), image.Pt(50, 40)},
		{view.Options{Scale: half}, image.Pt(5, 8), image.Pt(0, 0), image.Pt(26, 20)}, // 100 becomes 52
		{view.Options{Scale: half, ScaleCursor: &view.Scale{X: 2, Y: 2}}, image.Pt(20, 32), image.Pt(0, 0), image.Pt(26, 20)},
		{view.Options{Rotation: view.Right}, image.Pt(16, 10), image.Pt(15, 0), image.Pt(39, 50)},
		{view.Options{Rotation: view.Right, KeepCursor: true}, image.Pt(10, 16), image.Pt(0, 0), image.Pt(39, 50)},
		{view.Options{Clip: view.Geometry{Width: 20, Height: 20, X: 40, Y: 50}}, image.Pt(10, 16), image.Pt(0, 0), image.Pt(10, 0)},
	} {
		name := fmt.Sprintf("%+v", tt.o)
		s.Resize(100, 80)
		src, err := view.New(s, tt.o)
		require.NoError(t, err)
		f, err := src.Next(t.Context())
		require.NoError(t, err)
		require.NotNil(t, f.Cursor)
		assert.Equal(t, tt.size, f.Cursor.Size, name)
		assert.Equal(t, tt.hot, f.Cursor.Hot, name)
		assert.Equal(t, tt.at, f.Pointer, name)
		require.Len(t, f.Cursor.Pix, tt.size.X*tt.size.Y*4)
		// The hot spot's corner is opaque, the opposite one is not, and colours stay
		// below their alpha.
		hot := f.Cursor.Hot
		assert.NotZero(t, f.Cursor.Pix[(hot.Y*tt.size.X+hot.X)*4+3], name)
		for i := 0; i < len(f.Cursor.Pix); i += 4 {
			q := f.Cursor.Pix[i : i+4]
			assert.True(t, q[0] <= q[3] && q[1] <= q[3] && q[2] <= q[3])
		}
		// The next Set brings it again.
		require.NoError(t, src.Set(view.Options{}))
		f, err = src.Next(t.Context())
		require.NoError(t, err)
		assert.Equal(t, image.Pt(10, 16), f.Cursor.Size)
		assert.Equal(t, image.Pt(50, 40), f.Pointer)
	}
}

func TestBadOptions(t *testing.T) {
	s, err := synth.New(synth.Options{Width: 100, Height: 80, Scene: synth.Still})
	require.NoError(t, err)
	defer s.Close()
	for name, o := range map[string]view.Options{
		"Rotation":    {Rotation: 8},
		"Scale":       {Scale: view.Scale{X: -1}},
		"ScaleCursor": {ScaleCursor: &view.Scale{Width: 3}},
	} {
		_, err := view.New(s, o)
		require.ErrorContains(t, err, name)
	}
	src, err := view.New(s, view.Options{})
	require.NoError(t, err)
	_, err = src.Next(t.Context())
	require.NoError(t, err)
	require.ErrorContains(t, src.Set(view.Options{Scale: view.Scale{X: 1000, Y: 1}}), "100000x80")
	require.ErrorContains(t, src.Set(view.Options{Scale: view.Scale{Width: 60000, Height: 60000}}), "60000x60000")
	require.Equal(t, view.Options{}, src.Options())
	_, err = view.New(struct{ capture.Source }{s}, view.Options{})
	require.Error(t, err)
}
