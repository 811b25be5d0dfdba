package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"framebridge/internal/peertest"
	"framebridge/internal/xvfb"
)

// The program is tested as a program: the static binary is built once, started
// on port 0 and awaited by its READY line.

// binary is the built program.
var binary string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "framebridge-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "framebridge")
	build := exec.Command("go", "build", "-ldflags", "-X main.version=e2e-1.2.3", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	// What the caller's own desktop sets must not reach the programs.
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if name == "DISPLAY" || name == "XAUTHORITY" || strings.HasPrefix(name, envPrefix) {
			os.Unsetenv(name)
		}
	}
	return m.Run()
}

// timeout is far above what anything here takes, also on a busy machine.
const timeout = 30 * time.Second

// poll calls f until it reports success, and fails with its last explanation
// when that takes too long.
func poll(t testing.TB, what string, f func() (ok bool, why string)) {
	t.Helper()
	pollFor(t, timeout, what, f)
}

func pollFor(t testing.TB, limit time.Duration, what string, f func() (ok bool, why string)) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(limit); ; <-tick.C {
		ok, why := f()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v: %s", what, limit, why)
		}
	}
}

// peer returns the path of a program to test against. Where it is missing the
// test is skipped, but fails in CI.
func peer(t testing.TB, name string) string {
	t.Helper()
	return peertest.Program(t, name)
}

// output is what a process wrote so far.
type output struct {
	mu   sync.Mutex
	b    bytes.Buffer
	news chan struct{} // closed and replaced with every write
}

func newOutput() *output { return &output{news: make(chan struct{})} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.news)
	o.news = make(chan struct{})
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func (o *output) changed() (<-chan struct{}, string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.news, o.b.String()
}

// lines returns the whole lines written so far.
func (o *output) lines() []string {
	var ls []string
	s := bufio.NewScanner(strings.NewReader(o.String()))
	for s.Scan() {
		ls = append(ls, s.Text())
	}
	return ls
}

// process is a started program.
type process struct {
	t      testing.TB
	name   string
	cmd    *exec.Cmd
	stdout *output
	stderr *output
	done   chan struct{}
}

// command prepares a program with an environment of its own: HOME and TMPDIR
// are the test's, and env comes on top.
func command(t testing.TB, env []string, path string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(path, args...)
	home := t.TempDir()
	cmd.Env = append(os.Environ(), "HOME="+home, "TMPDIR="+home)
	cmd.Env = append(cmd.Env, env...)
	// A group of its own, so that all it starts can be killed; and it dies with
	// the test.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// start starts cmd and kills it, with its group, when the test ends.
func start(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, name: filepath.Base(cmd.Path), cmd: cmd, stdout: newOutput(), stderr: newOutput(), done: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout = p.stdout
	}
	cmd.Stderr = p.stderr
	// What daemons inherit must not keep Wait waiting.
	cmd.WaitDelay = 2 * time.Second
	require.NoError(t, cmd.Start())
	go func() {
		cmd.Wait() //nolint:errcheck // ProcessState tells
		close(p.done)
	}()
	t.Cleanup(func() {
		// framebridge and X servers clean up after themselves when asked nicely.
		p.signal(syscall.SIGTERM)
		select {
		case <-p.done:
		case <-time.After(timeout):
			t.Errorf("%s does not end on SIGTERM; stderr: %s", p.name, p.stderr)
		}
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
		if t.Failed() {
			t.Logf("%s: stdout: %s\nstderr: %s", p.name, clip(p.stdout.String()), clip(p.stderr.String()))
		}
	})
	return p
}

// clip shortens a long log to its end.
func clip(s string) string {
	if n := len(s) - 4000; n > 0 {
		return "..." + s[n:]
	}
	return s
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) signal(s syscall.Signal) {
	select {
	case <-p.done:
	default:
		p.cmd.Process.Signal(s) //nolint:errcheck // it may just have ended
	}
}

// kill ends the process without notice.
func (p *process) kill() {
	p.t.Helper()
	p.signal(syscall.SIGKILL)
	p.wait(timeout)
}

// wait waits for the process's end and returns its exit code.
func (p *process) wait(limit time.Duration) int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(limit):
		p.t.Fatalf("%s has not ended within %v; stderr: %s", p.name, limit, clip(p.stderr.String()))
	}
	return p.cmd.ProcessState.ExitCode()
}

// await waits until what the process wrote holds s.
func (p *process) await(o *output, s string) {
	p.t.Helper()
	limit := time.After(timeout)
	for {
		news, text := o.changed()
		if strings.Contains(text, s) {
			return
		}
		select {
		case <-news:
		case <-p.done:
			if _, text = o.changed(); strings.Contains(text, s) {
				return
			}
			p.t.Fatalf("%s ended without writing %q; stdout: %s stderr: %s", p.name, s, p.stdout, clip(p.stderr.String()))
		case <-limit:
			p.t.Fatalf("%s did not write %q; stdout: %s stderr: %s", p.name, s, p.stdout, clip(p.stderr.String()))
		}
	}
}

// server is a running framebridge.
type server struct {
	*process
	addr    string // "127.0.0.1:port", empty without a TCP listener
	port    string
	unix    string // path of the unix socket, if there is one
	http    string // URL for browsers, if there is one
	shared  string // "127.0.0.1:port" of the port for browsers and viewers
	display string
}

// startServer runs framebridge and waits until it is ready. Unless an argument
// says otherwise it listens on a free port.
func startServer(t testing.TB, env []string, args ...string) *server {
	t.Helper()
	return startServerCmd(t, command(t, env, binary, listening(args)...))
}

// listening adds free ports to the arguments: one for viewers only, which greets
// them at once, and one that they share with browsers, which waits long enough for
// browsers on a busy machine.
func listening(args []string) []string {
	for _, a := range args {
		if a == "--listen" || strings.HasPrefix(a, "--listen=") {
			return args
		}
	}
	add := []string{args[0], "--listen", "127.0.0.1:0"}
	for _, flag := range []string{"--rfb-listen=127.0.0.1:0", "--rfb-delay=5s"} {
		name, _, _ := strings.Cut(flag, "=")
		if !slices.ContainsFunc(args, func(a string) bool { return a == name || a == "--no-web" || strings.HasPrefix(a, name+"=") }) {
			add = append(add, flag)
		}
	}
	return append(add, args[1:]...)
}

func startServerCmd(t testing.TB, cmd *exec.Cmd) *server {
	t.Helper()
	s := &server{process: start(t, cmd)}
	s.ready()
	return s
}

// ready waits for the READY line and reads it.
func (s *server) ready() {
	s.t.Helper()
	s.await(s.stdout, "\n")
	line := s.stdout.lines()[0]
	word, rest, _ := strings.Cut(line, " ")
	require.Equal(s.t, "READY", word, line)
	for _, f := range strings.Fields(rest) {
		k, v, ok := strings.Cut(f, "=")
		require.True(s.t, ok, line)
		switch k {
		case "rfb":
			s.addr = v
			_, port, err := net.SplitHostPort(v)
			require.NoError(s.t, err, line)
			require.NotEqual(s.t, "0", port)
			s.port = port
		case "unix":
			s.unix = v
		case "http":
			s.http = v
			u, err := url.Parse(v)
			require.NoError(s.t, err, line)
			s.shared = u.Host
		case "display":
			s.display = v
		default:
			s.t.Fatalf("unknown field in %q", line)
		}
	}
	require.NotEmpty(s.t, s.display, line)
}

// serve serves an X server's display.
func serve(t testing.TB, x *xvfb.Server, args ...string) *server {
	t.Helper()
	s := startServer(t, nil, append([]string{"serve", "--display", x.Display(), "--auth", x.AuthFile(), "--wait-display", "20s"}, args...)...)
	require.Equal(t, x.Display(), s.display)
	return s
}

// dial connects to the server as nobody in particular.
func (s *server) dial() net.Conn {
	s.t.Helper()
	c, err := net.Dial("tcp", s.addr)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { c.Close() })
	require.NoError(s.t, c.SetDeadline(time.Now().Add(timeout)))
	return c
}

// readBanner reads the twelve bytes that every RFB server begins with.
func readBanner(t testing.TB, r io.Reader) string {
	t.Helper()
	var b [12]byte
	_, err := io.ReadFull(r, b[:])
	require.NoError(t, err)
	return string(b[:])
}
