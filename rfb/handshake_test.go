package rfb

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// script is a connection whose peer says what is in it, whatever we write.
type script struct {
	io.Reader
	written bytes.Buffer
}

func (s *script) Write(p []byte) (int, error) { return s.written.Write(p) }

// zeroReader makes the challenge of sixteen zero bytes.
type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// response is what the password "secret" answers to the challenge of zeros.
func response() string {
	r := Response([]byte("secret"), [challengeSize]byte{})
	return string(r[:])
}

const zeroChallenge = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

var (
	open     = ServerConfig{AllowNone: true, NoneGrant: 1}
	locked   = ServerConfig{Passwords: []Password{{Secret: []byte("other"), Grant: 2}, {Secret: []byte("secret"), Grant: 3}}, Rand: zeroReader{}}
	both     = ServerConfig{AllowNone: true, NoneGrant: 1, Passwords: locked.Passwords, Rand: zeroReader{}}
	wrong    = strings.Repeat("?", challengeSize)
	accepted = []struct {
		name   string
		cfg    ServerConfig
		client string // what the viewer sends
		server string // what it gets after the version
		want   Handshake
	}{
		{"3.3 none", open, "RFB 003.003\n\x01", "\x00\x00\x00\x01", Handshake{Version33, SecurityNone, 1, true, false}},
		{"3.7 none", open, "RFB 003.007\n\x01\x00", "\x01\x01", Handshake{Version37, SecurityNone, 1, false, false}},
		{"3.8 none", open, "RFB 003.008\n\x01\x05", "\x01\x01\x00\x00\x00\x00", Handshake{Version38, SecurityNone, 1, true, false}},
		{"3.889 none", open, "RFB 003.889\n\x01\x01", "\x01\x01", Handshake{Version3Mac, SecurityNone, 1, true, false}},
		{"5.0 none", open, "RFB 005.000\n\x01\x01", "\x01\x01\x00\x00\x00\x00", Handshake{Version38, SecurityNone, 1, true, false}},
		{"3.5 password", both, "RFB 003.005\n" + response() + "\x01",
			"\x00\x00\x00\x02" + zeroChallenge + "\x00\x00\x00\x00", Handshake{Version33, SecurityVncAuth, 3, true, false}},
		{"3.7 password", locked, "RFB 003.007\n\x02" + response() + "\x01",
			"\x01\x02" + zeroChallenge + "\x00\x00\x00\x00", Handshake{Version37, SecurityVncAuth, 3, true, false}},
		{"3.8 password", both, "RFB 003.008\n\x02" + response() + "\x01",
			"\x02\x02\x01" + zeroChallenge + "\x00\x00\x00\x00", Handshake{Version38, SecurityVncAuth, 3, true, false}},
		{"3.8 none though there is a password", both, "RFB 003.008\n\x01\x01",
			"\x02\x02\x01\x00\x00\x00\x00", Handshake{Version38, SecurityNone, 1, true, false}},
		{"3.889 password", locked, "RFB 003.889\n\x02" + response() + "\x01",
			"\x01\x02" + zeroChallenge + "\x00\x00\x00\x00", Handshake{Version3Mac, SecurityVncAuth, 3, true, false}},
	}
)

func TestAccept(t *testing.T) {
	t.Parallel()
	for _, v := range accepted {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			s := &script{Reader: strings.NewReader(v.client + "after")}
			h, err := Accept(s, v.cfg)
			require.NoError(t, err)
			require.Equal(t, v.want, h)
			require.Equal(t, "RFB 003.008\n"+v.server, s.written.String())
			rest, _ := io.ReadAll(s)
			require.Equal(t, "after", string(rest), "nothing after the handshake is read")
			for i := range v.client {
				_, err := Accept(&script{Reader: strings.NewReader(v.client[:i])}, v.cfg)
				require.ErrorIs(t, err, io.ErrUnexpectedEOF, "prefix of %d bytes", i)
			}
		})
	}
}

func TestAcceptRefuses(t *testing.T) {
	t.Parallel()
	const reason = "\x00\x00\x00\x15Authentication failed"
	for name, v := range map[string]struct {
		cfg            ServerConfig
		client, server string
		authentication bool
	}{
		"garbage":              {open, "GET / HTTP/1", "", false},
		"3.8 none not offered": {locked, "RFB 003.008\n\x01\x01\x01", "\x01\x02", false},
		"3.8 type 0":           {both, "RFB 003.008\n\x00\x01\x01", "\x02\x02\x01", false},
		"3.8 VeNCrypt":         {both, "RFB 003.008\n\x13\x01\x01", "\x02\x02\x01", false},
		"3.8 not password":     {open, "RFB 003.008\n\x02" + response() + "\x01", "\x01\x01", false},
		"3.3 wrong":            {locked, "RFB 003.003\n" + wrong + "\x01", "\x00\x00\x00\x02" + zeroChallenge + "\x00\x00\x00\x01", true},
		"3.7 wrong":            {locked, "RFB 003.007\n\x02" + wrong + "\x01", "\x01\x02" + zeroChallenge + "\x00\x00\x00\x01", true},
		"3.8 wrong":            {locked, "RFB 003.008\n\x02" + wrong + "\x01", "\x01\x02" + zeroChallenge + "\x00\x00\x00\x01" + reason, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &script{Reader: strings.NewReader(v.client)}
			h, err := Accept(s, v.cfg)
			require.Zero(t, h)
			require.Equal(t, "RFB 003.008\n"+v.server, s.written.String())
			var p *ProtocolError
			require.Equal(t, v.authentication, errors.Is(err, ErrAuthentication))
			require.Equal(t, !v.authentication, errors.As(err, &p))
		})
	}
}

func TestAcceptHook(t *testing.T) {
	t.Parallel()
	cfg := locked
	s := &script{Reader: strings.NewReader("RFB 003.008\n\x02" + wrong)}
	calls := 0
	cfg.OnAuthFailure = func() string {
		calls++
		require.Equal(t, len("RFB 003.008\n\x01\x02")+challengeSize, s.written.Len(), "the viewer does not know yet")
		return "no"
	}
	_, err := Accept(s, cfg)
	require.ErrorIs(t, err, ErrAuthentication)
	require.Equal(t, 1, calls)
	require.True(t, strings.HasSuffix(s.written.String(), "\x00\x00\x00\x01\x00\x00\x00\x02no"))
}

func TestAcceptConfig(t *testing.T) {
	t.Parallel()
	s := &script{Reader: strings.NewReader("")}
	_, err := Accept(s, ServerConfig{})
	require.EqualError(t, err, "server config: Passwords is empty and AllowNone is false")
	_, err = Accept(s, ServerConfig{AllowNone: true, Passwords: []Password{{Secret: []byte("a")}, {}}})
	require.EqualError(t, err, "server config: Passwords[1].Secret: password is empty")
	require.Zero(t, s.written.Len())
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	for v, want := range map[Version]string{
		Version33: "\x00\x00\x00\x00\x00\x00\x00\x04busy", Version37: "\x00\x00\x00\x00\x04busy", Version38: "\x00\x00\x00\x00\x04busy",
	} {
		s := &script{Reader: bytes.NewReader(v.Append(nil))}
		require.NoError(t, Refuse(s, "busy"))
		require.Equal(t, "RFB 003.008\n"+want, s.written.String())
		// And the viewer understands it.
		_, err := Connect(&script{Reader: &s.written}, ClientConfig{Version: v})
		var r *RefusedError
		require.ErrorAs(t, err, &r)
		require.Equal(t, "busy", r.Reason)
	}
}

// Servers' halves of a handshake, for a viewer with the password "secret".
var serverInit = string(unhex("0280 01e0"+bgrxHex+"00000002")) + "hi"

var connected = []string{
	"RFB 003.003\n\x00\x00\x00\x01" + serverInit,
	"RFB 003.003\n\x00\x00\x00\x02" + zeroChallenge + "\x00\x00\x00\x00" + serverInit,
	"RFB 003.007\n\x01\x01" + serverInit,
	"RFB 003.008\n\x02\x01\x10\x00\x00\x00\x00" + serverInit,
	"RFB 003.008\n\x02\x01\x02" + zeroChallenge + "\x00\x00\x00\x00" + serverInit,
	"RFB 003.889\n\x01\x02" + zeroChallenge + "\x00\x00\x00\x00" + serverInit,
}

func TestConnect(t *testing.T) {
	t.Parallel()
	cfg := ClientConfig{Password: []byte("secret")}
	for _, s := range connected {
		r := strings.NewReader(s + "after")
		w, err := Connect(&script{Reader: r}, cfg)
		require.NoError(t, err, "%q", s)
		require.Equal(t, "hi", w.Name)
		require.Equal(t, len("after"), r.Len())
		for i := range s {
			_, err := Connect(&script{Reader: strings.NewReader(s[:i])}, cfg)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF, "prefix of %d bytes", i)
		}
	}
}

func TestConnectRefuses(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"SSH-2.0-Open":                                                 "not a protocol version",
		"RFB 003.003\n\x00\x00\x01\x00":                                "security type 256",
		"RFB 003.008\n\x02\x01\x01":                                    "offered, in",
		"RFB 003.008\n\x02\x00\x01":                                    "offered, in",
		"RFB 003.008\n\x01\x13":                                        "none of the security types",
		"RFB 003.008\n\x01\x01\x00\x00\x00\x02":                        "security result 2",
		"RFB 003.008\n\x00\x00\x10\x00\x00":                            "reason of 1048576 bytes",
		"RFB 003.007\n\x01\x01" + serverInit[:20] + "\xff\xff\xff\xff": "desktop name of 4294967295 bytes",
		"RFB 003.008\n\x01\x01\x00\x00\x00\x01\x00\x00\x00\x02no":      "authentication failed: no",
	} {
		_, err := Connect(&script{Reader: strings.NewReader(s)}, ClientConfig{})
		require.ErrorContains(t, err, want)
	}
}

// FuzzAccept plays a viewer of arbitrary bytes. It gets in only with the
// response, or where None is offered.
func FuzzAccept(f *testing.F) {
	for _, v := range accepted {
		f.Add(v.client)
	}
	f.Add("RFB 003.008\n\x02" + wrong)
	f.Fuzz(func(t *testing.T, client string) {
		h, err := Accept(&script{Reader: strings.NewReader(client)}, locked)
		if err == nil {
			require.Equal(t, SecurityVncAuth, h.Security)
			require.Equal(t, 3, h.Grant)
			require.Contains(t, client, response())
		} else {
			require.Zero(t, h)
		}
		h, err = Accept(&script{Reader: strings.NewReader(client)}, both)
		if err == nil {
			require.Equal(t, h.Security == SecurityNone, h.Grant == 1)
		}
		_ = Refuse(&script{Reader: strings.NewReader(client)}, "no")
	})
}

// FuzzConnect plays a server of arbitrary bytes.
func FuzzConnect(f *testing.F) {
	for _, s := range connected {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, server string) {
		w, err := Connect(&script{Reader: strings.NewReader(server)}, ClientConfig{Password: []byte("secret")})
		if err == nil {
			require.Contains(t, w.Offered, w.Security)
			require.NoError(t, w.Format.Validate())
		}
	})
}

func TestConnTimesOutWithoutProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, timesOutWithoutProgress)
}

func timesOutWithoutProgress(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	c := NewConn(server)
	defer c.Close()
	c.WriteTimeout = 50 * time.Millisecond
	// A peer that is slow, but takes each piece in time.
	go func() {
		b := make([]byte, writePiece)
		for range 8 {
			time.Sleep(10 * time.Millisecond)
			_, _ = io.ReadFull(client, b)
		}
	}()
	n, err := c.Write(make([]byte, 8*writePiece))
	require.NoError(t, err)
	require.Equal(t, 8*writePiece, n)
	_, err = c.Write(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.Equal(t, int64(8*writePiece), c.Sent())
}
