package vnc

import (
	"context"
	"errors"
	"image"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"framebridge/capture"
	"framebridge/internal/pix"
	"framebridge/rfb"
	"framebridge/rfb/rfbtest"
)

// try connects and says how that went.
func (r *rig) try(t *testing.T, password string) (*rfbtest.Client, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := rfbtest.Dial(ctx, r.addr, rfbtest.Options{Password: password, Shared: true})
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

// TestGate: who is refused gets the version, and the end.
func TestGate(t *testing.T) {
	var mu sync.Mutex
	open := false
	r := newRig(t, newCanvas(32, 32), func(c *Config) {
		c.Hooks.Gate = func(_ context.Context, p Peer) error {
			mu.Lock()
			defer mu.Unlock()
			if !open {
				return errors.New("closed for " + p.Remote.Network())
			}
			return nil
		}
	})
	c, err := net.Dial("tcp", r.addr)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
	b, err := io.ReadAll(c)
	require.NoError(t, err)
	require.Equal(t, "RFB 003.008\n", string(b))
	mu.Lock()
	open = true
	mu.Unlock()
	_, err = r.try(t, "")
	require.NoError(t, err)
}

// TestAdmit: a viewer is let in with other rights, or not at all, and is counted
// when it is in.
func TestAdmit(t *testing.T) {
	type visit struct {
		what    string
		id      uint64
		viewers int
	}
	visits := make(chan visit, 16)
	say := make(chan error, 1)
	r := newRig(t, newCanvas(32, 32), func(c *Config) {
		c.Hooks = Hooks{
			Admit: func(ctx context.Context, p Peer) (Rights, error) {
				if p.Rights != FullRights {
					return p.Rights, errors.New("without its rights")
				}
				select {
				case err := <-say:
					return ViewRights, err
				case <-ctx.Done():
					return ViewRights, ctx.Err()
				}
			},
			Joined: func(p Peer, n int) { visits <- visit{"joined", p.ID, n} },
			Left:   func(p Peer, n int) { visits <- visit{"left", p.ID, n} },
		}
	})
	say <- errors.New("no")
	_, err := r.try(t, "")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	say <- nil
	a, err := r.try(t, "")
	require.NoError(t, err)
	require.Equal(t, visit{"joined", 2, 1}, <-visits)
	say <- nil
	_, err = r.try(t, "")
	require.NoError(t, err)
	require.Equal(t, visit{"joined", 3, 2}, <-visits)
	require.Equal(t, 2, r.srv.Viewers())

	// What Admit gave counts: this viewer may only look.
	require.NoError(t, a.Key('a', true))
	require.NoError(t, a.RequestUpdate(false, a.Bounds()))
	_, err = a.ReadUpdate()
	require.NoError(t, err)
	require.Empty(t, r.sink.log)
	a.Close()
	require.Equal(t, visit{"left", 2, 1}, <-visits)
}

// TestVerifyHook: who may come in is looked up when there is an answer to check.
func TestVerifyHook(t *testing.T) {
	r := newRig(t, newCanvas(32, 32), func(c *Config) {
		c.NoAuth = false
		c.Hooks.Verify = func(_ context.Context, _ Peer, challenge, response [16]byte) (Rights, bool) {
			return FullRights, rfb.Response([]byte("open"), challenge) == response
		}
	})
	_, err := r.try(t, "open")
	require.NoError(t, err)
	_, err = r.try(t, "shut")
	require.ErrorIs(t, err, rfb.ErrAuthentication)
}

// TestSharingRefuse: a second viewer gets ServerInit and the end, but not one that
// comes when the first is just leaving.
func TestSharingRefuse(t *testing.T) {
	r := newRig(t, newCanvas(32, 32), func(c *Config) { c.Sharing = SharingRefuse })
	for range 20 {
		first, err := r.try(t, "")
		require.NoError(t, err)
		require.NoError(t, first.RequestUpdate(false, first.Bounds()))
		_, err = first.ReadUpdate()
		require.NoError(t, err)
		first.Close()
	}
	first, err := r.try(t, "")
	require.NoError(t, err)
	second, err := r.try(t, "")
	require.NoError(t, err)
	require.NoError(t, second.SetDeadline(time.Now().Add(time.Minute)))
	_, err = second.ReadMessage()
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, first.RequestUpdate(false, first.Bounds()))
	_, err = first.ReadUpdate()
	require.NoError(t, err)
}

// TestWithheld: devices that a viewer may not use.
func TestWithheld(t *testing.T) {
	for _, tt := range []struct {
		withheld Devices
		want     []any
	}{
		{Devices{Keys: true}, []any{pointerEvent{5, 6, 1}, pointerEvent{5, 6, 0}}},
		{Devices{Motion: true}, []any{keyEvent{'a', 0, true}, pointerEvent{-1, -1, 1}}},
		{Devices{Buttons: true}, []any{keyEvent{'a', 0, true}, pointerEvent{5, 6, 0}}},
		{Devices{Motion: true, Buttons: true}, []any{keyEvent{'a', 0, true}, keyEvent{'a', 0, false}}},
	} {
		r := newRig(t, newCanvas(32, 32), func(c *Config) {
			c.NoAuthRights.Withheld = tt.withheld
		})
		c, err := r.try(t, "")
		require.NoError(t, err)
		require.NoError(t, c.Key('a', true))
		require.NoError(t, c.Pointer(5, 6, 1))
		c.Close()
		require.Equal(t, tt.want, r.sink.await(t, 2)[:2], "%v", tt.withheld)
	}
}

// TestCursorModes: the pointer as a shape, in the picture, and not at all.
func TestCursorModes(t *testing.T) {
	for _, mode := range []CursorMode{CursorShape, CursorPainted, CursorHidden} {
		cv := newCanvas(64, 64)
		cv.draw(cv.img.Rect, func(m *pix.Image) { m.Fill(m.Rect, 0x112233) })
		white := make([]byte, 4*4*4)
		for i := range white {
			white[i] = 255
		}
		cv.cursor = &capture.Cursor{Size: image.Pt(4, 4), Pix: white}
		cv.pointer = &image.Point{X: 20, Y: 20}
		r := newRig(t, cv, func(c *Config) { c.Cursor = mode })
		c := r.dial(t, rfbtest.Options{Encodings: []rfb.Encoding{rfb.EncodingRaw, rfb.PseudoCursor, rfb.PseudoPointerPos}})
		require.NoError(t, c.RequestUpdate(false, c.Bounds()))
		_, err := c.ReadUpdate()
		require.NoError(t, err)
		require.Equal(t, mode == CursorShape, c.Cursor() != nil, mode)
		want := uint32(0x112233)
		if mode == CursorPainted {
			want = 0xffffff
		}
		require.Equal(t, want, c.Image().At(21, 21)&pix.RGBMask, mode)
	}
}

// TestPing: a still screen sends something now and then.
func TestPing(t *testing.T) {
	r := newRig(t, newCanvas(32, 32), func(c *Config) { c.Ping = 20 * time.Millisecond })
	c := r.dial(t, rfbtest.Options{Encodings: []rfb.Encoding{rfb.EncodingRaw}})
	require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
	require.NoError(t, c.RequestUpdate(false, c.Bounds()))
	_, err := c.ReadUpdate()
	require.NoError(t, err)
	for range 3 {
		require.NoError(t, c.RequestUpdate(true, c.Bounds()))
		u, err := c.ReadUpdate()
		require.NoError(t, err)
		require.Equal(t, 1, u.Pixels())
	}
}

func TestBadHookConfig(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"Cursor":       func(c *Config) { c.Cursor = "blinking" },
		"Ping":         func(c *Config) { c.Ping = -1 },
		"WriteTimeout": func(c *Config) { c.WriteTimeout = -1 },
		"Sharing":      func(c *Config) { c.Sharing = "sometimes" },
	} {
		r := newRig(t, newCanvas(8, 8), nil)
		cfg := r.srv.cfg
		change(&cfg)
		_, err := New(cfg)
		require.ErrorContains(t, err, "Config."+name)
	}
}

// TestNoDragging: no updates while a button is held, and all of it afterwards.
func TestNoDragging(t *testing.T) {
	r := newRig(t, newCanvas(32, 32), func(c *Config) { c.NoDragging, c.Version = true, rfb.Version37 })
	c := r.dial(t, rfbtest.Options{Encodings: []rfb.Encoding{rfb.EncodingRaw, rfb.PseudoFence}})
	require.Equal(t, rfb.Version37, c.Welcome.Version)
	require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
	require.NoError(t, c.RequestUpdate(false, c.Bounds()))
	_, err := c.ReadUpdate()
	require.NoError(t, err)
	require.NoError(t, c.Pointer(1, 1, 1))
	r.sink.await(t, 1)
	require.NoError(t, c.RequestUpdate(true, c.Bounds()))
	r.draw(r.img.Rect, func(m *pix.Image) { m.Fill(m.Rect, 0x445566) })
	// An answer to what comes after the request, and no update before it.
	require.NoError(t, c.Fence(rfb.FenceRequest, []byte("now")))
	for {
		m, err := c.ReadMessage()
		require.NoError(t, err)
		_, update := m.(*rfbtest.Update)
		require.False(t, update, "an update while a button is held")
		if f, ok := m.(rfbtest.Fence); ok && string(f.Payload) == "now" {
			break
		}
	}
	require.NoError(t, c.Pointer(1, 1, 0))
	_, err = c.ReadUpdate()
	require.NoError(t, err)
	require.EqualValues(t, 0x445566, c.Image().At(5, 5)&pix.RGBMask)
}
