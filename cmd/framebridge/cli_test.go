package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
)

// badInput is a command line that cannot work: what the one line on stderr must
// name, and what it must tell to do.
type badInput struct {
	name string
	args []string
	env  []string
	code int
	says []string
}

// noDisplay is a display that nobody serves: X servers take low numbers.
const noDisplay = ":54321"

func badInputs(t *testing.T, x *xvfb.Server) []badInput {
	dir := t.TempDir()
	file := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), mode))
		return path
	}
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { busy.Close() })
	socket := filepath.Join(dir, "live")
	live, err := net.Listen("unix", socket)
	require.NoError(t, err)
	t.Cleanup(func() { live.Close() })

	text := file("text", "not a socket", 0o600)
	wrongAuth := file("auth", "", 0o600)
	empty := file("empty", "", 0o600)
	newlines := file("newlines", "\n\n", 0o600)
	binary9 := file("binary", "\x01\x02\x03\x04\x05\x06\x07\x08\x00", 0o600)
	large := file("large", strings.Repeat("x", 5000), 0o600)
	plain := file("plain", "#!/bin/sh\n", 0o600)

	serve := func(args ...string) []string {
		return append([]string{"serve", "--display", x.Display(), "--auth", x.AuthFile(), "--wait-display", "10s"}, listening(append([]string{"-"}, args...))[1:]...)
	}
	gone := func(args ...string) []string {
		return append([]string{"serve", "--listen", "127.0.0.1:0", "--wait-display", "300ms", "--display"}, args...)
	}
	run := func(args ...string) []string {
		return append([]string{"run", "--listen", "127.0.0.1:0"}, args...)
	}
	list := []badInput{
		{"no display", []string{"serve"}, nil, 2, []string{"--display", "DISPLAY"}},
		{"malformed display", gone("one"), nil, 2, []string{"--display", `"one"`, "want :N"}},
		{"malformed display number", gone(":x"), nil, 2, []string{"--display", `":x"`, "want :N"}},
		{"malformed screen", gone(":1.x"), nil, 2, []string{"--display", `":1.x"`, "want :N"}},
		{"huge display number", gone(":999999"), nil, 2, []string{"--display", "999999", "want :N"}},
		{"display from $DISPLAY malformed", []string{"serve"}, []string{"DISPLAY=two"}, 2, []string{"two", "want :N"}},
		{"display that never comes", gone(noDisplay), nil, 1, []string{noDisplay, "300ms", "--wait-display", "is the X server running"}},
		{"display by a path that never comes", gone(filepath.Join(dir, "X9")), nil, 1, []string{"X9", "--wait-display"}},
		{"screen that is not there", append(gone(x.Display()+".7"), "--auth", x.AuthFile()), nil, 1, []string{x.Display() + ".7"}},
		{"no cookie", append(gone(x.Display()), "--auth", wrongAuth), nil, 1, []string{x.Display(), "--auth", "XAUTHORITY"}},
		{"wrong cookie", append(gone(x.Display()), "--auth", otherCookie(t, dir)), nil, 1, []string{x.Display(), "cookie", "--auth"}},
		{"missing auth file", append(gone(x.Display()), "--auth", filepath.Join(dir, "none")), nil, 1, []string{x.Display(), "none"}},
		{"busy port", serve("--listen", busy.Addr().String()), nil, 1, []string{"--listen", busy.Addr().String(), "in use", "choose another"}},
		{"run with a busy port", []string{"run", "--listen", busy.Addr().String(), "--", "true"}, nil, 1, []string{busy.Addr().String(), "in use"}},
		{"address of somebody else", serve("--listen", "192.0.2.1:0", "--no-auth"), nil, 1, []string{"--listen", "192.0.2.1"}},
		{"address without port", serve("--listen", "127.0.0.1"), nil, 2, []string{"--listen", "HOST:PORT"}},
		{"port too large", serve("--listen", "127.0.0.1:70000"), nil, 2, []string{"--listen", "70000", "65535"}},
		{"no listener", serve("--listen", ""), nil, 2, []string{"--listen", "--rfb-listen", "--unix-socket"}},
		{"busy port for viewers", serve("--rfb-listen", busy.Addr().String()), nil, 1, []string{"--rfb-listen", busy.Addr().String(), "in use"}},
		{"address for viewers without port", serve("--rfb-listen", "127.0.0.1"), nil, 2, []string{"--rfb-listen", "HOST:PORT"}},
		{"viewers beyond loopback without password", serve("--rfb-listen", ":0"), nil, 1, []string{"--rfb-listen :0", "--password-file", "--no-auth"}},
		{"no delay", serve("--rfb-delay", "0"), nil, 2, []string{"--rfb-delay 0s", "--rfb-listen"}},
		{"delay of a minute", serve("--rfb-delay", "1m"), nil, 2, []string{"--rfb-delay 1m0s", "10s"}},
		{"certificate without key", serve("--tls-cert", text), nil, 2, []string{"--tls-cert", "--tls-key"}},
		{"certificate that is none", serve("--tls-cert", text, "--tls-key", text), nil, 1, []string{"--tls-cert", text, "PEM"}},
		{"missing certificate", serve("--tls-cert", filepath.Join(dir, "nocert"), "--tls-key", text), nil, 1, []string{"nocert", "no such file"}},
		{"certificate without web", serve("--tls-cert", text, "--tls-key", text, "--no-web"), nil, 2, []string{"--tls-cert", "--no-web"}},
		{"missing folder for browsers", serve("--web-dir", filepath.Join(dir, "noweb")), nil, 1, []string{"--web-dir", "noweb", "no such file"}},
		{"file for browsers in place of a folder", serve("--web-dir", text), nil, 1, []string{"--web-dir", text, "not a folder"}},
		{"beyond loopback without password", serve("--listen", "0.0.0.0:0"), nil, 1, []string{"0.0.0.0:0", "--password-file", "--no-auth"}},
		{"everywhere without password", serve("--listen", ":0"), nil, 1, []string{"--password-file", "--no-auth"}},
		{"IPv6 everywhere without password", serve("--listen", "[::]:0"), nil, 1, []string{"--password-file", "--no-auth"}},
		{"password and no-auth", serve("--password-file", text, "--no-auth"), nil, 2, []string{"--password-file", "--no-auth"}},
		{"missing password file", serve("--password-file", filepath.Join(dir, "nofile")), nil, 1, []string{"nofile", "no such file", "framebridge passwd"}},
		{"password file is a directory", serve("--password-file", dir), nil, 1, []string{dir, "directory", "framebridge passwd"}},
		{"empty password file", serve("--password-file", empty), nil, 1, []string{empty, "empty", "framebridge passwd"}},
		{"password file of line ends", serve("--password-file", newlines), nil, 1, []string{newlines, "empty", "framebridge passwd"}},
		{"password file of rubbish", serve("--password-file", binary9), nil, 1, []string{binary9, "9 bytes"}},
		{"password file too large", serve("--password-file", large), nil, 1, []string{large, "larger"}},
		{"run with an empty password file", run("--password-file", empty, "--", "true"), nil, 1, []string{empty, "empty"}},
		{"directory for a socket", serve("--unix-socket", dir), nil, 1, []string{"--unix-socket", dir, "directory", "name a socket"}},
		{"file for a socket", serve("--unix-socket", text), nil, 1, []string{"--unix-socket", text, "no socket", "choose another"}},
		{"socket of a living server", serve("--unix-socket", socket), nil, 1, []string{"--unix-socket", socket, "another server", "choose another"}},
		{"socket in no directory", serve("--unix-socket", filepath.Join(dir, "no", "where")), nil, 1, []string{"--unix-socket", "no such file"}},
		{"socket's name too long", serve("--unix-socket", filepath.Join(dir, strings.Repeat("x", 200))), nil, 1, []string{"--unix-socket"}},
		{"missing X server", run("--xserver", "nonexistent-x", "--", "true"), nil, 1, []string{"nonexistent-x", "not installed", "install"}},
		{"X server that is none", run("--xserver", "false", "--", "true"), nil, 1, []string{"false"}},
		{"missing program", run("--", "nonexistent-program"), nil, 1, []string{"nonexistent-program", "not found", "install it or give its path"}},
		{"program that cannot be executed", run("--", plain), nil, 1, []string{plain, "permission denied"}},
		{"program is a directory", run("--", dir), nil, 1, []string{dir}},
		{"no program", run(), nil, 2, []string{"no program", "--help"}},
		{"bad depth", run("--depth", "7", "--", "true"), nil, 2, []string{"--depth 7", "8, 16, 24 or 30"}},
		{"depth is no number", run("--depth", "deep", "--", "true"), nil, 2, []string{"--depth", "deep"}},
		{"unknown flag", []string{"serve", "--colour"}, nil, 2, []string{"--colour", "--help"}},
		{"unknown short flag", []string{"run", "-z"}, nil, 2, []string{"-z", "--help"}},
		{"flag without value", []string{"serve", "--display"}, nil, 2, []string{"--display"}},
		{"unknown command", []string{"server"}, nil, 2, []string{`"server"`, "--help"}},
		{"argument to serve", serve("extra"), nil, 2, []string{`"extra"`}},
		{"argument to version", []string{"version", "extra"}, nil, 2, []string{`"extra"`}},
		{"two files to passwd", []string{"passwd", "a", "b"}, nil, 2, []string{"one FILE"}},
		{"capture method", serve("--capture", "camera"), nil, 2, []string{"camera", "auto", "shmfd"}},
		{"fbdir without a folder", serve("--capture", "fbdir"), nil, 2, []string{"--fbdir"}},
		{"sharing", serve("--shared", "maybe"), nil, 2, []string{"--shared", "maybe", "always"}},
		{"frame rate", serve("--max-fps", "0"), nil, 2, []string{"--max-fps 0", "1 to 1000"}},
		{"cut text", serve("--max-cut-text", "0"), nil, 2, []string{"--max-cut-text 0"}},
		{"verify interval", serve("--verify-interval", "-1s"), nil, 2, []string{"--verify-interval -1s"}},
		{"wait", serve("--wait-display", "-1s"), nil, 2, []string{"--wait-display -1s"}},
		{"wait is no time", serve("--wait-display", "soon"), nil, 2, []string{"--wait-display", "soon"}},
		{"log level", serve("--log-level", "loud"), nil, 2, []string{"--log-level", "loud", "debug"}},
		{"log format", serve("--log-format", "xml"), nil, 2, []string{"--log-format", "xml", "json"}},
		{"environment: frame rate", serve(), []string{"FRAMEBRIDGE_MAX_FPS=x"}, 2, []string{"FRAMEBRIDGE_MAX_FPS", `"x"`}},
		{"environment: frame rate out of bounds", serve(), []string{"FRAMEBRIDGE_MAX_FPS=5000"}, 2, []string{"5000", "1 to 1000"}},
		{"environment: truth", serve(), []string{"FRAMEBRIDGE_VIEW_ONLY=perhaps"}, 2, []string{"FRAMEBRIDGE_VIEW_ONLY", "perhaps"}},
		{"environment: time", serve(), []string{"FRAMEBRIDGE_VERIFY_INTERVAL=often"}, 2, []string{"FRAMEBRIDGE_VERIFY_INTERVAL", "often"}},
		{"environment: password file", serve(), []string{"FRAMEBRIDGE_PASSWORD_FILE=" + empty}, 1, []string{empty, "empty"}},
		{"environment: geometry", run("--", "true"), []string{"FRAMEBRIDGE_GEOMETRY=big"}, 2, []string{"big", "WIDTHxHEIGHT"}},
	}
	for _, g := range []string{"0x0", "1280", "x800", "1280x", "-1x100", "1280x800x24", "40000x100", "axb", "1280 x 800", "99999999999999999999x1"} {
		list = append(list, badInput{"geometry " + g, run("--geometry", g, "--", "true"), nil, 2, []string{"--geometry " + g, "WIDTHxHEIGHT"}})
	}
	if os.Geteuid() != 0 {
		list = append(list, badInput{"unreadable password file", serve("--password-file", file("secret", "x", 0)), nil, 1,
			[]string{"secret", "permission denied", "framebridge passwd"}})
	}
	return list
}

// otherCookie is another server's Xauthority file.
func otherCookie(t *testing.T, dir string) string {
	t.Helper()
	other := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64})
	b, err := os.ReadFile(other.AuthFile())
	require.NoError(t, err)
	path := filepath.Join(dir, "other")
	require.NoError(t, os.WriteFile(path, b, 0o600))
	return path
}

// TestBadInput: one line that names what is wrong and says what to do, the right
// exit code, and nothing left.
func TestBadInput(t *testing.T) {
	t.Parallel()
	x := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64})
	list := badInputs(t, x)
	tested := 0
	t.Run("all", func(t *testing.T) {
		for _, c := range list {
			tested++
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				cmd := command(t, c.env, binary, c.args...)
				p := start(t, cmd)
				assert.Equal(t, c.code, p.wait(timeout))
				assert.Empty(t, p.stdout.String())
				stderr := p.stderr.String()
				var lines []string
				for _, l := range strings.SplitAfter(stderr, "\n") {
					// What the log says on the way is not the message.
					if l != "" && !strings.HasPrefix(l, "time=") {
						lines = append(lines, l)
					}
				}
				assert.Len(t, lines, 1, stderr)
				for _, want := range c.says {
					assert.Contains(t, stderr, want)
				}
				assert.True(t, strings.HasPrefix(stderr, "framebridge: ") || strings.HasPrefix(stderr, "time="), stderr)
				assert.Empty(t, descendants(p.pid()))
				assertEmptyTemp(t, cmd)
			})
		}
	})
	require.GreaterOrEqual(t, tested, 75)
	require.NoError(t, x.Err(), "the X server must not mind")
}

// TestEnvironment sets flags by environment; the command line wins.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	x := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64})
	dir := t.TempDir()
	socket := filepath.Join(dir, "s")
	s := startServerCmd(t, command(t, []string{
		"FRAMEBRIDGE_DISPLAY=" + x.Display(),
		"FRAMEBRIDGE_AUTH=" + x.AuthFile(),
		"FRAMEBRIDGE_LISTEN=127.0.0.1:0",
		"FRAMEBRIDGE_UNIX_SOCKET=" + filepath.Join(dir, "not-this-one"),
		"FRAMEBRIDGE_DESKTOP_NAME=by environment",
		"FRAMEBRIDGE_LOG_FORMAT=json",
		"FRAMEBRIDGE_LOG_LEVEL=debug",
		"FRAMEBRIDGE_MAX_FPS=", // empty is not set
	}, binary, "serve", "--unix-socket", socket))
	assert.Equal(t, x.Display(), s.display)
	assert.Equal(t, socket, s.unix)
	assert.NotEmpty(t, s.addr)
	assert.Equal(t, "by environment", connect(t, s, viewer{}).Name())
	s.await(s.stderr, `"msg":"viewer connected"`)
	info, err := os.Stat(socket)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	// $DISPLAY and $XAUTHORITY are the defaults.
	s = startServer(t, x.Env(), "serve")
	assert.Equal(t, x.Display(), s.display)
	host, err := os.Hostname()
	require.NoError(t, err)
	assert.Equal(t, host+x.Display(), connect(t, s, viewer{}).Name())
}

func TestVersion(t *testing.T) {
	t.Parallel()
	p := start(t, command(t, nil, binary, "version"))
	require.Equal(t, 0, p.wait(timeout))
	assert.Equal(t, fmt.Sprintf("framebridge e2e-1.2.3 (%s %s/%s)\n", runtime.Version(), runtime.GOOS, runtime.GOARCH), p.stdout.String())
	assert.Empty(t, p.stderr.String())
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		says []string
	}{
		{nil, []string{"serve", "run", "passwd", "version", "FRAMEBRIDGE_"}},
		{[]string{"--help"}, []string{"serve", "run"}},
		{[]string{"serve", "--help"}, []string{"--display", "--unix-socket", "READY"}},
		{[]string{"run", "--help"}, []string{"--geometry", "--depth", "--xserver"}},
		{[]string{"passwd", "--help"}, []string{"vncpasswd"}},
	} {
		p := start(t, command(t, nil, binary, c.args...))
		require.Equal(t, 0, p.wait(timeout))
		for _, s := range c.says {
			assert.Contains(t, p.stdout.String(), s, c.args)
		}
	}
}

// TestWrongFlagsEndAtOnce: nothing is opened before the flags are known to be
// good.
func TestWrongFlagsEndAtOnce(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	p := start(t, command(t, nil, binary, "serve", "--display", noDisplay, "--max-fps", "0"))
	require.Equal(t, 2, p.wait(timeout))
	require.Less(t, time.Since(begin), soon)
}
