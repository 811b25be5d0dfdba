package vnc

import (
	"context"
	"encoding/binary"
	"errors"
	"image"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"framebridge/capture"
	"framebridge/internal/pix"
	"framebridge/internal/screen"
	"framebridge/rfb"
	"framebridge/rfb/rfbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// canvas is a source that the test draws on.
type canvas struct {
	mu      sync.Mutex
	img     *pix.Image
	damage  pix.Region
	cursor  *capture.Cursor
	pointer *image.Point
	changed chan struct{}
	full    bool
	frame   *pix.Image
}

func newCanvas(w, h int) *canvas {
	c := &canvas{img: pix.New(image.Rect(0, 0, w, h)), changed: make(chan struct{}, 1), full: true}
	c.draw(c.img.Rect, func(m *pix.Image) { paint(m, c.img.Rect, 1) })
	return c
}

func (c *canvas) draw(r image.Rectangle, f func(m *pix.Image)) {
	c.mu.Lock()
	f(c.img)
	c.damage = c.damage.Union(pix.RegionOf(r.Intersect(c.img.Rect)))
	c.mu.Unlock()
	c.poke()
}

func (c *canvas) poke() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

func (c *canvas) resize(w, h int) {
	c.mu.Lock()
	c.img = pix.New(image.Rect(0, 0, w, h))
	paint(c.img, c.img.Rect, uint64(w))
	c.full = true
	c.mu.Unlock()
	c.poke()
}

func (c *canvas) snapshot() *pix.Image {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := pix.New(c.img.Rect)
	pix.Copy(m, c.img, c.img.Rect)
	return m
}

func (c *canvas) Next(ctx context.Context) (*capture.Frame, error) {
	for {
		c.mu.Lock()
		if c.full {
			c.damage, c.full = pix.RegionOf(c.img.Rect), false
		}
		if !c.damage.Empty() || c.cursor != nil || c.pointer != nil {
			f := &capture.Frame{Size: c.img.Rect.Size(), Cursor: c.cursor}
			if c.pointer != nil {
				f.Pointer, f.HavePointer = *c.pointer, true
			}
			c.frame = pix.New(c.img.Rect)
			pix.Copy(c.frame, c.img, c.img.Rect)
			for _, r := range c.damage.Rects() {
				f.Patches = append(f.Patches, c.frame.Sub(r))
			}
			c.damage, c.cursor, c.pointer = pix.Region{}, nil, nil
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

// paint draws a mix of what desktops show: flat areas, text-like dots, noise.
func paint(m *pix.Image, r image.Rectangle, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 99))
	m.Fill(r, rnd.Uint32())
	for range 4 {
		q := image.Rect(r.Min.X+rnd.IntN(r.Dx()), r.Min.Y+rnd.IntN(r.Dy()), r.Min.X+rnd.IntN(r.Dx()), r.Min.Y+rnd.IntN(r.Dy()))
		switch rnd.IntN(3) {
		case 0:
			m.Fill(q, rnd.Uint32())
		case 1:
			fg := rnd.Uint32() & pix.RGBMask
			dots(m, q, rnd, func(old, v uint32) uint32 {
				if v>>30 == 0 {
					return fg
				}
				return old
			})
		default:
			dots(m, q, rnd, func(_, v uint32) uint32 { return v })
		}
	}
}

// dots passes each pixel of q and a random number through f. It is quick, because
// most of what these tests draw is dots, and the race detector makes it slow.
func dots(m *pix.Image, q image.Rectangle, rnd *rand.Rand, f func(old, v uint32) uint32) {
	v := rnd.Uint64()
	for y := q.Min.Y; y < q.Max.Y; y++ {
		row := m.Row(y, q.Min.X, q.Max.X)
		for i := 0; i+4 <= len(row); i += 4 {
			v = v*6364136223846793005 + 1442695040888963407
			binary.LittleEndian.PutUint32(row[i:], f(binary.LittleEndian.Uint32(row[i:]), uint32(v>>32)))
		}
	}
}

// rig is a server with a canvas and an address.
type rig struct {
	*canvas
	srv  *Server
	scr  *screen.Screen
	addr string
	sink *sink
}

// sink records input.
type sink struct {
	mu   sync.Mutex
	log  []any
	cond chan struct{}
}

type keyEvent struct {
	keysym, code uint32
	down         bool
}

type pointerEvent struct {
	x, y    int
	buttons uint16
}

func (s *sink) add(v any) error {
	s.mu.Lock()
	s.log = append(s.log, v)
	s.mu.Unlock()
	s.cond <- struct{}{}
	return nil
}

func (s *sink) Key(keysym, code uint32, down bool) error {
	return s.add(keyEvent{keysym, code, down})
}
func (s *sink) Pointer(x, y int, b uint16) error { return s.add(pointerEvent{x, y, b}) }
func (s *sink) SetText(text string) error        { return s.add(text) }

// await waits for n events in all.
func (s *sink) await(t *testing.T, n int) []any {
	t.Helper()
	for {
		s.mu.Lock()
		got := append([]any(nil), s.log...)
		s.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-s.cond:
		case <-time.After(time.Minute):
			require.FailNow(t, "input did not arrive", "%v", got)
		}
	}
}

func newRig(t *testing.T, c *canvas, change func(*Config)) *rig {
	t.Helper()
	r := &rig{canvas: c, scr: screen.New(screen.Config{MaxFPS: 1000}), sink: &sink{cond: make(chan struct{}, 4096)}}
	cfg := Config{
		Screen: r.scr, Sink: r.sink, Clipboard: r.sink, NoAuth: true, NoAuthRights: FullRights,
		Logger: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	r.srv, err = New(cfg)
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r.addr = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { r.scr.Run(ctx, c) })
	wg.Go(func() { r.srv.Serve(ctx, l) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	return r
}

func (r *rig) dial(t *testing.T, o rfbtest.Options) *rfbtest.Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := rfbtest.Dial(ctx, r.addr, o)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// converge requests updates until the viewer's picture is the canvas's, in the
// viewer's format.
func (r *rig) converge(t *testing.T, c *rfbtest.Client, f pix.Format) {
	t.Helper()
	want := r.snapshot()
	deadline := time.Now().Add(time.Minute)
	for {
		got := c.Image()
		if got.Rect == want.Rect && sameIn(got, want, f) {
			return
		}
		require.True(t, time.Now().Before(deadline), "the viewer's picture never became the screen's")
		require.NoError(t, c.RequestUpdate(true, got.Rect))
		_, err := c.ReadUpdate()
		require.NoError(t, err)
	}
}

// sameIn compares as a viewer with format f sees it.
func sameIn(got, want *pix.Image, f pix.Format) bool {
	conv := pix.NewConverter(f)
	for y := want.Rect.Min.Y; y < want.Rect.Max.Y; y++ {
		for x := want.Rect.Min.X; x < want.Rect.Max.X; x++ {
			if conv.Value(got.At(x, y)) != conv.Value(want.At(x, y)) {
				return false
			}
		}
	}
	return true
}

var errTimeout = errors.New("timeout")

var lossless = []rfb.Encoding{
	rfb.EncodingRaw, rfb.EncodingRRE, rfb.EncodingCoRRE, rfb.EncodingHextile, rfb.EncodingZlib,
	rfb.EncodingTRLE, rfb.EncodingZRLE, rfb.EncodingTight,
}

// logCounter counts what is logged above debug.
type logCounter struct{ above atomic.Int64 }

func (l *logCounter) Enabled(context.Context, slog.Level) bool { return true }
func (l *logCounter) Handle(_ context.Context, r slog.Record) error {
	if r.Level > slog.LevelDebug {
		l.above.Add(1)
	}
	return nil
}
func (l *logCounter) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l *logCounter) WithGroup(string) slog.Handler      { return l }
