package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/internal/x11vnc"
	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
	"framebridge/rfb"
	"framebridge/rfb/rfbtest"
)

// x11vncServing is a framebridge that runs as x11vnc.
type x11vncServing struct {
	*server
	home string
}

// startX11vnc runs "framebridge x11vnc" on a display and waits for its port.
func startX11vnc(t testing.TB, x *xvfb.Server, args ...string) *x11vncServing {
	t.Helper()
	return awaitX11vnc(t, x11vncCommand(t, x, args...))
}

func x11vncCommand(t testing.TB, x *xvfb.Server, args ...string) *exec.Cmd {
	t.Helper()
	return command(t, append(x.Env(), "AUTO_PORT="+strconv.Itoa(freePort(t))), binary, append([]string{"x11vnc"}, args...)...)
}

// freePort returns a port that nobody listens on just now.
func freePort(t testing.TB) int {
	t.Helper()
	n, err := unusedPort()
	require.NoError(t, err)
	return n
}

func awaitX11vnc(t testing.TB, cmd *exec.Cmd) *x11vncServing {
	t.Helper()
	s := &x11vncServing{server: &server{process: start(t, cmd)}}
	s.await(s.stdout, "\n")
	m := portLine.FindStringSubmatch(s.stdout.lines()[0])
	require.NotNil(t, m, "the first line is not PORT=: %s", s.stdout)
	s.port, s.addr = m[1], "127.0.0.1:"+m[1]
	for _, v := range cmd.Env {
		if home, ok := strings.CutPrefix(v, "HOME="); ok {
			s.home = home
		}
	}
	return s
}

func xServer(t testing.TB) *xvfb.Server {
	return xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 48})
}

// come connects a viewer, or says how far it came.
func (s *x11vncServing) come(password string) (*rfbtest.Client, string) {
	s.t.Helper()
	c, err := rfbtest.Dial(s.t.Context(), s.addr, rfbtest.Options{Password: password, Encodings: withCursor(rfb.EncodingRaw)})
	if err != nil {
		return nil, refusal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	return c, "in"
}

// TestX11vncOutput: what wrappers read.
func TestX11vncOutput(t *testing.T) {
	t.Parallel()
	x := xServer(t)
	flag, mark, log := filepath.Join(t.TempDir(), "flag"), filepath.Join(t.TempDir(), "mark"), filepath.Join(t.TempDir(), "log")
	s := startX11vnc(t, x, "-nopw", "-forever", "-flag", flag, "-rmflag", mark, "-nowf", "-ncache", "10", "-localhost")
	assert.Equal(t, "PORT="+s.port+"\n", s.stdout.String())
	n, err := strconv.Atoi(s.port)
	require.NoError(t, err)
	s.await(s.stderr, "\nThe VNC desktop is:      localhost:"+strconv.Itoa(displayOf(n))+"\n")
	assert.Contains(t, s.stderr.String(), "ignored: -nowf -ncache 10")
	assert.NotContains(t, s.stderr.String(), "WARNING")
	assert.Regexp(t, `(?m)^\d\d/\d\d/\d{4} \d\d:\d\d:\d\d screen setup finished\.$`, s.stderr.String())
	b, err := os.ReadFile(flag)
	require.NoError(t, err)
	assert.Equal(t, "PORT="+s.port+"\n", string(b))
	b, err = os.ReadFile(mark)
	require.NoError(t, err)
	assert.Equal(t, strconv.Itoa(s.pid())+"\n", string(b))
	s.signal(syscall.SIGTERM)
	assert.Equal(t, 2, s.wait(timeout))
	assert.NoFileExists(t, mark)
	assert.FileExists(t, flag)

	s = startX11vnc(t, x, "-q", "-o", log+"-%VNCDISPLAY-%HOME", "-env", "HOME=h")
	n, err = strconv.Atoi(s.port)
	require.NoError(t, err)
	host, err := os.Hostname()
	require.NoError(t, err)
	b, err = os.ReadFile(fmt.Sprintf("%s-%s:%d-h", log, host, displayOf(n)))
	require.NoError(t, err)
	assert.Contains(t, string(b), "The VNC desktop is:")
	s.await(s.stderr, "WARNING") // before the port is known
	s.signal(syscall.SIGINT)
	assert.Equal(t, 0, s.wait(timeout))
}

// TestX11vncName: a link called x11vnc is enough.
func TestX11vncName(t *testing.T) {
	t.Parallel()
	link := filepath.Join(t.TempDir(), "x11vnc")
	require.NoError(t, os.Symlink(binary, link))
	p := start(t, command(t, nil, link, "--version"))
	require.Equal(t, 0, p.wait(timeout))
	assert.Regexp(t, `^x11vnc: 0\.9\.16 lastmod: \S+\n$`, p.stdout.String())
	p = start(t, command(t, nil, link, "-help"))
	require.Equal(t, 1, p.wait(timeout))
	assert.Equal(t, x11vnc.Help(), p.stdout.String())
}

// TestX11vncSecretsHidden: passwords are not in the list of processes, nor in the
// log, of any process.
func TestX11vncSecretsHidden(t *testing.T) {
	t.Parallel()
	x := xServer(t)
	for _, more := range [][]string{nil, {"-loop100"}, {"-bg"}} {
		log := filepath.Join(t.TempDir(), "log")
		cmd := x11vncCommand(t, x, append([]string{"-v", "-passwd", "topsecret", "-viewpasswd", "halfsecret", "-forever", "-shared", "-oa", log}, more...)...)
		s := awaitX11vnc(t, cmd)
		if slices.Contains(more, "-bg") {
			require.Equal(t, 0, s.wait(timeout))
		}
		pids := markedPids(s.cmd)
		require.NotEmpty(t, pids, "%v", more)
		for _, pid := range pids {
			b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
			require.NoError(t, err)
			assert.NotContains(t, string(b), "secret", "%v", more)
			assert.Contains(t, string(b), "-forever")
		}
		b, err := os.ReadFile(log)
		require.NoError(t, err)
		assert.NotContains(t, string(b), "secret")
		_, how := s.come("wrong")
		assert.Equal(t, "wrong password", how)
		_, how = s.come("topsecre")
		assert.Equal(t, "in", how)
		_, how = s.come("halfsecret")
		assert.Equal(t, "in", how)
		endAll(t, s.cmd)
	}
}

// markedPids returns the processes that have this command's home.
func markedPids(cmd *exec.Cmd) []int {
	st := &stage{}
	for _, v := range cmd.Env {
		if strings.HasPrefix(v, "HOME=") {
			st.marker = v
		}
	}
	return st.pids()
}

// endAll ends all processes of a command.
func endAll(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	for _, pid := range markedPids(cmd) {
		syscall.Kill(pid, syscall.SIGTERM)
	}
	poll(t, "end", func() (bool, string) { return len(markedPids(cmd)) == 0, "still there" })
}

// TestX11vncBackground: -bg ends with 0 when viewers can come, and the log is there.
func TestX11vncBackground(t *testing.T) {
	t.Parallel()
	x := xServer(t)
	log, mark := filepath.Join(t.TempDir(), "log"), filepath.Join(t.TempDir(), "mark")
	cmd := x11vncCommand(t, x, "-bg", "-nopw", "-forever", "-o", log, "-rmflag", mark)
	s := awaitX11vnc(t, cmd)
	require.Equal(t, 0, s.wait(timeout))
	b, err := os.ReadFile(log)
	require.NoError(t, err)
	assert.Contains(t, string(b), "The VNC desktop is:")
	_, how := s.come("")
	assert.Equal(t, "in", how)
	pids := markedPids(cmd)
	require.Len(t, pids, 1)
	b, err = os.ReadFile(mark)
	require.NoError(t, err)
	assert.Equal(t, strconv.Itoa(pids[0])+"\n", string(b), "the file has the process that stays")
	endAll(t, cmd)
	assert.NoFileExists(t, mark)

	// What fails in the background fails in the foreground.
	p := start(t, x11vncCommand(t, x, "-bg", "-rfbauth", filepath.Join(t.TempDir(), "none")))
	assert.Equal(t, 1, p.wait(timeout))
	assert.Contains(t, p.stderr.String(), "-storepasswd")
}

// TestX11vncLoop: a server that ends is started again, so often.
func TestX11vncLoop(t *testing.T) {
	t.Parallel()
	x := xServer(t)
	s := awaitX11vnc(t, x11vncCommand(t, x, "-loop10,3", "-nopw"))
	for n := range 3 {
		poll(t, "a server", func() (bool, string) {
			all := portLine.FindAllStringSubmatch(s.stdout.String(), -1)
			s.addr = "127.0.0.1:" + all[len(all)-1][1]
			return len(all) == n+1, s.stdout.String()
		})
		c, how := s.come("")
		require.Equal(t, "in", how)
		c.Close() // it was the one viewer
	}
	assert.Equal(t, 0, s.wait(timeout))
	assert.Len(t, portLine.FindAllString(s.stdout.String(), -1), 3)
	assert.Equal(t, 2, strings.Count(s.stderr.String(), "sleeping 10 ms"))

	cmd := x11vncCommand(t, x, "-loopbg10", "-nopw", "-forever")
	s = awaitX11vnc(t, cmd)
	assert.Equal(t, 0, s.wait(timeout))
	assert.Len(t, markedPids(cmd), 2)
	endAll(t, cmd)
}

// TestX11vncLife: how servers end.
func TestX11vncLife(t *testing.T) {
	t.Parallel()
	x := xServer(t)
	// A wrong password and a probe are no viewers.
	s := startX11vnc(t, x, "-passwd", "abc")
	s.dial().Close()
	_, how := s.come("wrong")
	require.Equal(t, "wrong password", how)
	c, how := s.come("abc")
	require.Equal(t, "in", how)
	_, how = s.come("abc")
	assert.Equal(t, "closed", how)
	c.Close()
	assert.Equal(t, 0, s.wait(timeout))

	// -shared: the last one counts.
	s = startX11vnc(t, x, "-nopw", "-shared")
	a, _ := s.come("")
	b, how := s.come("")
	require.Equal(t, "in", how)
	a.Close()
	require.True(t, alive(b))
	b.Close()
	assert.Equal(t, 0, s.wait(timeout))

	p := start(t, x11vncCommand(t, x, "-nopw", "-timeout", "0.1"))
	assert.Equal(t, 0, p.wait(timeout))

	// The X server goes.
	own := xServer(t)
	s = startX11vnc(t, own, "-nopw", "-forever")
	require.NoError(t, syscall.Kill(own.Pid(), syscall.SIGKILL))
	assert.Equal(t, 3, s.wait(timeout))
	assert.Contains(t, s.stderr.String(), "caught XIO error")
}

// TestX11vncBadInput: one line and 1, and nothing was started.
func TestX11vncBadInput(t *testing.T) {
	t.Parallel()
	x := xServer(t)
	dir := t.TempDir()
	busy, err := net.Listen("tcp", ":0")
	require.NoError(t, err)
	defer busy.Close()
	_, port, err := net.SplitHostPort(busy.Addr().String())
	require.NoError(t, err)
	empty := filepath.Join(dir, "empty")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	n := 0
	for _, tt := range []struct {
		args string
		says string
	}{
		{"-rfbport", "not enough arguments for: -rfbport"},
		{"-rfbport abc", "-rfbport abc: it takes a port"},
		{"-rfbport 99999", "-rfbport 99999"},
		{"-rfbport " + port, "could not obtain listening port"},
		{"-rfbauth " + filepath.Join(dir, "none"), "-rfbauth"},
		{"-rfbauth " + empty, "-rfbauth"},
		{"-passwdfile " + filepath.Join(dir, "none"), "cannot open passwdfile"},
		{"-passwdfile " + empty, "no password"},
		{"-usepw", "could not find a password"},
		{"-viewpasswd x", "-passwd must be supplied"},
		{"-rfbauth x -passwd y", "incompatible"},
		{"-safer -passwdfile cmd:true", "no commands are allowed"},
		{"-display nonsense", "-display nonsense"},
		{"-display :1.x", "-display :1.x"},
		{"-listen 192.0.2.1", "192.0.2.1"},
		{"-listen no.such.host.invalid", "-listen no.such.host.invalid"},
		{"-unixsock " + dir, "-unixsock"},
		{"-o " + filepath.Join(dir, "no", "log"), "error opening logfile"},
		{"-rmflag " + filepath.Join(dir, "no", "flag"), "-rmflag"},
		{"-rmflag nocreate:" + filepath.Join(dir, "none"), "-rmflag"},
		{"-rc " + filepath.Join(dir, "none"), "could not open rcfile"},
		{"-env X", "-env"},
		{"-ssl /nowhere/server.pem", "-ssl /nowhere/server.pem: no such file"},
		{"-ssl ANON", "-ssl ANON: anonymous"},
		{"-timeout x", "-timeout x"},
	} {
		p := start(t, command(t, append(x.Env(), "XAUTHORITY="+x.AuthFile()), binary, append([]string{"x11vnc", "-nopw", "-q"}, strings.Fields(tt.args)...)...))
		assert.Equal(t, 1, p.wait(timeout), tt.args)
		assert.Empty(t, p.stdout.String(), tt.args)
		if assert.Len(t, p.stderr.lines(), 1, "%s: %s", tt.args, p.stderr) {
			assert.Contains(t, p.stderr.String(), tt.says, tt.args)
		}
		n++
	}
	assert.Equal(t, 25, n)
}

// TestX11vncWaitsForDisplay: a display that comes a moment later, and WAIT:.
func TestX11vncWaitsForDisplay(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "X7")
	x := xServer(t)
	p := start(t, command(t, x.Env(), binary, "x11vnc", "-nopw", "-display", socket, "-autoport", strconv.Itoa(freePort(t))))
	p.await(p.stderr, "waiting for the display")
	assert.Empty(t, p.stdout.String())
	number := strings.TrimPrefix(x.Display(), ":")
	require.NoError(t, os.Symlink("/tmp/.X11-unix/X"+number, socket))
	p.await(p.stdout, "PORT=")

	late := filepath.Join(t.TempDir(), "X7")
	s := awaitX11vnc(t, command(t, x.Env(), binary, "x11vnc", "-nopw", "-display", "WAIT:"+late, "-autoport", strconv.Itoa(freePort(t))))
	require.NoError(t, os.Symlink("/tmp/.X11-unix/X"+number, late))
	c, how := s.come("")
	require.Equal(t, "in", how)
	assert.True(t, alive(c))
}

// TestX11vncNoDisplay: the end, as x11vnc says it.
func TestX11vncNoDisplay(t *testing.T) {
	t.Parallel()
	p := start(t, command(t, nil, binary, "x11vnc", "-q", "-nopw", "-display", noDisplay))
	assert.Equal(t, 1, p.wait(timeout))
	assert.Contains(t, p.stderr.String(), "*** XOpenDisplay failed ("+noDisplay+")")
	assert.Empty(t, p.stdout.String())
}

// TestX11vncCreate: a display is made for the first viewer.
func TestX11vncCreate(t *testing.T) {
	t.Parallel()
	cmd := command(t, []string{"X11VNC_FINDDISPLAY_ALWAYS_FAILS=1", "X11VNC_CREATE_GEOM=320x200x24", "FD_PROG=sleep 1000"}, binary,
		"x11vnc", "-nopw", "-create", "-autoport", strconv.Itoa(freePort(t)))
	s := awaitX11vnc(t, cmd)
	c, how := s.come("")
	require.Equal(t, "in", how)
	assert.Equal(t, 320, c.Bounds().Dx())
	assert.True(t, alive(c))
	c.Close()
	assert.Equal(t, 0, s.wait(timeout))
	assertEmptyTemp(t, s.cmd)
}

// TestX11vncInetd: on a socket and on pipes.
func TestX11vncInetd(t *testing.T) {
	t.Parallel()
	x := xServer(t)
	ours, theirs, err := socketPair()
	require.NoError(t, err)
	cmd := x11vncCommand(t, x, "-inetd", "-q", "-nopw")
	cmd.Stdin, cmd.Stdout = theirs, theirs
	p := start(t, cmd)
	theirs.Close()
	c, err := rfbtest.Open(t.Context(), ours, rfbtest.Options{})
	require.NoError(t, err)
	require.True(t, alive(c))
	c.Close()
	assert.Equal(t, 0, p.wait(timeout))

	cmd = x11vncCommand(t, x, "-inetd", "-q", "-nopw")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	cmd.Stdout = w
	p = start(t, cmd)
	w.Close()
	assert.Equal(t, "RFB 003.008\n", readBanner(t, r))
	_, err = io.WriteString(in, "RFB 003.008\n")
	require.NoError(t, err)
	b := make([]byte, 2)
	_, err = io.ReadFull(r, b)
	require.NoError(t, err)
	assert.Equal(t, []byte{1, 1}, b)
	in.Close()
	assert.Equal(t, 0, p.wait(timeout))
}

// TestX11vncManyFiles: the banner is there at once with a limit of a million open
// files, which keeps x11vnc busy for minutes.
func TestX11vncManyFiles(t *testing.T) {
	t.Parallel()
	x := xServer(t)
	files := uint64(1048576)
	var old syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old))
	if out, err := exec.Command("/bin/sh", "-c", fmt.Sprintf("ulimit -n %d", files)).CombinedOutput(); err != nil {
		files = old.Max
		t.Logf("with %d open files only: %s", files, out)
	}
	cmd := x11vncCommand(t, x, "-nopw", "-forever")
	cmd.Args = append([]string{"sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, files), binary}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
	s := awaitX11vnc(t, cmd)
	bannerAtOnce(t, s.server)
	before := s.stderr.String()
	for range 20 {
		s.dial().Close()
	}
	_, how := s.come("")
	require.Equal(t, "in", how)
	assert.NotContains(t, strings.TrimPrefix(s.stderr.String(), before), "did not become")
}

// TestX11vncListen: one listener for both kinds of addresses, and none beyond what
// was asked for.
func TestX11vncListen(t *testing.T) {
	t.Parallel()
	x := xServer(t)
	reach := func(s *x11vncServing, host string) bool {
		c, err := net.DialTimeout("tcp", net.JoinHostPort(host, s.port), timeout)
		if err == nil {
			c.Close()
		}
		return err == nil
	}
	for args, want := range map[string][3]bool{ // 127.0.0.1, ::1, an address beyond loopback
		"":                               {true, true, true},
		"-6":                             {true, true, true},
		"-no6":                           {true, false, true},
		"-noipv6":                        {true, false, true},
		"-rfbportv6 -1":                  {true, false, true},
		"-localhost":                     {true, true, false},
		"-localhost -no6":                {true, false, false},
		"-listen localhost":              {true, true, false},
		"-listen 127.0.0.1":              {true, false, false},
		"-listen lo":                     {true, false, false},
		"-noipv4":                        {false, true, false},
		"-listen 127.0.0.1 -listen6 ::1": {true, true, false},
	} {
		s := startX11vnc(t, x, append([]string{"-nopw", "-forever"}, strings.Fields(args)...)...)
		got := [3]bool{reach(s, "127.0.0.1"), reach(s, "::1"), reach(s, outsideAddr())}
		assert.Equal(t, want, got, args)
		s.signal(syscall.SIGTERM)
		s.wait(timeout)
	}
	// -N is the display's port.
	n, err := strconv.Atoi(strings.TrimPrefix(x.Display(), ":"))
	require.NoError(t, err)
	if l, err := net.Listen("tcp", ":"+strconv.Itoa(5900+n)); err == nil {
		l.Close()
		s := startX11vnc(t, x, "-nopw", "-forever", "-N")
		assert.Equal(t, strconv.Itoa(5900+n), s.port)
	}
}
