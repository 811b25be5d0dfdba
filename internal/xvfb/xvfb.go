// Package xvfb starts an X server of our own, waits until it answers, and
// leaves nothing behind when it stops.
package xvfb

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"framebridge/internal/x11"
)

// ErrNotInstalled says that the X server's program was not found.
var ErrNotInstalled = errors.New("not installed")

// Options describe the server. The zero value is Xvfb with one screen of
// 1280x800, depth 24.
type Options struct {
	Program string   // program name or path; default "Xvfb"
	Width   int      // default 1280
	Height  int      // default 800
	Depth   int      // default 24
	Args    []string // further arguments, after ours
	// Geometry gives the size as -geometry and -depth, as Xvnc wants it; default
	// is Xvfb's -screen.
	Geometry bool
	Timeout  time.Duration // for the server to answer; default 20 s
}

// maxSide bounds the screen: X's coordinates are 16 bits with a sign.
const maxSide = 32767

func (o Options) withDefaults() (Options, error) {
	if o.Program == "" {
		o.Program = "Xvfb"
	}
	if o.Width == 0 {
		o.Width = 1280
	}
	if o.Height == 0 {
		o.Height = 800
	}
	if o.Depth == 0 {
		o.Depth = 24
	}
	if o.Timeout == 0 {
		o.Timeout = 20 * time.Second
	}
	switch {
	case o.Width < 1 || o.Width > maxSide:
		return o, fmt.Errorf("xvfb: Width %d, want 1 to %d", o.Width, maxSide)
	case o.Height < 1 || o.Height > maxSide:
		return o, fmt.Errorf("xvfb: Height %d, want 1 to %d", o.Height, maxSide)
	case o.Depth < 1 || o.Depth > 32:
		return o, fmt.Errorf("xvfb: Depth %d, want 1 to 32", o.Depth)
	case o.Timeout < 0:
		return o, fmt.Errorf("xvfb: Timeout %v is negative", o.Timeout)
	}
	return o, nil
}

// Server is a running X server.
type Server struct {
	number int
	dir    string // private directory with the Xauthority file
	cmd    *exec.Cmd
	log    *tail

	done chan struct{}
	err  error // valid when done is closed
	stop sync.Once
}

// Start starts a server on a free display and waits until it takes
// connections.
func Start(ctx context.Context, o Options) (*Server, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	path, err := exec.LookPath(o.Program)
	if err != nil {
		return nil, fmt.Errorf("%s is %w: install it (Debian, Ubuntu: apt install xvfb; Fedora: dnf install xorg-x11-server-Xvfb; Alpine: apk add xvfb)",
			o.Program, ErrNotInstalled)
	}
	// MkdirTemp makes the directory for us alone (0700).
	dir, err := os.MkdirTemp("", "framebridge-x-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, log: &tail{}, done: make(chan struct{})}
	var cookie [16]byte
	rand.Read(cookie[:]) // never fails
	if err := os.WriteFile(s.AuthFile(), x11.AppendWildCookie(nil, cookie[:]), 0o600); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	if err := s.start(ctx, path, o); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	if err := s.answer(ctx); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// start runs the program and learns its display.
func (s *Server) start(ctx context.Context, path string, o Options) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	const displayFd = 3 // the first of ExtraFiles
	screen := []string{"-screen", "0", fmt.Sprintf("%dx%dx%d", o.Width, o.Height, o.Depth)}
	if o.Geometry {
		screen = []string{"-geometry", fmt.Sprintf("%dx%d", o.Width, o.Height), "-depth", strconv.Itoa(o.Depth)}
	}
	args := append(screen,
		"-displayfd", strconv.Itoa(displayFd),
		"-auth", s.AuthFile(),
		"-nolisten", "tcp",
		"-noreset", // else the server starts afresh whenever its last client leaves
	)
	s.cmd = exec.Command(path, append(args, o.Args...)...)
	s.cmd.ExtraFiles = []*os.File{w}
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	s.cmd.SysProcAttr = sysProcAttr()
	started := make(chan error)
	go s.own(started)
	err = <-started
	w.Close() // the server has its own copy
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	// The server writes its number when its sockets are open, and closes the
	// pipe when it dies.
	stop := context.AfterFunc(ctx, func() { r.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	b, err := io.ReadAll(io.LimitReader(r, 16))
	if n, numErr := strconv.Atoi(strings.TrimSpace(string(b))); numErr == nil && bytes.HasSuffix(b, []byte("\n")) {
		s.number = n
		return nil
	}
	s.kill()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: no display within the time: %w%s", o.Program, ctx.Err(), s.log.quote())
	case err != nil:
		return fmt.Errorf("%s: %w%s", o.Program, err, s.log.quote())
	}
	return fmt.Errorf("%s ended at once: %v%s", o.Program, s.err, s.log.quote())
}

// own starts the process and waits for its end. It keeps one thread for itself
// all that time: Linux sends the parent death signal when the thread that
// forked ends, and Go ends threads as it likes. The goroutine returns without
// unlocking, so that the thread ends with it, when the process already has.
func (s *Server) own(started chan<- error) {
	runtime.LockOSThread()
	err := s.cmd.Start()
	started <- err
	if err == nil {
		s.err = s.cmd.Wait()
		if s.err == nil {
			s.err = errors.New("exit status 0")
		}
		close(s.done)
	}
}

// answer connects to the server as a client would.
func (s *Server) answer(ctx context.Context) error {
	c, err := x11.Dial(ctx, x11.Options{Display: s.Display(), AuthFile: s.AuthFile()})
	if err != nil {
		return fmt.Errorf("%w%s", err, s.log.quote())
	}
	defer c.Close()
	return c.Sync(ctx)
}

// Display returns the server's display name, ":N".
func (s *Server) Display() string { return ":" + strconv.Itoa(s.number) }

// AuthFile returns the Xauthority file with the server's cookie.
func (s *Server) AuthFile() string { return filepath.Join(s.dir, "Xauthority") }

// Env returns the variables that make a program use the server.
func (s *Server) Env() []string {
	return []string{"DISPLAY=" + s.Display(), "XAUTHORITY=" + s.AuthFile()}
}

// Pid returns the server's process id.
func (s *Server) Pid() int { return s.cmd.Process.Pid }

// Done is closed when the server has ended.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err returns how the server ended, with the last it wrote; nil while it runs.
func (s *Server) Err() error {
	select {
	case <-s.done:
		return fmt.Errorf("display %s: the X server ended: %w%s", s.Display(), s.err, s.log.quote())
	default:
		return nil
	}
}

// grace is the time an X server gets to end after SIGTERM. It needs some
// milliseconds, unless it hangs.
const grace = 3 * time.Second

// Stop ends the server, waits for it and removes what it left. It may be
// called several times and also when the server has already died.
func (s *Server) Stop() {
	s.stop.Do(func() {
		s.kill()
		s.removeStale()
		os.RemoveAll(s.dir)
	})
}

func (s *Server) kill() {
	s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
		return
	case <-time.After(grace):
	}
	s.cmd.Process.Kill()
	<-s.done
}

// removeStale removes the socket of a server that was killed. (There is no lock
// file: servers make none with -displayfd.) A socket that refuses has no server;
// one that does not has got another since.
func (s *Server) removeStale() {
	path := "/tmp/.X11-unix/X" + strconv.Itoa(s.number)
	c, err := net.Dial("unix", path)
	if err == nil {
		c.Close()
	} else if errors.Is(err, syscall.ECONNREFUSED) {
		os.Remove(path)
	}
}

// tail keeps the end of what a server writes, for error messages.
type tail struct {
	mu sync.Mutex
	b  []byte
}

// tailSize is a few lines: X servers say why they died in their last ones.
const tailSize = 2048

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if n := len(t.b) - tailSize; n > 0 {
		t.b = append(t.b[:0], t.b[n:]...)
	}
	return len(p), nil
}

// quote returns what was written as the end of an error message.
func (t *tail) quote() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.FieldsFunc(string(t.b), func(r rune) bool { return r == '\n' || r == '\r' })
	var keep []string
	for _, l := range lines {
		if l = strings.TrimSpace(strings.TrimPrefix(l, "(EE)")); l != "" {
			keep = append(keep, l)
		}
	}
	if len(keep) == 0 {
		return ""
	}
	return "; it said: " + strings.Join(keep, " | ")
}
