package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"framebridge/internal/x11vnc"
)

// roleVariable tells a process of x11vnc that another one of it started it. Its
// arguments then come through the pipe argsFd, so that no password is seen in the
// list of processes, and it reports through statusFd.
const (
	roleVariable = "FRAMEBRIDGE_X11VNC_ROLE"
	argsFd       = 3
	statusFd     = 4
)

// Roles.
const (
	roleServe = "serve" // serve, and stay as you are
	roleBack  = "back"  // serve; let go of the terminal when viewers can come
	roleLoop  = "loop"  // start servers, one after the other
)

// x11vncRole is what a process was started for by another.
type x11vncRole struct {
	name   string
	status *os.File // closed when viewers can come
}

// takeRole returns the part that this process has, and its arguments; nil if it
// is the first.
func takeRole() (args []string, role *x11vncRole, err error) {
	name := os.Getenv(roleVariable)
	if name == "" {
		return nil, nil, nil
	}
	os.Unsetenv(roleVariable) // not for the commands that we run
	if !slices.Contains([]string{roleServe, roleBack, roleLoop}, name) {
		return nil, nil, fmt.Errorf("%s=%s: it is not for setting by hand", roleVariable, x11vnc.Printable(name))
	}
	in := os.NewFile(argsFd, "arguments")
	defer in.Close()
	b, err := io.ReadAll(io.LimitReader(in, maxPassedArgs+1))
	if err != nil || len(b) > maxPassedArgs {
		return nil, nil, fmt.Errorf("%s is set, but there are no arguments: %w", roleVariable, err)
	}
	if len(b) > 0 {
		args = strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
	}
	syscall.CloseOnExec(statusFd)
	return args, &x11vncRole{name: name, status: os.NewFile(statusFd, "status")}, nil
}

// maxPassedArgs is the kernel's bound for arguments on most systems, doubled.
const maxPassedArgs = 4 << 20

// report tells whoever waits that viewers can come. In the background it lets go
// of the terminal first: of standard error only if the log goes elsewhere.
func (r *x11vncRole) report(keepStderr bool) {
	if r == nil {
		return
	}
	if r.name == roleBack {
		if null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0); err == nil {
			fds := []int{0, 1}
			if !keepStderr {
				fds = append(fds, 2)
			}
			for _, fd := range fds {
				dup(int(null.Fd()), fd)
			}
			null.Close()
		}
	}
	r.status.Write([]byte("ok\n"))
	r.status.Close()
}

// takeArgs returns copies of the arguments, which are at the end of os.Args, and
// wipes passwords where the list of processes shows them. The kernel reads a
// process's arguments from its own memory, and Go's os.Args point right there.
func takeArgs(args []string) []string {
	own := make([]string, len(args))
	for i, a := range args {
		own[i] = strings.Clone(a)
	}
	for _, i := range x11vnc.Secrets(own) {
		if n := len(args[i]); n > 0 {
			clear(unsafe.Slice(unsafe.StringData(args[i]), n))
		}
	}
	return own
}

// shownArgs returns the arguments as the list of processes may show them.
func shownArgs(args []string) []string {
	secrets := x11vnc.Secrets(args)
	var shown []string
	for i, a := range args {
		if !slices.Contains(secrets, i) {
			shown = append(shown, a)
		}
	}
	return shown
}

// child is a process of x11vnc that we started.
type child struct {
	cmd    *exec.Cmd
	status *os.File      // ours to read; nil if passed on
	done   chan struct{} // closed when it has ended
}

// startChild starts a process with a role. report is where it reports to; nil
// makes a pipe.
func startChild(args []string, role string, report *os.File) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	argsR, argsW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer argsR.Close()
	p := &child{done: make(chan struct{})}
	if report == nil {
		var w *os.File
		if p.status, w, err = os.Pipe(); err != nil {
			argsW.Close()
			return nil, err
		}
		defer w.Close()
		report = w
	}
	shown := shownArgs(args)
	if _, linked := x11vncArgs([]string{os.Args[0]}); !linked {
		shown = append([]string{x11vncName}, shown...)
	}
	p.cmd = exec.Command(self, shown...)
	p.cmd.Args[0] = os.Args[0]
	p.cmd.Env = append(os.Environ(), roleVariable+"="+role)
	p.cmd.ExtraFiles = []*os.File{argsR, report}
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	p.cmd.SysProcAttr = childAttr(role)
	started := make(chan error)
	go p.own(started)
	if err = <-started; err != nil {
		argsW.Close()
		return nil, err
	}
	var b strings.Builder
	for _, a := range args {
		b.WriteString(a)
		b.WriteByte(0)
	}
	io.WriteString(argsW, b.String()) //nolint:errcheck // a child that has died is noticed below
	argsW.Close()
	return p, nil
}

// own starts the process and waits for its end, on a thread of its own: the
// child's death signal comes when that thread ends.
func (p *child) own(started chan<- error) {
	runtime.LockOSThread()
	err := p.cmd.Start()
	started <- err
	if err == nil {
		p.cmd.Wait() //nolint:errcheck // the exit code is asked for below
		close(p.done)
	}
}

// code returns the exit code as x11vnc has it; valid when done is closed.
func (p *child) code() int {
	if n := p.cmd.ProcessState.ExitCode(); n >= 0 {
		return n
	}
	return exitError
}

// end asks the child to end and waits for it.
func (p *child) end(sig syscall.Signal) int {
	p.cmd.Process.Signal(sig) //nolint:errcheck // it may just have ended
	select {
	case <-p.done:
	case <-time.After(childGrace):
		p.cmd.Process.Kill() //nolint:errcheck // as above
		<-p.done
	}
	return p.code()
}

// childGrace is how long a server has to end after a signal. It needs a second at
// most.
const childGrace = 5 * time.Second

// superviseX11vnc is the program with -bg or -loop. With both it loops in the
// foreground, as x11vnc does: units of service managers have both, and count on
// that. -loopbg is what loops in the background.
func superviseX11vnc(c *x11vnc.Config, args []string) int {
	if c.Loop.On && !c.Loop.BG {
		return loopX11vnc(c, args, nil)
	}
	ctx, code := signals()
	role := roleBack
	if c.Loop.On {
		role = roleLoop
	}
	p, err := startChild(args, role, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, "x11vnc: -bg:", err)
		return exitError
	}
	reported := make(chan bool, 1)
	go func() {
		b, _ := io.ReadAll(io.LimitReader(p.status, 16))
		reported <- len(b) > 0
	}()
	select {
	case ok := <-reported:
		if ok {
			return exitOK
		}
	case <-ctx.Done():
		p.end(syscall.SIGTERM)
		return code()
	}
	select {
	case <-p.done:
		return p.code()
	case <-ctx.Done():
		p.end(syscall.SIGTERM)
		return code()
	}
}

// loopX11vnc starts servers until a signal comes or there were enough.
func loopX11vnc(c *x11vnc.Config, args []string, role *x11vncRole) int {
	ctx, code := signals()
	serve := roleServe
	var report *os.File
	if role != nil {
		serve, report = roleBack, role.status
	}
	for n := 1; ; n++ {
		p, err := startChild(args, serve, report)
		if err != nil {
			fmt.Fprintln(os.Stderr, "x11vnc: -loop:", err)
			return exitError
		}
		if report != nil {
			// The first server reports; should it fail, nobody waits for the next.
			report.Close()
			report = nil
		}
		last := exitOK
		select {
		case <-p.done:
			last = p.code()
		case <-ctx.Done():
			p.end(syscall.SIGTERM)
			return code()
		}
		if p.status != nil {
			p.status.Close()
		}
		if c.Loop.Count > 0 && n >= c.Loop.Count {
			return last
		}
		if !c.Quiet {
			fmt.Fprintf(os.Stderr, "\n --- x11vnc loop: sleeping %d ms ---\n\n", c.Loop.Pause.Milliseconds())
		}
		select {
		case <-time.After(c.Loop.Pause):
		case <-ctx.Done():
			return code()
		}
	}
}
