package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"framebridge/capture"
	"framebridge/input"
	"framebridge/input/selection"
	"framebridge/input/xtest"
	"framebridge/internal/screen"
	"framebridge/internal/vnc"
	"framebridge/internal/x11"
)

// bridge serves one display: it connects to the X server, keeps the viewers
// while that is gone, and connects again.
type bridge struct {
	opts   *serveOptions
	log    *slog.Logger
	screen *screen.Screen
	input  input.Switch
	clips  clips
	server *vnc.Server
	web    *browsers   // nil: none
	there  atomic.Bool // the display
	// up, if set, is called when the display is there for the first time.
	up func()
	// other, if set, opens something else than an X display.
	other func(ctx context.Context) (*display, error)
	// before, if set, is called before the display is asked for, and may wait: for
	// the first viewer, for a display to be chosen.
	before func(ctx context.Context) error
	// wrap, if set, changes what each display shows.
	wrap func(capture.Source) capture.Source
	// opened, if set, is called with each display before it is used, and returns
	// what to call when it is not any more.
	opened func(*display) (closed func())
	// lost, if set, decides about waiting for a display that has gone: an error
	// ends the bridge.
	lost func(cause error) error
	// keyboard and selection are how input and clipboards work; what says which
	// display they are for is filled in.
	keyboard  xtest.Options
	selection selection.Options
}

// newBridge prepares the server; nothing is opened yet but the password file.
func newBridge(o *serveOptions, log *slog.Logger) (*bridge, error) {
	passwords, err := o.passwords()
	if err != nil {
		return nil, err
	}
	b := &bridge{opts: o, log: log}
	b.screen = screen.New(screen.Config{MaxFPS: o.maxFPS, VerifyInterval: o.verifyInterval, Quiet: shrink, Logger: log})
	b.clips.x = &b.input
	b.server, err = vnc.New(vnc.Config{
		Screen:       b.screen,
		Sink:         &b.input,
		Clipboard:    b.clips.of(byViewer),
		DesktopName:  b.desktopName(),
		Passwords:    passwords,
		NoAuth:       len(passwords) == 0,
		NoAuthRights: o.rights(),
		Sharing:      vnc.Sharing(o.shared),
		Lossless:     o.lossless,
		MaxQuality:   o.maxQuality,
		MaxCutText:   o.maxCutText,
		Alone:        b.alone,
		OnViewers:    b.counted,
		Logger:       log,
	})
	if err != nil {
		return nil, err
	}
	b.clips.join(byViewer, b.server.SetClipboard)
	if o.web {
		if b.web, err = newBrowsers(b); err != nil {
			return nil, err
		}
		b.clips.join(byPage, b.web.stream.SetClipboard)
	}
	return b, nil
}

// desktopName is what viewers show in their titles.
func (b *bridge) desktopName() string {
	if b.opts.desktopName != "" {
		return b.opts.desktopName
	}
	host, _ := os.Hostname()
	return host + b.opts.display
}

// alone disconnects pages for a viewer that takes the screen for itself.
func (b *bridge) alone(viewer string) {
	if b.web != nil {
		b.web.stream.GiveWay(viewer)
		b.web.giveWay(viewer)
	}
}

// counted tells pages how many look.
func (b *bridge) counted() {
	if b.web != nil {
		b.web.stream.Changed()
	}
}

// listen opens the sockets for viewers.
func (o *serveOptions) openListeners() (ls []net.Listener, err error) {
	defer func() {
		if err != nil {
			for _, l := range ls {
				l.Close()
			}
			ls = nil
		}
	}()
	if o.rfbListen != "" {
		l, err := listenTCP("--rfb-listen", o.rfbListen)
		if err != nil {
			return ls, err
		}
		ls = append(ls, l)
	}
	if o.listen != "" {
		l, err := listenTCP("--listen", o.listen)
		if err != nil {
			return ls, err
		}
		if o.web {
			udp, err := o.listenUDP(l.Addr())
			if err != nil {
				l.Close()
				return ls, err
			}
			l = shared{l, udp}
		}
		ls = append(ls, l)
	}
	if o.unixSocket != "" {
		l, err := listenUnix(o.unixSocket)
		if err != nil {
			return ls, fmt.Errorf("--unix-socket %s: %w", o.unixSocket, reason(err))
		}
		ls = append(ls, l)
	}
	return ls, nil
}

func listenTCP(flag, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s %s: the port is in use: stop the other server or choose another port (0 picks a free one)", flag, addr)
	}
	return nil, fmt.Errorf("%s %s: %w", flag, addr, reason(err))
}

// reason strips the operation and address that net adds to its errors.
func reason(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// listenUnix makes a socket that only its owner can connect to. A socket that a
// dead server left behind is replaced; one that answers, and anything else of
// that name, is not touched.
func listenUnix(path string) (net.Listener, error) {
	switch st, err := os.Lstat(path); {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return nil, err
	case st.IsDir():
		return nil, errors.New("is a directory: name a socket inside it")
	case st.Mode()&os.ModeSocket == 0:
		return nil, errors.New("exists and is no socket: choose another name")
	default:
		if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
			c.Close()
			return nil, errors.New("another server answers there: stop it or choose another name")
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	// The mode must be right from the first moment, not after a chmod.
	old := syscall.Umask(0o177)
	defer syscall.Umask(old)
	return net.Listen("unix", path)
}

// ready prints the line that scripts wait for. Of several TCP ports, rfb is the one
// that is for viewers only.
func (o *serveOptions) ready(w io.Writer, ls []net.Listener) {
	line, rfb, http := "READY", "", ""
	for _, l := range ls {
		if s, ok := l.(shared); ok {
			http = fmt.Sprintf(" http=%s", o.url(s.Addr()))
		}
		if l.Addr().Network() == "unix" {
			line += fmt.Sprintf(" unix=%s", l.Addr())
		} else if rfb == "" {
			rfb = fmt.Sprintf(" rfb=%s", l.Addr())
			line += rfb
		}
	}
	fmt.Fprintf(w, "%s%s display=%s\n", line, http, o.display)
}

// selfServing is a listener that knows by itself what is spoken on it.
type selfServing interface {
	net.Listener
	// serveSelf serves until ctx is done. It closes the listener.
	serveSelf(ctx context.Context) error
}

// serve serves viewers on the listeners until ctx is done or the display cannot
// be had. It ends in this order: no new viewers; viewers disconnected and what
// they held released; capture stopped; the connections to X closed.
func (b *bridge) serve(ctx context.Context, ls []net.Listener) error {
	var viewers sync.WaitGroup
	vctx, stopViewers := context.WithCancel(ctx)
	defer stopViewers()
	errs := make(chan error, len(ls)+1)
	for _, l := range ls {
		serve := b.server.Serve
		switch l := l.(type) {
		case shared:
			serve = func(ctx context.Context, _ net.Listener) error { return b.web.serve(ctx, l) }
		case selfServing:
			serve = func(ctx context.Context, _ net.Listener) error { return l.serveSelf(ctx) }
		}
		viewers.Go(func() {
			if err := serve(vctx, l); err != nil {
				errs <- err
			}
		})
	}
	// The display outlives the viewers: their keys are released through it.
	dctx, stopDisplay := context.WithCancel(context.WithoutCancel(ctx))
	defer stopDisplay()
	display := make(chan struct{})
	go func() {
		defer close(display)
		if err := b.follow(ctx, dctx); err != nil {
			errs <- err
		}
	}()
	var err error
	select {
	case <-ctx.Done():
	case err = <-errs:
	}
	stopViewers()
	viewers.Wait()
	if b.web != nil {
		b.web.video.Close()
	}
	stopDisplay()
	<-display
	return err
}

// follow connects to the display, feeds the screen from it, and starts again
// when it is lost. It gives up on what waiting cannot mend. wait ends the waiting
// for a display, run its use.
func (b *bridge) follow(wait, run context.Context) error {
	if b.before != nil {
		if err := b.before(wait); err != nil {
			if wait.Err() != nil {
				return nil
			}
			return err
		}
	}
	for first := true; ; first = false {
		d, err := b.await(wait, first)
		if err != nil {
			if wait.Err() != nil {
				return nil
			}
			return err
		}
		// All that it takes is in place before anybody is told: who knows that the
		// display is there may type at once.
		closed := func() {}
		if b.opened != nil {
			closed = b.opened(d)
		}
		b.input.Set(d.sink, d.clipboard)
		b.there.Store(true)
		if first && b.up != nil {
			b.up()
		}
		if !first {
			b.log.Info("display is back", "display", b.opts.display)
		}
		err = b.show(run, d)
		b.there.Store(false)
		b.input.Set(nil, nil)
		closed()
		d.close()
		if run.Err() != nil {
			return nil
		}
		if b.lost != nil {
			if err := b.lost(err); err != nil {
				return err
			}
		}
		b.log.Warn("display lost: waiting for it to come back", "display", b.opts.display, "error", err)
		if wait.Err() != nil {
			return nil
		}
	}
}

// show feeds the screen until the display dies. Without viewers nothing is asked
// of the display, so that it died must be heard from its connection: the next
// viewer is to see the next display, not the last picture of this one.
func (b *bridge) show(ctx context.Context, d *display) error {
	ctx, cancel := context.WithCancel(ctx)
	var watch sync.WaitGroup
	defer watch.Wait()
	defer cancel()
	watch.Go(func() {
		select {
		case <-d.gone:
			cancel()
		case <-ctx.Done():
		}
	})
	err := b.screen.Run(ctx, d.source)
	if errors.Is(err, context.Canceled) {
		return errors.New("the X server closed the connection")
	}
	return err
}

// lostSize is the picture's size when the display was lost before anybody saw it.
var lostSize = image.Pt(1024, 768)

// display is what is open while the X server is there.
type display struct {
	source    capture.Source
	injector  *xtest.Injector
	sink      input.Sink
	clipboard input.Clipboard
	gone      <-chan struct{} // closed when the X server has gone
	closers   []io.Closer     // in the order of closing
}

func (d *display) close() {
	for _, c := range d.closers {
		c.Close()
	}
}

// Waiting for a display.
const (
	firstDial = 100 * time.Millisecond // between attempts
	logEvery  = time.Second
	// lostLogEvery is used when the display was there before: it may be gone for
	// the night.
	lostLogEvery = time.Minute
)

// await opens the display, trying again while it is not there. Only the first
// time is bounded by --wait-display.
func (b *bridge) await(ctx context.Context, first bool) (*display, error) {
	start := time.Now()
	every, logged := logEvery, start.Add(-logEvery+300*time.Millisecond)
	if !first {
		every, logged = lostLogEvery, start
	}
	for {
		d, err := b.open(ctx)
		if err == nil {
			return d, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if first && !worthWaiting(err) {
			return nil, err
		}
		now := time.Now()
		if !first {
			b.screen.MarkLost("display "+b.opts.display+" lost: waiting for it", lostSize)
		}
		if limit := b.opts.waitDisplay; first && limit > 0 && now.Sub(start) >= limit {
			return nil, fmt.Errorf("%w: waited %v (--wait-display)", err, limit)
		}
		if now.Sub(logged) >= every {
			logged = now
			b.log.Info("waiting for the display", "display", b.opts.display, "error", err)
		}
		select {
		case <-time.After(firstDial):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// worthWaiting reports whether err can pass by itself: a display that is not
// there yet can come, a name that is none and a cookie that is refused cannot.
func worthWaiting(err error) bool {
	return !errors.Is(err, x11.ErrAuth) && !errors.Is(err, errPermanent)
}

// errPermanent marks errors that waiting does not mend.
var errPermanent = errors.New("permanent")

// permanent is an errPermanent that prints as err.
type permanent struct{ error }

func (p permanent) Unwrap() []error { return []error{p.error, errPermanent} }
