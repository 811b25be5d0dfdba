package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"framebridge/internal/pix"
	"framebridge/rfb"
	"framebridge/rfb/rfbtest"
)

// viewer is a strict RFB client that asks for the next update as soon as one
// begins, as viewers that lose no time do.
//
// Its reader decodes into the client's framebuffer, which is the reader's alone;
// what others look at is a copy, brought up to date after each update, so that
// nobody waits for an update that takes seconds on a slow link.
type viewer struct {
	c     *rfbtest.Client
	bytes *atomic.Int64 // read from the connection
	lossy bool
	done  chan struct{}
	err   error // valid when done is closed

	continuous bool // updates come by themselves; of the reader

	mu      sync.Mutex
	shown   []uint32 // 0x00RRGGBB, row by row
	size    image.Point
	watch   *watch
	updates int
	onFrame func(c *rfbtest.Client) // called after each update, may be nil
}

// counter counts what is read from a connection.
type counter struct {
	net.Conn
	n *atomic.Int64
}

func (c counter) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.n.Add(int64(n))
	return n, err
}

// watch waits until a drawn area is in the viewer's framebuffer.
type watch struct {
	probes []probe
	at     chan time.Time // capacity 1
}

// probe is a pixel and its colour.
type probe struct {
	p    image.Point
	want uint32
}

// Viewing says how the viewers view.
type Viewing struct {
	Encoding rfb.Encoding
	Compress int // level 0 to 9
	Quality  int // JPEG level 0 to 9; negative: lossless
	// Continuous has servers that can send updates without requests; from others
	// the next one is asked for as soon as one begins.
	Continuous bool
}

func (v Viewing) encodings() []rfb.Encoding {
	list := []rfb.Encoding{
		v.Encoding, rfb.EncodingCopyRect, rfb.EncodingZRLE, rfb.EncodingHextile, rfb.EncodingRaw,
		rfb.PseudoLastRect, rfb.PseudoCursor, rfb.PseudoDesktopSize, rfb.PseudoExtendedDesktopSize, rfb.PseudoFence,
		rfb.PseudoCompress0 + rfb.Encoding(v.Compress),
	}
	if v.Quality >= 0 {
		list = append(list, rfb.PseudoJPEGQuality0+rfb.Encoding(v.Quality))
	}
	if v.Continuous {
		list = append(list, rfb.PseudoContinuousUpdates)
	}
	return list
}

// connect connects a viewer and asks for the whole screen.
func connect(ctx context.Context, nc net.Conn, v Viewing, strict bool) (*viewer, error) {
	w := &viewer{lossy: v.Quality >= 0, done: make(chan struct{}), bytes: new(atomic.Int64)}
	format := pix.BGRX
	var ready sync.WaitGroup
	ready.Add(1)
	c, err := rfbtest.Open(ctx, counter{nc, w.bytes}, rfbtest.Options{
		Shared: true, Encodings: v.encodings(), Format: &format, DirtyPadding: !strict, WideFills: !strict,
		OnUpdate: func() {
			ready.Wait()
			if w.continuous {
				return
			}
			w.c.RequestUpdate(true, w.c.Bounds()) //nolint:errcheck // reading finds out
		},
	})
	if err != nil {
		return nil, err
	}
	w.c = c
	ready.Done()
	// TigerVNC paints the pointer into the picture of a viewer that is not the one
	// that moved it.
	b := c.Bounds()
	if err := errors.Join(c.Pointer(b.Max.X-1, b.Max.Y-1, 0), c.RequestUpdate(false, b)); err != nil {
		c.Close()
		return nil, err
	}
	go w.read()
	return w, nil
}

func (v *viewer) read() {
	defer close(v.done)
	for {
		m, err := v.c.ReadMessage()
		if err != nil {
			v.err = err
			return
		}
		if _, ok := m.(rfbtest.EndOfContinuousUpdates); ok && !v.continuous {
			v.continuous = true                             // the server can
			v.c.EnableContinuousUpdates(true, v.c.Bounds()) //nolint:errcheck // reading finds out
		}
		u, ok := m.(*rfbtest.Update)
		if !ok {
			continue
		}
		now := time.Now()
		v.mu.Lock()
		if u.Pixels() > 0 {
			v.updates++
		}
		if v.onFrame != nil {
			v.onFrame(v.c)
		}
		if w := v.watch; w != nil && v.shows(w.probes) {
			w.at <- now
			v.watch = nil
		}
		v.copy(u)
		v.mu.Unlock()
	}
}

// copy brings the copy up to date. v.mu is held.
func (v *viewer) copy(u *rfbtest.Update) {
	b := v.c.Bounds()
	values := v.c.Values()
	if b.Max != v.size {
		v.size, v.shown = b.Max, slices.Clone(values)
		return
	}
	for _, r := range u.Rects {
		if r.Encoding < 0 {
			continue // a pseudo-rectangle
		}
		a := r.Area.Intersect(b)
		for y := a.Min.Y; y < a.Max.Y; y++ {
			i, j := y*b.Max.X+a.Min.X, y*b.Max.X+a.Max.X
			copy(v.shown[i:j], values[i:j])
		}
	}
}

// lossyTolerance is how far a component of a JPEG's pixel may be off and still
// count as the one that was drawn.
const lossyTolerance = 60

// shows reports whether the framebuffer has the probes' colours: all of them, or
// nine of ten where pixels are lossy.
func (v *viewer) shows(probes []probe) bool {
	b := v.c.Bounds()
	wrong := 0
	for _, p := range probes {
		if !p.p.In(b) {
			return false
		}
		got := v.c.Value(p.p.X, p.p.Y) & pix.RGBMask
		if got == p.want {
			continue
		}
		if !v.lossy || !near(got, p.want) {
			wrong++
		}
	}
	if v.lossy {
		return wrong*10 <= len(probes)
	}
	return wrong == 0
}

func near(a, b uint32) bool {
	for s := 0; s < 24; s += 8 {
		d := int(a>>s&255) - int(b>>s&255)
		if d > lossyTolerance || d < -lossyTolerance {
			return false
		}
	}
	return true
}

// expect begins to wait for the contents of area in truth, by probes in places
// where they differ from what the viewer has now. It returns nil when they differ
// nowhere.
func (v *viewer) expect(truth *pix.Image, area image.Rectangle, rnd *rand.Rand) *watch {
	v.mu.Lock()
	defer v.mu.Unlock()
	w := &watch{at: make(chan time.Time, 1)}
	area = area.Intersect(image.Rectangle{Max: v.size})
	for range 4000 {
		if area.Empty() {
			break
		}
		p := image.Pt(area.Min.X+rnd.IntN(area.Dx()), area.Min.Y+rnd.IntN(area.Dy()))
		want := truth.At(p.X, p.Y)
		got := v.shown[p.Y*v.size.X+p.X] & pix.RGBMask
		if got == want || v.lossy && near(got, want) {
			continue
		}
		if w.probes = append(w.probes, probe{p, want}); len(w.probes) == 200 {
			break
		}
	}
	if len(w.probes) == 0 {
		return nil
	}
	v.watch = w
	return w
}

// changeTimeout is how long a change may take to be seen.
const changeTimeout = 10 * time.Second

var errNeverSeen = errors.New("a change was never seen")

// wait returns when the change was seen.
func (v *viewer) wait(ctx context.Context, w *watch) (time.Time, error) {
	t := time.NewTimer(changeTimeout)
	defer t.Stop()
	select {
	case at := <-w.at:
		return at, nil
	case <-v.done:
		return time.Time{}, fmt.Errorf("viewer: %w", v.err)
	case <-t.C:
		return time.Time{}, errNeverSeen
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	}
}

// compare returns how many pixels differ from truth, and the PSNR in dB.
func (v *viewer) compare(truth *pix.Image) (differ int, psnr float64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	w, h := truth.Rect.Dx(), truth.Rect.Dy()
	if v.size != truth.Rect.Max {
		return w * h, 0
	}
	var sum float64
	for y := range h {
		want, got := truth.Row(y, 0, w), v.shown[y*w:][:w]
		for x, g := range got {
			a, b := g&pix.RGBMask, binary.LittleEndian.Uint32(want[4*x:])&pix.RGBMask
			if a == b {
				continue
			}
			differ++
			sum += squareError(a, b)
		}
	}
	if sum == 0 {
		return differ, math.Inf(1)
	}
	return differ, psnrOf(sum, w*h)
}

// squareError is the sum of the squared differences of two colours' components.
func squareError(a, b uint32) (sum float64) {
	for s := 0; s < 24; s += 8 {
		d := float64(int(a>>s&255) - int(b>>s&255))
		sum += d * d
	}
	return sum
}

// psnrOf is the PSNR in dB of pixels with the sum of squared errors.
func psnrOf(sum float64, pixels int) float64 {
	return 10 * math.Log10(255*255*3*float64(pixels)/sum)
}

func (v *viewer) stats() (bytes int64, updates int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.bytes.Load(), v.updates
}

// gone returns why the viewer no longer reads, or nil.
func (v *viewer) gone() error {
	select {
	case <-v.done:
		return fmt.Errorf("viewer: %w", v.err)
	default:
		return nil
	}
}

func (v *viewer) close() {
	v.c.Close()
	<-v.done
}
