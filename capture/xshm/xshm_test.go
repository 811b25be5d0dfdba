package xshm_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"io"
	"log/slog"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/BurntSushi/xgb/xproto"
	"github.com/BurntSushi/xgb/xtest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"framebridge/capture"
	"framebridge/capture/capturetest"
	"framebridge/capture/xshm"
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
			p := xvfbtest.NewPainter(t, s)
			forMethods(t, func(t *testing.T, m xshm.Method) {
				v := capturetest.NewViewer(t, open(t, s, m))
				p.Noise(image.Rect(3, 5, 200, 99))
				v.Next()
				v.Idle()
				require.True(t, v.Shows(p.Truth), "whole screen")
				for _, r := range []image.Rectangle{
					image.Rect(0, 0, 1, 1), image.Rect(202, 100, 203, 101), image.Rect(7, 9, 12, 40), image.Rect(1, 50, 202, 53),
				} {
					p.Noise(r)
				}
				v.Next()
				v.Idle()
				require.True(t, v.Shows(p.Truth), "damage")
			})
		})
	}
}

// TestColormap changes a colour that pixels already have.
func TestColormap(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64, Depth: 8, Args: []string{"-cc", "3"}})
	p := xvfbtest.NewPainter(t, s)
	v := capturetest.NewViewer(t, open(t, s, xshm.Auto))
	cell, err := xproto.AllocColorCells(p.Conn.X(), false, p.Conn.Screen().DefaultColormap, 1, 0).Reply()
	require.NoError(t, err)
	pixel := cell.Pixels[0]
	for _, rgb := range []uint32{0xff0000, 0x00ff00, 0x123456} {
		require.NoError(t, xproto.StoreColorsChecked(p.Conn.X(), p.Conn.Screen().DefaultColormap, []xproto.Coloritem{{
			Pixel: pixel, Flags: xproto.ColorFlagRed | xproto.ColorFlagGreen | xproto.ColorFlagBlue,
			Red: uint16(rgb >> 16 * 0x101), Green: uint16(rgb >> 8 & 0xff * 0x101), Blue: uint16(rgb & 0xff * 0x101),
		}}).Check())
		// The change is seen with the next drawing, wherever that is.
		p.Fill(image.Rect(0, 0, 8, 8), pixel)
		p.Fill(image.Rect(50, 50, 51, 51), 0)
		v.Next()
		v.Idle()
		require.Equal(t, rgb, v.Image.At(4, 4))
		p.Fill(image.Rect(50, 50, 51, 51), 1)
		v.Next()
	}
	v.Idle()
	require.True(t, v.Shows(p.Truth))
}

// TestDamage draws at random in many ways and compares.
func TestDamage(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 640, Height: 480})
	p := xvfbtest.NewPainter(t, s)
	forMethods(t, func(t *testing.T, m xshm.Method) {
		v := capturetest.NewViewer(t, open(t, s, m))
		v.Next()
		rng := rand.New(rand.NewPCG(1, 2))
		for range 20 {
			for range 1 + rng.IntN(200) {
				o := image.Pt(rng.IntN(640), rng.IntN(480))
				size := image.Pt(1+rng.IntN(20), 1+rng.IntN(20))
				if rng.IntN(50) == 0 {
					size = size.Mul(10)
				}
				p.Fill(image.Rectangle{o, o.Add(size)}, rng.Uint32())
			}
			v.Next()
		}
		v.Idle()
		require.True(t, v.Shows(p.Truth))
	})
}

func TestSmallDamageIsSmall(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 640, Height: 480})
	p := xvfbtest.NewPainter(t, s)
	v := capturetest.NewViewer(t, open(t, s, xshm.Auto))
	v.Next()
	v.Idle()
	r := image.Rect(100, 200, 108, 216)
	p.Fill(r, 0xabcdef)
	f := v.Next()
	require.Len(t, f.Patches, 1)
	require.Equal(t, r, f.Patches[0].Rect)
	require.EqualValues(t, 0xabcdef, f.Patches[0].At(100, 200))
}

func TestResize(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 1024, Height: 768})
	p := xvfbtest.NewPainter(t, s)
	r := xvfbtest.NewResizer(p)
	forMethods(t, func(t *testing.T, m xshm.Method) {
		v := capturetest.NewViewer(t, open(t, s, m))
		v.Next()
		for _, size := range []image.Point{{800, 600}, {1024, 768}, {641, 479}, {1024, 768}} {
			require.NoError(t, r.Resize(size))
			v.Until(func() bool { return v.Image.Rect.Max == size })
			p.Noise(image.Rect(10, 10, 100, 20))
			v.Next()
			v.Idle()
			require.True(t, v.Shows(p.Truth), size)
			require.Equal(t, m, v.Source.(*xshm.Source).Method())
		}
	})
}

// TestResizeWhileDrawing resizes under a source that captures all the time.
func TestResizeWhileDrawing(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 1024, Height: 768})
	p := xvfbtest.NewPainter(t, s)
	r := xvfbtest.NewResizer(xvfbtest.NewPainter(t, s))
	forMethods(t, func(t *testing.T, m xshm.Method) {
		v := capturetest.NewViewer(t, open(t, s, m))
		done := make(chan error, 1)
		go func() {
			var err error
			for i := range 100 {
				err = errors.Join(err, r.Resize([]image.Point{{640, 480}, {1024, 768}}[i%2]))
			}
			done <- err
		}()
		for i := 0; ; i++ {
			p.Fill(image.Rect(0, 0, 1024, 768), uint32(i)*0x10203)
			v.Next()
			select {
			case err := <-done:
				require.NoError(t, err)
				v.Idle()
				require.True(t, v.Shows(p.Truth))
				return
			default:
			}
		}
	})
}

func TestCursorAndPointer(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 640, Height: 480})
	p := xvfbtest.NewPainter(t, s)
	x := p.Conn.X()
	_, err := p.Conn.Extension(t.Context(), x11.XTest)
	require.NoError(t, err)
	v := capturetest.NewViewer(t, open(t, s, xshm.Auto))
	v.Next()
	v.Idle()

	// Others' movements are seen without any drawing.
	for _, want := range []image.Point{{10, 20}, {600, 400}, {0, 0}} {
		xtest.FakeInput(x, xproto.MotionNotify, 0, 0, p.Conn.Root(), int16(want.X), int16(want.Y), 0)
		require.NoError(t, p.Conn.Sync(t.Context()))
		v.Until(func() bool { return v.Pointer == want })
	}
	v.Idle()

	// A cursor of our own: red where the mask is, half of it.
	const w, h = 16, 4
	src, mask := p.Bitmap(w, h, 0xff), p.Bitmap(w, h, 0x0f)
	cursor, err := xproto.NewCursorId(x)
	require.NoError(t, err)
	require.NoError(t, xproto.CreateCursorChecked(x, cursor, src, mask, 0xffff, 0, 0, 0, 0, 0, 3, 1).Check())
	require.NoError(t, xproto.ChangeWindowAttributesChecked(x, p.Conn.Root(), xproto.CwCursor, []uint32{uint32(cursor)}).Check())
	v.Cursor = nil
	v.Until(func() bool { return v.Cursor != nil && v.Cursor.Size.X == w })
	assert.Equal(t, image.Pt(w, h), v.Cursor.Size)
	assert.Equal(t, image.Pt(3, 1), v.Cursor.Hot)
	red, none := []byte{0, 0, 255, 255}, []byte{0, 0, 0, 0}
	assert.Equal(t, bytes.Repeat(append(bytes.Repeat(red, 4), bytes.Repeat(none, 4)...), w/8*h), v.Cursor.Pix)

	// One of nothing is no cursor.
	empty := p.Bitmap(w, h, 0)
	require.NoError(t, xproto.CreateCursorChecked(x, cursor+100, empty, empty, 0, 0, 0, 0, 0, 0, 0, 0).Check())
	require.NoError(t, xproto.ChangeWindowAttributesChecked(x, p.Conn.Root(), xproto.CwCursor, []uint32{uint32(cursor + 100)}).Check())
	v.Until(func() bool { return v.Cursor.Size.X != w })
	assert.Zero(t, v.Cursor.Size)
}

func TestSample(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 640, Height: 480})
	p := xvfbtest.NewPainter(t, s)
	src := open(t, s, xshm.Auto)
	v := capturetest.NewViewer(t, src)
	v.Next()
	v.Idle()
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
		p.Fill(image.Rect(10, 10, 20, 20), pixel)
		f, pending, err = src.Sample(t.Context(), areas)
		require.NoError(t, err)
		require.Equal(t, pixel, f.Patches[0].At(15, 15))
		require.True(t, pending, "round %d", i)
		v.Next()
	}
}

func TestServerDies(t *testing.T) {
	forMethods(t, func(t *testing.T, m xshm.Method) {
		for _, stopped := range []bool{false, true} {
			s := xvfbtest.Start(t, xvfb.Options{Width: 640, Height: 480})
			v := capturetest.NewViewer(t, open(t, s, m))
			v.Next()
			v.Idle()
			if stopped {
				// Then Sample below waits for an answer.
				require.NoError(t, syscall.Kill(s.Pid(), syscall.SIGSTOP))
			}
			time.AfterFunc(20*time.Millisecond, func() { syscall.Kill(s.Pid(), syscall.SIGKILL) })
			var err error
			if stopped {
				_, _, err = v.Source.(capture.Sampler).Sample(t.Context(), []image.Rectangle{image.Rect(0, 0, 9, 9)})
			} else {
				_, err = v.Source.Next(t.Context())
			}
			require.ErrorContains(t, err, "connection to the X server lost")
			_, err = v.Source.Next(t.Context())
			require.Error(t, err)
			require.NoError(t, v.Source.Close())
			s.Stop()
		}
	})
}

func TestCloseWakesNext(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 640, Height: 480})
	src := open(t, s, xshm.Auto)
	v := capturetest.NewViewer(t, src)
	v.Next()
	v.Idle()
	time.AfterFunc(20*time.Millisecond, func() { src.Close() })
	_, err := src.Next(t.Context())
	require.ErrorIs(t, err, x11.ErrClosed)
	require.NoError(t, src.Close())
	// The pixels of the last frame can still be read.
	require.NotZero(t, len(v.Image.Pix))
}

// TestCancel cancels Next with the server stopped amid a capture; afterwards
// nothing may be missing.
func TestCancel(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 640, Height: 480})
	p := xvfbtest.NewPainter(t, s)
	forMethods(t, func(t *testing.T, m xshm.Method) {
		v := capturetest.NewViewer(t, open(t, s, m))
		v.Next()
		for i := range 20 {
			p.Fill(image.Rect(i, i, i+100, i+100), rand.Uint32())
			require.NoError(t, syscall.Kill(s.Pid(), syscall.SIGSTOP))
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
			f, err := v.Source.Next(ctx)
			cancel()
			require.NoError(t, syscall.Kill(s.Pid(), syscall.SIGCONT))
			if err == nil {
				v.Take(f) // an event of before
			} else {
				require.ErrorIs(t, err, context.DeadlineExceeded)
			}
		}
		require.True(t, v.Shows(p.Truth))
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
	p := xvfbtest.NewPainter(t, s)
	v := capturetest.NewViewer(t, src)
	p.Noise(image.Rect(0, 0, 640, 100))
	v.Next()
	v.Idle()
	require.True(t, v.Shows(p.Truth))
}
