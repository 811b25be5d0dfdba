package remote

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"

	"github.com/BurntSushi/xgb"
	"github.com/BurntSushi/xgb/xproto"

	"framebridge/internal/x11"
)

// A Handler does what commands say. Its methods are called from one goroutine.
// Names are canonical: of several that mean the same always the one (deny for
// lock, stop for quit, forever and "0" for once).
type Handler interface {
	// Do carries out an action: stop, refresh, disconnect and "all", connect and
	// hosts. The value is empty if there is none. What is not known is an
	// ErrUnknown.
	Do(name, value string) error
	// Set changes a variable. Those that are on or off have "1" or "0"; for others
	// an empty value means none. What is not known is an ErrUnknown.
	Set(name, value string) error
	// Get returns a variable's value; false: what the X server says, or what it is
	// when nobody has set it.
	Get(name string) (value string, ok bool)
}

// Options say where. The zero value is $DISPLAY with the usual properties.
type Options struct {
	Display  string       // display name; default $DISPLAY
	AuthFile string       // Xauthority file; default as x11.Options
	Property string       // default $X11VNC_REMOTE, then X11VNC_REMOTE
	Connect  string       // default $VNC_CONNECT, then VNC_CONNECT
	Logger   *slog.Logger // default slog.Default()

	// Server only.

	// Name is what ping is answered with; default the display's name.
	Name string
	// NoCommands takes neither commands nor questions, only hosts to connect to.
	NoCommands bool
	// NoConnect does not look at VNC_CONNECT.
	NoConnect bool
}

// Server waits for commands at a display.
type Server struct {
	conn            *x11.Conn
	h               Handler
	log             *slog.Logger
	name            string
	remote, connect channel
	noCommands      bool
	remove          func()

	mu      sync.Mutex
	changed map[xproto.Atom]bool
	wake    chan struct{} // capacity 1
}

// Listen connects to a display. What was in the properties before is not looked
// at.
func Listen(ctx context.Context, h Handler, o Options) (*Server, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	c, err := x11.Dial(ctx, x11.Options{Display: o.Display, AuthFile: o.AuthFile, Logger: o.Logger})
	if err != nil {
		return nil, fmt.Errorf("remote control: %w", err)
	}
	s := &Server{
		conn: c, h: h, log: o.Logger, name: o.Name, noCommands: o.NoCommands,
		changed: map[xproto.Atom]bool{}, wake: make(chan struct{}, 1),
	}
	if s.name == "" {
		s.name = o.Display
	}
	if err := s.open(ctx, o); err != nil {
		c.Close()
		return nil, fmt.Errorf("remote control: %w", err)
	}
	return s, nil
}

func (s *Server) open(ctx context.Context, o Options) (err error) {
	if s.remote, err = openChannel(ctx, s.conn, propertyName(o.Property, remoteProperty)); err != nil {
		return err
	}
	if !o.NoConnect {
		if s.connect, err = openChannel(ctx, s.conn, propertyName(o.Connect, connectProperty)); err != nil {
			return err
		}
	}
	s.remove = s.conn.Handle(s.event)
	return watch(s.conn)
}

// event notes changes of properties. It runs on the connection's reader.
func (s *Server) event(e xgb.Event) {
	n, ok := e.(xproto.PropertyNotifyEvent)
	if !ok || n.State != xproto.PropertyNewValue || n.Atom == 0 || n.Atom != s.remote.atom && n.Atom != s.connect.atom {
		return
	}
	s.mu.Lock()
	s.changed[n.Atom] = true
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Serve carries out commands until ctx is done, which is no error, or the
// display has gone.
func (s *Server) Serve(ctx context.Context) error {
	defer context.AfterFunc(ctx, s.conn.Abort)()
	for {
		select {
		case <-s.wake:
		case <-ctx.Done():
			return nil
		case <-s.conn.Done():
			if ctx.Err() != nil {
				return nil
			}
			return s.conn.Err()
		}
		s.mu.Lock()
		changed := s.changed
		s.changed = map[xproto.Atom]bool{}
		s.mu.Unlock()
		for _, p := range []channel{s.remote, s.connect} {
			if !changed[p.atom] {
				continue
			}
			if err := s.take(p); err != nil {
				if ctx.Err() != nil {
					return nil
				}
				return err
			}
		}
	}
}

// Close ends the connection; Serve must have returned.
func (s *Server) Close() error {
	s.remove()
	return s.conn.Close()
}

// take reads a property and does what it says.
func (s *Server) take(p channel) error {
	value, err := p.read()
	if err != nil {
		return err
	}
	value = strings.TrimRight(value, "\x00\n")
	isRemote := strings.HasPrefix(value, command) || strings.HasPrefix(value, question)
	if p == s.connect && !isRemote {
		if value = strings.TrimSpace(value); value != "" {
			s.log.Info("VNC_CONNECT", "hosts", printable(value))
			if err := p.write(""); err != nil { // it was taken
				return err
			}
			s.do("connect", value)
		}
		return nil
	}
	if s.noCommands || !isRemote {
		return nil // an answer, ours as well
	}
	s.log.Info("remote control", "request", printable(value))
	stop := false
	out := done
	if asked, ok := strings.CutPrefix(value, question); ok {
		out = replyAll(asked, s.name, s.get)
	} else {
		// A stop is answered before it is obeyed: afterwards nobody is there.
		for _, c := range commands(strings.TrimPrefix(value, command)) {
			if name, _, _, _ := resolve(nameOf(c)); name == "stop" {
				stop = true
				break
			}
			s.command(c)
		}
	}
	if err := s.remote.write(out); err != nil {
		return err
	}
	if stop {
		s.do("stop", "")
	}
	return nil
}

// get returns a variable's value: the handler's, or what the X server says.
func (s *Server) get(name string) (string, bool) {
	if v, ok := s.h.Get(name); ok {
		return v, true
	}
	x, screen := s.conn.X(), s.conn.Screen()
	extension := func(name string) (string, bool) {
		r, err := xproto.QueryExtension(x, uint16(len(name)), name).Reply()
		if err != nil || !r.Present {
			return "0", err == nil
		}
		return "1", true
	}
	switch name {
	case "rootwin":
		return fmt.Sprintf("0x%x", s.conn.Root()), true
	case "depth":
		return strconv.Itoa(int(screen.RootDepth)), true
	case "bpp":
		return strconv.Itoa(s.bitsPerPixel()), true
	case "ext_xtest":
		return extension("XTEST")
	case "ext_xkb":
		return extension("XKEYBOARD")
	case "ext_xshm":
		return extension("MIT-SHM")
	case "ext_xfixes":
		return extension("XFIXES")
	case "ext_xdamage":
		return extension("DAMAGE")
	case "ext_xrandr":
		return extension("RANDR")
	case "num_buttons":
		r, err := xproto.GetPointerMapping(x).Reply()
		if err != nil {
			return "", false
		}
		return strconv.Itoa(len(r.Map)), true
	case "pointer_pos", "pointer_x", "pointer_y", "pointer_same", "pointer_root", "pointer_mask", "mouse_x", "mouse_y":
		r, err := xproto.QueryPointer(x, s.conn.Root()).Reply()
		if err != nil {
			return "", false
		}
		switch name {
		case "pointer_x", "mouse_x":
			return strconv.Itoa(int(r.RootX)), true
		case "pointer_y", "mouse_y":
			return strconv.Itoa(int(r.RootY)), true
		case "pointer_same":
			if r.SameScreen {
				return "1", true
			}
			return "0", true
		case "pointer_root":
			return fmt.Sprintf("0x%x", r.Root), true
		case "pointer_mask":
			return fmt.Sprintf("0x%x", r.Mask), true
		}
		return fmt.Sprintf("%d,%d", r.RootX, r.RootY), true
	}
	return "", false
}

func (s *Server) bitsPerPixel() int {
	for _, f := range s.conn.Setup().PixmapFormats {
		if f.Depth == s.conn.Screen().RootDepth {
			return int(f.BitsPerPixel)
		}
	}
	return 0
}

// maxCommands bounds a script.
const maxCommands = 1000

// commands returns the commands of a script, or the one that there is.
func commands(s string) []string {
	script, ok := strings.CutPrefix(s, "script:")
	if !ok {
		return []string{s}
	}
	var list []string
	for c := range strings.SplitSeq(script, ";") {
		if c = strings.TrimSpace(c); c != "" && len(list) < maxCommands {
			list = append(list, c)
		}
	}
	return list
}

func nameOf(c string) string {
	name, _, _ := strings.Cut(c, ":")
	return name
}

// command carries out one command.
func (s *Server) command(c string) {
	asked, value, hasValue := strings.Cut(c, ":")
	name, v, no, ok := resolve(asked)
	var err error
	switch {
	case !ok, v.kind == fixed:
		err = ErrUnknown
	case v.kind == action:
		s.do(name, value)
		return
	case v.kind == toggle:
		value = "1"
		if no {
			value = "0"
		}
		if name == "remote" && no {
			s.noCommands = true
		}
		err = s.h.Set(name, value)
	default:
		if !hasValue && v.value != "" && v.value != "0x0" {
			err = fmt.Errorf("it wants a value: %s:VALUE", name)
			break
		}
		err = s.h.Set(name, s.added(name, value))
	}
	if err != nil {
		s.log.Warn("remote control", "command", printable(c), "error", err)
	}
}

func (s *Server) do(name, value string) {
	if err := s.h.Do(name, value); err != nil {
		s.log.Warn("remote control", "command", name, "error", err)
	}
}

// lists are variables of which items, separated by commas, can be added and
// taken away with a + or - in front.
var lists = map[string]bool{"allow": true, "blackout": true, "remap": true}

// added returns the new value of a list.
func (s *Server) added(name, value string) string {
	if !lists[name] || len(value) < 2 || value[0] != '+' && value[0] != '-' {
		return value
	}
	old, _ := s.h.Get(name)
	var items []string
	for item := range strings.SplitSeq(old, ",") {
		if item != "" && item != value[1:] {
			items = append(items, item)
		}
	}
	if value[0] == '+' {
		items = append(items, value[1:])
	}
	return strings.Join(items, ",")
}

// printable makes what others wrote fit for a log or a terminal.
func printable(s string) string {
	const longest = 500
	cut := len(s) > longest
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, s[:min(len(s), longest)])
	if cut {
		s += " ..."
	}
	return s
}
