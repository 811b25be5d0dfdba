// Package vnc serves a screen to RFB viewers: who may come in, what each viewer
// asked for and can do, when it gets an update and in which encoding.
//
// A session has two goroutines. The reader takes the viewer's messages: input
// goes straight to the sink, never behind output; everything else changes the
// session's wishes and wakes the writer. The writer sends: whenever the viewer
// may get an update and the screen has news for it, it takes the news, encodes
// and writes. It owns the encoders and all that describes what the viewer has.
package vnc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"framebridge/input"
	"framebridge/internal/screen"
	"framebridge/rfb"
)

// Rights is what a viewer may do; it travels with the viewer from its
// authentication on.
type Rights struct {
	Control      bool // keyboard and pointer
	ClipboardIn  bool // the viewer's clipboard reaches X
	ClipboardOut bool // X's clipboard reaches the viewer
	// Withheld are the devices that Control does not include.
	Withheld Devices
}

// FullRights and ViewRights are what the two kinds of passwords grant.
var (
	FullRights = Rights{Control: true, ClipboardIn: true, ClipboardOut: true}
	ViewRights = Rights{}
)

// Sharing says what becomes of other viewers when one comes.
type Sharing string

const (
	// SharingViewer lets the viewer decide: one that wants the screen for itself
	// disconnects the others (RFC 6143, section 7.3.1).
	SharingViewer Sharing = "viewer"
	// SharingAlways keeps everybody whatever a viewer says.
	SharingAlways Sharing = "always"
	// SharingNever lets each viewer disconnect the others.
	SharingNever Sharing = "never"
	// SharingRefuse turns a viewer away while another one is there: it gets
	// ServerInit, and the end.
	SharingRefuse Sharing = "refuse"
)

// ParseSharing checks a name of a Sharing.
func ParseSharing(s string) (Sharing, error) {
	switch v := Sharing(s); v {
	case SharingViewer, SharingAlways, SharingNever, SharingRefuse:
		return v, nil
	}
	return "", fmt.Errorf("sharing %q: want always, never, refuse or viewer", s)
}

// Config configures a Server. Screen must be set, and Passwords or NoAuth.
type Config struct {
	Screen *screen.Screen
	// Sink gets the viewers' keys and pointers; nil: nobody can control.
	Sink input.Sink
	// Clipboard gets the viewers' clipboards; nil: none.
	Clipboard input.Clipboard
	// DesktopName is what viewers show in their title; empty: "framebridge".
	DesktopName string
	// Passwords lets in who knows one of them; the grant is a Rights.
	Passwords []rfb.Password
	// NoAuth lets everybody in, with NoAuthRights.
	NoAuth       bool
	NoAuthRights Rights
	// Sharing; empty: SharingViewer.
	Sharing Sharing
	// Lossless sends no JPEG, whatever viewers allow.
	Lossless bool
	// MaxQuality bounds the JPEG quality level that viewers can ask for, 1 to 9; 0:
	// 9, no bound.
	MaxQuality int
	// MaxCutText bounds clipboards in bytes; 0: rfb.DefaultMaxCutText.
	MaxCutText int
	// Alone is called when a viewer takes the screen for itself, for those who have
	// viewers of other kinds to disconnect. It must not wait for them. Nil: nothing.
	Alone func(viewer string)
	// OnViewers is called when a viewer has come or gone; it must not block. Nil:
	// nothing.
	OnViewers func()
	// TLS encrypts connections that come in the clear, other than unix sockets, in the
	// middle of the handshake (VeNCrypt), which is then the only way in for them; it
	// needs a certificate. Nil: they stay in the clear.
	TLS *tls.Config
	// Hooks decide about viewers and follow them.
	Hooks Hooks
	// Cursor says how the pointer is shown; empty: CursorShape.
	Cursor CursorMode
	// NoPointerPos keeps where the pointer is from viewers that draw it themselves.
	NoPointerPos bool
	// NoDragging sends a viewer nothing while it holds a button.
	NoDragging bool
	// Version is the highest version of RFB that is spoken; 0: 3.8.
	Version rfb.Version
	// Ping sends each viewer a pixel that often, so that nothing between takes the
	// connection for dead; 0: never.
	Ping time.Duration
	// WriteTimeout is how long a viewer may take to read one piece of output before
	// it counts as gone; 0: two minutes.
	WriteTimeout time.Duration
	// Logger; nil: slog.Default().
	Logger *slog.Logger
}

const (
	// writeLimit is Config.WriteTimeout's default.
	writeLimit = 120 * time.Second
)

// Server serves one screen to any number of viewers.
type Server struct {
	cfg  Config
	log  *slog.Logger
	auth rfb.ServerConfig
	ban  failures
	shop *workshop

	mu       sync.Mutex
	sessions map[*session]struct{}
	guests   map[*Guest]struct{}
	shaking  handshakes
	peers    uint64
	freed    chan struct{} // closed and replaced when a session ends
}

// New returns a server, or an error that names what is wrong with cfg.
func New(cfg Config) (*Server, error) {
	if cfg.Screen == nil {
		return nil, errors.New("vnc: Config.Screen is nil")
	}
	if !cfg.NoAuth && len(cfg.Passwords) == 0 && cfg.Hooks.Verify == nil {
		return nil, errors.New("vnc: Config has neither Passwords nor NoAuth")
	}
	for i, p := range cfg.Passwords {
		if _, ok := p.Grant.(Rights); !ok {
			return nil, fmt.Errorf("vnc: Config.Passwords[%d].Grant is no Rights", i)
		}
	}
	if cfg.DesktopName == "" {
		cfg.DesktopName = "framebridge"
	}
	if cfg.Sharing == "" {
		cfg.Sharing = SharingViewer
	}
	if _, err := ParseSharing(string(cfg.Sharing)); err != nil {
		return nil, fmt.Errorf("vnc: Config.Sharing: %w", err)
	}
	if cfg.MaxQuality == 0 {
		cfg.MaxQuality = 9
	}
	if cfg.MaxQuality < 0 || cfg.MaxQuality > 9 {
		return nil, fmt.Errorf("vnc: Config.MaxQuality %d: want 1 to 9, or 0 for no bound", cfg.MaxQuality)
	}
	if cfg.MaxCutText == 0 {
		cfg.MaxCutText = rfb.DefaultMaxCutText
	}
	switch cfg.Cursor {
	case CursorShape, CursorPainted, CursorHidden:
	default:
		return nil, fmt.Errorf("vnc: Config.Cursor %q: want %q, %q or nothing", cfg.Cursor, CursorPainted, CursorHidden)
	}
	switch cfg.Version {
	case 0, rfb.Version33, rfb.Version37, rfb.Version38:
	default:
		return nil, fmt.Errorf("vnc: Config.Version %v: want 3.3, 3.7 or 3.8", cfg.Version)
	}
	if cfg.Ping < 0 {
		return nil, fmt.Errorf("vnc: Config.Ping %v is negative", cfg.Ping)
	}
	if cfg.WriteTimeout < 0 {
		return nil, fmt.Errorf("vnc: Config.WriteTimeout %v is negative", cfg.WriteTimeout)
	}
	if cfg.WriteTimeout == 0 {
		cfg.WriteTimeout = writeLimit
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &Server{
		cfg: cfg,
		log: cfg.Logger,
		// With a password asked for, nobody gets round it by choosing None.
		auth: rfb.ServerConfig{
			Version:   cfg.Version,
			AllowNone: cfg.NoAuth,
			NoneGrant: cfg.NoAuthRights,
			Passwords: cfg.Passwords,
		},
		shop:     newWorkshop(cfg.Screen),
		sessions: make(map[*session]struct{}),
		guests:   make(map[*Guest]struct{}),
		freed:    make(chan struct{}),
	}, nil
}

// Serve accepts viewers on l until ctx is done, then disconnects them all and
// waits for them. It closes l. Several Serves may run on different listeners.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	defer l.Close()
	for pause := time.Duration(0); ; {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if errors.Is(err, net.ErrClosed) {
				return fmt.Errorf("accept: %w", err)
			}
			// Out of descriptors, most likely: that passes when viewers leave.
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			s.log.Warn("cannot accept a connection", "error", err, "retry", pause)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
			continue
		}
		pause = 0
		wg.Go(func() { s.ServeConn(ctx, conn) })
	}
}

// ServeConn serves one connection until the viewer leaves or ctx is done, and
// closes it.
func (s *Server) ServeConn(ctx context.Context, conn net.Conn) {
	remote := conn.RemoteAddr().String()
	shake := s.beginHandshake(conn)
	peer := Peer{ID: shake.id, Remote: conn.RemoteAddr(), Local: conn.LocalAddr(), Since: time.Now()}
	// A cancelled context must end reads of the handshake, too: its deadline is the
	// last that is set.
	stop := context.AfterFunc(ctx, shake.end)
	h, secure, err := s.handshake(ctx, conn, &peer)
	s.endHandshake(shake)
	stop()
	if secure != nil {
		conn = secure
	}
	if err != nil || ctx.Err() != nil {
		s.logHandshake(remote, err)
		closeGently(conn)
		return
	}
	if err := s.newSession(conn, h, peer).run(ctx); err != nil && ctx.Err() == nil {
		s.log.Debug("session ended", "viewer", remote, "error", err)
	}
}

// handshake leads the viewer up to its ClientInit. secure, if not nil, is what the
// connection has become.
func (s *Server) handshake(ctx context.Context, conn net.Conn, p *Peer) (h rfb.Handshake, secure net.Conn, err error) {
	limitUnsent(conn)
	host := hostOf(conn.RemoteAddr())
	if gate := s.cfg.Hooks.Gate; gate != nil {
		if err := gate(ctx, *p); err != nil {
			_, werr := conn.Write(rfb.Version38.Append(nil))
			return h, nil, errors.Join(errNotAdmitted, err, werr)
		}
	}
	if s.ban.banned(host, time.Now()) {
		err := rfb.Refuse(conn, "Too many security failures")
		return h, nil, errors.Join(errBanned, err)
	}
	cfg := s.handshakeConfig(ctx, *p)
	cfg.OnAuthFailure = func() string {
		s.ban.failed(host, time.Now())
		return "Authentication failed"
	}
	if s.wantsTLS(conn) {
		cfg.StartTLS = s.startTLS(ctx, conn, &secure)
	}
	if h, err = rfb.Accept(conn, cfg); err != nil {
		return h, secure, err
	}
	if h.Security == rfb.SecurityVncAuth {
		s.ban.succeeded(host)
	}
	p.Rights, _ = h.Grant.(Rights)
	if admit := s.cfg.Hooks.Admit; admit != nil {
		if p.Rights, err = admit(ctx, *p); err != nil {
			return h, secure, errors.Join(errNotAdmitted, err)
		}
		h.Grant = p.Rights
	}
	return h, secure, conn.SetDeadline(time.Time{})
}

// logHandshake says what the operator should know of a connection that did not
// become a viewer. Port probes, scans and browsers' preconnects come and go all
// day: they are nobody's concern.
func (s *Server) logHandshake(remote string, err error) {
	switch {
	case err == nil:
	case errors.Is(err, rfb.ErrAuthentication):
		s.log.Warn("wrong password", "viewer", remote)
	case errors.Is(err, errNotAdmitted):
		s.log.Info("viewer not admitted", "viewer", remote, "reason", firstLine(err))
	case errors.Is(err, errBanned):
		s.log.Info("refused after too many wrong passwords", "viewer", remote)
	default:
		s.log.Debug("connection did not become a viewer", "remote", remote, "error", err)
	}
}

// firstLine returns what was said behind errNotAdmitted.
func firstLine(err error) string {
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		if all := list.Unwrap(); len(all) > 1 {
			return all[1].Error()
		}
	}
	return err.Error()
}

// handover is how long a viewer waits for one that is just leaving: who reconnects
// must not be refused because of the connection before, of whose end we hear late on a
// busy machine.
const handover = 2 * time.Second

// join makes se one of the sessions, and disconnects others as sharing says.
// errBusy says that it is se that has to go.
func (s *Server) join(ctx context.Context, se *session, shared bool) error {
	s.mu.Lock()
	alone := s.cfg.Sharing == SharingNever || s.cfg.Sharing == SharingViewer && !shared
	if s.cfg.Sharing == SharingRefuse && !s.awaitFree(ctx) {
		s.mu.Unlock()
		return errBusy
	}
	if alone {
		s.giveWay(se.remote)
	}
	s.sessions[se] = struct{}{}
	s.watchClipboard()
	s.mu.Unlock()
	if alone && s.cfg.Alone != nil {
		s.cfg.Alone(se.remote)
	}
	s.counted()
	return nil
}

// awaitFree waits for the last session to end, and reports whether it has. The
// caller holds s.mu, which is not held while waiting.
func (s *Server) awaitFree(ctx context.Context) bool {
	limit := time.NewTimer(handover)
	defer limit.Stop()
	for waiting := true; waiting && s.present() > 0; {
		freed := s.freed
		s.mu.Unlock()
		select {
		case <-freed:
		case <-limit.C:
			waiting = false
		case <-ctx.Done():
			waiting = false
		}
		s.mu.Lock()
	}
	return s.present() == 0
}

// giveWay disconnects all viewers. The caller holds s.mu.
func (s *Server) giveWay(to string) {
	for other := range s.sessions {
		s.log.Info("viewer gives way to another that does not share", "viewer", other.remote, "to", to)
		other.stop()
	}
	for g := range s.guests {
		s.log.Info("viewer gives way to another that does not share", "viewer", g.peer.Remote.String(), "to", to)
		g.stop()
	}
}

// leave takes se from the sessions and tells how many there are still.
func (s *Server) leave(se *session) int {
	defer s.counted()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, se)
	close(s.freed)
	s.freed = make(chan struct{})
	s.watchClipboard()
	return s.present()
}

// watchClipboard lets the clipboard be watched while there are viewers.
func (s *Server) watchClipboard() {
	if w, ok := s.cfg.Clipboard.(input.ClipboardWatcher); ok {
		w.SetActive(len(s.sessions) > 0)
	}
}

// SetClipboard gives the X server's clipboard, UTF-8, to the viewers.
func (s *Server) SetClipboard(text string) { s.spreadClipboard(text, nil) }

func (s *Server) spreadClipboard(text string, from *session) {
	if len(text) > s.cfg.MaxCutText {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for se := range s.sessions {
		if se != from {
			se.offerClipboard(text)
		}
	}
}

// Bell rings the viewers' bells.
func (s *Server) Bell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for se := range s.sessions {
		se.wish(func(w *wishes) { w.bell = true })
	}
}

// closeGently ends a connection so that the peer reads everything that was sent:
// closing with unread input would make the kernel send RST, which destroys what
// is still under way.
func closeGently(conn net.Conn) {
	if c, ok := conn.(interface{ CloseWrite() error }); ok && c.CloseWrite() == nil {
		conn.SetReadDeadline(time.Now().Add(lingerLimit))
		var scratch [4096]byte
		for range 64 {
			if _, err := conn.Read(scratch[:]); err != nil {
				break
			}
		}
	}
	conn.Close()
}

// lingerLimit is how long closeGently waits for the peer's end.
const lingerLimit = 250 * time.Millisecond
