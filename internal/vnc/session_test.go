package vnc

import (
	"context"
	"fmt"
	"image"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"framebridge/capture"
	"framebridge/internal/pix"
	"framebridge/rfb"
	"framebridge/rfb/rfbtest"
)

var formats = map[string]pix.Format{
	"bgrx":     pix.BGRX,
	"rgbx":     {BitsPerPixel: 32, Depth: 24, TrueColour: true, RedMax: 255, GreenMax: 255, BlueMax: 255, RedShift: 0, GreenShift: 8, BlueShift: 16},
	"xrgb big": {BitsPerPixel: 32, Depth: 24, BigEndian: true, TrueColour: true, RedMax: 255, GreenMax: 255, BlueMax: 255, RedShift: 24, GreenShift: 16, BlueShift: 8},
	"depth 32": {BitsPerPixel: 32, Depth: 32, TrueColour: true, RedMax: 255, GreenMax: 255, BlueMax: 255, RedShift: 16, GreenShift: 8, BlueShift: 0},
	"565":      {BitsPerPixel: 16, Depth: 16, TrueColour: true, RedMax: 31, GreenMax: 63, BlueMax: 31, RedShift: 11, GreenShift: 5, BlueShift: 0},
	"555 big":  {BitsPerPixel: 16, Depth: 15, BigEndian: true, TrueColour: true, RedMax: 31, GreenMax: 31, BlueMax: 31, RedShift: 10, GreenShift: 5, BlueShift: 0},
	"bgr233":   {BitsPerPixel: 8, Depth: 8, TrueColour: true, RedMax: 7, GreenMax: 7, BlueMax: 3, RedShift: 0, GreenShift: 3, BlueShift: 6},
	"mapped":   {BitsPerPixel: 8, Depth: 8},
}

func TestEveryEncodingInEveryFormat(t *testing.T) {
	for _, e := range lossless {
		t.Run(e.String(), func(t *testing.T) {
			r := newRig(t, newCanvas(233, 157), nil)
			for name, f := range formats {
				c := r.dial(t, rfbtest.Options{
					Shared: true, Format: &f,
					Encodings: []rfb.Encoding{e, rfb.EncodingCopyRect, rfb.PseudoLastRect, rfb.PseudoCompress0 + 1},
				})
				require.NoError(t, c.RequestUpdate(false, c.Bounds()))
				_, err := c.ReadUpdate()
				require.NoError(t, err, name)
				r.converge(t, c, f)
				for i := range 6 {
					area := image.Rect(i*7, i*11, i*7+50+i*13, i*11+40)
					r.draw(area, func(m *pix.Image) { paint(m, area.Intersect(m.Rect), uint64(i)) })
					r.converge(t, c, f)
				}
				if e != rfb.EncodingRaw && e != rfb.EncodingRRE && e != rfb.EncodingCoRRE {
					require.Zero(t, c.Stats().Rects[rfb.EncodingRaw]*8/max(1, c.Stats().Rects[e]), "mostly Raw: %v", c.Stats().Rects)
				}
				c.Close()
			}
		})
	}
}

func TestFormatsAndEncodingsChangeInMidSession(t *testing.T) {
	r := newRig(t, newCanvas(200, 150), nil)
	c := r.dial(t, rfbtest.Options{})
	rnd := rand.New(rand.NewPCG(1, 2))
	names := []string{"bgrx", "565", "mapped", "xrgb big", "bgr233"}
	f := pix.BGRX
	for i := range 60 {
		if rnd.IntN(2) == 0 {
			list := []rfb.Encoding{lossless[rnd.IntN(len(lossless))], rfb.EncodingCopyRect}
			if rnd.IntN(2) == 0 {
				list = append(list, rfb.PseudoCompress0+rfb.Encoding(rnd.IntN(10)))
			}
			require.NoError(t, c.SetEncodings(list...))
		}
		if rnd.IntN(3) == 0 {
			f = formats[names[rnd.IntN(len(names))]]
			require.NoError(t, c.SetFormat(f))
		}
		area := image.Rect(rnd.IntN(150), rnd.IntN(100), 200, 150)
		r.draw(area, func(m *pix.Image) { paint(m, area, uint64(i)) })
		// Pixels sent in the format before are right to within that format: ask anew.
		require.NoError(t, c.RequestUpdate(false, c.Bounds()))
		_, err := c.ReadUpdate()
		require.NoError(t, err)
		r.converge(t, c, f)
	}
}

func TestJPEGOnlyWhereTheViewerAllowsIt(t *testing.T) {
	r := newRig(t, newCanvas(320, 240), nil)
	r.draw(image.Rect(0, 0, 320, 240), func(m *pix.Image) {
		for y := range 240 {
			for x := range 320 {
				m.Set(x, y, uint32(x*255/320)<<16|uint32(y)<<8|uint32((x*y)>>8&0xff))
			}
		}
	})
	c := r.dial(t, rfbtest.Options{Encodings: []rfb.Encoding{rfb.EncodingTight, rfb.PseudoJPEGQuality0 + 6}})
	require.NoError(t, c.RequestUpdate(false, c.Bounds()))
	u, err := c.ReadUpdate()
	require.NoError(t, err)
	var n int64
	for _, rc := range u.Rects {
		n += rc.Bytes
	}
	require.Less(t, n, int64(320*240*3/8), "a photo is sent as JPEG")
	want := r.snapshot()
	got := c.Image()
	var sum float64
	for y := range 240 {
		for x := range 320 {
			for s := 0; s < 24; s += 8 {
				d := float64(int(got.At(x, y)>>s&255) - int(want.At(x, y)>>s&255))
				sum += d * d
			}
		}
	}
	require.Less(t, sum/(320*240*3), 30.0, "mean square error")
}

func TestScrollsTravelAsCopyRect(t *testing.T) {
	cv := newCanvas(600, 500)
	cv.draw(cv.img.Rect, func(m *pix.Image) {
		rnd := rand.New(rand.NewPCG(4, 4))
		for y := range 500 {
			for x := range 600 {
				m.Set(x, y, rnd.Uint32())
			}
		}
	})
	for name, cursor := range map[string]*capture.Cursor{"plain": nil, "with a painted pointer": testCursor()} {
		t.Run(name, func(t *testing.T) {
			if cursor != nil {
				cv.cursor, cv.pointer = cursor, &image.Point{300, 250}
			}
			cv.full = true
			r := newRig(t, cv, nil)
			c := r.dial(t, rfbtest.Options{Encodings: []rfb.Encoding{rfb.EncodingZRLE, rfb.EncodingCopyRect}})
			require.NoError(t, c.RequestUpdate(false, c.Bounds()))
			_, err := c.ReadUpdate()
			require.NoError(t, err)
			for range 8 {
				r.draw(cv.img.Rect, func(m *pix.Image) {
					m.Move(image.Pt(0, 0), image.Rect(0, 15, 600, 500))
					m.Fill(image.Rect(0, 485, 600, 500), 0xffffff)
				})
				want := r.snapshot()
				if cursor != nil {
					blendCursor(want, cursor, image.Pt(298, 247))
				}
				require.NoError(t, c.RequestUpdate(true, c.Bounds()))
				_, err := c.ReadUpdate()
				require.NoError(t, err)
				require.True(t, pix.Equal(want, c.Image(), want.Rect))
			}
			require.NotZero(t, c.Stats().Rects[rfb.EncodingCopyRect], "%v", c.Stats())
		})
	}
}

func TestResizes(t *testing.T) {
	for name, list := range map[string][]rfb.Encoding{
		"DesktopSize":         {rfb.EncodingZRLE, rfb.PseudoDesktopSize},
		"ExtendedDesktopSize": {rfb.EncodingZRLE, rfb.PseudoExtendedDesktopSize, rfb.PseudoDesktopSize},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, newCanvas(300, 200), nil)
			c := r.dial(t, rfbtest.Options{Encodings: list})
			require.NoError(t, c.RequestUpdate(false, c.Bounds()))
			r.converge(t, c, pix.BGRX)
			for _, size := range []image.Point{{500, 400}, {120, 90}, {1, 1}, {300, 200}} {
				r.resize(size.X, size.Y)
				r.converge(t, c, pix.BGRX)
			}
			if name == "ExtendedDesktopSize" {
				require.Len(t, c.Screens(), 1)
				require.NoError(t, c.SetDesktopSize(640, 480))
				_, err := c.ReadUpdate()
				require.NoError(t, err)
				require.Equal(t, image.Rect(0, 0, 300, 200), c.Bounds(), "refused")
			}
		})
	}
	t.Run("a viewer that cannot resize", func(t *testing.T) {
		r := newRig(t, newCanvas(300, 200), nil)
		c := r.dial(t, rfbtest.Options{Encodings: []rfb.Encoding{rfb.EncodingHextile}})
		require.NoError(t, c.RequestUpdate(false, c.Bounds()))
		r.converge(t, c, pix.BGRX)
		for _, size := range []image.Point{{500, 400}, {120, 90}, {310, 100}} {
			r.resize(size.X, size.Y)
			want := pix.New(image.Rect(0, 0, 300, 200))
			now := r.snapshot()
			pix.Copy(want, now, want.Rect.Intersect(now.Rect))
			require.Eventually(t, func() bool {
				require.NoError(t, c.RequestUpdate(true, c.Bounds()))
				_, err := c.ReadUpdate()
				require.NoError(t, err)
				return pix.Equal(want, c.Image(), want.Rect)
			}, time.Minute, time.Millisecond)
		}
	})
}

func testCursor() *capture.Cursor {
	c := &capture.Cursor{Size: image.Pt(9, 5), Hot: image.Pt(2, 3), Pix: make([]byte, 9*5*4)}
	for i := range 45 {
		if i%2 == 0 { // opaque, alternately dark and light
			v := byte(i % 4 / 2 * 255)
			copy(c.Pix[4*i:], []byte{v, v, v, 255})
		}
	}
	return c
}

func TestCursorShapes(t *testing.T) {
	for _, e := range []rfb.Encoding{rfb.PseudoCursor, rfb.PseudoXCursor, rfb.PseudoCursorWithAlpha} {
		t.Run(e.String(), func(t *testing.T) {
			cv := newCanvas(100, 100)
			cv.cursor, cv.pointer = testCursor(), &image.Point{40, 40}
			r := newRig(t, cv, nil)
			c := r.dial(t, rfbtest.Options{Encodings: []rfb.Encoding{rfb.EncodingRaw, e, rfb.PseudoPointerPos}})
			require.NoError(t, c.RequestUpdate(false, c.Bounds()))
			r.converge(t, c, pix.BGRX) // nothing is painted into the picture
			got := c.Cursor()
			require.NotNil(t, got)
			require.Equal(t, image.Pt(9, 5), got.Size)
			require.Equal(t, image.Pt(2, 3), got.Hot)
			for i, p := range got.Pixels {
				if i%2 == 0 {
					require.Equal(t, uint32(0xff000000)|uint32(i%4/2)*0xffffff, p, "pixel %d", i)
				} else {
					require.Zero(t, p>>24, "pixel %d", i)
				}
			}
			require.Equal(t, image.Pt(40, 40), c.PointerPos())
		})
	}
}

func TestCursorIsPaintedForViewersWithoutIt(t *testing.T) {
	cv := newCanvas(100, 100)
	cv.cursor, cv.pointer = testCursor(), &image.Point{40, 40}
	r := newRig(t, cv, nil)
	c := r.dial(t, rfbtest.Options{Encodings: []rfb.Encoding{rfb.EncodingZRLE}})
	require.NoError(t, c.RequestUpdate(false, c.Bounds()))
	for _, at := range []image.Point{{40, 40}, {43, 41}, {0, 0}, {99, 99}} {
		r.mu.Lock()
		r.pointer = &at
		r.mu.Unlock()
		r.poke()
		want := r.snapshot()
		blendCursor(want, testCursor(), at.Sub(image.Pt(2, 3)))
		require.Eventually(t, func() bool {
			if pix.Equal(want, c.Image(), want.Rect) {
				return true
			}
			require.NoError(t, c.RequestUpdate(true, c.Bounds()))
			_, err := c.ReadUpdate()
			require.NoError(t, err)
			return false
		}, time.Minute, time.Millisecond)
	}
}

func TestInputReachesTheSinkAndIsReleased(t *testing.T) {
	r := newRig(t, newCanvas(64, 64), nil)
	c := r.dial(t, rfbtest.Options{})
	require.NoError(t, c.Key('a', true))
	require.NoError(t, c.Pointer(10, 20, 5))
	require.NoError(t, c.Key(0xffe3, true)) // Control
	require.NoError(t, c.Key('a', false))
	require.NoError(t, c.CutText([]byte("gr\xfc\xdfe")))
	require.Equal(t, []any{
		keyEvent{'a', 0, true}, pointerEvent{10, 20, 5}, keyEvent{0xffe3, 0, true}, keyEvent{'a', 0, false}, "grüße",
	}, r.sink.await(t, 5))
	c.Close()
	require.Equal(t, []any{keyEvent{0xffe3, 0, false}, pointerEvent{10, 20, 0}}, r.sink.await(t, 7)[5:])
}

func TestPasswordsGrantRights(t *testing.T) {
	r := newRig(t, newCanvas(64, 64), func(c *Config) {
		c.NoAuth = false
		c.Passwords = []rfb.Password{
			{Secret: []byte("control"), Grant: FullRights}, {Secret: []byte("looking"), Grant: ViewRights},
		}
	})
	ctx := t.Context()
	_, err := rfbtest.Dial(ctx, r.addr, rfbtest.Options{})
	require.Error(t, err, "None is not on offer")
	_, err = rfbtest.Dial(ctx, r.addr, rfbtest.Options{Password: "wrong"})
	require.Error(t, err)

	viewer := r.dial(t, rfbtest.Options{Password: "looking", Shared: true})
	require.NoError(t, viewer.Key('v', true))
	require.NoError(t, viewer.CutText([]byte("v")))
	require.NoError(t, viewer.RequestUpdate(false, viewer.Bounds()))
	_, err = viewer.ReadUpdate()
	require.NoError(t, err)
	full := r.dial(t, rfbtest.Options{Password: "control", Shared: true})
	require.NoError(t, full.Key('f', true))
	require.Equal(t, []any{keyEvent{'f', 0, true}}, r.sink.await(t, 1), "the viewing one's key was before")
}

func TestGuessingIsSlowedDown(t *testing.T) {
	var f failures
	now := time.Now()
	for range freeFailures - 1 {
		f.failed("h", now)
		require.False(t, f.banned("h", now))
	}
	f.failed("h", now)
	require.True(t, f.banned("h", now))
	require.False(t, f.banned("h", now.Add(banTime)))
	require.False(t, f.banned("other", now))
	f.failed("h", now)
	require.True(t, f.banned("h", now.Add(banTime)), "the second wait is longer")
	f.succeeded("h")
	require.False(t, f.banned("h", now))
	for i := range maxHosts + 10 {
		f.failed(fmt.Sprint(i), now)
	}
	require.LessOrEqual(t, len(f.hosts), maxHosts)
}

func TestSharing(t *testing.T) {
	for _, c := range []struct {
		policy Sharing
		shared bool
		stays  bool
	}{
		{SharingViewer, true, true}, {SharingViewer, false, false},
		{SharingAlways, false, true}, {SharingNever, true, false},
	} {
		t.Run(fmt.Sprint(c.policy, c.shared), func(t *testing.T) {
			r := newRig(t, newCanvas(64, 64), func(cfg *Config) { cfg.Sharing = c.policy })
			first := r.dial(t, rfbtest.Options{Shared: true})
			require.NoError(t, first.RequestUpdate(false, first.Bounds()))
			_, err := first.ReadUpdate()
			require.NoError(t, err)
			second := r.dial(t, rfbtest.Options{Shared: c.shared})
			require.NoError(t, second.RequestUpdate(false, second.Bounds()))
			_, err = second.ReadUpdate()
			require.NoError(t, err)
			first.SetDeadline(time.Now().Add(time.Minute))
			require.NoError(t, first.RequestUpdate(false, first.Bounds()))
			_, err = first.ReadUpdate()
			if c.stays {
				require.NoError(t, err)
			} else {
				require.Error(t, err)
				require.NotErrorIs(t, err, errTimeout)
			}
		})
	}
}

func TestClipboardReachesTheOthers(t *testing.T) {
	r := newRig(t, newCanvas(64, 64), nil)
	a := r.dial(t, rfbtest.Options{Shared: true})
	b := r.dial(t, rfbtest.Options{Shared: true})
	// Both must be in before the clipboard changes.
	for _, c := range []*rfbtest.Client{a, b} {
		require.NoError(t, c.RequestUpdate(false, c.Bounds()))
		_, err := c.ReadUpdate()
		require.NoError(t, err)
	}
	r.srv.SetClipboard("zwölf € a\r\nb")
	for _, c := range []*rfbtest.Client{a, b} {
		m, err := c.ReadMessage()
		require.NoError(t, err)
		require.Equal(t, "zw\xf6lf ? a\nb", string(m.(rfbtest.CutText).Data))
	}
	require.NoError(t, a.CutText([]byte("from a")))
	m, err := b.ReadMessage()
	require.NoError(t, err)
	require.Equal(t, "from a", string(m.(rfbtest.CutText).Data))
}

func TestAnUnknownMessageEndsThatViewerOnly(t *testing.T) {
	r := newRig(t, newCanvas(64, 64), nil)
	good := r.dial(t, rfbtest.Options{Shared: true})
	for _, b := range [][]byte{
		{77}, {6, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff}, {0, 0, 0, 0, 7, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0},
	} {
		bad := r.dial(t, rfbtest.Options{Shared: true})
		require.NoError(t, bad.Send(b))
		bad.SetDeadline(time.Now().Add(time.Minute))
		_, err := bad.ReadUpdate()
		require.ErrorIs(t, err, io.EOF)
	}
	require.NoError(t, good.RequestUpdate(false, good.Bounds()))
	_, err := good.ReadUpdate()
	require.NoError(t, err)
}

// TestAViewerThatNeverReads asks for the whole screen for ever without reading,
// while another viewer must be served as if it were alone.
func TestAViewerThatNeverReads(t *testing.T) {
	r := newRig(t, newCanvas(1200, 800), nil)
	nc, err := net.Dial("tcp", r.addr)
	require.NoError(t, err)
	lazy, err := rfbtest.Open(t.Context(), nc, rfbtest.Options{Shared: true})
	require.NoError(t, err)
	defer lazy.Close()
	go func() {
		for range 5000 {
			if lazy.RequestUpdate(false, image.Rect(0, 0, 1200, 800)) != nil {
				return
			}
		}
	}()
	c := r.dial(t, rfbtest.Options{Shared: true, Encodings: []rfb.Encoding{rfb.EncodingZRLE}})
	require.NoError(t, c.RequestUpdate(false, c.Bounds()))
	for i := range 100 {
		area := image.Rect(i, i, i+100, i+100)
		r.draw(area, func(m *pix.Image) { paint(m, area, uint64(i)) })
		r.converge(t, c, pix.BGRX)
	}
	nc.Close()
}

func TestProbesAreQuiet(t *testing.T) {
	var logged logCounter
	r := newRig(t, newCanvas(64, 64), func(c *Config) { c.Logger = slog.New(&logged) })
	for range 20 {
		nc, err := net.Dial("tcp", r.addr)
		require.NoError(t, err)
		nc.Close()
	}
	c := r.dial(t, rfbtest.Options{})
	require.NoError(t, c.RequestUpdate(false, c.Bounds()))
	_, err := c.ReadUpdate()
	require.NoError(t, err)
	require.Equal(t, int64(1), logged.above.Load(), "the one viewer")
	require.Equal(t, 1, r.scr.Viewers())
}

func TestConfigErrorsNameTheField(t *testing.T) {
	_, err := New(Config{})
	require.ErrorContains(t, err, "Config.Screen")
	r := newRig(t, newCanvas(8, 8), nil)
	_, err = New(Config{Screen: r.scr})
	require.ErrorContains(t, err, "Passwords")
	_, err = New(Config{Screen: r.scr, NoAuth: true, Sharing: "perhaps"})
	require.ErrorContains(t, err, "Config.Sharing")
}

func TestHandshakeEndsWithTheServer(t *testing.T) {
	r := newRig(t, newCanvas(8, 8), nil)
	ctx, cancel := context.WithCancel(t.Context())
	a, b := net.Pipe()
	defer a.Close()
	done := make(chan struct{})
	go func() { defer close(done); r.srv.ServeConn(ctx, b) }()
	_, err := io.ReadFull(a, make([]byte, 12))
	require.NoError(t, err)
	cancel()
	select {
	case <-done:
	case <-time.After(time.Minute):
		require.Fail(t, "a silent connection outlives the server")
	}
}
