package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"framebridge/internal/xvfb"
)

// Server is a VNC server to measure.
type Server struct {
	Name string
	// Command starts it: {display} and {port} are filled in, $XAUTHORITY is set.
	Command []string
	// XServer is set where the server is the X server: a program with Xvnc's
	// options, and Command is its further arguments.
	XServer string

	// strict: the viewer lets nothing pass that the protocol forbids. Peers send
	// garbage as padding and rectangles wider than they may be.
	strict bool
}

// ParseServer reads NAME=COMMAND.
func ParseServer(s string) (Server, error) {
	name, command, ok := strings.Cut(s, "=")
	words := strings.Fields(command)
	if !ok || name == "" || len(words) == 0 {
		return Server{}, fmt.Errorf("server %q: want NAME='COMMAND with {display} and {port}'", s)
	}
	if !strings.Contains(command, "{port}") {
		return Server{}, fmt.Errorf("server %s: the command has no {port}", name)
	}
	return Server{Name: name, Command: words}, nil
}

// Own returns the server that is the program at path.
func Own(path string) Server {
	return Server{Name: "framebridge", strict: true, Command: []string{
		path, "serve", "--display", "{display}", "--listen", "127.0.0.1:0", "--rfb-listen", "127.0.0.1:{port}", "--rfb-delay", "5s", "--no-auth", "--log-level", "warn",
	}}
}

// Peers returns the other servers that are installed.
func Peers() (found []Server) {
	for _, s := range []Server{
		x11vncServer(),
		x11vncServer("-wait", "5", "-defer", "5"),
		{Name: "x0vncserver", Command: strings.Fields("X0tigervnc -display {display} -rfbport {port} -SecurityTypes None -localhost=1 -AlwaysShared=1")},
		{Name: "Xvnc", XServer: "Xtigervnc", Command: strings.Fields("-rfbport {port} -SecurityTypes None -localhost=1 -AlwaysShared=1")},
	} {
		program := s.XServer
		if program == "" {
			program = s.Command[0]
		}
		if _, err := exec.LookPath(program); err == nil {
			found = append(found, s)
		}
	}
	return found
}

// x11vncServer is x11vnc with further arguments, of which the first two name it.
func x11vncServer(args ...string) Server {
	name := "x11vnc"
	if len(args) > 0 {
		name += " " + strings.Join(args[:2], " ")
	}
	command := strings.Fields("x11vnc -display {display} -rfbport {port} -forever -shared -nopw -localhost -quiet -noipv6")
	return Server{Name: name, Command: append(command, args...)}
}

// running is a started server with its X server.
type running struct {
	x    *xvfb.Server
	cmd  *exec.Cmd // nil: the X server is it
	log  bytes.Buffer
	done chan struct{}
	addr string
}

// startTimeout is how long a server may take to greet.
const startTimeout = 20 * time.Second

// start starts an X server of the given size and the server on it.
func start(ctx context.Context, s Server, size string) (*running, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	w, h, err := parseSize(size)
	if err != nil {
		return nil, err
	}
	o := xvfb.Options{Width: w, Height: h}
	fill := strings.NewReplacer("{port}", strconv.Itoa(port))
	if s.XServer != "" {
		o.Program, o.Geometry = s.XServer, true
		for _, a := range s.Command {
			o.Args = append(o.Args, fill.Replace(a))
		}
	}
	r := &running{addr: fmt.Sprintf("127.0.0.1:%d", port), done: make(chan struct{})}
	if r.x, err = xvfb.Start(ctx, o); err != nil {
		return nil, err
	}
	if s.XServer == "" {
		fill = strings.NewReplacer("{port}", strconv.Itoa(port), "{display}", r.x.Display())
		args := make([]string, len(s.Command))
		for i, a := range s.Command {
			args[i] = fill.Replace(a)
		}
		r.cmd = exec.Command(args[0], args[1:]...)
		r.cmd.Env = append(os.Environ(), r.x.Env()...)
		r.cmd.Stdout, r.cmd.Stderr = &r.log, &r.log
		r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := r.cmd.Start(); err != nil {
			r.x.Stop()
			return nil, fmt.Errorf("server %s: %w", s.Name, err)
		}
		go func() { r.cmd.Wait(); close(r.done) }() //nolint:errcheck // it is stopped by a signal
	}
	if err := r.greeted(ctx); err != nil {
		r.stop()
		return nil, fmt.Errorf("server %s: %w\n%s", s.Name, err, r.log.String())
	}
	return r, nil
}

// greeted waits until the server speaks RFB.
func (r *running) greeted(ctx context.Context) error {
	deadline := time.Now().Add(startTimeout)
	for {
		c, err := net.DialTimeout("tcp", r.addr, time.Second)
		if err == nil {
			c.SetDeadline(time.Now().Add(5 * time.Second))
			_, err = io.ReadFull(c, make([]byte, 12))
			c.Close()
			if err == nil {
				return nil
			}
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no greeting in %v: %w", startTimeout, err)
		}
		select {
		case <-r.done:
			return errors.New("it ended at once")
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stopTimeout is how long a server may take to end. x11vnc, killed, leaves shared
// memory behind, of which a machine has only so much.
const stopTimeout = 10 * time.Second

func (r *running) stop() {
	if r.cmd != nil {
		syscall.Kill(-r.cmd.Process.Pid, syscall.SIGTERM)
		select {
		case <-r.done:
		case <-time.After(stopTimeout):
			syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL)
			<-r.done
		}
	}
	r.x.Stop()
}

// pid is the process whose CPU time is the server's.
func (r *running) pid() int {
	if r.cmd != nil {
		return r.cmd.Process.Pid
	}
	return r.x.Pid()
}

// freePort returns a port that nobody listens on just now. It is below those that the
// kernel gives to connections and to who asks for any: nobody gets it meanwhile.
func freePort() (int, error) {
	for {
		n := 20000 + rand.IntN(10000)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", n))
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return 0, err
		}
		return n, l.Close()
	}
}

func parseSize(s string) (w, h int, err error) {
	if n, err := fmt.Sscanf(s, "%dx%d", &w, &h); n != 2 || err != nil || w < 640 || h < 480 || w > 16384 || h > 16384 {
		return 0, 0, fmt.Errorf("size %q: want WIDTHxHEIGHT from 640x480 to 16384x16384", s)
	}
	return w, h, nil
}
