package web

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"framebridge/internal/vnc"
)

const (
	// maxLoginBody bounds what a login sends: a password has eight characters that
	// count, and people paste long ones.
	maxLoginBody = 4 << 10
	// maxSessions bounds the cookies that are good; beyond, the one used longest ago is
	// not any more.
	maxSessions = 1024
	// sessionLimit is how long a cookie is good after its last use.
	sessionLimit = 24 * time.Hour
)

// sessions are the logins that hold. They are known by the hash of their token, so
// that looking one up takes no time that depends on a token that is good. The zero
// value is ready.
type sessions struct {
	mu sync.Mutex
	m  map[[sha256.Size]byte]*login
}

type login struct {
	rights vnc.Rights
	used   time.Time
}

// open starts a session and returns its token.
func (s *sessions) open(r vnc.Rights, now time.Time) string {
	token := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil {
		s.m = make(map[[sha256.Size]byte]*login)
	}
	if len(s.m) >= maxSessions {
		s.forgetOldest()
	}
	s.m[sha256.Sum256([]byte(token))] = &login{r, now}
	return token
}

func (s *sessions) forgetOldest() {
	var oldest [sha256.Size]byte
	var at time.Time
	for k, l := range s.m {
		if at.IsZero() || l.used.Before(at) {
			oldest, at = k, l.used
		}
	}
	delete(s.m, oldest)
}

// find returns what a token's session may do.
func (s *sessions) find(token string, now time.Time) (vnc.Rights, bool) {
	k := sha256.Sum256([]byte(token))
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.m[k]
	if l == nil {
		return vnc.Rights{}, false
	}
	if now.Sub(l.used) > sessionLimit {
		delete(s.m, k)
		return vnc.Rights{}, false
	}
	l.used = now
	return l.rights, true
}

func (s *sessions) close(token string) {
	s.mu.Lock()
	delete(s.m, sha256.Sum256([]byte(token)))
	s.mu.Unlock()
}

// cookieName is the cookie's name. Cookies do not know ports, and several servers
// are often forwarded to ports of the same localhost: the port is in the name.
func cookieName(r *http.Request) string {
	if _, port, err := net.SplitHostPort(r.Host); err == nil && port != "" && strings.Trim(port, "0123456789") == "" {
		return "framebridge-" + port
	}
	return "framebridge"
}

// setCookie gives the browser a token; an empty one takes it away. Without a path
// it belongs to the folder of the request (RFC 6265, section 5.1.4), which is what a
// path prefix needs.
func setCookie(w http.ResponseWriter, r *http.Request, token string) {
	c := &http.Cookie{Name: cookieName(r), Value: token, HttpOnly: true, Secure: secure(r), SameSite: http.SameSiteStrictMode}
	if token == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// rights returns what the request's sender may do; ok is false where a password is
// needed first.
func (s *Server) rights(r *http.Request) (_ vnc.Rights, ok bool) {
	if rights, open := s.cfg.VNC.Open(); open {
		return rights, true
	}
	// A browser may hold one of another path, or of a server that was here before.
	for _, c := range r.CookiesNamed(cookieName(r)) {
		if rights, ok := s.sessions.find(c.Value, time.Now()); ok {
			return rights, true
		}
	}
	return vnc.Rights{}, false
}

// sessionState is session's answer, and login's.
type sessionState struct {
	Auth    string `json:"auth"`    // "ok" or "needed"
	Control bool   `json:"control"` // with auth "ok": keys and pointer are heard
}

func (s *Server) session(w http.ResponseWriter, r *http.Request) {
	if rights, ok := s.rights(r); ok {
		answer(w, http.StatusOK, sessionState{"ok", rights.Control})
		return
	}
	answer(w, http.StatusOK, sessionState{Auth: "needed"})
}

// failure is the answer where a login fails.
type failure struct {
	Error string `json:"error"` // to be shown
}

func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	if s.cfg.Guests {
		if c := connOf(r); c == nil || s.cfg.VNC.Gate(r.Context(), c.RemoteAddr(), c.LocalAddr()) != nil {
			answer(w, http.StatusForbidden, failure{"this server does not let you in"})
			return
		}
	}
	// A form of another site can send text, but no JSON.
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		answer(w, http.StatusUnsupportedMediaType, failure{"send JSON"})
		return
	}
	select {
	case s.logins <- struct{}{}:
		defer func() { <-s.logins }()
	default:
		answer(w, http.StatusServiceUnavailable, failure{"too many logins at once, try again"})
		return
	}
	var q struct {
		Password string `json:"password"`
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxLoginBody))
	if err == nil {
		err = json.Unmarshal(body, &q)
	}
	if err != nil {
		answer(w, http.StatusBadRequest, failure{`want {"password": "..."}`})
		return
	}
	if rights, open := s.cfg.VNC.Open(); open {
		answer(w, http.StatusOK, sessionState{"ok", rights.Control})
		return
	}
	rights, err := s.authenticate(r, q.Password)
	if err != nil {
		s.refuse(w, err)
		return
	}
	setCookie(w, r, s.sessions.open(rights, time.Now()))
	answer(w, http.StatusOK, sessionState{"ok", rights.Control})
}

// authenticate checks a password that the request brings.
func (s *Server) authenticate(r *http.Request, password string) (vnc.Rights, error) {
	return s.cfg.VNC.Authenticate(r.Context(), remoteAddr(r), []byte(password))
}

func remoteAddr(r *http.Request) net.Addr {
	if c := connOf(r); c != nil {
		return c.RemoteAddr()
	}
	return address(r.RemoteAddr)
}

// refuse says what authenticate had against the password.
func (s *Server) refuse(w http.ResponseWriter, err error) {
	if errors.Is(err, vnc.ErrBanned) {
		w.Header().Set("Retry-After", "10")
		answer(w, http.StatusTooManyRequests, failure{"too many wrong passwords: wait and try again"})
		return
	}
	if !errors.Is(err, vnc.ErrPassword) {
		s.log.Warn("a login could not be checked", "error", err)
		answer(w, http.StatusInternalServerError, failure{"the server cannot check passwords"})
		return
	}
	answer(w, http.StatusUnauthorized, failure{"wrong password"})
}

// address is a net.Addr of text.
type address string

func (a address) Network() string { return "tcp" }
func (a address) String() string  { return string(a) }

func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	for _, c := range r.CookiesNamed(cookieName(r)) {
		s.sessions.close(c.Value)
	}
	setCookie(w, r, "")
	s.session(w, withoutCookies(r))
}

func withoutCookies(r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	r.Header.Del("Cookie")
	return r
}

// answer answers with JSON.
func answer(w http.ResponseWriter, code int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own types
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	w.Write(append(b, '\n')) //nolint:errcheck // the client has gone
}
