package remote

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"framebridge/internal/peertest"
	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// settings is a Handler that keeps what it is told.
type settings struct {
	mu   sync.Mutex
	vars map[string]string
	done []string
	did  chan string
}

func newSettings() *settings {
	return &settings{did: make(chan string, 100), vars: map[string]string{
		"shared": "1", "dpy_x": "640", "dpy_y": "480", "client_count": "0", "clients": "", "pointer_pos": "320,240",
		"deny": "0", "viewonly": "0", "forever": "1",
	}}
}

func (s *settings) Do(name, value string) error {
	s.mu.Lock()
	s.done = append(s.done, name+" "+value)
	s.mu.Unlock()
	s.did <- name + " " + value
	if name == "keystate" {
		return ErrUnknown
	}
	return nil
}

func (s *settings) Set(name, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name == "wait" && value == "junk" {
		return fmt.Errorf("wait: %q is no number", value)
	}
	s.vars[name] = value
	return nil
}

func (s *settings) Get(name string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.vars[name]
	return v, ok
}

// serve runs a server until the test ends.
func serve(t *testing.T, x *xvfb.Server, h Handler, o Options) {
	t.Helper()
	o.Display, o.AuthFile, o.Logger, o.Name = x.Display(), x.AuthFile(), quiet, "host:0"
	s, err := Listen(t.Context(), h, o)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, s.Close())
	})
}

// sender is a client: ours or x11vnc.
type sender func(t *testing.T, x *xvfb.Server, r Request) (out string, err error)

func ours(t *testing.T, x *xvfb.Server, r Request) (string, error) {
	var out bytes.Buffer
	err := Send(t.Context(), r, &out, io.Discard, Options{Display: x.Display(), AuthFile: x.AuthFile(), Logger: quiet})
	return out.String(), err
}

func theirs(t *testing.T, x *xvfb.Server, r Request) (string, error) {
	args := []string{"-norc", "-display", x.Display()}
	if r.Sync {
		args = append(args, "-sync")
	}
	if r.HasCommand {
		args = append(args, "-R", r.Command)
	}
	if r.HasQuery {
		args = append(args, "-Q", r.Query)
	}
	cmd := exec.CommandContext(t.Context(), "x11vnc", args...)
	cmd.Env = append(os.Environ(), x.Env()...)
	out, err := cmd.Output()
	return string(out), err
}

func senders(t *testing.T) map[string]sender {
	m := map[string]sender{"our client": ours}
	if _, err := exec.LookPath("x11vnc"); err == nil {
		m["x11vnc as client"] = theirs
	} else if os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	return m
}

func TestOurServer(t *testing.T) {
	x := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64})
	for name, send := range senders(t) {
		t.Run(name, func(t *testing.T) {
			h := newSettings()
			serve(t, x, h, Options{})
			query := func(q string) string {
				t.Helper()
				out, err := send(t, x, Request{Query: q, HasQuery: true})
				require.NoError(t, err)
				return strings.TrimSuffix(out, "\n")
			}
			command := func(c string) {
				t.Helper()
				out, err := send(t, x, Request{Command: c, HasCommand: true, Sync: true})
				require.NoError(t, err)
				require.Equal(t, "ack=1\n", out)
			}
			assert.Equal(t, "ans=ping:host:0", query("ping"))
			assert.Equal(t, "ans=ping:xyz:host:0", query("ping:xyz"))
			assert.Equal(t, "aro=clients:,aro=dpy_x:640,aro=pointer_pos:320,240,ans=viewonly:0,ans=noviewonly:1,ans=foo:N/A,ans=stop:N/A",
				query("clients,dpy_x,pointer_pos,viewonly,noviewonly,foo,stop"))
			assert.Equal(t, "ans=wait:20,ans=lock:0,ans=unlock:1,ans=once:0,ans=deferupdate:20", query("wait,lock,unlock,once,deferupdate"))
			assert.Equal(t, "aro=bpp:32,aro=depth:24,aro=ext_xtest:1,aro=pointer_x:32,aro=pointer_y:32,aro=pointer_mask:0x0,aro=pointer_same:1",
				query("bpp,depth,ext_xtest,pointer_x,pointer_y,pointer_mask,pointer_same"))
			command("viewonly")
			assert.Equal(t, "ans=viewonly:1", query("viewonly"))
			command("noviewonly")
			command("wait:30")
			command("scale:1/2")
			command("lock")
			command("once")
			command("foobar")
			command("wait:junk")
			command("dpy_x:7")
			assert.Equal(t, "ans=noviewonly:1,ans=wait:30,ans=scale:1/2,ans=deny:1,ans=forever:0,aro=dpy_x:640",
				query("noviewonly,wait,scale,deny,forever,dpy_x"))
			command("scale:")
			command("allow:1.2.3.4")
			command("allow:+1.2.3.5")
			assert.Equal(t, "ans=scale:,ans=allow:1.2.3.4,1.2.3.5", query("scale,allow"))
			command("allow:-1.2.3.4")
			assert.Equal(t, "ans=allow:1.2.3.5", query("allow"))
			command("script:viewonly; wait:77;refresh")
			assert.Equal(t, "refresh ", <-h.did)
			assert.Equal(t, "ans=viewonly:1,ans=wait:77", query("viewonly,wait"))
			command("disconnect:all")
			assert.Equal(t, "disconnect all", <-h.did)
			command("connect:host:1,other")
			assert.Equal(t, "connect host:1,other", <-h.did)
			out, err := send(t, x, Request{Command: "shared", HasCommand: true, Query: "shared", HasQuery: true})
			require.NoError(t, err)
			assert.Equal(t, "ack=1\nans=shared:1\n", out)
			// Without waiting.
			out, err = send(t, x, Request{Command: "close:0x1", HasCommand: true})
			require.NoError(t, err)
			assert.Empty(t, out)
			assert.Equal(t, "disconnect 0x1", <-h.did)
			command("quit")
			assert.Equal(t, "stop ", <-h.did)
			command("noremote")
		})
	}
}

// TestTheirServer controls the real x11vnc.
func TestTheirServer(t *testing.T) {
	peertest.Program(t, "x11vnc")
	x := xvfbtest.Start(t, xvfb.Options{Width: 640, Height: 480})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	cmd := exec.CommandContext(t.Context(), "x11vnc", "-norc", "-display", x.Display(), "-rfbport", port, "-no6", "-localhost",
		"-nopw", "-quiet", "-forever", "-shared")
	cmd.Env = append(os.Environ(), x.Env()...)
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { cmd.Process.Kill() })
	out := ""
	for start := time.Now(); err != nil || out == ""; {
		t.Setenv("X11VNC_SYNC_TIMEOUT", "0.3")
		out, err = ours(t, x, Request{Query: "ping", HasQuery: true})
		require.Less(t, time.Since(start), 2*time.Minute)
	}
	t.Setenv("X11VNC_SYNC_TIMEOUT", "20")
	for _, tt := range []struct{ command, query, want string }{
		{"", "dpy_x,dpy_y,client_count,clients,viewonly,foo,stop,lock",
			"aro=dpy_x:640,aro=dpy_y:480,aro=client_count:0,aro=clients:,ans=viewonly:0,ans=foo:N/A,ans=stop:N/A,ans=lock:0\n"},
		{"viewonly", "viewonly", "ack=1\nans=viewonly:1\n"},
		{"clip:100x90+10+20", "clip,dpy_x,wdpy_x", "ack=1\nans=clip:100x90+10+20,aro=dpy_x:100,aro=wdpy_x:640\n"},
		{"wait:33", "wait", "ack=1\nans=wait:33\n"},
	} {
		out, err := ours(t, x, Request{Command: tt.command, HasCommand: tt.command != "", Query: tt.query, HasQuery: true})
		require.NoError(t, err)
		assert.Equal(t, tt.want, out)
	}
	out, err = ours(t, x, Request{Command: "stop", HasCommand: true, Sync: true})
	require.NoError(t, err)
	assert.Equal(t, "ack=1\n", out)
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(time.Minute):
		t.Fatal("x11vnc did not stop")
	}
}

// TestTable compares what we answer without a server with what x11vnc does.
func TestTable(t *testing.T) {
	peertest.Program(t, "x11vnc")
	var names []string
	for name, v := range variables {
		names = append(names, name)
		if v.kind == toggle {
			names = append(names, "no"+name)
		}
	}
	for name := range synonyms {
		names = append(names, name)
	}
	require.Greater(t, len(names), 200)
	for _, name := range names {
		switch name {
		case "pid", "version", "lastmod", "V", "h", "help", // ours
			"remote", "norc", "http_url", "nowaitmapped", "nosolid", "noshow_cursor", "cursor", "nocursor",
			"clear_all", "noclear_all", "noxinerama", "proxy": // with an own meaning, or none, there
			continue
		}
		out, err := exec.CommandContext(t.Context(), "x11vnc", "-norc", "-QD", name).Output()
		require.NoError(t, err)
		got, want := Defaults(name), strings.TrimSuffix(string(out), "\n")
		if strings.HasSuffix(want, "N/A") && !strings.HasSuffix(got, "N/A") {
			t.Logf("only ours: %s", got)
			continue
		}
		assert.Equal(t, want, got)
	}
}

func TestNoServer(t *testing.T) {
	x := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64})
	t.Setenv("X11VNC_SYNC_TIMEOUT", "0.05")
	_, err := ours(t, x, Request{Query: "ping", HasQuery: true})
	require.ErrorIs(t, err, ErrNoServer)
	_, err = ours(t, x, Request{Query: "ping", HasQuery: true, Retries: 2, Delay: time.Millisecond})
	require.ErrorIs(t, err, ErrNoServer)
	_, err = ours(t, x, Request{Command: "stop", HasCommand: true, Sync: true})
	require.ErrorIs(t, err, ErrNoServer)
	_, err = ours(t, x, Request{Command: "stop", HasCommand: true})
	require.NoError(t, err)
	// A server that comes later does not obey that.
	h := newSettings()
	serve(t, x, h, Options{})
	t.Setenv("X11VNC_SYNC_TIMEOUT", "20")
	out, err := ours(t, x, Request{Query: "ping", HasQuery: true})
	require.NoError(t, err)
	require.Equal(t, "ans=ping:host:0\n", out)
	require.Empty(t, h.done)
	// Another name is another channel.
	t.Setenv("X11VNC_SYNC_TIMEOUT", "0.05")
	t.Setenv("X11VNC_REMOTE", "X11VNC_REMOTE_2")
	_, err = ours(t, x, Request{Query: "ping", HasQuery: true})
	require.ErrorIs(t, err, ErrNoServer)
	t.Setenv("X11VNC_SYNC_TIMEOUT", "20")
	serve(t, x, h, Options{})
	_, err = ours(t, x, Request{Query: "ping", HasQuery: true, Match: "host"})
	require.NoError(t, err)
	_, err = ours(t, x, Request{Query: "ping", HasQuery: true, Match: "elsewhere", Retries: 2, Delay: time.Millisecond})
	require.ErrorContains(t, err, "elsewhere")
}

// TestConnect writes hosts to VNC_CONNECT, as vncconnect does.
func TestConnect(t *testing.T) {
	x := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64})
	p := xvfbtest.NewPainter(t, x)
	h := newSettings()
	serve(t, x, h, Options{})
	ch, err := openChannel(t.Context(), p.Conn, connectProperty)
	require.NoError(t, err)
	for _, host := range []string{"a:1", "a:1", "b"} {
		require.NoError(t, ch.write(host))
		require.Equal(t, "connect "+host, <-h.did)
	}
	require.NoError(t, ch.write("cmd=refresh"))
	require.Equal(t, "refresh ", <-h.did)
}

func TestServerEnds(t *testing.T) {
	x := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64})
	s, err := Listen(t.Context(), newSettings(), Options{Display: x.Display(), AuthFile: x.AuthFile(), Logger: quiet})
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(t.Context()) }()
	x.Stop()
	require.Error(t, <-ended)
	require.NoError(t, s.Close())
	_, err = Listen(t.Context(), newSettings(), Options{Display: x.Display(), AuthFile: x.AuthFile(), Logger: quiet})
	require.Error(t, err)
}

func TestParseRetries(t *testing.T) {
	n, d, m, err := ParseRetries("4:1.5/grab_state")
	require.NoError(t, err)
	assert.Equal(t, []any{4, 1500 * time.Millisecond, "grab_state"}, []any{n, d, m})
	n, d, m, err = ParseRetries("4")
	require.NoError(t, err)
	assert.Equal(t, []any{4, time.Duration(0), ""}, []any{n, d, m})
	for _, s := range []string{"", "x", "-1", "1:", "1:x", "1:-1", "1:NaN", "999999999", ":1"} {
		_, _, _, err := ParseRetries(s)
		assert.Error(t, err, s)
	}
}

// FuzzRequest reads what anybody could write into the property.
func FuzzRequest(f *testing.F) {
	for _, s := range []string{"cmd=viewonly", "cmd=script:a;b:c", "qry=clients,foo", "cmd=allow:+x", "qry=", "cmd=", "cmd=wait", "qry=ping:x:y=z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		h := newSettings()
		h.did = make(chan string, maxCommands+1)
		s := &Server{h: h, log: quiet, name: "n"}
		if q, ok := strings.CutPrefix(value, question); ok {
			out := replyAll(q, "n", h.Get)
			require.True(t, isAnswer(out))
			require.LessOrEqual(t, len(out), maxValue)
		} else {
			for _, c := range commands(strings.TrimPrefix(value, command)) {
				s.command(c)
			}
		}
		patience(value)
		_, _, _, _ = ParseRetries(value)
		require.NotContains(t, clean(value)+printable(value), "\x1b")
	})
}
