// Package web serves browsers: the page, what the page talks to, and RFB in
// WebSockets for viewers such as noVNC. All its addresses are siblings, and no
// answer names one from the root on, so that it works below a path prefix behind a
// reverse proxy that strips the prefix:
//
//	.              the page, or the files of another one (Config.Dir)
//	session        GET: whether a password is needed
//	login          POST {"password":"..."}: exchanges it for a cookie
//	logout         POST: ends what the cookie stands for
//	stream         WebSocket: package stream's messages
//	whep           POST: WebRTC (WHEP); whep/ID is a session
//	websockify     WebSocket: RFB, which asks for its password by itself
//	snapshot.png   the screen now
//	healthz        200 while the program lives
//	readyz         200 while the display is there
package web

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"framebridge/internal/rtc"
	"framebridge/internal/screen"
	"framebridge/internal/stream"
	"framebridge/internal/vnc"
)

//go:embed page
var page embed.FS

// Config configures a Server. VNC, Screen and Stream must be set.
type Config struct {
	// VNC serves the viewers that come through WebSockets, and knows the passwords.
	VNC    *vnc.Server
	Screen *screen.Screen
	// Stream serves pages, and OpenVideo makes the frames for one; it closes what it
	// was given. Without OpenVideo pages are told that there is no video.
	Stream    *stream.Server
	OpenVideo func() (stream.Video, error)
	// RTC serves WebRTC; nil: there is none.
	RTC *rtc.Server
	// TLS says that the port speaks https, too: browsers of other machines are led
	// there.
	TLS bool
	// TLSOnly serves nothing in the clear.
	TLSOnly bool
	// Guests makes pages guests of VNC: its hooks decide about them and follow them,
	// and its rule says who gives way. There is no snapshot then.
	Guests bool
	// Sockets takes every WebSocket for RFB that is not one of the page's, whatever its
	// path, and from pages of other origins: of any where a password is asked for, else
	// of other ports of the same host. So does libvncserver, and people let a noVNC
	// that is elsewhere connect to it.
	Sockets bool
	// NoPage serves what Sockets says and nothing else.
	NoPage bool
	// Ready reports whether the display is there; nil: it always is.
	Ready func() bool
	// Dir is a folder whose files are served in place of the page, such as noVNC's;
	// empty: the page.
	Dir string
	// Hosts are names under which browsers reach the server, beside those that
	// nobody else can own (guard.go). They matter where no password is asked for, and
	// behind proxies that change the Host header.
	Hosts []string
	// Logger; nil: slog.Default().
	Logger *slog.Logger
}

const (
	// headerLimit and bodyLimit are how long a client may take for a request's header
	// and for all of it. They are small.
	headerLimit = 10 * time.Second
	bodyLimit   = 30 * time.Second
	// answerLimit is how long a client may take to read an answer; a snapshot over a
	// slow link is the longest. WebSockets have no such limit.
	answerLimit = 2 * time.Minute
	// idleLimit is how long a connection without a request is kept.
	idleLimit = time.Minute
	// maxHeader bounds a request's header: a browser's, with cookies, is below 4 KB.
	maxHeader = 16 << 10
	// closeLimit is how long a WebSocket may take to agree to its end.
	closeLimit = 300 * time.Millisecond
)

// Server is the HTTP server.
type Server struct {
	cfg      Config
	log      *slog.Logger
	files    *files
	sessions sessions
	hostname string
	idle     idle
	running  sync.WaitGroup // connections and WebSockets: net/http does not wait for them

	logins    chan struct{} // one per login that is being read
	snapshots chan struct{} // one per snapshot that is being made
	offers    chan struct{} // one per offer that is being answered
}

const (
	// maxLogins and maxSnapshots bound what takes memory or time of the CPU.
	maxLogins    = 64
	maxSnapshots = 2
)

// New returns a server, or an error that names what is wrong with cfg.
func New(cfg Config) (*Server, error) {
	if cfg.VNC == nil {
		return nil, errors.New("web: Config.VNC is nil")
	}
	if cfg.Screen == nil {
		return nil, errors.New("web: Config.Screen is nil")
	}
	if cfg.Stream == nil {
		return nil, errors.New("web: Config.Stream is nil")
	}
	if cfg.Guests && cfg.RTC != nil {
		return nil, errors.New("web: Config.RTC with Guests")
	}
	if cfg.NoPage && !cfg.Sockets {
		return nil, errors.New("web: Config.NoPage without Sockets")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	s := &Server{
		cfg: cfg, log: cfg.Logger,
		logins: make(chan struct{}, maxLogins), snapshots: make(chan struct{}, maxSnapshots),
		offers: make(chan struct{}, maxOffers),
	}
	s.hostname, _ = os.Hostname()
	root, err := fs.Sub(page, "page")
	if err != nil {
		return nil, err
	}
	if cfg.Dir != "" {
		if root, err = openDir(cfg.Dir); err != nil {
			return nil, err
		}
	}
	s.files = newFiles(root, cfg.Dir == "")
	return s, nil
}

// Serve serves browsers on l until ctx is done, then ends all WebSockets and
// waits for them. It closes l.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true) // WebSockets need it
	srv := &http.Server{
		Handler:                      s,
		Protocols:                    protocols,
		ReadHeaderTimeout:            headerLimit,
		ReadTimeout:                  bodyLimit,
		WriteTimeout:                 answerLimit,
		IdleTimeout:                  idleLimit,
		MaxHeaderBytes:               maxHeader,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		BaseContext:                  func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
		ConnState: func(c net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				s.running.Add(1)
			case http.StateClosed, http.StateHijacked:
				s.running.Done()
			}
			s.idle.state(c, state)
		},
	}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	err := srv.Serve(l)
	if ctx.Err() != nil {
		err = nil // it ended as it should
	}
	cancel()
	if !stop() {
		srv.Close()
	}
	s.running.Wait()
	return err
}

// connKey is where a request's context has its connection.
type connKey struct{}

func connOf(r *http.Request) net.Conn {
	c, _ := r.Context().Value(connKey{}).(net.Conn)
	return c
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if c := connOf(r); c != nil {
		s.idle.leave(c)
	}
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if r.ProtoMajor != 1 {
		w.Header().Set("Connection", "close")
		http.Error(w, "want HTTP/1.1", http.StatusHTTPVersionNotSupported)
		return
	}
	name, ok := strings.CutPrefix(r.URL.Path, "/")
	if !ok {
		http.Error(w, "want a path", http.StatusBadRequest)
		return
	}
	if s.cfg.TLSOnly && r.TLS == nil {
		s.inTheClear(w, r)
		return
	}
	if s.cfg.Sockets && isWebSocket(r) && (name != "stream" || s.cfg.NoPage) {
		s.anySocket(w, r)
		return
	}
	if s.cfg.NoPage {
		http.Error(w, "this is a VNC server: it has WebSockets, and no page", http.StatusNotFound)
		return
	}
	switch name {
	case "healthz":
		s.get(s.healthz)(w, r)
		return
	case "readyz":
		s.get(s.readyz)(w, r)
		return
	}
	if !s.checkHost(w, r) {
		return
	}
	switch name {
	case "session":
		s.get(s.session)(w, r)
	case "login":
		s.post(s.login)(w, r)
	case "logout":
		s.post(s.logout)(w, r)
	case "stream":
		s.stream(w, r)
	case "whep":
		s.whep(w, r, "")
	case "websockify":
		s.websocket(w, r, s.websockify)
	case "snapshot.png":
		if s.cfg.Guests {
			http.NotFound(w, r)
			return
		}
		s.get(s.snapshot)(w, r)
	default:
		if s.toHTTPS(w, r) {
			return
		}
		if id, ok := strings.CutPrefix(name, "whep/"); ok && id != "" {
			s.whep(w, r, id)
			return
		}
		s.get(s.files.ServeHTTP)(w, r)
	}
}

func (s *Server) get(f http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET", http.StatusMethodNotAllowed)
			return
		}
		f(w, r)
	}
}

func (s *Server) post(f http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", "POST")
			http.Error(w, "only POST", http.StatusMethodNotAllowed)
			return
		}
		if s.checkOrigin(w, r) {
			f(w, r)
		}
	}
}

// healthz says that the program answers.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, "ok") }

// readyz says whether there is a display to show.
func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	if s.cfg.Ready == nil || s.cfg.Ready() {
		text(w, http.StatusOK, "ok")
		return
	}
	text(w, http.StatusServiceUnavailable, "waiting for the display")
}

// text answers with a line of text.
func text(w http.ResponseWriter, code int, line string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	w.Write([]byte(line + "\n")) //nolint:errcheck // the client has gone
}
