package main

import (
	"errors"
	"fmt"
	"image"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
	"framebridge/rfb"
	"framebridge/rfb/rfbtest"
)

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// TestEncodings shows the desktop in every encoding, before and after changes,
// over TCP and over the unix socket.
func TestEncodings(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, 400, 300)
	d.programs()
	d.pointer(200, 290)
	socket := filepath.Join(t.TempDir(), "rfb")
	s := serve(t, d.x, "--log-level", "debug", "--unix-socket", socket)
	require.Equal(t, socket, s.unix)
	list := []rfb.Encoding{rfb.EncodingRaw, rfb.EncodingRRE, rfb.EncodingCoRRE, rfb.EncodingHextile, rfb.EncodingZlib,
		rfb.EncodingTight, rfb.EncodingTRLE, rfb.EncodingZRLE}
	tested := 0
	var clients []*rfbtest.Client
	for i, e := range list {
		addr := s.addr
		if i%2 == 1 {
			addr = "unix:" + socket
		}
		c := connectTo(t, addr, viewer{Encodings: withCursor(e, rfb.EncodingCopyRect)})
		whole(t, c)
		follow(t, c, d)
		clients = append(clients, c)
		tested++
	}
	for i, change := range changes {
		change.do(d)
		for j, c := range clients {
			follow(t, c, d)
			if i == len(changes)-1 {
				assert.Positive(t, c.Stats().Rects[list[j]], "%s was not used", list[j])
				tested++
			}
		}
	}
	require.Equal(t, 2*len(list), tested)
}

// handshakeCases are the versions that viewers say, and how the handshake goes.
var handshakeCases = []struct {
	says string
	as   rfb.Version
}{
	{"RFB 003.003\n", rfb.Version33},
	{"RFB 003.004\n", rfb.Version33},
	{"RFB 003.006\n", rfb.Version33},
	{"RFB 003.007\n", rfb.Version37},
	{"RFB 003.008\n", rfb.Version38},
	{"RFB 003.889\n", rfb.Version3Mac},
	{"RFB 004.000\n", rfb.Version38},
	{"RFB 004.001\n", rfb.Version38},
	{"RFB 005.000\n", rfb.Version38},
}

// replaceVersion is a connection on which the viewer says another version.
type replaceVersion struct {
	net.Conn
	says string
	done bool
}

func (c *replaceVersion) Write(b []byte) (int, error) {
	if c.done {
		return c.Conn.Write(b)
	}
	c.done = true
	if _, err := c.Conn.Write([]byte(c.says)); err != nil {
		return 0, err
	}
	return len(b), nil
}

func TestVersions(t *testing.T) {
	t.Parallel()
	x := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 48})
	dir := t.TempDir()
	file := filepath.Join(dir, "pw")
	require.NoError(t, os.WriteFile(file, []byte("sesame\nlooking\n"), 0o600))
	tested := 0
	for _, network := range []string{"tcp", "unix"} {
		for _, password := range []bool{false, true} {
			args := []string{"--unix-socket", filepath.Join(dir, fmt.Sprint("s", password, network))}
			if password {
				args = append(args, "--password-file", file)
			}
			s := serve(t, x, args...)
			for _, c := range handshakeCases {
				t.Run(fmt.Sprintf("%s password=%v %q", network, password, c.says), func(t *testing.T) {
					addr := s.addr
					if network == "unix" {
						addr = s.unix
					}
					dial := func(password string) (*rfbtest.Client, error) {
						nc, err := net.Dial(network, addr)
						require.NoError(t, err)
						return rfbtest.Open(t.Context(), &replaceVersion{Conn: nc, says: c.says}, viewer{Version: c.as, Password: password, Shared: true})
					}
					pw, security := "", rfb.SecurityNone
					if password {
						pw, security = "sesame", rfb.SecurityVncAuth
						_, err := dial("wrong")
						require.ErrorIs(t, err, rfb.ErrAuthentication)
						_, err = dial("")
						require.Error(t, err)
						look, err := dial("looking")
						require.NoError(t, err)
						look.Close()
					}
					client, err := dial(pw)
					require.NoError(t, err)
					defer client.Close()
					assert.Equal(t, security, client.Welcome.Security)
					assert.Equal(t, []rfb.SecurityType{security}, client.Welcome.Offered, "only what is wanted is offered")
					assert.Equal(t, image.Rect(0, 0, 64, 48), client.Bounds())
					whole(t, client)
					tested++
				})
			}
		}
	}
	require.Equal(t, 4*len(handshakeCases), tested)
}

// TestTooManyPasswords: who guesses has to wait, who is elsewhere has not.
func TestTooManyPasswords(t *testing.T) {
	t.Parallel()
	x := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 48})
	file := filepath.Join(t.TempDir(), "pw")
	require.NoError(t, os.WriteFile(file, []byte("sesame"), 0o600))
	s := serve(t, x, "--password-file", file)
	var refused *rfb.RefusedError
	for range 20 {
		_, err := rfbtest.Dial(t.Context(), s.addr, viewer{Password: "guess"})
		if errors.As(err, &refused) {
			break
		}
		require.ErrorIs(t, err, rfb.ErrAuthentication)
	}
	require.NotNil(t, refused, "twenty guesses were answered")
	require.Contains(t, refused.Reason, "Too many")
	s.await(s.stderr, "refused after too many wrong passwords")
	assert.GreaterOrEqual(t, len(s.stderr.lines()), 3)
}

// TestSharing: a viewer that wants the screen for itself disconnects the others,
// unless the server says otherwise.
func TestSharing(t *testing.T) {
	t.Parallel()
	x := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 48})
	tested := 0
	for _, c := range []struct {
		mode          string
		shared, stays bool
	}{
		{"viewer", true, true}, {"viewer", false, false},
		{"always", true, true}, {"always", false, true},
		{"never", true, false}, {"never", false, false},
	} {
		s := serve(t, x, "--shared", c.mode)
		first := connect(t, s, viewer{})
		whole(t, first)
		second, err := rfbtest.Dial(t.Context(), s.addr, viewer{Shared: c.shared})
		require.NoError(t, err)
		whole(t, second)
		if c.stays {
			whole(t, first)
		} else {
			_, err := first.ReadMessage()
			require.ErrorIs(t, err, io.EOF, "%+v", c)
		}
		second.Close()
		tested++
	}
	require.Equal(t, 6, tested)
}

// bannerAtOnce waits for a banner within 100 ms: not every one is, on a busy machine.
func bannerAtOnce(t testing.TB, s *server) {
	t.Helper()
	poll(t, "a banner within 100 ms", func() (bool, string) {
		begin := time.Now()
		c := s.dial()
		defer c.Close()
		require.Equal(t, "RFB 003.008\n", readBanner(t, c))
		took := time.Since(begin)
		return took < 100*time.Millisecond, took.String()
	})
}

// TestBannerAtOnce: the first bytes come within 100 ms, also where a descriptor
// limit of a million tempts programs to close them all, as containers have it.
func TestBannerAtOnce(t *testing.T) {
	t.Parallel()
	x := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 48})
	s := startServerCmd(t, command(t, x.Env(), "sh", "-c",
		`ulimit -n 1048576 2>/dev/null || ulimit -n "$(ulimit -Hn)"; exec "$@"`, "sh", binary, "serve", "--listen", "127.0.0.1:0", "--rfb-listen", "127.0.0.1:0"))
	bannerAtOnce(t, s)
}
