package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"framebridge/input"
	"framebridge/internal/screen"
)

// A Transport carries messages to and from one page.
type Transport interface {
	// Read returns the next message, which is valid until the next Read. Messages
	// longer than Server.MaxMessage may be refused with an error. One goroutine
	// reads.
	Read() ([]byte, error)
	// Write sends a message, of which it keeps nothing. Several goroutines may
	// write. It ends with ctx, after which the transport need not work any more.
	Write(ctx context.Context, b []byte) error
	// Close ends the transport once what was written is on its way, and makes Read
	// return. failed says that the page was at fault.
	Close(failed bool)
}

// Rights is what a page may do.
type Rights struct {
	Control      bool // keyboard and pointer
	ClipboardIn  bool // the page's clipboard reaches X
	ClipboardOut bool // X's clipboard reaches the page
	Resize       bool // the page may ask for another size of the screen
}

// Peer is who a session is for.
type Peer struct {
	Remote string // address, for the log
	Kind   string // of transport, for the log
	Rights Rights
	// Video makes the frames; nil where they go another way. Serve closes it.
	Video Video
}

// Config configures a Server. Screen must be set.
type Config struct {
	Screen *screen.Screen
	// Sink gets the pages' keys and pointers; nil: nobody can control.
	Sink input.Sink
	// Clipboard gets the pages' clipboards; nil: none.
	Clipboard input.Clipboard
	// DesktopName is what pages show in their title; empty: "framebridge".
	DesktopName string
	// MaxClipboard bounds clipboards in bytes; 0: 1 MiB.
	MaxClipboard int
	// Resize asks for another size of the screen in pixels; nil: that cannot be.
	Resize func(width, height int) error
	// Viewers returns how many look at the screen, those of other kinds among them;
	// nil: the pages.
	Viewers func() int
	// OnViewers is called when a page has come or gone; it must not block. Nil:
	// nothing.
	OnViewers func()
	// Alone says that each page disconnects the others. The function is called for
	// viewers of other kinds; nil: pages share.
	Alone func(viewer string)
	// Logger; nil: slog.Default().
	Logger *slog.Logger
}

// maxPages bounds the pages. Each costs some goroutines and up to two frames.
const maxPages = 512

// defaultClipboard is RFB's bound, too.
const defaultClipboard = 1 << 20

// Server serves the pages that look at one screen.
type Server struct {
	cfg    Config
	log    *slog.Logger
	limits limits

	mu    sync.Mutex
	pages map[*session]struct{}
}

// limits are the times that a page has. Tests have shorter ones.
type limits struct {
	ping   time.Duration // silence after which the page is asked whether it is there
	answer time.Duration // silence after which it is not
	ack    time.Duration // until a frame is shown
	write  time.Duration // until the page has taken a message
	end    time.Duration // until it has taken the last one
	rekey  time.Duration // between two key frames for its sake
}

var defaultLimits = limits{
	// Port forwarding and proxies cut connections that are silent for a minute.
	ping:   15 * time.Second,
	answer: 45 * time.Second,
	// A key frame of a large screen over a bad link takes some seconds.
	ack:   30 * time.Second,
	write: 30 * time.Second,
	end:   300 * time.Millisecond,
	rekey: 250 * time.Millisecond,
}

// New returns a server, or an error that names what is wrong with cfg.
func New(cfg Config) (*Server, error) {
	if cfg.Screen == nil {
		return nil, errors.New("stream: Config.Screen is nil")
	}
	if cfg.MaxClipboard < 0 {
		return nil, fmt.Errorf("stream: Config.MaxClipboard %d is negative", cfg.MaxClipboard)
	}
	if cfg.MaxClipboard == 0 {
		cfg.MaxClipboard = defaultClipboard
	}
	if cfg.DesktopName == "" {
		cfg.DesktopName = "framebridge"
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &Server{cfg: cfg, log: cfg.Logger, limits: defaultLimits, pages: make(map[*session]struct{})}, nil
}

// MaxMessage is the length of the longest message that a page may send.
func (s *Server) MaxMessage() int { return max(1+s.cfg.MaxClipboard, 1+maxSettings) }

// Serve serves one page until it leaves, breaks the rules or ctx is done. It
// closes t and p.Video.
func (s *Server) Serve(ctx context.Context, t Transport, p Peer) {
	if p.Video != nil {
		defer p.Video.Close()
	}
	se := s.newSession(t, p)
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	se.end = end
	if err := s.join(se); err != nil {
		Refuse(ctx, t, err.Error())
		return
	}
	defer s.leave(se)
	se.run(ctx)
}

// Refuse tells a page why it is not served, and closes t.
func Refuse(ctx context.Context, t Transport, why string) { refuse(ctx, t, Bye{Text: why}) }

// Dismiss is Refuse for a page that shall not try again.
func Dismiss(ctx context.Context, t Transport, why string) {
	refuse(ctx, t, Bye{Final: true, Text: why})
}

func refuse(ctx context.Context, t Transport, bye Bye) {
	ctx, cancel := context.WithTimeout(ctx, defaultLimits.end)
	defer cancel()
	t.Write(ctx, bye.Append(nil)) //nolint:errcheck // the page has gone
	t.Close(false)
}

func (s *Server) join(se *session) error {
	s.mu.Lock()
	if len(s.pages) >= maxPages {
		s.mu.Unlock()
		s.log.Warn("too many pages: one is turned away", "viewer", se.peer.Remote)
		return errors.New("too many viewers")
	}
	if s.cfg.Alone != nil {
		s.giveWay(se.peer.Remote)
	}
	s.pages[se] = struct{}{}
	s.watchClipboard()
	s.mu.Unlock()
	if s.cfg.Alone != nil {
		s.cfg.Alone(se.peer.Remote)
	}
	s.counted()
	return nil
}

func (s *Server) leave(se *session) {
	s.mu.Lock()
	delete(s.pages, se)
	s.watchClipboard()
	s.mu.Unlock()
	s.counted()
}

func (s *Server) counted() {
	if s.cfg.OnViewers != nil {
		s.cfg.OnViewers()
		return
	}
	s.Changed()
}

// watchClipboard lets the clipboard be watched while there are pages.
func (s *Server) watchClipboard() {
	if w, ok := s.cfg.Clipboard.(input.ClipboardWatcher); ok {
		w.SetActive(len(s.pages) > 0)
	}
}

// GiveWay disconnects all pages for a viewer that takes the screen for itself. It
// does not wait for their end.
func (s *Server) GiveWay(to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.giveWay(to)
}

func (s *Server) giveWay(to string) {
	for se := range s.pages {
		se.log.Info("viewer gives way to another that does not share", "to", to)
		se.end(Farewell("another viewer took the screen for itself"))
	}
}

// Viewers returns how many pages there are.
func (s *Server) Viewers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.pages)
}

// Changed makes the pages look at what State tells.
func (s *Server) Changed() { s.each(func(*session) {}) }

// SetClipboard gives the X server's clipboard, or another viewer's, to the pages.
func (s *Server) SetClipboard(text string) { s.spreadClipboard(text, nil) }

func (s *Server) spreadClipboard(text string, from *session) {
	if len(text) > s.cfg.MaxClipboard {
		return
	}
	s.each(func(se *session) {
		if se != from && se.peer.Rights.ClipboardOut {
			se.news.clip = &text
		}
	})
}

// Bell rings the pages' bells.
func (s *Server) Bell() { s.each(func(se *session) { se.news.bell = true }) }

// each changes the news of all pages.
func (s *Server) each(f func(se *session)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for se := range s.pages {
		se.tell(func() { f(se) })
	}
}
