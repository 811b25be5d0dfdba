package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"framebridge/capture/view"
	"framebridge/input/xtest"
	"framebridge/internal/screen"
	"framebridge/internal/vnc"
	"framebridge/internal/web"
	"framebridge/internal/x11vnc"
	"framebridge/rfb"
)

// x11vncServer is one run of x11vnc.
type x11vncServer struct {
	cfg   *x11vnc.Config                // as the options had it
	live  atomic.Pointer[x11vnc.Config] // as remote control has made it; never changed in place
	role  *x11vncRole
	log   *slog.Logger
	hooks hooks

	bridge    *bridge
	auth      string // Xauthority file; empty: the usual one
	stop      context.CancelCauseFunc
	reverse   *reverser
	trusted   sync.Map // local addresses of connections that need no password
	started   []func() // stops what was started, in the order of starting
	listens   []net.Listener
	tls       *tls.Config    // nil: none
	clientCAs *x509.CertPool // whom viewers must be known to; nil: nobody
	page      *web.Server    // nil: none
	sockets   *web.Server    // on the port for viewers
	urls      []string       // of the page
	port      int

	mu       sync.Mutex
	shown    string          // display; guarded by mu
	joined   bool            // a viewer was there
	injector *xtest.Injector // of the display that is open
	show     view.Options    // what viewers see of it
	view     *view.View      // of the display that is open
	seatNews chan struct{}   // capacity 1: viewers have come or gone
	arrived  chan struct{}
	arrive   sync.Once
}

// errDone is the cause of an end that is as it should be.
var errDone = errors.New("done")

// errDisplayGone says that the X server has gone and is not waited for.
var errDisplayGone = errors.New("the X server has gone")

// main runs the server and returns the exit code.
func (s *x11vncServer) main() int {
	s.hooks.s = s
	s.live.Store(s.cfg)
	s.arrived = make(chan struct{})
	s.seatNews = make(chan struct{}, 1)
	sig, code := signals()
	ctx, stop := context.WithCancelCause(sig)
	defer stop(nil)
	s.stop = stop
	err := s.run(ctx)
	for i := len(s.started) - 1; i >= 0; i-- {
		s.started[i]()
	}
	s.hooks.wait()
	switch {
	case sig.Err() != nil:
		return code()
	case errors.Is(err, errDisplayGone):
		fmt.Fprintln(os.Stderr, "caught XIO error:", err)
		return exitXServer
	case err != nil:
		fmt.Fprintln(os.Stderr, strings.ReplaceAll(err.Error(), "\n", "; "))
		return exitError
	}
	return exitOK
}

// run serves until ctx is done.
func (s *x11vncServer) run(ctx context.Context) error {
	c := s.cfg
	if err := s.openLog(); err != nil {
		return err
	}
	if err := s.sleepIn(ctx); err != nil {
		return nil
	}
	remove, err := s.markFile()
	if err != nil {
		return err
	}
	defer remove()
	s.log.Info("x11vnc version: " + x11vncVersion() + "  pid: " + strconv.Itoa(os.Getpid()))
	logUnread(s.log, c)
	if s.show, err = viewOptions(&c.Picture); err != nil {
		return err
	}
	if s.reverse, err = checkConnect(c); err != nil {
		return err
	}
	defer s.reverse.close()
	if err := s.useTLS(); err != nil {
		return err
	}
	x, err := s.secrets()
	if err != nil {
		return err
	}
	raw := c.Picture.RawFB != ""
	display, wait := "rawfb", false
	if !raw {
		if display, wait, err = s.chooseDisplay(); err != nil {
			return err
		}
	}
	s.setDisplay(display)
	if s.auth = c.Auth; s.auth == "guess" {
		s.auth = ""
	}
	if s.bridge, err = s.newBridge(x, display); err != nil {
		return err
	}
	if x.none() && !c.NoPw && !c.Inetd {
		io.WriteString(os.Stderr, noPasswordBanner) //nolint:errcheck // nobody to tell
	}
	if c.Users != "" {
		if err := s.becomeUser(ctx, display); err != nil {
			return err
		}
		s.bridge.opts.auth = s.auth
	}
	switch {
	case raw:
		if err := s.useRawFB(s.bridge); err != nil {
			return err
		}
	case wait:
		s.bridge.before = s.waitForViewer
	default:
		// This connection keeps an X server that resets with its last client from
		// doing so before ours are open.
		probe, err := s.awaitDisplay(ctx, display)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return s.noDisplay(display, err)
		}
		defer probe.Close()
		s.bridge.opts.auth = s.auth
		s.log.Info("Using X display " + display)
		for _, id := range []*string{&c.Picture.ID, &c.Picture.SID} {
			if *id == "pick" {
				if *id, err = pickWindow(ctx, display, s.auth); err != nil {
					return err
				}
			}
		}
	}
	if c.Inetd {
		return s.serveInetd(ctx)
	}
	if s.listens, s.port, err = openX11vnc(&c.Listen, display); err != nil {
		return err
	}
	s.listens = s.takeBrowsers(s.listens)
	if s.urls, err = s.openPages(); err == nil {
		err = s.expandLog()
	}
	if err != nil {
		closeAll(s.listens)
		return err
	}
	if wait {
		s.up()
	} else {
		s.bridge.up = s.up
	}
	if c.Timeout > 0 {
		t := time.AfterFunc(c.Timeout, func() {
			if !s.hasJoined() {
				s.log.Info("no viewer came in time", "seconds", c.Timeout.Seconds())
				s.stop(errDone)
			}
		})
		defer t.Stop()
	}
	defer s.announce(ctx)()
	if err := s.bridge.serve(ctx, append(s.listens, s.reverse.listener)); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil && !errors.Is(err, errDone) && !errors.As(err, new(signalError)) {
		return err // what ended it
	}
	return nil
}

// noDisplay is x11vnc's error for a display that cannot be had.
func (s *x11vncServer) noDisplay(display string, err error) error {
	fmt.Fprintf(os.Stderr, "%s*** XOpenDisplay failed (%s)\n", logStamp(), display)
	return fmt.Errorf("*** x11vnc was unable to open the X DISPLAY: %q, it cannot continue: %w", display, err)
}

// up tells the world where the server is.
func (s *x11vncServer) up() {
	c := s.cfg
	s.log.Info("screen setup finished.")
	if s.port > 0 {
		what, line := "VNC desktop is:    ", fmt.Sprintf("PORT=%d\n", s.port)
		if c.TLS.On {
			what, line = "SSL VNC desktop is:", line+"SSL"+line
		}
		fmt.Fprintf(os.Stderr, "\nThe %s  %s\n", what, desktopOf(&c.Listen, s.port))
		for _, url := range s.urls {
			fmt.Fprintf(os.Stderr, "Java viewer URL:         %s\n", url) // x11vnc's words: scripts look for them
		}
		if c.Flag != "" {
			if err := os.WriteFile(c.Flag, []byte(line), 0o644); err != nil {
				s.log.Error("-flag: cannot write the file", "error", err)
			}
		}
		io.WriteString(os.Stdout, line) //nolint:errcheck // the reader may have gone
	} else if c.Unix != "" {
		fmt.Fprintf(os.Stderr, "\nThe VNC desktop is:      unix:%s\n", c.Unix)
	}
	s.role.report(c.LogFile != "")
	s.connectFirst()
}

// noPasswordBanner is what stands out among the log of a container.
const noPasswordBanner = `
###############################################################
#                                                             #
#  **  WARNING  **  WARNING  **  WARNING  **  WARNING  **     #
#                                                             #
#  There is no password: everybody who can reach this port    #
#  sees the screen and can type and click on it.              #
#                                                             #
#  With a password:     x11vnc -storepasswd PASSWORD FILE     #
#                       x11vnc -rfbauth FILE ...              #
#  This machine only:   x11vnc -localhost ...                 #
#  As it should be:     x11vnc -nopw ...                      #
#                                                             #
###############################################################

`

// newBridge makes the server of what the options say.
func (s *x11vncServer) newBridge(x secrets, display string) (*bridge, error) {
	c := s.cfg
	o := &serveOptions{
		display: display, auth: s.auth, capture: "auto", maxCutText: rfb.DefaultMaxCutText,
		waitDisplay: displayWait,
	}
	if c.Picture.NoShm {
		o.capture = "getimage"
	}
	b := &bridge{opts: o, log: s.log}
	sc := screen.Config{MaxFPS: maxFPS(c.Picture.Wait), VerifyInterval: verifyEvery, Logger: s.log}
	if c.Picture.NoDamage {
		sc.VerifyInterval = verifyOften
	}
	b.screen = screen.New(sc)
	sink, err := s.filter(&b.input)
	if err != nil {
		return nil, err
	}
	sink = &viewOnlySink{Sink: sink, s: s}
	b.clips.x = &b.input
	name := c.Desktop
	if name == "" {
		host, _ := os.Hostname()
		name = host + display
	}
	cfg := vnc.Config{
		Screen: b.screen, Sink: sink, Clipboard: viewOnlyClipboard{clipsOf{&b.clips, byViewer}, s},
		DesktopName: name,
		Passwords:   x.list, NoAuth: x.none(), NoAuthRights: s.rights(false),
		Sharing:      s.sharing(),
		Hooks:        vnc.Hooks{Gate: s.gate, Verify: x.check, Admit: s.admit, Trusted: s.isTrusted, Joined: s.viewerJoined, Left: s.viewerLeft},
		NoPointerPos: c.Picture.NoPos,
		NoDragging:   c.Picture.NoDragging,
		Version:      rfbVersions[c.Version],
		Ping:         c.Picture.Ping,
		WriteTimeout: c.Picture.Client,
		OnViewers:    func() { b.counted(); s.tellSeat() },
		Logger:       s.log,
	}
	if c.TLS.On {
		cfg.TLS = s.tls
	}
	switch {
	case c.Picture.NoCursor:
		cfg.Cursor = vnc.CursorHidden
	case c.Picture.NoShape:
		cfg.Cursor = vnc.CursorPainted
	}
	if b.server, err = vnc.New(cfg); err != nil {
		return nil, err
	}
	b.clips.join(byViewer, b.server.SetClipboard)
	if err := s.newWeb(b, cfg); err != nil {
		return nil, err
	}
	s.useInput(b)
	b.wrap = s.wrapSource
	b.lost = func(cause error) error {
		if c.Reopen {
			return nil
		}
		return fmt.Errorf("%w: %w", errDisplayGone, cause)
	}
	return b, nil
}

// rfbVersions are -rfbversion's values.
var rfbVersions = map[string]rfb.Version{"3.3": rfb.Version33, "3.6": rfb.Version33, "3.7": rfb.Version37, "3.8": rfb.Version38}

// Times between checks of the damage reports; often for displays of which it is
// known that they do not report all.
const (
	verifyEvery = 2 * time.Second
	verifyOften = 100 * time.Millisecond
)

// maxFPS turns -wait into captures a second.
func maxFPS(wait time.Duration) int {
	if wait <= 0 {
		return 60
	}
	return int(max(1, min(1000, time.Second/wait)))
}

// openLog sends standard error where the options say.
func (s *x11vncServer) openLog() error {
	c := s.cfg
	level := slog.LevelInfo
	switch {
	case c.Quiet:
		level = slog.LevelError
	case c.Verbose:
		level = slog.LevelDebug
	}
	s.log = slog.New(newStampHandler(os.Stderr, level))
	slog.SetDefault(s.log)
	if c.LogFile == "" || strings.Contains(c.LogFile, "%VNCDISPLAY") {
		return nil
	}
	return s.redirect(c.LogFile)
}

// expandLog opens a log whose name holds the port.
func (s *x11vncServer) expandLog() error {
	if name := s.cfg.LogFile; strings.Contains(name, "%VNCDISPLAY") {
		return s.redirect(strings.ReplaceAll(name, "%VNCDISPLAY", hostFor(&s.cfg.Listen)+":"+strconv.Itoa(displayOf(s.port))))
	}
	return nil
}

// redirect makes a file the standard error, of the commands that we run as well.
func (s *x11vncServer) redirect(name string) error {
	name = strings.ReplaceAll(name, "%HOME", os.Getenv("HOME"))
	how := os.O_TRUNC
	if s.cfg.LogAppend {
		how = os.O_APPEND
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|how, 0o644)
	if err != nil {
		return fmt.Errorf("error opening logfile: %s: %w", name, pathReason(err))
	}
	dup(int(f.Fd()), 2)
	return f.Close()
}

// sleepIn waits as -sleepin says.
func (s *x11vncServer) sleepIn(ctx context.Context) error {
	low, high := s.cfg.Sleep[0], s.cfg.Sleep[1]
	if high <= 0 {
		return nil
	}
	d := low + rand.N(high-low+1)
	s.log.Info("sleeping first", "seconds", d.Seconds())
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// markFile makes -rmflag's file and returns what removes it.
func (s *x11vncServer) markFile() (remove func(), err error) {
	name := s.cfg.RmFlag
	if name == "" {
		return func() {}, nil
	}
	how := os.O_CREATE | os.O_TRUNC
	if rest, ok := strings.CutPrefix(name, "create:"); ok {
		name, how = rest, os.O_CREATE|os.O_EXCL
	} else if rest, ok := strings.CutPrefix(name, "nocreate:"); ok {
		name, how = rest, 0
		if _, err := os.Stat(name); err != nil {
			return nil, fmt.Errorf("-rmflag nocreate:%s: %w", name, pathReason(err))
		}
		return func() { os.Remove(name) }, nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|how, 0o644)
	if err != nil {
		return nil, fmt.Errorf("-rmflag %s: %w", name, pathReason(err))
	}
	if full, err := filepath.Abs(name); err == nil {
		name = full
	}
	_, err = fmt.Fprintf(f, "%d\n", os.Getpid())
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return func() { os.Remove(name) }, err
}

// waitForViewer waits for the first viewer and finds the display for it.
func (s *x11vncServer) waitForViewer(ctx context.Context) error {
	select {
	case <-s.arrived:
	case <-ctx.Done():
		return ctx.Err()
	}
	display, _, err := s.chooseDisplay()
	if err != nil {
		return err
	}
	if display == "" {
		var auth string
		if display, auth, err = s.lateDisplay(ctx); err != nil {
			return err
		}
		if auth != "" {
			s.auth = auth
		}
	}
	if s.cfg.Auth == "guess" && s.auth == "" {
		s.auth = guessAuth(display)
	}
	s.setDisplay(display)
	s.bridge.opts.display, s.bridge.opts.auth, s.bridge.opts.waitDisplay = display, s.auth, 0
	s.log.Info("Using X display " + display)
	return nil
}

// serveInetd serves the viewer on standard input and output.
func (s *x11vncServer) serveInetd(ctx context.Context) error {
	l := newInetd()
	s.bridge.up = func() { s.role.report(true) }
	go func() {
		<-l.served
		s.stop(errDone)
	}()
	var viewers net.Listener = l
	if c := &s.cfg.TLS; c.On {
		viewers = x11vncPort{l, s, s.sockets, false}
	}
	return s.bridge.serve(ctx, []net.Listener{viewers, s.reverse.listener})
}

func (s *x11vncServer) setDisplay(d string) {
	s.mu.Lock()
	s.shown = d
	s.mu.Unlock()
}

// display returns the display served, empty while it is not known.
func (s *x11vncServer) display() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown
}

func (s *x11vncServer) viewers() int {
	if s.bridge == nil {
		return 0
	}
	return s.bridge.server.Viewers()
}

// isTrusted reports whether a viewer needs no password: one that we connected to,
// if that is wanted.
func (s *x11vncServer) isTrusted(p vnc.Peer) bool {
	_, ok := s.trusted.LoadAndDelete(p.Local.String())
	return ok
}
