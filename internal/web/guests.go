package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"framebridge/internal/stream"
	"framebridge/internal/vnc"
)

// What Config.Guests, Config.Sockets and Config.TLSOnly change: this is how servers
// of the VNC world behave to browsers.

// isWebSocket reports whether a request asks for a WebSocket (RFC 6455, section
// 4.1).
func isWebSocket(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// inTheClear answers requests that come without TLS where there has to be: browsers
// that ask for a page are led to https.
func (s *Server) inTheClear(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if (r.Method == http.MethodGet || r.Method == http.MethodHead) && !isWebSocket(r) && r.Host != "" {
		http.Redirect(w, r, "https://"+r.Host+r.URL.RequestURI(), http.StatusTemporaryRedirect)
		return
	}
	w.Header().Set("Connection", "close")
	http.Error(w, "only https is served here", http.StatusForbidden)
}

// anySocket serves RFB in a WebSocket that any page may open, where RFB asks for a
// password: a page cannot know it. Where it does not, the page must be of the same
// host, of whatever port, and the host's name one that nobody else can own.
func (s *Server) anySocket(w http.ResponseWriter, r *http.Request) {
	if _, open := s.cfg.VNC.Open(); open && (!s.checkHost(w, r) || !s.checkSameHost(w, r)) {
		return
	}
	s.upgrade(w, r, s.websockify)
}

// checkSameHost refuses WebSockets of pages of other hosts.
func (s *Server) checkSameHost(w http.ResponseWriter, r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) == 0 || s.sameOrigin(r) {
		return true
	}
	if o, err := url.Parse(origins[0]); err == nil && len(origins) == 1 && o.Host != "" && strings.EqualFold(o.Hostname(), hostname(r.Host)) {
		return true
	}
	http.Error(w, "not for pages of other hosts", http.StatusForbidden)
	return false
}

// errGone is the end of a guest that has to go.
const errGone = stream.Farewell("disconnected by the server")

// enter lets a page in as a guest of the VNC server. The context ends when the page
// has to go; leave is called when it has gone.
func (s *Server) enter(ctx context.Context, ws socket, rights vnc.Rights) (_ context.Context, _ vnc.Rights, leave func(), err error) {
	inside, stop := context.WithCancelCause(ctx)
	g, rights, err := s.cfg.VNC.Enter(ctx, ws.raw.RemoteAddr(), ws.raw.LocalAddr(), rights, func() { stop(errGone) })
	if err != nil {
		stop(nil)
		return ctx, rights, nil, err
	}
	return inside, rights, func() { g.Leave(); stop(nil) }, nil
}
