package xshm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"log/slog"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/BurntSushi/xgb/randr"
	"github.com/BurntSushi/xgb/xproto"
	"github.com/BurntSushi/xgb/xtest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"framebridge/capture"
	"framebridge/capture/xshm"
	"framebridge/internal/pix"
	"framebridge/internal/x11"
	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	quiet   = slog.New(slog.NewTextHandler(io.Discard, nil))
	methods = []xshm.Method{xshm.ShmFd, xshm.Shm, xshm.GetImage}
)

func open(tb testing.TB, s *xvfb.Server, m xshm.Method) *xshm.Source {
	tb.Helper()
	src, err := xshm.Open(tb.Context(), xshm.Options{Display: s.Display(), AuthFile: s.AuthFile(), Method: m, Logger: quiet})
	require.NoError(tb, err)
	tb.Cleanup(func() { src.Close() })
	if m != xshm.Auto {
		require.Equal(tb, m, src.Method())
	}
	return src
}

// painter draws on the root window, as a client of its own.
type painter struct {
	tb   testing.TB
	conn *x11.Conn
	gc   xproto.Gcontext
	root xproto.Drawable
}

func newPainter(tb testing.TB, s *xvfb.Server) *painter {
	tb.Helper()
	c, err := x11.Dial(tb.Context(), x11.Options{Display: s.Display(), AuthFile: s.AuthFile(), Logger: quiet})
	require.NoError(tb, err)
	tb.Cleanup(func() { c.Close() })
	p := &painter{tb: tb, conn: c, root: xproto.Drawable(c.Root())}
	p.gc, err = xproto.NewGcontextId(c.X())
	require.NoError(tb, err)
	require.NoError(tb, xproto.CreateGCChecked(c.X(), p.gc, p.root, xproto.GcSubwindowMode,
		[]uint32{xproto.SubwindowModeIncludeInferiors}).Check())
	return p
}

// fill paints r with a pixel value and waits until it is done.
func (p *painter) fill(r image.Rectangle, pixel uint32) {
	p.tb.Helper()
	x := p.conn.X()
	xproto.ChangeGC(x, p.gc, xproto.GcForeground, []uint32{pixel})
	require.NoError(p.tb, xproto.PolyFillRectangleChecked(x, p.root, p.gc, []xproto.Rectangle{{
		X: int16(r.Min.X), Y: int16(r.Min.Y), Width: uint16(r.Dx()), Height: uint16(r.Dy()),
	}}).Check())
}

// noise paints r with random pixels of the root's depth.
func (p *painter) noise(r image.Rectangle) {
	p.tb.Helper()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		b := make([]byte, r.Dx()*4)
		for i := range b {
			b[i] = byte(rand.Uint32())
		}
		_, bits, pad := p.format()
		b = b[:(r.Dx()*bits+pad-1)/pad*pad/8]
		require.NoError(p.tb, xproto.PutImageChecked(p.conn.X(), xproto.ImageFormatZPixmap, p.root, p.gc,
			uint16(r.Dx()), 1, int16(r.Min.X), int16(y), 0, p.conn.Screen().RootDepth, b).Check())
	}
}

func (p *painter) format() (depth byte, bits, pad int) {
	depth = p.conn.Screen().RootDepth
	for _, f := range p.conn.Setup().PixmapFormats {
		if f.Depth == depth {
			return depth, int(f.BitsPerPixel), int(f.ScanlinePad)
		}
	}
	p.tb.Fatal("no format")
	return
}

// truth returns the screen as a plain GetImage and the protocol's rules give
// it, slowly.
func (p *painter) truth() *pix.Image {
	p.tb.Helper()
	x := p.conn.X()
	g, err := xproto.GetGeometry(x, p.root).Reply()
	require.NoError(p.tb, err)
	r, err := xproto.GetImage(x, xproto.ImageFormatZPixmap, p.root, 0, 0, g.Width, g.Height, 0xffffffff).Reply()
	require.NoError(p.tb, err)
	screen := p.conn.Screen()
	var visual xproto.VisualInfo
	for _, d := range screen.AllowedDepths {
		for _, v := range d.Visuals {
			if v.VisualId == screen.RootVisual {
				visual = v
			}
		}
	}
	_, bits, pad := p.format()
	stride := (int(g.Width)*bits + pad - 1) / pad * pad / 8
	img := pix.New(image.Rect(0, 0, int(g.Width), int(g.Height)))
	colours := map[uint32]uint32{}
	for y := range int(g.Height) {
		for i := range int(g.Width) {
			var pixel uint32
			for b := range bits / 8 {
				pixel |= uint32(r.Data[y*stride+i*bits/8+b]) << (8 * b)
			}
			rgb, ok := colours[pixel]
			if !ok {
				rgb = p.colour(visual, pixel)
				colours[pixel] = rgb
			}
			img.Set(i, y, rgb)
		}
	}
	return img
}

func (p *painter) colour(v xproto.VisualInfo, pixel uint32) uint32 {
	if v.Class != xproto.VisualClassTrueColor && v.Class != xproto.VisualClassDirectColor {
		r, err := xproto.QueryColors(p.conn.X(), p.conn.Screen().DefaultColormap, []uint32{pixel}).Reply()
		require.NoError(p.tb, err)
		c := r.Colors[0]
		return uint32(c.Red>>8)<<16 | uint32(c.Green>>8)<<8 | uint32(c.Blue>>8)
	}
	scale := func(mask uint32) uint32 {
		v := pixel & mask
		for mask&1 == 0 {
			v, mask = v>>1, mask>>1
		}
		return uint32(float64(v)*255/float64(mask) + 0.5)
	}
	return scale(v.RedMask)<<16 | scale(v.GreenMask)<<8 | scale(v.BlueMask)
}

// viewer keeps the picture that a source's frames add up to.
type viewer struct {
	tb     testing.TB
	src    capture.Source
	img    *pix.Image
	cursor *capture.Cursor
	pos    image.Point
	frames int
}

// timeout is far above what anything here takes, also on a busy machine.
const timeout = 20 * time.Second

func (v *viewer) next() *capture.Frame {
	v.tb.Helper()
	ctx, cancel := context.WithTimeout(v.tb.Context(), timeout)
	defer cancel()
	f, err := v.src.Next(ctx)
	require.NoError(v.tb, err)
	v.take(f)
	return f
}

func (v *viewer) take(f *capture.Frame) {
	v.tb.Helper()
	v.frames++
	if v.img == nil || v.img.Rect.Max != f.Size {
		v.img = pix.New(image.Rectangle{Max: f.Size})
		area := 0
		for _, p := range f.Patches {
			area += p.Rect.Dx() * p.Rect.Dy()
		}
		require.Equal(v.tb, f.Size.X*f.Size.Y, area, "a new size comes with the whole screen")
	}
	for i, p := range f.Patches {
		require.True(v.tb, p.Rect.In(v.img.Rect) && !p.Rect.Empty(), "%v", p.Rect)
		for _, q := range f.Patches[:i] {
			require.False(v.tb, p.Rect.Overlaps(q.Rect))
		}
		pix.Copy(v.img, &p, p.Rect)
	}
	if f.Cursor != nil {
		v.cursor = f.Cursor
	}
	if f.HavePointer {
		v.pos = f.Pointer
	}
}

// until takes frames until cond holds.
func (v *viewer) until(cond func() bool) {
	v.tb.Helper()
	for !cond() {
		v.next()
	}
}

func (v *viewer) equals(want *pix.Image) bool {
	return v.img != nil && v.img.Rect == want.Rect && pix.Equal(v.img, want, want.Rect)
}

// idle checks that nothing comes any more.
func (v *viewer) idle() {
	v.tb.Helper()
	ctx, cancel := context.WithTimeout(v.tb.Context(), 100*time.Millisecond)
	defer cancel()
	for {
		f, err := v.src.Next(ctx)
		if err != nil {
			require.ErrorIs(v.tb, err, context.DeadlineExceeded)
			return
		}
		v.take(f)
		require.Less(v.tb, v.frames, 10000, "it does not come to rest")
	}
}

func forMethods(t *testing.T, f func(t *testing.T, m xshm.Method)) {
	for _, m := range methods {
		t.Run(string(m), func(t *testing.T) { f(t, m) })
	}
}

// TestDepths compares every method at every depth with a plain GetImage.
func TestDepths(t *testing.T) {
	for _, c := range []struct {
		name string
		o    xvfb.Options
	}{
		// Odd sizes, so that rows of narrow pixels have padding.
		{"24", xvfb.Options{Width: 203, Height: 101, Depth: 24}},
		{"30", xvfb.Options{Width: 203, Height: 101, Depth: 30}},
		{"16", xvfb.Options{Width: 203, Height: 101, Depth: 16}},
		{"15", xvfb.Options{Width: 203, Height: 101, Depth: 15}},
		{"8 pseudo", xvfb.Options{Width: 203, Height: 101, Depth: 8, Args: []string{"-cc", "3"}}},
		{"8 true", xvfb.Options{Width: 203, Height: 101, Depth: 8, Args: []string{"-cc", "4"}}},
		{"8 static gray", xvfb.Options{Width: 203, Height: 101, Depth: 8, Args: []string{"-cc", "0"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := xvfbtest.Start(t, c.o)
			p := newPainter(t, s)
			forMethods(t, func(t *testing.T, m xshm.Method) {
				v := &viewer{tb: t, src: open(t, s, m)}
				p.noise(image.Rect(3, 5, 200, 99))
				v.next()
				v.idle()
				require.True(t, v.equals(p.truth()), "whole screen")
				for _, r := range []image.Rectangle{
					image.Rect(0, 0, 1, 1), image.Rect(202, 100, 203, 101), image.Rect(7, 9, 12, 40), image.Rect(1, 50, 202, 53),
				} {
					p.noise(r)
				}
				v.next()
				v.idle()
				require.True(t, v.equals(p.truth()), "damage")
			})
		})
	}
}

// TestColormap changes a colour that pixels already have.
func TestColormap(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64, Depth: 8, Args: []string{"-cc", "3"}})
	p := newPainter(t, s)
	v := &viewer{tb: t, src: open(t, s, xshm.Auto)}
	cell, err := xproto.AllocColorCells(p.conn.X(), false, p.conn.Screen().DefaultColormap, 1, 0).Reply()
	require.NoError(t, err)
	pixel := cell.Pixels[0]
	for _, rgb := range []uint32{0xff0000, 0x00ff00, 0x123456} {
		require.NoError(t, xproto.StoreColorsChecked(p.conn.X(), p.conn.Screen().DefaultColormap, []xproto.Coloritem{{
			Pixel: pixel, Flags: xproto.ColorFlagRed | xproto.ColorFlagGreen | xproto.ColorFlagBlue,
			Red: uint16(rgb >> 16 * 0x101), Green: uint16(rgb >> 8 & 0xff * 0x101), Blue: uint16(rgb & 0xff * 0x101),
		}}).Check())
		// The change is seen with the next drawing, wherever that is.
		p.fill(image.Rect(0, 0, 8, 8), pixel)
		p.fill(image.Rect(50, 50, 51, 51), 0)
		v.next()
		v.idle()
		require.Equal(t, rgb, v.img.At(4, 4))
		p.fill(image.Rect(50, 50, 51, 51), 1)
		v.next()
	}
	v.idle()
	require.True(t, v.equals(p.truth()))
}

// TestDamage draws at random in many ways and compares.
func TestDamage(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 640, Height: 480})
	p := newPainter(t, s)
	forMethods(t, func(t *testing.T, m xshm.Method) {
		v := &viewer{tb: t, src: open(t, s, m)}
		v.next()
		rng := rand.New(rand.NewPCG(1, 2))
		for range 20 {
			for range 1 + rng.IntN(200) {
				o := image.Pt(rng.IntN(640), rng.IntN(480))
				size := image.Pt(1+rng.IntN(20), 1+rng.IntN(20))
				if rng.IntN(50) == 0 {
					size = size.Mul(10)
				}
				p.fill(image.Rectangle{o, o.Add(size)}, rng.Uint32())
			}
			v.next()
		}
		v.idle()
		require.True(t, v.equals(p.truth()))
	})
}

func TestSmallDamageIsSmall(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 640, Height: 480})
	p := newPainter(t, s)
	v := &viewer{tb: t, src: open(t, s, xshm.Auto)}
	v.next()
	v.idle()
	r := image.Rect(100, 200, 108, 216)
	p.fill(r, 0xabcdef)
	f := v.next()
	require.Len(t, f.Patches, 1)
	require.Equal(t, r, f.Patches[0].Rect)
	require.EqualValues(t, 0xabcdef, f.Patches[0].At(100, 200))
}

// resizer sets the screen's size as xrandr does.
type resizer struct {
	*painter
	crtc   randr.Crtc
	output randr.Output
	modes  map[image.Point]randr.Mode
}

func newResizer(p *painter) *resizer {
	p.tb.Helper()
	_, err := p.conn.Extension(p.tb.Context(), x11.RandR)
	require.NoError(p.tb, err)
	res, err := randr.GetScreenResourcesCurrent(p.conn.X(), p.conn.Root()).Reply()
	require.NoError(p.tb, err)
	r := &resizer{painter: p, crtc: res.Crtcs[0], output: res.Outputs[0], modes: map[image.Point]randr.Mode{}}
	for _, m := range res.Modes {
		r.modes[image.Pt(int(m.Width), int(m.Height))] = randr.Mode(m.Id)
	}
	return r
}

func (r *resizer) resize(size image.Point) error {
	x, root := r.conn.X(), r.conn.Root()
	mode, ok := r.modes[size]
	if !ok {
		name := fmt.Sprintf("test-%d-%d", size.X, size.Y)
		m, err := randr.CreateMode(x, root, randr.ModeInfo{
			Width: uint16(size.X), Height: uint16(size.Y), NameLen: uint16(len(name)),
			DotClock: 60e6, Htotal: uint16(size.X), Vtotal: uint16(size.Y),
		}, name).Reply()
		if err != nil {
			return fmt.Errorf("CreateMode: %w", err)
		}
		mode = m.Mode
		r.modes[size] = mode
		if err := randr.AddOutputModeChecked(x, r.output, mode).Check(); err != nil {
			return fmt.Errorf("AddOutputMode: %w", err)
		}
	}
	if _, err := randr.SetCrtcConfig(x, r.crtc, 0, 0, 0, 0, 0, randr.RotationRotate0, nil).Reply(); err != nil {
		return fmt.Errorf("SetCrtcConfig: %w", err)
	}
	if err := randr.SetScreenSizeChecked(x, root, uint16(size.X), uint16(size.Y), 100, 100).Check(); err != nil {
		return fmt.Errorf("SetScreenSize: %w", err)
	}
	_, err := randr.SetCrtcConfig(x, r.crtc, 0, 0, 0, 0, mode, randr.RotationRotate0, []randr.Output{r.output}).Reply()
	return err
}

func TestResize(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 1024, Height: 768})
	p := newPainter(t, s)
	r := newResizer(p)
	forMethods(t, func(t *testing.T, m xshm.Method) {
		v := &viewer{tb: t, src: open(t, s, m)}
		v.next()
		for _, size := range []image.Point{{800, 600}, {1024, 768}, {641, 479}, {1024, 768}} {
			require.NoError(t, r.resize(size))
			v.until(func() bool { return v.img.Rect.Max == size })
			p.noise(image.Rect(10, 10, 100, 20))
			v.next()
			v.idle()
			require.True(t, v.equals(p.truth()), size)
			require.Equal(t, m, v.src.(*xshm.Source).Method())
		}
	})
}

// TestResizeWhileDrawing resizes under a source that captures all the time.
func TestResizeWhileDrawing(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 1024, Height: 768})
	p := newPainter(t, s)
	r := newResizer(newPainter(t, s))
	forMethods(t, func(t *testing.T, m xshm.Method) {
		v := &viewer{tb: t, src: open(t, s, m)}
		done := make(chan error, 1)
		go func() {
			var err error
			for i := range 100 {
				err = errors.Join(err, r.resize([]image.Point{{640, 480}, {1024, 768}}[i%2]))
			}
			done <- err
		}()
		for i := 0; ; i++ {
			p.fill(image.Rect(0, 0, 1024, 768), uint32(i)*0x10203)
			v.next()
			select {
			case err := <-done:
				require.NoError(t, err)
				v.idle()
				require.True(t, v.equals(p.truth()))
				return
			default:
			}
		}
	})
}

func TestCursorAndPointer(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 640, Height: 480})
	p := newPainter(t, s)
	x := p.conn.X()
	_, err := p.conn.Extension(t.Context(), x11.XTest)
	require.NoError(t, err)
	v := &viewer{tb: t, src: open(t, s, xshm.Auto)}
	v.next()
	v.idle()

	// Others' movements are seen without any drawing.
	for _, want := range []image.Point{{10, 20}, {600, 400}, {0, 0}} {
		xtest.FakeInput(x, xproto.MotionNotify, 0, 0, p.conn.Root(), int16(want.X), int16(want.Y), 0)
		require.NoError(t, p.conn.Sync(t.Context()))
		v.until(func() bool { return v.pos == want })
	}
	v.idle()

	// A cursor of our own: red where the mask is, half of it.
	const w, h = 16, 4
	src, mask := p.bitmap(w, h, 0xff), p.bitmap(w, h, 0x0f)
	cursor, err := xproto.NewCursorId(x)
	require.NoError(t, err)
	require.NoError(t, xproto.CreateCursorChecked(x, cursor, src, mask, 0xffff, 0, 0, 0, 0, 0, 3, 1).Check())
	require.NoError(t, xproto.ChangeWindowAttributesChecked(x, p.conn.Root(), xproto.CwCursor, []uint32{uint32(cursor)}).Check())
	v.cursor = nil
	v.until(func() bool { return v.cursor != nil && v.cursor.Size.X == w })
	assert.Equal(t, image.Pt(w, h), v.cursor.Size)
	assert.Equal(t, image.Pt(3, 1), v.cursor.Hot)
	red, none := []byte{0, 0, 255, 255}, []byte{0, 0, 0, 0}
	assert.Equal(t, bytes.Repeat(append(bytes.Repeat(red, 4), bytes.Repeat(none, 4)...), w/8*h), v.cursor.Pix)

	// One of nothing is no cursor.
	empty := p.bitmap(w, h, 0)
	require.NoError(t, xproto.CreateCursorChecked(x, cursor+100, empty, empty, 0, 0, 0, 0, 0, 0, 0, 0).Check())
	require.NoError(t, xproto.ChangeWindowAttributesChecked(x, p.conn.Root(), xproto.CwCursor, []uint32{uint32(cursor + 100)}).Check())
	v.until(func() bool { return v.cursor.Size.X != w })
	assert.Zero(t, v.cursor.Size)
}

// bitmap makes a pixmap of depth 1 with every byte b.
func (p *painter) bitmap(w, h uint16, b byte) xproto.Pixmap {
	x := p.conn.X()
	id, err := xproto.NewPixmapId(x)
	require.NoError(p.tb, err)
	require.NoError(p.tb, xproto.CreatePixmapChecked(x, 1, id, p.root, w, h).Check())
	gc, err := xproto.NewGcontextId(x)
	require.NoError(p.tb, err)
	require.NoError(p.tb, xproto.CreateGCChecked(x, gc, xproto.Drawable(id), 0, nil).Check())
	require.NoError(p.tb, xproto.PutImageChecked(x, xproto.ImageFormatZPixmap, xproto.Drawable(id), gc, w, h, 0, 0, 0, 1,
		bytes.Repeat([]byte{b}, int(w+31)/32*4*int(h))).Check())
	return id
}

func TestSample(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 640, Height: 480})
	p := newPainter(t, s)
	src := open(t, s, xshm.Auto)
	v := &viewer{tb: t, src: src}
	v.next()
	v.idle()
	areas := []image.Rectangle{image.Rect(0, 0, 64, 64), image.Rect(600, 440, 700, 500), image.Rect(-5, -5, 0, 0)}
	for i := range 200 {
		f, pending, err := src.Sample(t.Context(), areas)
		require.NoError(t, err)
		require.False(t, pending, "round %d", i)
		require.Len(t, f.Patches, 2)
		require.Equal(t, image.Rect(600, 440, 640, 480), f.Patches[1].Rect)

		// What a sample shows has been heard of: there is no round of waiting
		// between the drawing and the question.
		pixel := uint32(i + 1)
		p.fill(image.Rect(10, 10, 20, 20), pixel)
		f, pending, err = src.Sample(t.Context(), areas)
		require.NoError(t, err)
		require.Equal(t, pixel, f.Patches[0].At(15, 15))
		require.True(t, pending, "round %d", i)
		v.next()
	}
}

func TestServerDies(t *testing.T) {
	forMethods(t, func(t *testing.T, m xshm.Method) {
		for _, stopped := range []bool{false, true} {
			s := xvfbtest.Start(t, xvfb.Options{Width: 640, Height: 480})
			v := &viewer{tb: t, src: open(t, s, m)}
			v.next()
			v.idle()
			if stopped {
				// Then Sample below waits for an answer.
				require.NoError(t, syscall.Kill(s.Pid(), syscall.SIGSTOP))
			}
			time.AfterFunc(20*time.Millisecond, func() { syscall.Kill(s.Pid(), syscall.SIGKILL) })
			var err error
			if stopped {
				_, _, err = v.src.(capture.Sampler).Sample(t.Context(), []image.Rectangle{image.Rect(0, 0, 9, 9)})
			} else {
				_, err = v.src.Next(t.Context())
			}
			require.ErrorContains(t, err, "connection to the X server lost")
			_, err = v.src.Next(t.Context())
			require.Error(t, err)
			require.NoError(t, v.src.Close())
			s.Stop()
		}
	})
}

func TestCloseWakesNext(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 640, Height: 480})
	src := open(t, s, xshm.Auto)
	v := &viewer{tb: t, src: src}
	v.next()
	v.idle()
	time.AfterFunc(20*time.Millisecond, func() { src.Close() })
	_, err := src.Next(t.Context())
	require.ErrorIs(t, err, x11.ErrClosed)
	require.NoError(t, src.Close())
	// The pixels of the last frame can still be read.
	require.NotZero(t, len(v.img.Pix))
}

// TestCancel cancels Next with the server stopped amid a capture; afterwards
// nothing may be missing.
func TestCancel(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 640, Height: 480})
	p := newPainter(t, s)
	forMethods(t, func(t *testing.T, m xshm.Method) {
		v := &viewer{tb: t, src: open(t, s, m)}
		v.next()
		for i := range 20 {
			p.fill(image.Rect(i, i, i+100, i+100), rand.Uint32())
			require.NoError(t, syscall.Kill(s.Pid(), syscall.SIGSTOP))
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
			f, err := v.src.Next(ctx)
			cancel()
			require.NoError(t, syscall.Kill(s.Pid(), syscall.SIGCONT))
			if err == nil {
				v.take(f) // an event of before
			} else {
				require.ErrorIs(t, err, context.DeadlineExceeded)
			}
		}
		v.next()
		v.idle()
		require.True(t, v.equals(p.truth()))
	})
}

func TestFallback(t *testing.T) {
	for _, c := range []struct {
		args []string
		want xshm.Method
	}{
		{nil, xshm.ShmFd},
		{[]string{"-extension", "MIT-SHM"}, xshm.GetImage},
	} {
		s := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64, Args: c.args})
		src := open(t, s, xshm.Auto)
		require.Equal(t, c.want, src.Method())
		_, err := src.Next(t.Context())
		require.NoError(t, err)
	}
	s := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64, Args: []string{"-extension", "MIT-SHM"}})
	_, err := xshm.Open(t.Context(), xshm.Options{Display: s.Display(), AuthFile: s.AuthFile(), Method: xshm.Shm, Logger: quiet})
	require.ErrorContains(t, err, "MIT-SHM")
	_, err = xshm.Open(t.Context(), xshm.Options{Method: "magic"})
	require.ErrorContains(t, err, "Method")
	s = xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64, Args: []string{"-extension", "DAMAGE"}})
	_, err = xshm.Open(t.Context(), xshm.Options{Display: s.Display(), AuthFile: s.AuthFile(), Logger: quiet})
	require.ErrorContains(t, err, "DAMAGE")
}

// TestTCP captures over TCP, where only GetImage can work.
func TestTCP(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 640, Height: 480, Args: []string{"-listen", "tcp"}})
	src, err := xshm.Open(t.Context(), xshm.Options{Display: "localhost" + s.Display(), AuthFile: s.AuthFile(), Logger: quiet})
	require.NoError(t, err)
	defer src.Close()
	require.Equal(t, xshm.GetImage, src.Method())
	p := newPainter(t, s)
	v := &viewer{tb: t, src: src}
	p.noise(image.Rect(0, 0, 640, 100))
	v.next()
	v.idle()
	require.True(t, v.equals(p.truth()))
}
