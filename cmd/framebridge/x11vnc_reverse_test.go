package main

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/rfb"
	"framebridge/rfb/rfbtest"
)

// Connections to viewers that listen, with what stands between or around them.

// waiting waits for one connection at a time.
type waiting struct {
	t testing.TB
	*net.TCPListener
}

func listen(t testing.TB) waiting {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return waiting{t, l.(*net.TCPListener)}
}

func (l waiting) next() net.Conn {
	l.t.Helper()
	require.NoError(l.t, l.SetDeadline(time.Now().Add(timeout)))
	c, err := l.Accept()
	require.NoError(l.t, err)
	l.t.Cleanup(func() { c.Close() })
	require.NoError(l.t, c.SetDeadline(time.Now().Add(timeout)))
	return c
}

// TestX11vncRepeater: a repeater is told who is meant, in both notations; a proxy is
// gone through. The password is asked for, unless that is switched off.
func TestX11vncRepeater(t *testing.T) {
	t.Parallel()
	x := xServer(t)
	l := listen(t)
	for _, to := range []string{"repeater=ID:1234+" + l.Addr().String(), "repeater://" + l.Addr().String() + "+ID:1234"} {
		for _, noAuth := range []bool{false, true} {
			cmd := x11vncCommand(t, x, "-passwd", "sesame", "-forever", "-connect", to)
			password := "sesame"
			if noAuth {
				cmd.Env = append(cmd.Env, "X11VNC_REVERSE_CONNECTION_NO_AUTH=1")
				password = ""
			}
			awaitX11vnc(t, cmd)
			c := l.next()
			first := make([]byte, 250)
			_, err := io.ReadFull(c, first)
			require.NoError(t, err)
			require.Equal(t, "ID:1234"+strings.Repeat("\x00", 250-7), string(first))
			v, err := rfbtest.Open(t.Context(), c, viewer{Password: password, Shared: true})
			require.NoError(t, err)
			want := rfb.SecurityVncAuth
			if noAuth {
				want = rfb.SecurityNone
			}
			require.Equal(t, want, v.Welcome.Security)
			whole(t, v)
		}
	}
	proxy := listen(t)
	awaitX11vnc(t, x11vncCommand(t, x, "-nopw", "-forever", "-connect", "viewer.example", "-proxy", "http://"+proxy.Addr().String()))
	c := proxy.next()
	head := "CONNECT viewer.example:5500 HTTP/1.1\r\nHost: viewer.example:5500\r\n\r\n"
	b := make([]byte, len(head))
	_, err := io.ReadFull(c, b)
	require.NoError(t, err)
	require.Equal(t, head, string(b))
	_, err = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
	require.NoError(t, err)
	v, err := rfbtest.Open(t.Context(), c, viewer{Shared: true})
	require.NoError(t, err)
	whole(t, v)
}

// TestX11vncReverseSSL: with -ssl the server is TLS's client, or waits for VeNCrypt.
func TestX11vncReverseSSL(t *testing.T) {
	t.Parallel()
	x := xServer(t)
	dir := t.TempDir()
	cert, key, _ := certificate(t, dir)
	pair, err := tls.LoadX509KeyPair(cert, key)
	require.NoError(t, err)
	l := listen(t)
	to := l.Addr().String()
	serving := &tls.Config{Certificates: []tls.Certificate{pair}}

	awaitX11vnc(t, x11vncCommand(t, x, "-ssl", "TMP", "-nopw", "-forever", "-connect", to))
	v, err := rfbtest.Open(t.Context(), tls.Server(l.next(), serving), viewer{Shared: true})
	require.NoError(t, err)
	require.Equal(t, []rfb.SecurityType{rfb.SecurityNone}, v.Welcome.Offered)
	whole(t, v)

	cmd := x11vncCommand(t, x, "-ssl", "TMP", "-nopw", "-forever", "-connect", to)
	cmd.Env = append(cmd.Env, "X11VNC_DISABLE_SSL_CLIENT_MODE=1")
	awaitX11vnc(t, cmd)
	v, err = rfbtest.Open(t.Context(), l.next(), viewer{Shared: true, TLS: &tls.Config{InsecureSkipVerify: true}})
	require.NoError(t, err)
	require.True(t, v.Welcome.TLS)
	whole(t, v)

	// -sslverify counts for viewers that are servers of TLS, too.
	other, _, _ := certificate(t, t.TempDir())
	for file, want := range map[string]bool{cert: true, other: false} {
		s := startX11vnc(t, x, "-ssl", "TMP", "-nopw", "-forever", "-sslverify", file, "-connect", to)
		v, err := rfbtest.Open(t.Context(), tls.Server(l.next(), serving), viewer{Shared: true})
		if want {
			require.NoError(t, err)
			whole(t, v)
			continue
		}
		require.Error(t, err)
		s.await(s.stderr, "cannot connect to the viewer")
	}
}

// TestX11vncConnectNobody: a viewer that is not there ends nothing.
func TestX11vncConnectNobody(t *testing.T) {
	t.Parallel()
	s := startX11vnc(t, xServer(t), "-nopw", "-forever", "-connect", "no.such.host.invalid")
	s.await(s.stderr, "cannot connect to the viewer")
	_, how := s.come("")
	assert.Equal(t, "in", how)
}
