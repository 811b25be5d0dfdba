package video

import (
	"bytes"
	"context"
	"errors"
	"image"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"framebridge/capture"
	"framebridge/encode/vp8"
	"framebridge/internal/peertest"
	"framebridge/internal/pix"
	"framebridge/internal/screen"
	"framebridge/internal/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// canvas is a source that the test draws on.
type canvas struct {
	mu      sync.Mutex
	img     *pix.Image
	damage  pix.Region
	frame   *pix.Image
	changed chan struct{}
	drawn   time.Time
}

func newCanvas(w, h int) *canvas {
	c := &canvas{img: pix.New(image.Rect(0, 0, w, h)), changed: make(chan struct{}, 1)}
	c.draw(c.img.Rect, 1)
	return c
}

// draw fills r with something that depends on seed.
func (c *canvas) draw(r image.Rectangle, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 5))
	c.mu.Lock()
	r = r.Intersect(c.img.Rect)
	c.img.Fill(r, rnd.Uint32()&0x7f7f7f|0x404040)
	for range r.Dx() * r.Dy() / 300 {
		p := image.Pt(r.Min.X+rnd.IntN(r.Dx()), r.Min.Y+rnd.IntN(r.Dy()))
		c.img.Fill(image.Rectangle{p, p.Add(image.Pt(1+rnd.IntN(20), 1+rnd.IntN(10)))}.Intersect(r), rnd.Uint32())
	}
	c.damage = c.damage.Union(pix.RegionOf(r))
	c.drawn = time.Now()
	c.mu.Unlock()
	c.poke()
}

func (c *canvas) resize(w, h int) {
	c.mu.Lock()
	c.img = pix.New(image.Rect(0, 0, w, h))
	c.damage = pix.RegionOf(c.img.Rect)
	c.mu.Unlock()
	c.draw(image.Rect(0, 0, w, h), uint64(w))
}

func (c *canvas) poke() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

func (c *canvas) Next(ctx context.Context) (*capture.Frame, error) {
	for {
		c.mu.Lock()
		if !c.damage.Empty() {
			f := &capture.Frame{Size: c.img.Rect.Size()}
			c.frame = pix.New(c.img.Rect)
			pix.Copy(c.frame, c.img, c.img.Rect)
			for _, r := range c.damage.Clip(c.img.Rect).Rects() {
				f.Patches = append(f.Patches, c.frame.Sub(r))
			}
			c.damage = pix.Region{}
			c.mu.Unlock()
			return f, nil
		}
		c.mu.Unlock()
		select {
		case <-c.changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (c *canvas) Close() error { return nil }

// rig is a hub and what feeds it.
type rig struct {
	*canvas
	hub *Hub
}

func newRig(t *testing.T, w, h int) *rig {
	r := &rig{canvas: newCanvas(w, h)}
	scr := screen.New(screen.Config{Logger: slog.New(slog.DiscardHandler)})
	var err error
	r.hub, err = New(Config{Screen: scr, Workers: 2})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { scr.Run(ctx, r.canvas) })
	t.Cleanup(func() {
		r.hub.Close()
		cancel()
		wg.Wait()
	})
	return r
}

// page is a viewer that keeps what it gets.
type page struct {
	*Viewer
	mu     sync.Mutex
	frames []*stream.Frame
	delay  time.Duration // until a frame is shown
	most   int           // frames on the way at once
	done   chan struct{}
}

func (r *rig) open(t *testing.T, delay time.Duration, o Options) *page {
	p := &page{Viewer: r.hub.View(o), delay: delay, done: make(chan struct{})}
	t.Cleanup(func() { p.Close(); <-p.done })
	go func() {
		defer close(p.done)
		var shown sync.WaitGroup
		defer shown.Wait()
		last := make(chan struct{})
		close(last)
		for {
			f, err := p.Next(context.Background())
			if err != nil {
				assert.True(t, errors.Is(err, ErrClosed), err)
				return
			}
			p.mu.Lock()
			p.frames = append(p.frames, f)
			p.mu.Unlock()
			p.hub.mu.Lock()
			p.most = max(p.most, len(p.flight))
			p.hub.mu.Unlock()
			if o.NoAcks {
				continue
			}
			// Shown in order, delay after it came.
			before, this := last, make(chan struct{})
			last = this
			shown.Go(func() {
				defer close(this)
				select {
				case <-time.After(p.delay):
				case <-p.gone:
				}
				<-before
				p.Ack(f.Seq)
			})
		}
	}()
	return p
}

func (p *page) count() (frames, keys int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.frames {
		if f.Key {
			keys++
		}
	}
	return len(p.frames), keys
}

func (p *page) last() *stream.Frame {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.frames[len(p.frames)-1]
}

// eventually waits until what is true.
func eventually(t *testing.T, what func() bool, msg string) {
	t.Helper()
	require.Eventually(t, what, time.Minute, 2*time.Millisecond, msg)
}

// settled waits until p's group has shown everything as well as it can.
func (r *rig) settled(t *testing.T, p *page) {
	t.Helper()
	eventually(t, func() bool {
		r.hub.mu.Lock()
		defer r.hub.mu.Unlock()
		r.canvas.mu.Lock()
		defer r.canvas.mu.Unlock()
		return p.group.calm && p.group.changed.After(r.drawn) && len(p.Viewer.frames) == 0 && len(p.flight) == 0
	}, "calm")
}

// decode returns the luma of the last picture of what p got, and its size.
func (p *page) decode(t *testing.T) (luma []byte, size image.Point) {
	t.Helper()
	ffmpeg := peertest.Program(t, "ffmpeg")
	p.mu.Lock()
	frames := slices.Clone(p.frames)
	p.mu.Unlock()
	// Only the last size: IVF knows one.
	n := len(frames) - 1
	size = image.Pt(frames[n].Width, frames[n].Height)
	for n > 0 && frames[n-1].Width == size.X && frames[n-1].Height == size.Y {
		n--
	}
	frames = frames[n:]
	require.True(t, frames[0].Key)
	ivf := vp8.AppendIVFHeader(nil, size.X, size.Y, 30)
	for i, f := range frames {
		ivf = vp8.AppendIVFFrame(ivf, f.Data, uint64(i))
	}
	file := filepath.Join(t.TempDir(), "frames.ivf")
	require.NoError(t, os.WriteFile(file, ivf, 0o600))
	cmd := exec.Command(ffmpeg, "-v", "error", "-threads", "1", "-i", file, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	require.Empty(t, stderr.String())
	pixels := size.X * size.Y
	return out[len(out)-pixels-2*((size.X+1)/2*((size.Y+1)/2)):][:pixels], size
}

// same checks that luma is what the screen shows.
func (r *rig) same(t *testing.T, luma []byte, size image.Point) {
	t.Helper()
	require.Less(t, r.differs(luma, size, image.Rectangle{}), exact)
}

// exact is the mean square error that is less than 48 dB.
const exact = 1.03

// differs returns the mean square error of luma, but for what is in except.
func (r *rig) differs(luma []byte, size image.Point, except image.Rectangle) float64 {
	var sum float64
	n := 0
	for y := range size.Y {
		for x := range size.X {
			if image.Pt(x, y).In(except) {
				continue
			}
			c := r.img.At(x, y)
			want := 16 + (65.738*float64(c>>16&255)+129.057*float64(c>>8&255)+25.064*float64(c&255))/256
			d := want - float64(luma[y*size.X+x])
			sum += d * d
			n++
		}
	}
	return sum / float64(n)
}

// check decodes all that p got and compares the last picture with what its group's
// encoder says that it shows, and that with the screen.
func (r *rig) check(t *testing.T, p *page) {
	t.Helper()
	luma, size := p.decode(t)
	r.hub.mu.Lock()
	ref := p.group.enc.Reference()
	r.hub.mu.Unlock()
	for y := range size.Y {
		require.True(t, bytes.Equal(ref.Y[y*ref.YStride:][:size.X], luma[y*size.X:][:size.X]), "row %d", y)
	}
	r.same(t, luma, size)
}

func TestOneViewer(t *testing.T) {
	r := newRig(t, 300, 200)
	p := r.open(t, time.Millisecond, Options{})
	r.settled(t, p)
	for i := range 40 {
		n, _ := p.count()
		r.draw(image.Rect(i*5, i*3, i*5+60, i*3+40), uint64(i))
		eventually(t, func() bool { m, _ := p.count(); return m > n }, "a change is shown")
	}
	r.settled(t, p)
	r.check(t, p)
	frames, keys := p.count()
	require.Equal(t, 1, keys)
	require.LessOrEqual(t, p.most, window)
	r.draw(image.Rect(0, 0, 10, 10), 99)
	eventually(t, func() bool { m, _ := p.count(); return m > frames }, "a change after a rest")
	r.resize(333, 111)
	eventually(t, func() bool { _, k := p.count(); return k == 2 }, "another size")
	r.settled(t, p)
	r.check(t, p)
	p.Rekey()
	eventually(t, func() bool { _, k := p.count(); return k == 3 }, "a key frame on request")
	r.settled(t, p)
	r.check(t, p)
}

// TestStill: nothing is sent, and nothing is done, while nothing changes; but who
// needs a sign of life gets it.
func TestStill(t *testing.T) {
	r := newRig(t, 200, 100)
	p := r.open(t, 0, Options{})
	r.settled(t, p)
	q := r.open(t, 0, Options{NoAcks: true, KeepAlive: 30 * time.Millisecond})
	eventually(t, func() bool { m, _ := q.count(); return m > 10 }, "signs of life")
	eventually(t, func() bool { return r.hub.Groups() == 1 }, "one group")
	q.Close()
	r.settled(t, p)
	n, keys := p.count()
	require.LessOrEqual(t, keys, 2, "one of its own and one for joining")
	// Until it was calm: changes, and improvements at their pace.
	p.mu.Lock()
	for i, f := range p.frames[1:] {
		if len(f.Data) < 100 {
			require.Greater(t, f.Captured.Sub(p.frames[i].Captured), refineEvery/2, "frame %d is of nothing, and soon after another", i)
		}
	}
	p.mu.Unlock()
	time.Sleep(300 * time.Millisecond) // a rest in which nothing must happen
	m, _ := p.count()
	require.Equal(t, n, m)
	r.check(t, p)
}

// TestBesideVideo: what is still becomes exact although something else always moves.
func TestBesideVideo(t *testing.T) {
	r := newRig(t, 300, 200)
	p := r.open(t, time.Millisecond, Options{})
	film := image.Rect(32, 32, 80, 80)
	for i := 1; ; i++ {
		n, _ := p.count()
		r.draw(film, uint64(i))
		eventually(t, func() bool { m, _ := p.count(); return m > n }, "the film goes on")
		time.Sleep(10 * time.Millisecond) // a film has its own pace
		if i%150 != 0 {
			continue
		}
		// On a busy machine the film leaves less time for the rest.
		luma, size := p.decode(t)
		d := r.differs(luma, size, film)
		if d < exact {
			break
		}
		require.Less(t, i, 3000, "mean square error %v", d)
	}
}

// TestLateJoiner: who comes later starts with a key frame that the others do not
// get, and is one of them when nothing happens.
func TestLateJoiner(t *testing.T) {
	r := newRig(t, 300, 200)
	first := r.open(t, time.Millisecond, Options{})
	r.settled(t, first)
	stop := make(chan struct{})
	var drawing sync.WaitGroup
	drawing.Go(func() {
		for i := uint64(0); ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				r.draw(image.Rect(50, 50, 90, 90), i)
			}
		}
	})
	var others []*page
	for range 3 {
		p := r.open(t, time.Millisecond, Options{})
		others = append(others, p)
		eventually(t, func() bool { n, k := p.count(); return k > 0 && n > 3 }, "the joiner follows")
	}
	_, keys := first.count()
	require.Equal(t, 1, keys, "the first is not disturbed")
	close(stop)
	drawing.Wait()
	eventually(t, func() bool { return r.hub.Groups() == 1 }, "one group in the end")
	all := append(others, first)
	for _, p := range all {
		r.settled(t, p)
		r.check(t, p)
	}
	n, _ := first.count()
	r.draw(image.Rect(0, 0, 50, 50), 3)
	eventually(t, func() bool { m, _ := first.count(); return m > n }, "")
	for _, p := range all {
		r.settled(t, p)
		eventually(t, func() bool { return first.last() == p.last() }, "coded once")
	}
}

// TestSlowViewer: a viewer that takes long neither holds up the others nor loses the
// thread.
func TestSlowViewer(t *testing.T) {
	r := newRig(t, 300, 200)
	slow := r.open(t, 200*time.Millisecond, Options{})
	quick := r.open(t, time.Millisecond, Options{})
	r.settled(t, slow)
	eventually(t, func() bool { return r.hub.Groups() == 1 }, "together at first")
	_, keys := slow.count()
	for i := 0; i < 60 || i < 10000 && r.hub.Groups() == 1; i++ { // the slow one falls behind
		n, _ := quick.count()
		r.draw(image.Rect(i*4, i*2, i*4+60, i*2+40), uint64(i))
		eventually(t, func() bool { m, _ := quick.count(); return m > n }, "the quick one goes on")
	}
	require.Equal(t, 2, r.hub.Groups())
	_, now := slow.count()
	require.Equal(t, keys, now, "no key frame was needed for that")
	require.LessOrEqual(t, slow.most, window)
	for _, p := range []*page{slow, quick} {
		r.settled(t, p)
		r.check(t, p)
	}
}

// TestDeaf: who never acknowledges gets two frames and costs the others nothing.
func TestDeaf(t *testing.T) {
	r := newRig(t, 300, 200)
	v := r.hub.View(Options{})
	defer v.Close()
	p := r.open(t, 0, Options{})
	for i := range 30 {
		n, _ := p.count()
		r.draw(image.Rect(i*4, i*2, i*4+60, i*2+40), uint64(i))
		eventually(t, func() bool { m, _ := p.count(); return m > n }, "the other goes on")
	}
	require.LessOrEqual(t, len(v.frames), window)
	r.settled(t, p)
	r.check(t, p)
}

func TestQualities(t *testing.T) {
	r := newRig(t, 300, 200)
	a, b := r.open(t, 0, Options{}), r.open(t, 0, Options{})
	r.settled(t, a)
	eventually(t, func() bool { return r.hub.Groups() == 1 }, "together")
	b.SetQuality("sharp")
	b.SetQuality("no such thing")
	eventually(t, func() bool { return r.hub.Groups() == 2 }, "each its own")
	r.draw(image.Rect(0, 0, 50, 50), 7)
	for _, p := range []*page{a, b} {
		r.settled(t, p)
		r.check(t, p)
	}
}

func TestClose(t *testing.T) {
	r := newRig(t, 64, 64)
	p := r.open(t, 0, Options{})
	eventually(t, func() bool { n, _ := p.count(); return n > 0 }, "")
	r.hub.Close()
	<-p.done
	_, err := New(Config{})
	require.ErrorContains(t, err, "Config.Screen")
}

func TestLink(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name  string
		rate  float64 // bytes a second
		rtt   time.Duration
		least int
		most  int
	}{
		{"fast", 1e9, time.Millisecond, maxBudget / 4, maxBudget},
		{"10 Mbit/s", 10e6 / 8, 40 * time.Millisecond, 40e3, 60e3},
		{"1 Mbit/s", 1e6 / 8, 100 * time.Millisecond, minBudget, minBudget},
	} {
		var l link
		free := now
		for i := range 40 {
			bytes := 300
			if i%2 == 1 {
				bytes = 60000
			}
			sent := now.Add(time.Duration(i) * time.Second)
			if free.Before(sent) {
				free = sent
			}
			free = free.Add(time.Duration(float64(bytes) / c.rate * float64(time.Second)))
			l.acked(bytes, sent, free.Add(c.rtt))
		}
		require.InDelta(t, c.rtt.Seconds(), l.rtt.Seconds(), 0.01, c.name)
		require.GreaterOrEqual(t, l.budget(), c.least, c.name)
		require.LessOrEqual(t, l.budget(), c.most, c.name)
	}
}
