package main

import (
	"fmt"
	"image"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/xgb/xproto"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/internal/peertest"
	"framebridge/internal/pix"
	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
	"framebridge/rfb"
	"framebridge/rfb/rfbtest"
)

// see returns a viewer's picture once cond holds for it.
func see(t *testing.T, c *rfbtest.Client, what string, cond func(m *pix.Image) bool) *pix.Image {
	t.Helper()
	require.NoError(t, c.SetDeadline(time.Now().Add(timeout)))
	require.NoError(t, c.RequestUpdate(false, c.Bounds()))
	for {
		_, err := c.ReadUpdate()
		require.NoError(t, err, what)
		if m := c.Image(); cond(m) {
			return m
		}
		require.NoError(t, c.RequestUpdate(true, c.Bounds()))
	}
}

func viewAt(t *testing.T, addr string) *rfbtest.Client {
	t.Helper()
	c, err := rfbtest.Dial(t.Context(), addr, rfbtest.Options{Shared: true,
		Encodings: []rfb.Encoding{rfb.EncodingRaw, rfb.PseudoDesktopSize, rfb.PseudoCursor}})
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// TestX11vncPicture: the picture is what the options make of it, and the pointer
// finds its way back.
func TestX11vncPicture(t *testing.T) {
	t.Parallel()
	x := xvfbtest.Start(t, xvfb.Options{Width: 200, Height: 100})
	p := xvfbtest.NewPainter(t, x)
	p.Noise(image.Rect(0, 0, 200, 100))
	truth := p.Truth()
	for _, tt := range []struct {
		args string
		size image.Point
		from func(x, y int) image.Point // of the screen, for a pixel of the picture; nil: blended
	}{
		{"-clip 60x40+10+20", image.Pt(60, 40), func(x, y int) image.Point { return image.Pt(x+10, y+20) }},
		{"-clip xinerama0", image.Pt(200, 100), func(x, y int) image.Point { return image.Pt(x, y) }},
		{"-rotate 90", image.Pt(100, 200), func(x, y int) image.Point { return image.Pt(y, 99-x) }},
		{"-scale 1/2:nb -rotate x", image.Pt(100, 50), func(x, y int) image.Point { return image.Pt((99-x)*2+1, y*2+1) }},
		{"-geometry 80x50", image.Pt(80, 50), nil},
		{"-nofb", image.Pt(200, 100), nil},
	} {
		s := startX11vnc(t, x, append([]string{"-nopw", "-q", "-noncache", "-nocursor"}, strings.Fields(tt.args)...)...)
		c := viewAt(t, s.addr)
		m := see(t, c, tt.args, func(m *pix.Image) bool {
			if m.Rect.Max != tt.size || tt.from == nil {
				return m.Rect.Max == tt.size
			}
			for y := range tt.size.Y {
				for x := range tt.size.X {
					if q := tt.from(x, y); truth.At(q.X, q.Y) != m.At(x, y) {
						return false
					}
				}
			}
			return true
		})
		if tt.from != nil {
			require.NoError(t, c.Pointer(30, 20, 0))
			want := tt.from(30, 20)
			poll(t, "pointer", func() (bool, string) {
				r, err := xproto.QueryPointer(p.Conn.X(), p.Conn.Root()).Reply()
				require.NoError(t, err)
				at := image.Pt(int(r.RootX), int(r.RootY))
				return at == want, fmt.Sprintf("%s: %v, want %v", tt.args, at, want)
			})
		}
		if tt.args == "-nofb" {
			assert.True(t, pix.Equal(m, pix.New(m.Rect), m.Rect))
		}
		c.Close()
		assert.Equal(t, 0, s.wait(timeout))
	}
}

// TestX11vncWindow: a window is shown where it goes; its end is the server's.
func TestX11vncWindow(t *testing.T) {
	t.Parallel()
	for _, option := range []string{"-id", "-sid"} {
		x := xvfbtest.Start(t, xvfb.Options{Width: 200, Height: 100})
		p := xvfbtest.NewPainter(t, x)
		conn := p.Conn.X()
		w, err := xproto.NewWindowId(conn)
		require.NoError(t, err)
		require.NoError(t, xproto.CreateWindowChecked(conn, 0, w, p.Conn.Root(), 10, 20, 40, 30, 0, xproto.WindowClassInputOutput, 0,
			xproto.CwBackPixel, []uint32{0x123456}).Check())
		require.NoError(t, xproto.MapWindowChecked(conn, w).Check())
		s := startX11vnc(t, x, "-nopw", "-q", "-forever", "-nocursor", option, fmt.Sprintf("0x%x", w))
		c := viewAt(t, s.addr)
		coloured := func(size image.Point) func(m *pix.Image) bool {
			return func(m *pix.Image) bool {
				return m.Rect.Max == size && m.At(0, 0) == 0x123456 && m.At(size.X-1, size.Y-1) == 0x123456
			}
		}
		see(t, c, "window", coloured(image.Pt(40, 30)))
		require.NoError(t, xproto.ConfigureWindowChecked(conn, w, xproto.ConfigWindowX|xproto.ConfigWindowWidth, []uint32{100, 50}).Check())
		see(t, c, "moved and wider", coloured(image.Pt(50, 30)))
		require.NoError(t, xproto.UnmapWindowChecked(conn, w).Check())
		see(t, c, "not shown", func(m *pix.Image) bool { return m.At(0, 0) == 0 })
		require.NoError(t, xproto.DestroyWindowChecked(conn, w).Check())
		assert.Equal(t, 1, s.wait(timeout))
		assert.Contains(t, s.stderr.String(), "went away")
	}
}

// TestX11vncRemote controls a server from another process.
func TestX11vncRemote(t *testing.T) {
	t.Parallel()
	x := xvfbtest.Start(t, xvfb.Options{Width: 200, Height: 100})
	clients := [][]string{{binary, "x11vnc"}}
	if path, err := exec.LookPath("x11vnc"); err == nil {
		clients = append(clients, []string{path})
	} else {
		peertest.Missing(t, err.Error())
	}
	s := startX11vnc(t, x, "-nopw", "-q", "-forever")
	c := viewAt(t, s.addr)
	see(t, c, "at first", func(m *pix.Image) bool { return m.Rect.Max == image.Pt(200, 100) })
	send := func(client []string, args ...string) (string, int) {
		p := start(t, command(t, x.Env(), client[0], append(append(client[1:], "-norc"), args...)...))
		code := p.wait(timeout)
		return p.stdout.String(), code
	}
	for _, client := range clients {
		ask := func(want string, args ...string) {
			t.Helper()
			out, code := send(client, args...)
			assert.Equal(t, want+"\n", out, "%v %v", client, args)
			assert.Zero(t, code)
		}
		ask("ack=1\nans=scale:1/2,aro=scaled_x:100,aro=dpy_x:200", "-R", "scale:1/2", "-Q", "scale,scaled_x,dpy_x")
		see(t, c, "scaled", func(m *pix.Image) bool { return m.Rect.Max == image.Pt(100, 50) })
		ask("ack=1\nans=clip:40x30+10+20,aro=coff_x:10,aro=cdpy_y:30", "-R", "clip", "40x30+10+20", "-Q", "clip,coff_x,cdpy_y")
		see(t, c, "clipped", func(m *pix.Image) bool { return m.Rect.Max == image.Pt(20, 15) })
		ask("ack=1", "-sync", "-R", "clip:")
		ask("ack=1\nans=scale:", "-R", "scale:", "-Q", "scale")
		see(t, c, "as before", func(m *pix.Image) bool { return m.Rect.Max == image.Pt(200, 100) })
		ask("ack=1\nans=scale:", "-R", "scale:nonsense", "-Q", "scale")
		ask("ack=1\nans=shared:1,ans=viewonly:1,ans=deny:0", "-R", "script:shared;viewonly;nodeny", "-Q", "shared,viewonly,deny")
		ask("ack=1\nans=noviewonly:1,ans=wait:40", "-R", "script:noviewonly;wait:40", "-Q", "noviewonly,wait")
		ask("ack=1\nans=deny:1", "-R", "deny", "-Q", "deny")
		_, verdict := s.come("")
		assert.NotEqual(t, "in", verdict)
		ask("ack=1\nans=deny:0,aro=client_count:1,ans=rfbport:"+s.port, "-R", "nodeny", "-Q", "deny,client_count,rfbport")
		out, code := send(client, "-Q", "clients")
		assert.Zero(t, code)
		assert.Regexp(t, `^aro=clients:0x[0-9a-f]+:127\.0\.0\.1:\d+:unknown-user:none:localhost:KMBCF:0:\d+\n$`, out)
	}
	ask := func(args ...string) {
		_, code := send(clients[0], args...)
		assert.Zero(t, code)
	}
	ask("-sync", "-R", "disconnect:all")
	require.NoError(t, c.SetDeadline(time.Now().Add(timeout)))
	for err := error(nil); err == nil; {
		require.NoError(t, errIgnored(c.RequestUpdate(true, c.Bounds())))
		_, err = c.ReadUpdate()
	}
	out, code := send(clients[0], "-sync", "-R", "stop")
	assert.Equal(t, "ack=1\n", out)
	assert.Zero(t, code)
	assert.Equal(t, 0, s.wait(timeout))
	// Nobody there: commands do not tell, questions do.
	_, code = send(clients[0], "-R", "stop")
	assert.Zero(t, code)
	_, code = send(clients[0], "-env", "X11VNC_SYNC_TIMEOUT=0.1", "-Q", "ping")
	assert.Equal(t, 1, code)
	out, code = send(clients[0], "-QD", "wait,foo")
	assert.Equal(t, "ans=wait:20,ans=foo:N/A\n", out)
	assert.Zero(t, code)
}

// errIgnored is for sends to a peer that may have gone.
func errIgnored(error) error { return nil }

// TestX11vncConnect: viewers that listen are connected to.
func TestX11vncConnect(t *testing.T) {
	t.Parallel()
	x := xServer(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	accept := func() *rfbtest.Client {
		t.Helper()
		require.NoError(t, l.(*net.TCPListener).SetDeadline(time.Now().Add(timeout)))
		nc, err := l.Accept()
		require.NoError(t, err)
		c, err := rfbtest.Open(t.Context(), nc, rfbtest.Options{Encodings: []rfb.Encoding{rfb.EncodingRaw}})
		require.NoError(t, err)
		t.Cleanup(func() { c.Close() })
		see(t, c, "reverse", func(m *pix.Image) bool { return m.Rect.Max == image.Pt(64, 48) })
		return c
	}
	addr := l.Addr().String()
	s := startX11vnc(t, x, "-nopw", "-q", "-forever", "-shared", "-connect", addr)
	accept()
	p := start(t, command(t, x.Env(), binary, "x11vnc", "-norc", "-sync", "-R", "connect:"+addr))
	require.Zero(t, p.wait(timeout))
	accept()
	// As vncconnect does it.
	cmd := exec.Command("xprop", "-root", "-f", "VNC_CONNECT", "8s", "-set", "VNC_CONNECT", addr)
	cmd.Env = append(os.Environ(), x.Env()...)
	require.NoError(t, cmd.Run())
	accept()
	p.kill()
	s.kill()

	file := filepath.Join(t.TempDir(), "hosts")
	require.NoError(t, os.WriteFile(file, []byte(addr+"\n"), 0o600))
	startX11vnc(t, x, "-nopw", "-q", "-forever", "-connect", file)
	accept()

	// Who is connected to needs the password, unless it is said otherwise.
	needs := func(env ...string) bool {
		t.Helper()
		cmd := x11vncCommand(t, x, "-q", "-passwd", "sesame", "-connect", addr)
		cmd.Env = append(cmd.Env, env...)
		r := start(t, cmd)
		defer r.kill()
		require.NoError(t, l.(*net.TCPListener).SetDeadline(time.Now().Add(timeout)))
		nc, err := l.Accept()
		require.NoError(t, err)
		c, err := rfbtest.Open(t.Context(), nc, rfbtest.Options{})
		if err != nil {
			nc.Close()
			return true
		}
		c.Close()
		return false
	}
	assert.True(t, needs())
	assert.False(t, needs("X11VNC_REVERSE_CONNECTION_NO_AUTH=1"))

	r := start(t, x11vncCommand(t, x, "-nopw", "-q", "-rfbport", "0", "-coe", "127.0.0.1:"+strconv.Itoa(freePort(t))))
	assert.Equal(t, 1, r.wait(timeout))
	assert.Contains(t, r.stderr.String(), "no viewer could be reached")
	// With the viewer's end, ours.
	r = start(t, x11vncCommand(t, x, "-nopw", "-q", "-rfbport", "0", "-connect_or_exit", addr))
	accept().Close()
	assert.Equal(t, 0, r.wait(timeout))
}

// TestX11vncConnectTigerVNC: a real viewer that listens.
func TestX11vncConnectTigerVNC(t *testing.T) {
	t.Parallel()
	viewer := peer(t, "xtigervncviewer")
	x := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 48})
	desk := xvfbtest.Start(t, xvfb.Options{Width: 400, Height: 300}) // for the viewer's window
	port := freePort(t)
	v := start(t, command(t, desk.Env(), viewer, "-listen", strconv.Itoa(port)))
	s := startX11vnc(t, x, "-nopw", "-forever")
	poll(t, "viewer listens", func() (bool, string) {
		p := start(t, command(t, x.Env(), binary, "x11vnc", "-norc", "-sync", "-R", "connect:127.0.0.1:"+strconv.Itoa(port)))
		require.Zero(t, p.wait(timeout))
		p = start(t, command(t, x.Env(), binary, "x11vnc", "-norc", "-Q", "client_count"))
		require.Zero(t, p.wait(timeout))
		// The viewer may come after the count, and then once more.
		n, ok := strings.CutPrefix(p.stdout.String(), "aro=client_count:")
		return ok && n != "0\n", p.stdout.String()
	})
	_, _ = v, s
}

// TestX11vncRawFB: a picture without an X server.
func TestX11vncRawFB(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "fb")
	b := make([]byte, 16+40*30*4)
	b[16+4*(2*40+3)] = 0x55
	require.NoError(t, os.WriteFile(file, b, 0o600))
	run := func(args ...string) *process {
		return start(t, command(t, []string{"DISPLAY=", "AUTO_PORT=" + strconv.Itoa(freePort(t))}, binary, append([]string{"x11vnc", "-norc", "-nopw", "-q"}, args...)...))
	}
	p := run("-rawfb", "map:"+file+"@40x30x32+16", "-rotate", "x")
	p.await(p.stdout, "\n")
	c := viewAt(t, "127.0.0.1:"+strings.TrimSpace(strings.TrimPrefix(p.stdout.String(), "PORT=")))
	see(t, c, "file", func(m *pix.Image) bool { return m.Rect.Max == image.Pt(40, 30) && m.At(36, 2) == 0x55 })
	require.NoError(t, c.Pointer(3, 3, 1))
	require.NoError(t, c.Key('a', true))
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte{0x66}, 16+4*(7*40+9))
	require.NoError(t, err)
	require.NoError(t, f.Close())
	see(t, c, "changed", func(m *pix.Image) bool { return m.At(30, 7) == 0x66 })
	c.Close()
	assert.Equal(t, 0, p.wait(timeout))

	p = run("-rand")
	p.await(p.stdout, "\n")
	c = viewAt(t, "127.0.0.1:"+strings.TrimSpace(strings.TrimPrefix(p.stdout.String(), "PORT=")))
	see(t, c, "noise", func(m *pix.Image) bool { return m.Rect.Max == image.Pt(128, 128) })

	for _, bad := range []string{"video0", "file:" + file + "@4000x30x32", "file:/nonexistent/x@1x1x8", "x"} {
		p = run("-rawfb", bad)
		assert.Equal(t, 1, p.wait(timeout))
		assert.Contains(t, p.stderr.String(), "-rawfb "+bad)
		assert.Empty(t, p.stdout.String())
	}
}
