package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"framebridge/capture/view"
	"framebridge/internal/remote"
	"framebridge/internal/vnc"
	"framebridge/internal/x11vnc"
)

// Remote control: -R and -Q, on both sides.

// remoteUtility sends commands and questions to a server, and returns the exit
// code.
func remoteUtility(c *x11vnc.Config) int {
	r := remote.Request{Sync: c.Sync}
	if c.QueryRetries != "" {
		var err error
		if r.Retries, r.Delay, r.Match, err = remote.ParseRetries(c.QueryRetries); err != nil {
			fmt.Fprintf(os.Stderr, "-query_retries %s: %v\n", x11vnc.Printable(c.QueryRetries), err)
			return exitError
		}
	}
	for _, q := range c.Remote { // of several the last counts
		switch {
		case q.Defaults:
			fmt.Println(remote.Defaults(q.Text))
			return exitOK
		case q.Query:
			r.Query, r.HasQuery = q.Text, true
		default:
			r.Command, r.HasCommand = q.Text, true
		}
	}
	display := c.Display
	for _, d := range []string{os.Getenv("DISPLAY"), ":0"} {
		if display == "" {
			display = d
		}
	}
	auth := c.Auth
	if auth == "guess" {
		auth = guessAuth(display)
	}
	ctx, code := signals()
	err := remote.Send(ctx, r, os.Stdout, os.Stderr, remote.Options{Display: display, AuthFile: auth})
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil:
		return code()
	case errors.Is(err, remote.ErrNoServer):
		fmt.Fprintf(os.Stderr, "error: %v at %s  (rc=1)\n", err, display)
	default:
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
	}
	return exitError
}

// watchDisplay starts what follows a display besides its picture: remote control,
// and where a window or monitor is. stop ends it.
func (s *x11vncServer) watchDisplay() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { s.control(ctx) })
	wg.Go(func() { s.keepSeat(ctx) })
	if o, ok := s.area(); ok {
		// Nothing is shown before it is known what may be.
		known := make(chan struct{})
		wg.Go(func() { s.followArea(ctx, o, sync.OnceFunc(func() { close(known) })) })
		<-known
	}
	return func() {
		cancel()
		wg.Wait()
	}
}

// control waits for commands until ctx is done or the display has gone.
func (s *x11vncServer) control(ctx context.Context) {
	c := s.cfg
	if c.NoVNCConnect {
		return
	}
	host, _ := os.Hostname()
	name := host + s.display()
	if c.Desktop != "" {
		name = c.Desktop
	}
	r, err := remote.Listen(ctx, &controller{s: s, vncDisplay: host + ":" + strconv.Itoa(displayOf(s.port)), name: name}, remote.Options{
		Display: s.display(), AuthFile: s.bridge.opts.auth, Logger: s.log, Name: name, NoCommands: c.NoRemote,
	})
	if err == nil {
		err = r.Serve(ctx)
		r.Close()
	}
	if err != nil && ctx.Err() == nil {
		s.log.Warn("no remote control", "error", err)
	}
}

// controller does what remote control asks for.
type controller struct {
	s                *x11vncServer
	vncDisplay, name string
}

var _ remote.Handler = (*controller)(nil)

// Do implements remote.Handler.
func (h *controller) Do(name, value string) error {
	s := h.s
	switch name {
	case "stop":
		s.stop(errDone)
	case "noop":
	case "refresh", "blacken", "reset":
		s.bridge.server.Refresh()
	case "disconnect":
		if n := s.bridge.server.Disconnect(func(p vnc.Peer) bool { return isPeer(p, value) }); n == 0 && value != "all" {
			return fmt.Errorf("no viewer %s", x11vnc.Printable(value))
		}
	case "connect":
		return s.connectTo(value)
	default:
		return remote.ErrUnknown
	}
	return nil
}

// isPeer reports whether a viewer is meant by all, its number (0x2) or its address.
func isPeer(p vnc.Peer, who string) bool {
	if who == "all" {
		return true
	}
	if n, ok := strings.CutPrefix(who, "0x"); ok {
		id, err := strconv.ParseUint(n, 16, 64)
		return err == nil && id == p.ID
	}
	host := p.Remote.String()
	if h, _, err := net.SplitHostPort(host); err == nil {
		if host == who {
			return true
		}
		host = h
	}
	return host == who || who == "localhost" && (host == "127.0.0.1" || host == "::1")
}

// Set implements remote.Handler.
func (h *controller) Set(name, value string) error {
	s := h.s
	on := value == "1"
	flag := func(f func(c *x11vnc.Config) *bool, v bool) error {
		return s.change(func(c *x11vnc.Config) error { *f(c) = v; return nil })
	}
	switch name {
	case "viewonly":
		if err := flag(func(c *x11vnc.Config) *bool { return &c.ViewOnly }, on); err != nil || !on {
			return err
		}
		return s.releaseKeys()
	case "forever":
		return flag(func(c *x11vnc.Config) *bool { return &c.Forever }, on)
	case "deny":
		return flag(func(c *x11vnc.Config) *bool { return &c.DenyAll }, on)
	case "shared", "alwaysshared", "nevershared", "dontdisconnect":
		err := s.change(func(c *x11vnc.Config) error {
			switch name {
			case "shared":
				c.Shared, c.AlwaysShared = on, false
			case "alwaysshared":
				c.AlwaysShared = on
			case "nevershared":
				c.NeverShared = on
			default:
				c.DontDrop = on
			}
			return nil
		})
		if err != nil {
			return err
		}
		return s.bridge.server.SetSharing(s.sharing())
	case "repeat":
		err := flag(func(c *x11vnc.Config) *bool { return &c.Input.Repeat }, on)
		s.keyboardFor()
		return err
	case "fb":
		if err := flag(func(c *x11vnc.Config) *bool { return &c.Picture.NoPicture }, !on); err != nil {
			return err
		}
		return s.setView(func(o *view.Options) error { o.Blank = !on; return nil })
	case "scale", "clip", "rotate", "blackout", "scale_cursor":
		return h.setPicture(name, value)
	case "allow":
		return s.change(func(c *x11vnc.Config) error { c.Allow = value; return nil })
	case "wait", "defer":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > 1000_000 {
			return fmt.Errorf("%s: want a number of milliseconds", name)
		}
		if name == "defer" {
			return s.change(func(c *x11vnc.Config) error { c.Picture.Defer = time.Duration(n) * time.Millisecond; return nil })
		}
		s.bridge.screen.SetMaxFPS(maxFPS(time.Duration(n) * time.Millisecond))
		return s.change(func(c *x11vnc.Config) error { c.Picture.Wait = time.Duration(n) * time.Millisecond; return nil })
	case "accept", "afteraccept", "gone":
		return fmt.Errorf("%s: commands come from the command line only", name)
	case "remote":
		return nil
	}
	return remote.ErrUnknown
}

// setPicture changes one of the options that viewOptions reads.
func (h *controller) setPicture(name, value string) error {
	s := h.s
	p := s.now().Picture
	field := map[string]*string{
		"scale": &p.Scale, "clip": &p.Clip, "rotate": &p.Rotate, "blackout": &p.Blackout, "scale_cursor": &p.ScaleCursor,
	}[name]
	if name == "clip" && (p.ID != "" || p.SID != "" || strings.HasPrefix(value, monitorPrefix) || strings.HasPrefix(p.Clip, monitorPrefix)) {
		return errors.New("clip: not with windows and monitors")
	}
	*field = value
	next, err := viewOptions(&p)
	if err != nil {
		return err
	}
	err = s.setView(func(o *view.Options) error {
		if name != "clip" {
			next.Clip, next.Blank = o.Clip, o.Blank // that of a window stays
		}
		*o = next
		return nil
	})
	if err != nil {
		return err
	}
	return s.change(func(c *x11vnc.Config) error { c.Picture = p; return nil })
}

// releaseKeys lets go of what viewers hold.
func (s *x11vncServer) releaseKeys() error {
	s.mu.Lock()
	injector := s.injector
	s.mu.Unlock()
	if injector == nil {
		return nil
	}
	return injector.ReleaseKeys(false, false)
}

// Get implements remote.Handler.
func (h *controller) Get(name string) (string, bool) {
	s := h.s
	c := s.now()
	yes := func(b bool) (string, bool) {
		if b {
			return "1", true
		}
		return "0", true
	}
	millis := func(d, standard time.Duration) (string, bool) {
		if d == 0 {
			d = standard
		}
		return strconv.FormatInt(d.Milliseconds(), 10), true
	}
	number := func(n int) (string, bool) { return strconv.Itoa(n), true }
	s.mu.Lock()
	placed := view.Placement{}
	if s.view != nil {
		placed = s.view.Placement()
	}
	o := s.show
	s.mu.Unlock()
	switch name {
	case "viewonly":
		return yes(c.ViewOnly)
	case "shared":
		return yes(c.Shared || c.AlwaysShared)
	case "alwaysshared":
		return yes(c.Shared || c.AlwaysShared)
	case "nevershared":
		return yes(!c.Shared && !c.AlwaysShared)
	case "forever":
		return yes(c.Forever)
	case "deny":
		return yes(c.DenyAll)
	case "repeat":
		return yes(c.Input.Repeat)
	case "fb":
		return yes(!c.Picture.NoPicture)
	case "quiet":
		return yes(c.Quiet)
	case "shm":
		return yes(!c.Picture.NoShm)
	case "xdamage":
		return yes(!c.Picture.NoDamage)
	case "localhost":
		return yes(c.Localhost)
	case "wait":
		return millis(c.Picture.Wait, 20*time.Millisecond)
	case "defer":
		return millis(c.Picture.Defer, 20*time.Millisecond)
	case "scale", "scale_str":
		return c.Picture.Scale, true
	case "scale_cursor":
		return c.Picture.ScaleCursor, true
	case "clip":
		return c.Picture.Clip, true
	case "rotate":
		return c.Picture.Rotate, true
	case "blackout":
		return c.Picture.Blackout, true
	case "id":
		return windowName(c.Picture.ID)
	case "sid":
		return windowName(c.Picture.SID)
	case "allow":
		return c.Allow, true
	case "accept":
		return c.Accept, true
	case "afteraccept":
		return c.AfterAccept, true
	case "gone":
		return c.Gone, true
	case "desktop", "desktopname":
		return h.name, true
	case "rfbport":
		return number(s.port)
	case "vncdisplay":
		return h.vncDisplay, true
	case "display":
		host, _ := os.Hostname()
		return host + s.display(), true
	case "auth":
		return s.bridge.opts.auth, true
	case "version":
		return x11vncVersion(), true
	case "logfile":
		return c.LogFile, true
	case "flag":
		return c.Flag, true
	case "rmflag":
		return c.RmFlag, true
	case "client_count":
		return number(s.viewers())
	case "clients":
		return h.clients(), true
	case "dpy_x":
		return number(placed.Clip.Dx())
	case "dpy_y":
		return number(placed.Clip.Dy())
	case "wdpy_x":
		return number(placed.Source.X)
	case "wdpy_y":
		return number(placed.Source.Y)
	case "scaled_x", "scaled_y", "scale_fac_x", "scale_fac_y":
		if o.Scale == (view.Scale{}) || placed.Clip.Empty() {
			return "", false
		}
		switch name {
		case "scaled_x":
			return number(placed.Scaled.X)
		case "scaled_y":
			return number(placed.Scaled.Y)
		case "scale_fac_x":
			return factor(o.Scale.X, placed.Scaled.X, placed.Clip.Dx()), true
		}
		return factor(o.Scale.Y, placed.Scaled.Y, placed.Clip.Dy()), true
	case "cdpy_x", "cdpy_y", "coff_x", "coff_y", "clipshift":
		if c.Picture.Clip == "" {
			return "", false
		}
		return number(map[string]int{
			"cdpy_x": placed.Clip.Dx(), "cdpy_y": placed.Clip.Dy(), "coff_x": placed.Clip.Min.X, "coff_y": placed.Clip.Min.Y, "clipshift": 1,
		}[name])
	}
	return "", false
}

func factor(given float64, to, from int) string {
	if given == 0 {
		given = float64(to) / float64(from)
	}
	return strconv.FormatFloat(given, 'f', 6, 64)
}

// windowName is a window's number as x11vnc prints it.
func windowName(v string) (string, bool) {
	n, err := strconv.ParseUint(v, 0, 32)
	if err != nil {
		return "0x0", true
	}
	return fmt.Sprintf("0x%x", n), true
}

// clients lists the viewers as x11vnc does: id, address, port, user of the client's
// machine, user logged in, host name, rights, whether for viewing only, and since
// when.
func (h *controller) clients() string {
	var list []string
	for _, p := range h.s.bridge.server.Peers() {
		host, port, err := net.SplitHostPort(p.Remote.String())
		if err != nil {
			host, port = p.Remote.String(), "0"
		}
		name := host
		if host == "127.0.0.1" || host == "::1" {
			name = "localhost"
		}
		rights := ""
		if p.Rights.Control {
			for _, d := range []struct {
				letter   string
				withheld bool
			}{{"K", p.Rights.Withheld.Keys}, {"M", p.Rights.Withheld.Motion}, {"B", p.Rights.Withheld.Buttons}} {
				if !d.withheld {
					rights += d.letter
				}
			}
		}
		if p.Rights.ClipboardIn {
			rights += "C"
		}
		if rights == "KMBC" {
			rights = "KMBCF" // x11vnc's name for everything
		}
		only := 0
		if !p.Rights.Control {
			only = 1
		}
		list = append(list, fmt.Sprintf("0x%x:%s:%s:unknown-user:none:%s:%s:%d:%d", p.ID, host, port, name, rights, only, p.Since.Unix()))
	}
	return strings.Join(list, ",")
}
