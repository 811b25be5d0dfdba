package xshm_test

import (
	"context"
	"image"
	"testing"
	"time"

	"github.com/BurntSushi/xgb/xproto"
	"github.com/stretchr/testify/require"

	"framebridge/capture/xshm"
	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
)

// follow follows an area until the test ends or it is gone.
func follow(t *testing.T, s *xvfb.Server, o xshm.AreaOptions) (places chan image.Rectangle, ended chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	places, ended = make(chan image.Rectangle, 1000), make(chan error, 1)
	o.Display, o.AuthFile, o.Logger = s.Display(), s.AuthFile(), quiet
	done := make(chan struct{})
	go func() {
		defer close(done)
		ended <- xshm.FollowArea(ctx, o, func(r image.Rectangle) { places <- r })
	}()
	t.Cleanup(func() { cancel(); <-done })
	return places, ended
}

func until(t *testing.T, places chan image.Rectangle, want image.Rectangle) {
	t.Helper()
	limit := time.After(time.Minute)
	for {
		select {
		case r := <-places:
			if r == want {
				return
			}
		case <-limit:
			t.Fatalf("never at %v", want)
		}
	}
}

// TestFollowWindow moves a window, and the one that it is in.
func TestFollowWindow(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 640, Height: 480})
	p := xvfbtest.NewPainter(t, s)
	x := p.Conn.X()
	create := func(parent xproto.Window, r image.Rectangle) xproto.Window {
		w, err := xproto.NewWindowId(x)
		require.NoError(t, err)
		require.NoError(t, xproto.CreateWindowChecked(x, 0, w, parent, int16(r.Min.X), int16(r.Min.Y), uint16(r.Dx()), uint16(r.Dy()), 0,
			xproto.WindowClassInputOutput, 0, 0, nil).Check())
		require.NoError(t, xproto.MapWindowChecked(x, w).Check())
		return w
	}
	frame := create(p.Conn.Root(), image.Rect(10, 20, 210, 220))
	w := create(frame, image.Rect(5, 15, 105, 115))
	places, ended := follow(t, s, xshm.AreaOptions{Window: uint32(w)})
	until(t, places, image.Rect(15, 35, 115, 135))
	configure := func(w xproto.Window, mask uint16, v ...uint32) {
		require.NoError(t, xproto.ConfigureWindowChecked(x, w, mask, v).Check())
	}
	configure(w, xproto.ConfigWindowWidth, 150)
	until(t, places, image.Rect(15, 35, 165, 135))
	configure(frame, xproto.ConfigWindowX|xproto.ConfigWindowY, 100, 50)
	until(t, places, image.Rect(105, 65, 255, 165))
	require.NoError(t, xproto.UnmapWindowChecked(x, frame).Check())
	until(t, places, image.Rectangle{})
	require.NoError(t, xproto.MapWindowChecked(x, frame).Check())
	until(t, places, image.Rect(105, 65, 255, 165))
	require.NoError(t, xproto.ReparentWindowChecked(x, w, p.Conn.Root(), 300, 300).Check())
	until(t, places, image.Rect(300, 300, 450, 400))
	require.NoError(t, xproto.DestroyWindowChecked(x, w).Check())
	require.ErrorIs(t, <-ended, xshm.ErrWindowGone)
	_, ended = follow(t, s, xshm.AreaOptions{Window: 0x123456})
	require.ErrorIs(t, <-ended, xshm.ErrWindowGone)
	places, ended = follow(t, s, xshm.AreaOptions{Window: uint32(frame)})
	until(t, places, image.Rect(100, 50, 300, 250))
	s.Stop()
	require.Error(t, <-ended)
}

func TestFollowMonitor(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 640, Height: 480})
	p := xvfbtest.NewPainter(t, s)
	r := xvfbtest.NewResizer(p)
	places, _ := follow(t, s, xshm.AreaOptions{Monitor: 0})
	until(t, places, image.Rect(0, 0, 640, 480))
	require.NoError(t, r.Resize(image.Pt(320, 240)))
	until(t, places, image.Rect(0, 0, 320, 240))
	_, ended := follow(t, s, xshm.AreaOptions{Monitor: 3})
	require.ErrorContains(t, <-ended, "no monitor 3")
}
