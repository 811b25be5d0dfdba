package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/BurntSushi/xgb/xproto"

	"framebridge/internal/x11"
	"framebridge/internal/xvfb"
	"framebridge/rfb"
	"framebridge/rfb/rfbtest"
)

// behaviour is what can be seen of a server from outside, by what was looked at.
type behaviour map[string]string

// stage is what a command line runs in: a display, a home folder, a port.
type stage struct {
	x      *xvfb.Server
	conn   *x11.Conn
	window xproto.Window
	home   string
	port   int
	marker string
}

const (
	rightPassword = "sesame"
	wrongPassword = "simsim"
)

// newStage makes a stage; its home has the files that command lines name.
func newStage(ctx context.Context, home string) (*stage, error) {
	x, err := xvfb.Start(ctx, xvfb.Options{Width: 400, Height: 300})
	if err != nil {
		return nil, err
	}
	s := &stage{x: x, home: home}
	if s.conn, err = x11.Dial(ctx, x11.Options{Display: x.Display(), AuthFile: x.AuthFile()}); err == nil {
		err = s.furnish()
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *stage) close() {
	if s.conn != nil {
		s.conn.Close()
	}
	s.x.Stop()
}

func (s *stage) furnish() (err error) {
	if s.window, err = xproto.NewWindowId(s.conn.X()); err != nil {
		return err
	}
	if err := xproto.CreateWindowChecked(s.conn.X(), 0, s.window, s.conn.Root(), 10, 10, 200, 100, 0,
		xproto.WindowClassInputOutput, 0, 0, nil).Check(); err != nil {
		return err
	}
	if err := xproto.MapWindowChecked(s.conn.X(), s.window).Check(); err != nil {
		return err
	}
	secret, err := rfb.ObscurePassword([]byte(rightPassword))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(s.home, ".vnc"), 0o700); err != nil {
		return err
	}
	for name, b := range map[string]string{
		".vnc/passwd": string(secret),
		"passwdfile":  rightPassword + "\n",
		"two":         "other\n" + rightPassword + "\n",
		"password.sh": "#!/bin/sh\necho " + rightPassword + "\n",
	} {
		if err := os.WriteFile(filepath.Join(s.home, name), []byte(b), 0o700); err != nil {
			return err
		}
	}
	s.port, err = unusedPort()
	return err
}

// unusedPort returns a port that nobody listens on just now. It is below those that
// the kernel gives to connections and to who asks for any: nobody gets it meanwhile.
func unusedPort() (int, error) {
	for {
		n := 20000 + rand.IntN(10000)
		l, err := net.Listen("tcp", ":"+strconv.Itoa(n))
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return 0, err
		}
		return n, l.Close()
	}
}

// fill puts the stage's things into a command line.
func (s *stage) fill(line string) string {
	return strings.NewReplacer("@D@", s.x.Display(), "@P@", strconv.Itoa(s.port), "@H@", s.home, "@X@", s.x.AuthFile(),
		"@W@", fmt.Sprintf("0x%x", s.window)).Replace(line)
}

// pids returns the processes of this stage's command, wherever they have gone.
func (s *stage) pids() (list []int) {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, d := range dirs {
		b, err := os.ReadFile(filepath.Join(d, "environ"))
		if err != nil || !bytes.Contains(b, []byte(s.marker)) {
			continue
		}
		comm, _ := os.ReadFile(filepath.Join(d, "comm"))
		if name := strings.TrimSpace(string(comm)); name != "x11vnc" && name != "framebridge" {
			continue
		}
		if n, err := strconv.Atoi(filepath.Base(d)); err == nil {
			list = append(list, n)
		}
	}
	return list
}

// killAll ends the processes of the stage. Each is asked once: x11vnc, asked again
// while it cleans up, stops cleaning up, and leaves its shared memory, of which there
// is only so much, until the machine's end.
func (s *stage) killAll() {
	asked := map[int]bool{}
	for deadline := time.Now().Add(observeLimit); ; {
		list := s.pids()
		if len(list) == 0 {
			return
		}
		for _, pid := range list {
			if time.Now().After(deadline) {
				syscall.Kill(pid, syscall.SIGKILL)
			} else if !asked[pid] {
				asked[pid] = true
				syscall.Kill(pid, syscall.SIGTERM)
			}
		}
		time.Sleep(20 * time.Millisecond) // between two looks
	}
}

// running is a command under observation.
type running struct {
	stage  *stage
	cmd    *exec.Cmd
	stdout *output
	stderr *output
	done   chan struct{}
	addr   string
}

var portLine = regexp.MustCompile(`(?m)^PORT=(\d+)$`)

// goesOn is in command lines of servers that go on without viewers.
var goesOn = regexp.MustCompile(`-(forever|many|loop)`)

// observeLimit bounds each thing that is waited for; some are waited for in vain.
const observeLimit = 30 * time.Second

// within polls f until it is true, and reports whether it was in time.
func within(limit time.Duration, f func() bool) bool {
	for deadline := time.Now().Add(limit); !f(); {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(10 * time.Millisecond) // between two looks
	}
	return true
}

// ended reports whether the server is gone, in the background or not.
func (r *running) ended() bool {
	select {
	case <-r.done:
		return len(r.stage.pids()) == 0
	default:
		return false
	}
}

// observe runs a command line with a program and looks at what it does.
func (s *stage) observe(ctx context.Context, program, line string) (behaviour, error) {
	s.marker = fmt.Sprintf("X11VNC_STAGE=%d-%d", s.port, time.Now().UnixNano())
	defer s.killAll()
	see := behaviour{}
	text := s.fill(line)
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", "exec "+strings.Replace(text, "x11vnc", program, 1))
	cmd.Env = append(os.Environ(), "HOME="+s.home, "DISPLAY="+s.x.Display(), "XAUTHORITY="+s.x.AuthFile(), s.marker,
		"X11VNC_FINDDISPLAY_ALWAYS_FAILS=1", "LANG=C")
	cmd.Dir = s.home
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = 200 * time.Millisecond
	r := &running{stage: s, cmd: cmd, stdout: newOutput(), stderr: newOutput(), done: make(chan struct{})}
	var stdin net.Conn
	if strings.Contains(line, "-inetd") {
		ours, theirs, err := socketPair()
		if err != nil {
			return nil, err
		}
		defer ours.Close()
		stdin, cmd.Stdin, cmd.Stdout = ours, theirs, theirs
		defer theirs.Close()
	} else {
		cmd.Stdin, cmd.Stdout = strings.NewReader(rightPassword+"\n"+rightPassword+"\ny\n"), r.stdout
	}
	cmd.Stderr = r.stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		cmd.Wait() //nolint:errcheck // ProcessState tells
		close(r.done)
	}()
	switch {
	case stdin != nil:
		r.seeInetd(see, stdin)
	case r.awaitUp():
		r.seeServer(see)
	}
	r.seeEnd(see, line)
	return see, nil
}

// awaitUp waits until the server listens, and reports whether it does.
func (r *running) awaitUp() bool {
	socket := filepath.Join(r.stage.home, "vnc.sock")
	up := false
	within(observeLimit, func() bool {
		if m := portLine.FindStringSubmatch(r.stdout.String()); m != nil {
			r.addr, up = "127.0.0.1:"+m[1], true
		} else if listens(socket) {
			r.addr, up = "unix:"+socket, true
		}
		select {
		case <-r.done:
			if !up && len(r.stage.pids()) == 0 {
				return true
			}
		default:
		}
		return up
	})
	return up
}

// listens reports whether somebody listens on a unix socket. Its file is there before
// that.
func listens(path string) bool {
	b, _ := os.ReadFile("/proc/net/unix")
	for l := range strings.Lines(string(b)) {
		// Num: RefCount Protocol Flags Type St Inode Path; the flag is __SO_ACCEPTCON.
		if f := strings.Fields(l); len(f) == 8 && f[7] == path && f[3] == "00010000" {
			return true
		}
	}
	return false
}

// viewer connects with a password; an empty one is offered to nobody.
func (r *running) viewer(password string) (*rfbtest.Client, error) {
	ctx, cancel := context.WithTimeout(context.Background(), observeLimit)
	defer cancel()
	c, err := rfbtest.Dial(ctx, r.addr, rfbtest.Options{
		Password: password, Shared: false, DirtyPadding: true, WideFills: true,
		Encodings: []rfb.Encoding{rfb.EncodingRaw, rfb.PseudoCursor, rfb.PseudoDesktopSize},
	})
	if err == nil {
		c.SetDeadline(time.Now().Add(observeLimit)) //nolint:errcheck // reads tell
	}
	return c, err
}

// alive reports whether the viewer is still served.
func alive(c *rfbtest.Client) bool {
	c.SetDeadline(time.Now().Add(observeLimit)) //nolint:errcheck // reads tell
	if c.RequestUpdate(false, image.Rect(0, 0, 16, 16)) != nil {
		return false
	}
	_, err := c.ReadUpdate()
	return err == nil
}

// refusal says how far a viewer came.
func refusal(err error) string {
	var refused *rfb.RefusedError
	switch {
	case err == nil:
		return "in"
	case errors.Is(err, rfb.ErrAuthentication):
		return "wrong password"
	case errors.As(err, &refused):
		return "refused"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "closed"
	}
	return err.Error()
}

func (r *running) seeServer(see behaviour) {
	port := strings.TrimPrefix(r.addr, "127.0.0.1:")
	if !strings.HasPrefix(r.addr, "unix:") {
		for name, host := range map[string]string{"on 127.0.0.1": "127.0.0.1", "on ::1": "::1", "beyond loopback": outsideAddr()} {
			see[name] = "no"
			if c, err := net.DialTimeout("tcp", net.JoinHostPort(host, port), observeLimit); err == nil {
				c.Close()
				see[name] = "yes"
			}
		}
	}
	c, err := r.viewer(wrongPassword)
	see["wrong password"] = refusal(err)
	if err == nil {
		c.Close()
		// Without -forever that was the one viewer.
	} else if c, err = r.viewer(rightPassword); err == nil {
		see["right password"] = "in"
	} else {
		see["right password"] = refusal(err)
	}
	if err != nil {
		return
	}
	if see["wrong password"] == "in" {
		if r.endsSoon() {
			see["first viewer left"] = "ends"
			return
		}
		if c, err = r.viewer(rightPassword); err != nil {
			see["next viewer"] = refusal(err)
			return
		}
	}
	defer c.Close()
	see["security"] = fmt.Sprint(c.Welcome.Offered)
	see["name given"] = strconv.FormatBool(c.Name() == "Title")
	see["size"] = fmt.Sprint(c.Bounds().Size())
	see["control"] = strconv.FormatBool(r.controls(c))
	if strings.Contains(strings.Join(r.cmd.Args, " "), "-afteraccept") {
		// x11vnc runs it when it comes to that.
		within(observeLimit, func() bool {
			_, err := os.Stat(filepath.Join(r.stage.home, "after"))
			return err == nil
		})
	}
	second, err := r.viewer(rightPassword)
	see["second viewer"] = refusal(err)
	if err == nil {
		if !alive(second) {
			see["second viewer"] = "closed after ServerInit"
		}
		second.Close()
	}
	see["first viewer then"] = "stays"
	if !alive(c) {
		see["first viewer then"] = "gone"
	}
	c.Close()
	see["viewers left"] = "goes on"
	if r.endsSoon() {
		see["viewers left"] = "ends"
	}
}

// endsSoon reports whether the server ends now that its viewers have left. That it
// goes on is known when it serves another one.
func (r *running) endsSoon() bool {
	ends := false
	if !goesOn.MatchString(strings.Join(r.cmd.Args, " ")) {
		// x11vnc notices only now and then that its viewers have left; the next one
		// must not come before.
		within(observeLimit, r.ended)
	}
	within(observeLimit, func() bool {
		if ends = r.ended(); ends {
			return true
		}
		c, err := r.viewer(rightPassword)
		if err != nil {
			return false
		}
		defer c.Close()
		return alive(c)
	})
	return ends
}

// controls reports whether the viewer moves the pointer.
func (r *running) controls(c *rfbtest.Client) bool {
	at := func() image.Point {
		p, err := xproto.QueryPointer(r.stage.conn.X(), r.stage.conn.Root()).Reply()
		if err != nil {
			return image.Point{}
		}
		return image.Pt(int(p.RootX), int(p.RootY))
	}
	before := at()
	size := c.Bounds().Size()
	if c.Pointer(size.X/4, size.Y/4, 0) != nil {
		return false
	}
	limit := observeLimit
	if slices.Contains(strings.Fields(strings.Join(r.cmd.Args, " ")), "-viewonly") {
		limit = time.Second
	}
	moved := within(limit, func() bool { return at() != before })
	xproto.WarpPointer(r.stage.conn.X(), 0, r.stage.conn.Root(), 0, 0, 0, 0, 390, 290)
	return moved
}

func (r *running) seeInetd(see behaviour, conn net.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), observeLimit)
	defer cancel()
	c, err := rfbtest.Open(ctx, conn, rfbtest.Options{Password: rightPassword, DirtyPadding: true, WideFills: true})
	see["viewer"] = refusal(err)
	if err == nil {
		see["picture"] = strconv.FormatBool(alive(c))
		c.Close()
	}
	conn.Close()
}

// seeEnd looks at the exit code, of a server that goes on after SIGTERM, and at
// what it wrote.
func (r *running) seeEnd(see behaviour, line string) {
	limit := endLimit
	if see["viewers left"] == "ends" || see["first viewer left"] == "ends" || strings.Contains(line, "-inetd") {
		limit = observeLimit
	}
	select {
	case <-r.done:
		see["exit code"] = strconv.Itoa(r.cmd.ProcessState.ExitCode())
	case <-time.After(limit):
		if portLine.MatchString(r.stdout.String()) || r.addr != "" {
			r.cmd.Process.Signal(syscall.SIGTERM) //nolint:errcheck // it may just have ended
			select {
			case <-r.done:
				see["exit code after SIGTERM"] = strconv.Itoa(r.cmd.ProcessState.ExitCode())
			case <-time.After(observeLimit):
				see["exit code after SIGTERM"] = "does not end"
			}
		} else {
			see["exit code"] = "goes on without a port"
		}
	}
	out := portLine.ReplaceAllStringFunc(r.stdout.String(), func(m string) string {
		if m == "PORT="+strconv.Itoa(r.stage.port) {
			return "PORT=@P@"
		}
		return "PORT=free"
	})
	if i := strings.Index(out, "PORT="); i >= 0 && strings.Contains(line, "-loop") {
		out = out[:strings.IndexByte(out[i:], '\n')+i+1] // once more for every start
	}
	see["stdout"] = strings.ReplaceAll(out, r.stage.home, "@H@")
	for _, name := range []string{"after", "gone", "new", "vnc.sock"} {
		if b, err := os.ReadFile(filepath.Join(r.stage.home, name)); err == nil {
			see["file "+name] = fmt.Sprintf("%q", strings.ReplaceAll(string(b), strconv.Itoa(r.stage.port), "@P@"))
			os.Remove(filepath.Join(r.stage.home, name))
		}
	}
	if b, err := os.ReadFile(filepath.Join(r.stage.home, "x.log")); err == nil {
		see["log says where"] = strconv.FormatBool(strings.Contains(string(b), "The VNC desktop is:"))
		os.Remove(filepath.Join(r.stage.home, "x.log"))
	}
	see["stderr says where"] = strconv.FormatBool(strings.Contains(r.stderr.String(), "The VNC desktop is:"))
}

// endLimit is how long a program that neither listens nor goes on has to end.
const endLimit = 300 * time.Millisecond

// outsideAddr returns an address of this machine that is not loopback.
var outsideAddr = sync.OnceValue(func() string {
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && n.IP.To4() != nil {
			return n.IP.String()
		}
	}
	return "192.0.2.1"
})

// socketPair returns a TCP connection and its other end as a file.
func socketPair() (net.Conn, *os.File, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return nil, nil, err
	}
	o, err := l.Accept()
	if err != nil {
		return nil, nil, err
	}
	defer o.Close()
	f, err := o.(*net.TCPConn).File()
	return c, f, err
}
