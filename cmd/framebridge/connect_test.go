package main

import (
	"image"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"framebridge/rfb"
	"framebridge/rfb/rfbtest"
)

// viewer says how to connect the strict client.
type viewer = rfbtest.Options

// connect connects the strict client; an own viewer shares unless it is said
// otherwise.
func connect(t testing.TB, s *server, o viewer) *rfbtest.Client {
	t.Helper()
	addr := s.addr
	if addr == "" {
		addr = "unix:" + s.unix
	}
	return connectTo(t, addr, o)
}

func connectTo(t testing.TB, addr string, o viewer) *rfbtest.Client {
	t.Helper()
	o.Shared = true
	c, err := rfbtest.Dial(t.Context(), addr, o)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(timeout)))
	return c
}

// whole reads the whole screen.
func whole(t testing.TB, c *rfbtest.Client) {
	t.Helper()
	require.NoError(t, c.RequestUpdate(false, c.Bounds()))
	left := c.Bounds().Dx() * c.Bounds().Dy()
	for left > 0 {
		u, err := c.ReadUpdate()
		require.NoError(t, err)
		n := u.Pixels()
		left -= n
		if n == 0 || left > 0 {
			require.NoError(t, c.RequestUpdate(true, c.Bounds()))
		}
	}
}

// follow takes updates until the viewer's picture is that of the display. It
// asks only while they differ, so that an update has to come.
func follow(t testing.TB, c *rfbtest.Client, d *desktop) {
	t.Helper()
	require.NoError(t, c.SetDeadline(time.Now().Add(timeout)))
	for {
		want, got := d.grab(), c.Image()
		if equal(got, want) {
			return
		}
		require.NoError(t, c.RequestUpdate(true, c.Bounds()))
		_, err := c.ReadUpdate()
		require.NoError(t, err, "the viewer's picture %v is not the display's %v: %s", got.Rect, want.Rect, differences(got, want))
	}
}

// cursorEncodings keep the pointer out of the picture.
var cursorEncodings = []rfb.Encoding{rfb.PseudoCursor, rfb.PseudoDesktopSize}

func withCursor(es ...rfb.Encoding) []rfb.Encoding { return append(es, cursorEncodings...) }

// at is a rectangle of the given size.
func at(x, y, w, h int) image.Rectangle { return image.Rect(x, y, x+w, y+h) }
