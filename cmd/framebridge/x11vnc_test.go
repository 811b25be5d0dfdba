package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/BurntSushi/xgb/xproto"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/internal/x11"
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
	l, err := net.Listen("tcp", ":0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
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
	assert.Contains(t, s.stderr.String(), "WARNING", "before the port is known")
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
	p := start(t, x11vncCommand(t, x, "-loop10,3", "-nopw", "-timeout", "0.05"))
	assert.Equal(t, 0, p.wait(timeout))
	assert.Len(t, portLine.FindAllString(p.stdout.String(), -1), 3)
	assert.Equal(t, 2, strings.Count(p.stderr.String(), "sleeping 10 ms"))

	cmd := x11vncCommand(t, x, "-loopbg10", "-nopw", "-forever")
	s := awaitX11vnc(t, cmd)
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

// TestX11vncSharing is the matrix of who stays.
func TestX11vncSharing(t *testing.T) {
	t.Parallel()
	x := xServer(t)
	for args, want := range map[string][2]string{
		"-forever":                                {"closed after ServerInit", "stays"},
		"-forever -noshared":                      {"closed after ServerInit", "stays"},
		"-forever -dontdisconnect":                {"closed after ServerInit", "stays"},
		"-forever -nevershared -dontdisconnect":   {"closed after ServerInit", "stays"},
		"-forever -shared":                        {"in", "stays"},
		"-forever -alwaysshared":                  {"in", "stays"},
		"-forever -nevershared":                   {"in", "gone"},
		"-forever -nevershared -shared":           {"in", "stays"},
		"-once":                                   {"closed", "stays"},
		"-once -shared":                           {"in", "stays"},
		"-forever -shared -noshared -nevershared": {"in", "gone"},
	} {
		s := startX11vnc(t, x, append([]string{"-nopw"}, strings.Fields(args)...)...)
		first, how := s.come("")
		require.Equal(t, "in", how, args)
		second, how := s.come("")
		if how == "in" && !alive(second) {
			how = "closed after ServerInit"
		}
		then := "stays"
		if !alive(first) {
			then = "gone"
		}
		assert.Equal(t, want, [2]string{how, then}, args)
		s.signal(syscall.SIGINT)
		assert.Equal(t, 0, s.wait(timeout))
	}
}

// TestX11vncReconnect: who comes back at once is not refused for the sake of the
// connection before.
func TestX11vncReconnect(t *testing.T) {
	t.Parallel()
	s := startX11vnc(t, xServer(t), "-nopw", "-forever")
	for range 50 {
		c, how := s.come("")
		require.Equal(t, "in", how)
		require.True(t, alive(c))
		c.Close()
	}
}

// TestX11vncPasswords: all the places that they come from.
func TestX11vncPasswords(t *testing.T) {
	t.Parallel()
	x := xServer(t)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o700))
		return path
	}
	secret, err := rfb.ObscurePassword([]byte("sesame"))
	require.NoError(t, err)
	list := file("list", "# mine\nsesame\n__BEGIN_VIEWONLY__\nlook\n")
	once := file("once", "sesame\n")
	live := file("live", "before\n")
	auth := file("auth", string(secret))
	custom := file("custom", `#!/bin/sh
read n; test "$n" = 16 -a "$(wc -c)" = 32 -a "$RFB_CLIENT_IP" = 127.0.0.1`)
	for _, tt := range []struct {
		args  []string
		right []string
		wrong []string
	}{
		{[]string{"-passwd", "sesame", "-viewpasswd", "look"}, []string{"sesame", "look"}, []string{"x"}},
		{[]string{"-rfbauth", auth}, []string{"sesame"}, []string{"x"}},
		{[]string{"-passwdfile", list}, []string{"sesame", "look"}, []string{"# mine", "__BEGIN_VIEWONLY__"}},
		{[]string{"-passwdfile", "rm:" + once}, []string{"sesame"}, []string{"x"}},
		{[]string{"-passwdfile", "read:" + live}, []string{"before"}, []string{"after"}},
		{[]string{"-passwdfile", "cmd:echo sesame"}, []string{"sesame"}, []string{"x"}},
		{[]string{"-passwdfile", "custom:" + custom}, []string{"whatever"}, nil},
		{[]string{"-passwdfile", "custom:false"}, nil, []string{"whatever"}},
		{[]string{"-passwd", "12345678tail"}, []string{"12345678", "12345678xyz"}, []string{"1234567"}},
	} {
		s := startX11vnc(t, x, append([]string{"-forever", "-shared"}, tt.args...)...)
		for _, p := range tt.right {
			_, how := s.come(p)
			assert.Equal(t, "in", how, "%v %s", tt.args, p)
		}
		for _, p := range tt.wrong {
			_, how := s.come(p)
			assert.Equal(t, "wrong password", how, "%v %s", tt.args, p)
		}
		if strings.HasSuffix(tt.args[1], "read:"+live) {
			file("live", "after\n")
			_, how := s.come("after")
			assert.Equal(t, "in", how)
			require.NoError(t, os.Remove(live))
			_, how = s.come("after")
			assert.Equal(t, "refused", how)
		}
		assert.NotContains(t, s.stderr.String(), "WARNING")
		s.signal(syscall.SIGTERM)
		s.wait(timeout)
	}
	assert.NoFileExists(t, once)
}

// TestX11vncStorePassword: in all its forms, with the files that others write.
func TestX11vncStorePassword(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := func(stdin string, args ...string) *process {
		cmd := command(t, []string{"HOME=" + dir}, binary, append([]string{"x11vnc"}, args...)...)
		cmd.Stdin = strings.NewReader(stdin)
		p := start(t, cmd)
		p.wait(timeout)
		return p
	}
	for password, want := range map[string]string{"abc": "9c0a172d3482e122", "password1234": "dbd83cfd727a1458"} {
		file := filepath.Join(dir, "pw")
		p := run("", "-storepasswd", password, file)
		require.Equal(t, 0, p.wait(timeout))
		assert.Contains(t, p.stderr.String(), "stored passwd in file: "+file)
		assert.Empty(t, p.stdout.String())
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, want, hex.EncodeToString(b))
		st, err := os.Stat(file)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), st.Mode().Perm())
		p = run("", "-showrfbauth", file)
		assert.Equal(t, 0, p.wait(timeout))
		assert.Contains(t, p.stdout.String(), "pass: "+password[:min(8, len(password))]+"\n")
	}
	p := run("abc\nabc\n", "-storepasswd")
	assert.Equal(t, 0, p.wait(timeout))
	assert.Contains(t, p.stdout.String(), "Password written to: "+filepath.Join(dir, ".vnc", "passwd"))
	p = run("abc\nabc\n", "-storepasswd", filepath.Join(dir, "new", "file"))
	assert.Equal(t, 0, p.wait(timeout))
	for _, bad := range [][]string{{"a", "b", "c"}, {"a", filepath.Join(dir, "no", "where")}, {"", filepath.Join(dir, "x")}, {dir}} {
		p := run("", append([]string{"-storepasswd"}, bad...)...)
		assert.Equal(t, 1, p.wait(timeout), bad)
		assert.NotEmpty(t, p.stderr.String(), bad)
	}
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
		{"-ssl", "-ssl"},
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
	assert.Equal(t, 24, n)
}

// TestX11vncHooks: commands for viewers, with what is known of them in the
// environment, and nobody waits for another's command.
func TestX11vncHooks(t *testing.T) {
	t.Parallel()
	x := xServer(t)
	dir := t.TempDir()
	gate := filepath.Join(dir, "gate")
	require.NoError(t, syscall.Mkfifo(gate, 0o600))
	say := func(name string) string {
		return fmt.Sprintf(`echo "$RFB_MODE $RFB_CLIENT_IP $RFB_CLIENT_COUNT $RFB_SERVER_PORT $RFB_LOGIN_VIEWONLY" > %[1]s/%[2]s.new; mv %[1]s/%[2]s.new %[1]s/%[2]s`, dir, name)
	}
	s := startX11vnc(t, x, "-nopw", "-forever", "-shared", "-afteraccept", say("after"), "-gone", say("gone"),
		"-accept", `yes:0,view:3,no:* if mkdir `+dir+`/first; then exit 0; elif mkdir `+dir+`/second; then read x < `+gate+`; exit 3; fi; exit 1`)
	a, how := s.come("")
	require.Equal(t, "in", how)
	slow := make(chan string, 1)
	go func() {
		c, err := rfbtest.Dial(t.Context(), s.addr, rfbtest.Options{})
		if err == nil {
			t.Cleanup(func() { c.Close() })
		}
		slow <- refusal(err)
	}()
	poll(t, "second command", func() (bool, string) {
		_, err := os.Stat(filepath.Join(dir, "second"))
		return err == nil, "not run"
	})
	assert.True(t, alive(a), "the first viewer does not wait")
	_, how = s.come("")
	assert.Equal(t, "closed", how)
	require.NoError(t, os.WriteFile(gate, []byte("go\n"), 0o600))
	assert.Equal(t, "in", <-slow)
	read := func(name string) string {
		var b []byte
		poll(t, name, func() (bool, string) {
			var err error
			b, err = os.ReadFile(filepath.Join(dir, name))
			return err == nil, "not run"
		})
		return string(b)
	}
	poll(t, "both", func() (bool, string) {
		text := read("after")
		return text == "afteraccept 127.0.0.1 2 "+s.port+" 1\n", text
	})
	a.Close()
	assert.Equal(t, "gone 127.0.0.1 1 "+s.port+" 0\n", read("gone"))
}

// TestX11vncAllow: only these hosts.
func TestX11vncAllow(t *testing.T) {
	t.Parallel()
	x := xServer(t)
	file := filepath.Join(t.TempDir(), "hosts")
	require.NoError(t, os.WriteFile(file, []byte("# nobody\n"), 0o600))
	for allow, want := range map[string]string{
		"127.0.0.1": "in", "127.": "in", "127.0": "in", "192.0.2.1,localhost": "in", "10.": "closed", "12": "closed", "127.0.0.11": "closed", file: "closed",
	} {
		s := startX11vnc(t, x, "-nopw", "-forever", "-allow", allow)
		_, how := s.come("")
		assert.Equal(t, want, how, allow)
		if allow == file {
			require.NoError(t, os.WriteFile(file, []byte("127.0.0.1 # me\n"), 0o600))
			_, how := s.come("")
			assert.Equal(t, "in", how, "the file is read anew")
		}
		s.signal(syscall.SIGTERM)
		s.wait(timeout)
	}
}

// TestX11vncInput: what -viewonly and -input leave.
func TestX11vncInput(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, 200, 100)
	pointer := func() xproto.QueryPointerReply {
		r, err := xproto.QueryPointer(d.Conn.X(), d.Conn.Root()).Reply()
		require.NoError(t, err)
		return *r
	}
	for args, want := range map[string]string{
		"-nopw":                       "MB",
		"-nopw -viewonly":             "",
		"-nopw -input M":              "M",
		"-nopw -input B":              "B",
		"-nopw -viewonly -input K,MB": "MB",
		"-nopw -buttonmap 1-3":        "M3",
	} {
		s := startX11vnc(t, d.x, append(strings.Fields(args), "-forever", "-repeat")...)
		c, how := s.come("")
		require.Equal(t, "in", how)
		d.pointer(10, 10)
		require.NoError(t, c.Pointer(50, 60, 1))
		require.True(t, alive(c)) // what comes after is answered after
		poll(t, args, func() (bool, string) {
			got, p := "", pointer()
			if p.RootX == 50 && p.RootY == 60 {
				got += "M"
			}
			switch mask := p.Mask >> 8 & 0x1f; mask {
			case 1:
				got += "B"
			case 4:
				got += "3"
			}
			return got == want, got
		})
		s.signal(syscall.SIGTERM)
		s.wait(timeout)
	}
}

// TestX11vncRepeat: X's auto-repeat is off while viewers are there, and with
// -repeat nobody touches it.
func TestX11vncRepeat(t *testing.T) {
	t.Parallel()
	x := xServer(t)
	conn, err := x11.Dial(t.Context(), x11.Options{Display: x.Display(), AuthFile: x.AuthFile()})
	require.NoError(t, err)
	defer conn.Close()
	state := func(want byte) {
		t.Helper()
		poll(t, "auto-repeat", func() (bool, string) {
			r, err := xproto.GetKeyboardControl(conn.X()).Reply()
			require.NoError(t, err)
			return r.GlobalAutoRepeat == want, fmt.Sprint(r.GlobalAutoRepeat)
		})
	}
	s := startX11vnc(t, x, "-nopw", "-forever")
	state(1)
	c, _ := s.come("")
	state(0)
	c.Close()
	state(1)
	_, _ = s.come("")
	state(0)
	s.signal(syscall.SIGTERM)
	s.wait(timeout)
	state(1)
	s = startX11vnc(t, x, "-nopw", "-forever", "-repeat")
	c, _ = s.come("")
	require.True(t, alive(c))
	state(1)
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
	best := time.Hour
	for range 10 { // the machine may be busy just once
		begin := time.Now()
		c := s.dial()
		readBanner(t, c)
		best = min(best, time.Since(begin))
		c.Close()
	}
	assert.Less(t, best, 100*time.Millisecond)
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
		c, err := net.DialTimeout("tcp", net.JoinHostPort(host, s.port), time.Second)
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
