package screen

import (
	"context"
	"encoding/binary"
	"errors"
	"image"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"framebridge/capture"
	"framebridge/internal/pix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// picture is what a viewer's side shows after it obeyed its updates.
type picture struct {
	v   *Viewer
	img *pix.Image
	tmp pix.Image
}

// apply takes what the viewer lacks in area. between is called before each
// rectangle is read, as drawing goes on while a viewer encodes.
func (p *picture) apply(area image.Rectangle, moves bool, between func()) Update {
	u := p.v.Take(area, moves)
	if u.Size == (image.Point{}) {
		return u
	}
	if p.img == nil || p.img.Rect.Size() != u.Size {
		p.img = pix.New(image.Rectangle{Max: u.Size})
	}
	for _, m := range u.Moves {
		p.img.Move(m.Dst, m.Src)
	}
	for _, r := range u.Damage.Rects() {
		if between != nil {
			between()
		}
		p.v.Snapshot(&p.tmp, r)
		pix.Copy(p.img, &p.tmp, r.Intersect(p.img.Rect))
	}
	return u
}

// drawing changes a picture at random, in the ways that programs do.
type drawing struct {
	rnd  *rand.Rand
	img  *pix.Image
	dist int // of the last scroll
}

func (d *drawing) rect() image.Rectangle {
	b := d.img.Rect
	r := image.Rect(d.rnd.IntN(b.Dx()), d.rnd.IntN(b.Dy()), d.rnd.IntN(b.Dx()+1), d.rnd.IntN(b.Dy()+1))
	if d.rnd.IntN(2) == 0 {
		r = image.Rectangle{Min: r.Min, Max: r.Min.Add(image.Pt(1+d.rnd.IntN(40), 1+d.rnd.IntN(40)))}
	}
	return r.Intersect(b)
}

func (d *drawing) step() *capture.Frame {
	r := d.rect()
	switch d.rnd.IntN(4) {
	case 0:
		d.img.Fill(r, d.rnd.Uint32())
	case 1: // scroll
		if d.dist == 0 || d.rnd.IntN(2) == 0 {
			d.dist = 1 + d.rnd.IntN(30)
		}
		dist := d.dist
		if d.rnd.IntN(2) == 0 && r.Dy() > dist {
			d.img.Move(r.Min, image.Rect(r.Min.X, r.Min.Y+dist, r.Max.X, r.Max.Y))
		} else if r.Dx() > dist {
			d.img.Move(r.Min.Add(image.Pt(dist, 0)), image.Rect(r.Min.X, r.Min.Y, r.Max.X-dist, r.Max.Y))
		}
	default:
		for y := r.Min.Y; y < r.Max.Y; y++ {
			row := d.img.Row(y, r.Min.X, r.Max.X)
			for v := d.rnd.Uint64(); len(row) >= 8; row = row[8:] {
				v = v*6364136223846793005 + 1442695040888963407
				binary.LittleEndian.PutUint64(row, v^v>>29)
			}
		}
	}
	// What is reported may be more than what changed, and in parts.
	reported := r.Union(d.rect())
	f := &capture.Frame{Size: d.img.Rect.Size(), Patches: []pix.Image{d.img.Sub(reported)}}
	if d.rnd.IntN(3) == 0 && reported.Dx() > 1 {
		left, right := reported, reported
		left.Max.X = reported.Min.X + 1 + d.rnd.IntN(reported.Dx()-1)
		right.Min.X = left.Max.X
		f.Patches = []pix.Image{d.img.Sub(left), d.img.Sub(right)}
	}
	return f
}

// TestViewersConverge lets viewers of all speeds follow random drawing, with
// reads in the middle of further changes, resizes and partial areas, and
// compares their pictures with the screen whenever the drawing pauses.
func TestViewersConverge(t *testing.T) {
	moved := 0
	for seed := range uint64(12) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		d := &drawing{rnd: rnd, img: pix.New(image.Rect(0, 0, 120+rnd.IntN(200), 120+rnd.IntN(200)))}
		s := New(Config{})
		s.commit(&capture.Frame{Size: d.img.Rect.Size(), Patches: []pix.Image{*d.img}})
		var ps []*picture
		for range 3 {
			v := s.View()
			s.synced = true
			ps = append(ps, &picture{v: v})
		}
		for range 300 {
			switch n := rnd.IntN(100); {
			case n == 0:
				d.img = pix.New(image.Rect(0, 0, 120+rnd.IntN(200), 120+rnd.IntN(200)))
				s.commit(&capture.Frame{Size: d.img.Rect.Size(), Patches: []pix.Image{*d.img}})
			case n < 5:
				for range rnd.IntN(200) { // far beyond maxMoveLag, at times beyond the journal
					s.commit(d.step())
				}
			default:
				s.commit(d.step())
			}
			p := ps[rnd.IntN(len(ps))]
			area := s.store.Rect
			if rnd.IntN(3) == 0 {
				area = d.rect()
			}
			moved += len(p.apply(area, rnd.IntN(8) > 0, func() {
				if rnd.IntN(2) == 0 {
					s.commit(d.step())
				}
			}).Moves)
			if rnd.IntN(20) == 0 {
				for _, p := range ps {
					p.apply(s.store.Rect, true, nil)
					require.True(t, pix.Equal(p.img, s.store, s.store.Rect), "seed %d", seed)
					require.True(t, pix.Equal(d.img, s.store, s.store.Rect), "seed %d: store", seed)
				}
			}
		}
		for _, p := range ps {
			p.v.Close()
		}
	}
	require.NotZero(t, moved, "no move was ever sent: the test tests nothing")
}

// fake is a source whose frames the test gives.
type fake struct {
	frames  chan *capture.Frame
	fail    chan error
	sample  func(areas []image.Rectangle) (*capture.Frame, bool)
	asked   chan struct{}
	samples chan int
}

func newFake() *fake {
	return &fake{
		frames: make(chan *capture.Frame, 16), fail: make(chan error, 1),
		asked: make(chan struct{}, 1024), samples: make(chan int, 1024),
	}
}

func (f *fake) Next(ctx context.Context) (*capture.Frame, error) {
	f.asked <- struct{}{}
	select {
	case fr := <-f.frames:
		return fr, nil
	case err := <-f.fail:
		return nil, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (f *fake) Sample(_ context.Context, areas []image.Rectangle) (*capture.Frame, bool, error) {
	f.samples <- len(areas)
	fr, pending := f.sample(areas)
	return fr, pending, nil
}

func (f *fake) Close() error { return nil }

func start(t *testing.T, s *Screen, src capture.Source) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, src) }()
	return func() error { cancel(); return <-done }
}

func whole(img *pix.Image) *capture.Frame {
	return &capture.Frame{Size: img.Rect.Size(), Patches: []pix.Image{*img}}
}

func wait[T any](t *testing.T, ch <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-ch:
	case <-time.After(time.Minute):
		require.FailNow(t, "nothing came in a minute")
	}
	return v
}

func TestNothingIsCapturedWithoutDemand(t *testing.T) {
	s, src := New(Config{}), newFake()
	img := pix.New(image.Rect(0, 0, 100, 100))
	src.sample = func([]image.Rectangle) (*capture.Frame, bool) { return whole(img), false }
	stop := start(t, s, src)
	src.frames <- whole(img)
	select {
	case <-src.asked:
		require.Fail(t, "captured without a viewer")
	case <-time.After(50 * time.Millisecond):
	}

	v := s.View()
	wait(t, src.asked)
	wait(t, v.Wake())
	require.Equal(t, image.Pt(100, 100), v.Take(img.Rect, true).Size)
	src.frames <- whole(img)
	select {
	case <-src.asked:
		require.Fail(t, "captured although no viewer wants")
	case <-time.After(50 * time.Millisecond):
	}
	v.Want(true)
	wait(t, src.asked)

	// The last viewer's leaving ends a Next that waits.
	v.Close()
	require.ErrorIs(t, stop(), context.Canceled)
}

func TestANewcomerAfterAPauseWaitsForTheSource(t *testing.T) {
	s, src := New(Config{}), newFake()
	img := pix.New(image.Rect(0, 0, 100, 100))
	pending := false
	src.sample = func([]image.Rectangle) (*capture.Frame, bool) { return whole(img), pending }
	stop := start(t, s, src)
	src.frames <- whole(img)
	v := s.View()
	wait(t, v.Wake())
	v.Close()

	// Nothing happened meanwhile: the store is served as it is.
	v = s.View()
	wait(t, v.Wake())
	require.False(t, v.Take(img.Rect, true).Damage.Empty())
	v.Close()

	// Something happened: only the new picture is served.
	pending = true
	v = s.View()
	wait(t, src.samples)
	wait(t, src.samples)
	require.True(t, v.Take(img.Rect, true).Damage.Empty())
	img.Fill(img.Rect, 0x123456)
	src.frames <- whole(img)
	wait(t, v.Wake())
	p := picture{v: v}
	p.apply(img.Rect, true, nil)
	require.True(t, pix.Equal(p.img, img, img.Rect))
	v.Close()
	require.ErrorIs(t, stop(), context.Canceled)
}

func TestMissedDamageIsFoundAndPolled(t *testing.T) {
	s, src := New(Config{VerifyInterval: time.Millisecond}), newFake()
	old := pix.New(image.Rect(0, 0, 200, 200))
	now := pix.New(old.Rect)
	now.Fill(image.Rect(10, 10, 190, 190), 0xff00ff)
	src.sample = func(areas []image.Rectangle) (*capture.Frame, bool) {
		f := &capture.Frame{Size: now.Rect.Size()}
		for _, r := range areas {
			f.Patches = append(f.Patches, now.Sub(r))
		}
		return f, false
	}
	stop := start(t, s, src)
	time.Sleep(5 * time.Millisecond) // verifying is due before the first picture is there
	v := s.View()
	src.frames <- whole(old)
	wait(t, v.Wake())
	p := picture{v: v}
	p.apply(old.Rect, true, nil)
	v.Want(true)
	for !pix.Equal(p.img, now, now.Rect) {
		wait(t, v.Wake())
		p.apply(old.Rect, true, nil)
		v.Want(true)
	}
	v.Close()
	require.ErrorIs(t, stop(), context.Canceled)
}

func TestTheScreenOutlivesItsSource(t *testing.T) {
	s, src := New(Config{}), newFake()
	img := pix.New(image.Rect(0, 0, 300, 100))
	img.Fill(img.Rect, 0xffffff)
	done := make(chan error, 1)
	go func() { done <- s.Run(t.Context(), src) }()
	v := s.View()
	src.frames <- whole(img)
	wait(t, v.Wake())
	p := picture{v: v}
	p.apply(img.Rect, true, nil)
	gone := errors.New("gone")
	src.fail <- gone
	v.Want(true)
	require.ErrorIs(t, wait(t, done), gone)

	s.MarkLost("display lost", image.Point{})
	require.True(t, s.Lost())
	wait(t, v.Wake())
	p.apply(img.Rect, true, nil)
	require.Equal(t, uint32(0x7f7f7f), p.img.At(0, 0))

	src = newFake()
	big := pix.New(image.Rect(0, 0, 640, 480))
	src.frames <- whole(big)
	stop := start(t, s, src)
	for {
		v.Want(true)
		wait(t, v.Wake())
		if u := p.apply(big.Rect, true, nil); u.Size == big.Rect.Size() {
			break
		}
	}
	require.True(t, pix.Equal(p.img, big, big.Rect))
	v.Close()
	require.ErrorIs(t, stop(), context.Canceled)
}
