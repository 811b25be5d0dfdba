package web

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"framebridge/internal/stream"
	"framebridge/internal/vnc"
)

// dialWeb opens a WebSocket from a page of an origin.
func (r *rig) dialWeb(path, origin, host string) (*websocket.Conn, int) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), timeout)
	defer cancel()
	h := http.Header{}
	if origin != "" {
		h.Set("Origin", origin)
	}
	ws, resp, err := websocket.Dial(ctx, "http://"+r.addr+path, &websocket.DialOptions{HTTPClient: r.Client, HTTPHeader: h, Host: host})
	if err != nil {
		require.NotNil(r.t, resp, "%v", err)
		return nil, resp.StatusCode
	}
	r.t.Cleanup(func() { ws.CloseNow() })
	return ws, resp.StatusCode
}

// TestSockets: RFB in WebSockets at any path, from where it does no harm.
func TestSockets(t *testing.T) {
	sockets := func(c *Config, _ *vnc.Config) { c.Sockets, c.NoPage = true, true }
	open := setUp(t, sockets)
	locked := setUp(t, func(c *Config, v *vnc.Config) { sockets(c, v); withPassword(c, v) })
	const ok, no, misdirected = http.StatusSwitchingProtocols, http.StatusForbidden, http.StatusMisdirectedRequest
	for _, c := range []struct {
		path, origin, host string
		open, locked       int
	}{
		{"/", "", "", ok, ok},
		{"/websockify", "", "", ok, ok},
		{"/stream", "", "", ok, ok},
		{"/vnc/any", "http://127.0.0.1:8080", "127.0.0.1:5900", ok, ok},
		{"/", "https://desk", "desk:5900", ok, ok},
		{"/", "http://evil.example", "127.0.0.1:5900", no, ok},
		{"/", "http://evil.example", "evil.example:5900", misdirected, ok},
		{"/", "null", "127.0.0.1:5900", no, ok},
	} {
		for r, want := range map[*rig]int{open: c.open, locked: c.locked} {
			ws, code := r.dialWeb(c.path, c.origin, c.host)
			require.Equal(t, want, code, "%+v", c)
			if ws != nil {
				_, b, err := ws.Read(t.Context())
				require.NoError(t, err)
				require.Equal(t, "RFB 003.008\n", string(b))
			}
		}
	}
	for _, path := range []string{"/", "/session", "/snapshot.png", "/healthz", "/index.html"} {
		resp, _ := open.do("GET", path, "")
		require.Equal(t, http.StatusNotFound, resp.StatusCode, path)
	}
}

// TestTLSOnly: nothing in the clear but the way to https.
func TestTLSOnly(t *testing.T) {
	r := setUp(t, func(c *Config, _ *vnc.Config) { c.TLSOnly, c.Sockets = true, true })
	r.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, _ := r.do("GET", "/index.html?a=b", "")
	require.Equal(t, http.StatusTemporaryRedirect, resp.StatusCode)
	require.Equal(t, "https://"+r.addr+"/index.html?a=b", resp.Header.Get("Location"))
	resp, _ = r.do("POST", "/login", `{"password":"x"}`, "Content-Type", asJSON)
	require.Equal(t, http.StatusForbidden, resp.StatusCode)
	for _, path := range []string{"/stream", "/websockify"} {
		_, code := r.dialWeb(path, "", "")
		require.Equal(t, http.StatusForbidden, code)
	}
}

// TestPagesAreGuests: the VNC server's hooks decide about pages.
func TestPagesAreGuests(t *testing.T) {
	gate, admit := error(nil), error(nil)
	in := make(chan int, 4)
	r := setUp(t, func(c *Config, v *vnc.Config) {
		withPassword(c, v)
		c.Guests = true
		c.OpenVideo = func() (stream.Video, error) { return nil, errors.New("broken") }
		v.Hooks = vnc.Hooks{
			Gate:   func(context.Context, vnc.Peer) error { return gate },
			Admit:  func(_ context.Context, p vnc.Peer) (vnc.Rights, error) { return vnc.ViewRights, admit },
			Joined: func(_ vnc.Peer, n int) { in <- n },
			Left:   func(_ vnc.Peer, n int) { in <- n },
		}
	})
	bye := func() stream.Bye {
		ws, code := r.dialWeb("/stream", "", "")
		require.Equal(t, http.StatusSwitchingProtocols, code)
		_, b, err := ws.Read(t.Context())
		require.NoError(t, err)
		m, err := stream.ParseServer(b)
		require.NoError(t, err)
		_, _, err = ws.Read(t.Context())
		require.Error(t, err)
		return m.(stream.Bye)
	}
	login := func() int {
		resp, _ := r.do("POST", "/login", `{"password":"sesame"}`, "Content-Type", asJSON)
		return resp.StatusCode
	}
	gate = errors.New("not that host")
	require.Equal(t, http.StatusForbidden, login())
	gate = nil
	require.Equal(t, http.StatusOK, login())
	require.Contains(t, bye().Text, "no video: broken", "it was in")
	require.Equal(t, 1, <-in)
	require.Equal(t, 0, <-in)
	admit = errors.New("-accept said no")
	require.Equal(t, stream.Bye{Final: true, Text: "this server does not let you in"}, bye())
	admit, gate = nil, errors.New("not that host")
	require.Equal(t, stream.Bye{Final: true, Text: "this server does not let you in"}, bye())
	require.Empty(t, in)
	resp, _ := r.do("GET", "/snapshot.png", "")
	require.Equal(t, http.StatusNotFound, resp.StatusCode, "it would get round the hooks")
}

// TestWebSocketIsEncrypted: RFB inside wss is not encrypted once more.
func TestWebSocketIsEncrypted(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	require.False(t, pipe{near, far}.Encrypted())
	require.True(t, pipe{near, secureConn{far}}.Encrypted())
}

type secureConn struct{ net.Conn }

func (secureConn) ConnectionState() tls.ConnectionState { return tls.ConnectionState{} }
