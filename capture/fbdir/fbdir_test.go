package fbdir_test

import (
	"context"
	"image"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/BurntSushi/xgb/xproto"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"framebridge/capture/capturetest"
	"framebridge/capture/fbdir"
	"framebridge/internal/x11"
	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(tb testing.TB, o xvfb.Options) (*xvfb.Server, fbdir.Options) {
	tb.Helper()
	dir := tb.TempDir()
	o.Args = append(o.Args, "-fbdir", dir)
	s := xvfbtest.Start(tb, o)
	return s, fbdir.Options{Dir: dir, Display: s.Display(), AuthFile: s.AuthFile()}
}

func open(tb testing.TB, o fbdir.Options) *fbdir.Source {
	tb.Helper()
	src, err := fbdir.Open(tb.Context(), o)
	require.NoError(tb, err)
	tb.Cleanup(func() { src.Close() })
	return src
}

func TestDepths(t *testing.T) {
	for name, o := range map[string]xvfb.Options{
		"24":            {Width: 203, Height: 101, Depth: 24},
		"30":            {Width: 203, Height: 101, Depth: 30},
		"16":            {Width: 203, Height: 101, Depth: 16},
		"15":            {Width: 203, Height: 101, Depth: 15},
		"8 pseudo":      {Width: 203, Height: 101, Depth: 8, Args: []string{"-cc", "3"}},
		"8 true":        {Width: 203, Height: 101, Depth: 8, Args: []string{"-cc", "4"}},
		"8 static gray": {Width: 203, Height: 101, Depth: 8, Args: []string{"-cc", "0"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, opt := start(t, o)
			p := xvfbtest.NewPainter(t, s)
			v := capturetest.NewViewer(t, open(t, opt))
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
	}
}

func TestColormap(t *testing.T) {
	s, opt := start(t, xvfb.Options{Width: 64, Height: 64, Depth: 8, Args: []string{"-cc", "3"}})
	p := xvfbtest.NewPainter(t, s)
	v := capturetest.NewViewer(t, open(t, opt))
	cell, err := xproto.AllocColorCells(p.Conn.X(), false, p.Conn.Screen().DefaultColormap, 1, 0).Reply()
	require.NoError(t, err)
	pixel := cell.Pixels[0]
	p.Fill(image.Rect(0, 0, 8, 8), pixel)
	v.Next()
	v.Idle()
	require.NoError(t, xproto.StoreColorsChecked(p.Conn.X(), p.Conn.Screen().DefaultColormap, []xproto.Coloritem{{
		Pixel: pixel, Flags: 7, Red: 0x1212, Green: 0x3434, Blue: 0x5656,
	}}).Check())
	p.Fill(image.Rect(50, 50, 51, 51), 1)
	v.Until(func() bool { return v.Image.At(4, 4) == 0x123456 })
}

func TestResize(t *testing.T) {
	s, opt := start(t, xvfb.Options{Width: 1024, Height: 768})
	p := xvfbtest.NewPainter(t, s)
	r := xvfbtest.NewResizer(p)
	v := capturetest.NewViewer(t, open(t, opt))
	v.Next()
	for _, size := range []image.Point{{800, 600}, {1024, 768}, {641, 479}, {1024, 768}} {
		require.NoError(t, r.Resize(size))
		v.Until(func() bool { return v.Image.Rect.Max == size })
		p.Noise(image.Rect(10, 10, 100, 20))
		v.Next()
		v.Idle()
		require.True(t, v.Shows(p.Truth), size)
	}
}

func TestSample(t *testing.T) {
	s, opt := start(t, xvfb.Options{Width: 640, Height: 480})
	p := xvfbtest.NewPainter(t, s)
	src := open(t, opt)
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
	s, opt := start(t, xvfb.Options{Width: 640, Height: 480})
	src := open(t, opt)
	f, err := src.Next(t.Context())
	require.NoError(t, err)
	time.AfterFunc(20*time.Millisecond, func() { syscall.Kill(s.Pid(), syscall.SIGKILL) })
	for err == nil {
		_, err = src.Next(t.Context())
	}
	require.ErrorContains(t, err, "lost")
	s.Stop()
	_ = f.Patches[0].At(639, 479) // still mapped
	require.NoError(t, src.Close())
}

func TestCloseWakesNext(t *testing.T) {
	_, opt := start(t, xvfb.Options{Width: 640, Height: 480})
	src := open(t, opt)
	v := capturetest.NewViewer(t, src)
	v.Next()
	v.Idle()
	time.AfterFunc(20*time.Millisecond, func() { src.Close() })
	_, err := src.Next(t.Context())
	require.ErrorIs(t, err, x11.ErrClosed)
}

func TestOpenErrors(t *testing.T) {
	s, opt := start(t, xvfb.Options{Width: 64, Height: 64})
	file := filepath.Join(opt.Dir, "Xvfb_screen0")
	good, err := os.ReadFile(file)
	require.NoError(t, err)
	ctx := context.Background()

	_, err = fbdir.Open(ctx, fbdir.Options{})
	require.ErrorContains(t, err, "Dir")
	opt.Dir = t.TempDir()
	_, err = fbdir.Open(ctx, opt)
	require.ErrorContains(t, err, "-fbdir")
	file = filepath.Join(opt.Dir, "Xvfb_screen0")
	for name, b := range map[string][]byte{"empty": {}, "short": good[:99], "cut": good[:len(good)-5000], "zeros": make([]byte, 5000)} {
		require.NoError(t, os.WriteFile(file, b, 0o600))
		_, err = fbdir.Open(ctx, opt)
		require.ErrorContains(t, err, "framebuffer", name)
	}
	// Another server's, and smaller than the screen.
	_, other := start(t, xvfb.Options{Width: 32, Height: 32})
	other.Display, other.AuthFile = s.Display(), s.AuthFile()
	_, err = fbdir.Open(ctx, other)
	require.ErrorContains(t, err, "another server")
}
