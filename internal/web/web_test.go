package web

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"framebridge/internal/screen"
	"framebridge/internal/stream"
	"framebridge/internal/vnc"
	"framebridge/rfb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const timeout = 30 * time.Second

// rig is a server on a port of its own.
type rig struct {
	t    *testing.T
	s    *Server
	addr string
	*http.Client
}

func setUp(t *testing.T, change func(web *Config, v *vnc.Config)) *rig {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	scr := screen.New(screen.Config{Logger: quiet})
	vc := vnc.Config{Screen: scr, NoAuth: true, NoAuthRights: vnc.FullRights, Logger: quiet}
	wc := Config{Screen: scr, Logger: quiet}
	if change != nil {
		change(&wc, &vc)
	}
	var err error
	wc.VNC, err = vnc.New(vc)
	require.NoError(t, err)
	wc.Stream, err = stream.New(stream.Config{Screen: scr, Logger: quiet})
	require.NoError(t, err)
	s, err := New(wc)
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	tr := &http.Transport{}
	r := &rig{t, s, l.Addr().String(), &http.Client{Transport: tr, Jar: jar, Timeout: timeout}}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { assert.NoError(t, s.Serve(ctx, l)) })
	t.Cleanup(func() { tr.CloseIdleConnections(); cancel(); wg.Wait() })
	return r
}

func withPassword(_ *Config, v *vnc.Config) {
	v.NoAuth = false
	v.Passwords = []rfb.Password{
		{Secret: []byte("sesame"), Grant: vnc.FullRights},
		{Secret: []byte("looking"), Grant: vnc.ViewRights},
	}
}

func (r *rig) do(method, path, body string, headers ...string) (*http.Response, string) {
	r.t.Helper()
	return r.at("http://"+r.addr, method, path, body, headers...)
}

func (r *rig) at(base, method, path, body string, headers ...string) (*http.Response, string) {
	r.t.Helper()
	q, err := http.NewRequestWithContext(r.t.Context(), method, base+path, strings.NewReader(body))
	require.NoError(r.t, err)
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			q.Host = headers[i+1]
		}
		q.Header.Set(headers[i], headers[i+1])
	}
	resp, err := r.Do(q)
	require.NoError(r.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	return resp, string(b)
}

const asJSON = "application/json"

// TestPage: the page and its parts come with the right types and headers, and a
// second time not at all.
func TestPage(t *testing.T) {
	r := setUp(t, nil)
	tested := 0
	for path, kind := range map[string]string{
		"/": "text/html; charset=utf-8", "/index.html": "text/html; charset=utf-8", "/main.js": "text/javascript; charset=utf-8",
		"/style.css": "text/css; charset=utf-8", "/icon.svg": "image/svg+xml", "/robots.txt": "text/plain; charset=utf-8",
	} {
		resp, body := r.do("GET", path, "")
		require.Equal(t, http.StatusOK, resp.StatusCode, path)
		require.NotEmpty(t, body)
		h := resp.Header
		require.Equal(t, kind, h.Get("Content-Type"), path)
		require.Contains(t, h.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self';")
		require.NotContains(t, h.Get("Content-Security-Policy"), "unsafe")
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
		require.Equal(t, "no-cache", h.Get("Cache-Control"))
		require.NotEmpty(t, h.Get("ETag"))
		resp, body = r.do("GET", path, "", "If-None-Match", h.Get("ETag"))
		require.Equal(t, http.StatusNotModified, resp.StatusCode, path)
		require.Empty(t, body)
		resp, body = r.do("HEAD", path, "")
		require.Equal(t, http.StatusOK, resp.StatusCode)
		require.Empty(t, body)
		tested++
	}
	require.Equal(t, 6, tested)
	for _, c := range []struct {
		method, path string
		code         int
	}{
		{"GET", "/none", 404}, {"GET", "/none/", 404}, {"GET", "/../web.go", 404}, {"GET", "/%2e%2e/web.go", 404},
		{"GET", "//", 404}, {"GET", "/./index.html", 404}, {"GET", "/index.html/", 404}, {"GET", "/.git/config", 404},
		{"POST", "/", 405}, {"PUT", "/index.html", 405}, {"GET", "/login", 405}, {"POST", "/session", 405}, {"GET", "/logout", 405},
		{"OPTIONS", "/stream", 426},
	} {
		resp, _ := r.do(c.method, c.path, "")
		assert.Equal(t, c.code, resp.StatusCode, c.path)
	}
}

// TestDir: another folder takes the page's place, and only that.
func TestDir(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("vnc.html", "<script>own</script>")
	write("app/ui.js", "1")
	write("app/index.html", "app")
	write(".hidden", "x")
	write("healthz", "not this")
	write("thing.xyz", "?")
	r := setUp(t, func(w *Config, _ *vnc.Config) { w.Dir = dir })
	for path, want := range map[string]string{
		"/": "<script>own</script>", "/vnc.html": "<script>own</script>", "/app/ui.js": "1", "/app/": "app", "/healthz": "ok\n", "/thing.xyz": "?",
	} {
		resp, body := r.do("GET", path, "")
		require.Equal(t, http.StatusOK, resp.StatusCode, path)
		require.Equal(t, want, body)
		require.NotContains(t, resp.Header.Get("Content-Security-Policy"), "script-src", "a page of others has its own ways")
	}
	for _, path := range []string{"/.hidden", "/app", "/main.js", "/app/../.hidden"} {
		resp, _ := r.do("GET", path, "")
		require.Equal(t, http.StatusNotFound, resp.StatusCode, path)
	}
	first, _ := r.do("GET", "/app/ui.js", "")
	write("app/ui.js", "changed")
	second, body := r.do("GET", "/app/ui.js", "", "If-None-Match", first.Header.Get("ETag"))
	require.Equal(t, http.StatusOK, second.StatusCode)
	require.Equal(t, "changed", body)

	_, err := openDir(filepath.Join(dir, "none"))
	require.ErrorContains(t, err, "no such file")
	_, err = openDir(filepath.Join(dir, "vnc.html"))
	require.ErrorContains(t, err, "not a folder")
}

// TestEtags: a folder of many files does not fill the memory.
func TestEtags(t *testing.T) {
	root := fstest.MapFS{}
	for i := range maxEtags + 10 {
		root[fmt.Sprint(i)] = &fstest.MapFile{Data: []byte("x")}
	}
	f := newFiles(root, false)
	for name := range root {
		file, err := root.Open(name)
		require.NoError(t, err)
		st, err := file.Stat()
		require.NoError(t, err)
		_, err = f.etag(name, st, file.(io.ReadSeeker))
		require.NoError(t, err)
	}
	require.LessOrEqual(t, len(f.etags), maxEtags)
}

func TestLogin(t *testing.T) {
	r := setUp(t, withPassword)
	_, body := r.do("GET", "/session", "")
	require.JSONEq(t, `{"auth":"needed","control":false}`, body)
	for _, c := range []struct {
		body, kind string
		code       int
	}{
		{`{"password":"wrong"}`, asJSON, 401},
		{`{"password":""}`, asJSON, 401},
		{`{}`, asJSON, 401},
		{`{"password":"sesame"}`, "text/plain", 415},
		{`{"password":"sesame"}`, "", 415},
		{`password=sesame`, "application/x-www-form-urlencoded", 415},
		{`{"password":`, asJSON, 400},
		{`{"password":7}`, asJSON, 400},
		{`{"password":"` + strings.Repeat("x", maxLoginBody) + `"}`, asJSON, 400},
	} {
		resp, _ := r.do("POST", "/login", c.body, "Content-Type", c.kind)
		require.Equal(t, c.code, resp.StatusCode, "%.50s", c.body)
		require.Empty(t, resp.Cookies())
	}
	resp, _ := r.do("POST", "/login", `{"password":"sesame"}`, "Content-Type", asJSON, "Origin", "http://evil.example")
	require.Equal(t, http.StatusForbidden, resp.StatusCode)

	resp, body = r.do("POST", "/login", `{"password":"sesame"}`, "Content-Type", asJSON, "Origin", "http://"+r.addr)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.JSONEq(t, `{"auth":"ok","control":true}`, body)
	require.Len(t, resp.Cookies(), 1)
	c := resp.Cookies()[0]
	_, port, err := net.SplitHostPort(r.addr)
	require.NoError(t, err)
	require.Equal(t, "framebridge-"+port, c.Name, "servers on other ports of the same host have theirs")
	require.True(t, c.HttpOnly)
	require.False(t, c.Secure)
	require.Equal(t, http.SameSiteStrictMode, c.SameSite)
	require.Empty(t, c.Path)
	require.NotContains(t, c.Value, "sesame")
	require.GreaterOrEqual(t, len(c.Value), 26, "128 bits")
	_, body = r.do("GET", "/session", "")
	require.JSONEq(t, `{"auth":"ok","control":true}`, body)

	resp, body = r.do("POST", "/login", `{"password":"looking"}`, "Content-Type", asJSON, "X-Forwarded-Proto", "https")
	require.JSONEq(t, `{"auth":"ok","control":false}`, body)
	require.True(t, resp.Cookies()[0].Secure)
	resp, body = r.do("POST", "/logout", "")
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.JSONEq(t, `{"auth":"needed","control":false}`, body)
	resp, _ = r.do("GET", "/session", "", "Cookie", c.Name+"="+c.Value)
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

// TestBan: wrong passwords given here keep out viewers from the same address as
// well.
func TestBan(t *testing.T) {
	r := setUp(t, withPassword)
	for range 5 {
		resp, _ := r.do("POST", "/login", `{"password":"guess"}`, "Content-Type", asJSON)
		require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	}
	resp, body := r.do("POST", "/login", `{"password":"sesame"}`, "Content-Type", asJSON)
	require.Equal(t, http.StatusTooManyRequests, resp.StatusCode)
	require.NotEmpty(t, resp.Header.Get("Retry-After"))
	require.Contains(t, body, "too many")
	resp, _ = r.do("GET", "/snapshot.png", "", "Authorization", "Basic OnNlc2FtZQ==")
	require.Equal(t, http.StatusTooManyRequests, resp.StatusCode)
}

func TestSessions(t *testing.T) {
	var s sessions
	now := time.Now()
	first := s.open(vnc.FullRights, now)
	second := s.open(vnc.ViewRights, now.Add(time.Hour))
	require.NotEqual(t, first, second)
	rights, ok := s.find(first, now.Add(sessionLimit))
	require.True(t, ok)
	require.Equal(t, vnc.FullRights, rights)
	_, ok = s.find(second, now.Add(2*sessionLimit))
	require.False(t, ok, "not used for long")
	_, ok = s.find(first, now.Add(2*sessionLimit))
	require.True(t, ok, "used since")
	_, ok = s.find("", now)
	require.False(t, ok)
	for i := range maxSessions {
		s.open(vnc.ViewRights, now.Add(3*sessionLimit+time.Duration(i)))
	}
	require.Len(t, s.m, maxSessions)
	_, ok = s.find(first, now.Add(2*sessionLimit))
	require.False(t, ok, "the oldest goes")
}

// TestPrefix: below a path of a reverse proxy everything works the same, and the
// cookie belongs to that path.
func TestPrefix(t *testing.T) {
	r := setUp(t, withPassword)
	target, err := url.Parse("http://" + r.addr)
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	proxy := &http.Server{Handler: http.StripPrefix("/my/desk", &httputil.ReverseProxy{
		Transport: tr,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(target)
			p.SetXForwarded()
		},
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	})}
	var wg sync.WaitGroup
	wg.Go(func() { proxy.Serve(l) })
	defer wg.Wait()
	defer proxy.Close()
	base := "http://" + l.Addr().String() + "/my/desk"
	resp, body := r.at(base, "GET", "/", "")
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Contains(t, body, "<html")
	require.NotRegexp(t, `(href|src|action)="/`, body, "an address from the root on")
	resp, _ = r.at(base, "POST", "/login", `{"password":"sesame"}`, "Content-Type", asJSON, "Origin", "http://"+l.Addr().String())
	require.Equal(t, http.StatusOK, resp.StatusCode)
	at, err := url.Parse(base + "/")
	require.NoError(t, err)
	require.Len(t, r.Jar.Cookies(at), 1)
	at.Path = "/"
	require.Empty(t, r.Jar.Cookies(at))
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, base+"/stream", &websocket.DialOptions{
		HTTPClient: r.Client, HTTPHeader: http.Header{"Origin": {"http://" + l.Addr().String()}},
	})
	require.NoError(t, err)
	defer ws.CloseNow()
	_, b, err := ws.Read(ctx)
	require.NoError(t, err)
	m, err := stream.ParseServer(b)
	require.NoError(t, err)
	require.IsType(t, stream.Bye{}, m)
	require.Contains(t, m.(stream.Bye).Text, "no video")
	_, _, err = ws.Read(ctx)
	require.Equal(t, websocket.StatusNormalClosure, websocket.CloseStatus(err))
}

func TestGuard(t *testing.T) {
	s := &Server{hostname: "box.example.org", cfg: Config{Hosts: []string{"desk.example.com"}}}
	for name, own := range map[string]bool{
		"127.0.0.1": true, "192.0.2.7": true, "::1": true, "fe80::1%eth0": true, "localhost": true, "LOCALHOST": true, "": true,
		"desktop": true, "a.localhost": true, "x.local": true, "d.default.svc.cluster.local": true, "d.default.svc": true, "a.home.arpa": true,
		"box.example.org": true, "desk.example.com": true, "DESK.example.com": true,
		"example.com": false, "evil.example": false, "localhost.evil.example": false, "127.0.0.1.nip.example": false, "xlocal.com": false,
	} {
		require.Equal(t, own, s.ownName(name), name)
	}
	s.cfg.Hosts = []string{"*"}
	require.True(t, s.ownName("evil.example"))
	for host, name := range map[string]string{
		"a:1": "a", "a": "a", "[::1]:80": "::1", "[::1]": "::1", "a.": "a", "a.:7": "a", "1.2.3.4:5": "1.2.3.4",
	} {
		require.Equal(t, name, hostname(host))
	}
	s.cfg.Hosts = []string{"desk.example.com"}
	for _, c := range []struct {
		host, origin, forwarded string
		ok                      bool
	}{
		{"a:1", "", "", true}, {"a:1", "http://a:1", "", true}, {"a", "https://a:443", "", true}, {"a:80", "http://a", "", true}, {"A:1", "http://a:1", "", true},
		{"a:1", "http://a:2", "", false}, {"a:1", "http://b:1", "", false}, {"a:1", "null", "", false}, {"a:1", "file://a:1", "", false}, {"a:1", "a:1", "", false},
		{"127.0.0.1:1", "https://shown.example", "shown.example", true}, {"127.0.0.1:1", "https://other.example", "shown.example", false},
		{"a:1", "https://desk.example.com", "", true}, {"a:1", "http://desk.example.com:99", "", true},
	} {
		r := &http.Request{Host: c.host, Header: http.Header{}}
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-Host", c.forwarded)
		}
		require.Equal(t, c.ok, s.sameOrigin(r), "%+v", c)
	}
	two := &http.Request{Host: "a", Header: http.Header{"Origin": {"http://a", "http://b"}}}
	require.False(t, s.sameOrigin(two))
}

func TestToHTTPS(t *testing.T) {
	for _, c := range []struct {
		tls                bool
		remote, url, proto string
		method, to         string
	}{
		{true, "192.0.2.1:5", "http://desk:5900/a?b=c", "", "GET", "https://desk:5900/a?b=c"},
		{true, "[2001:db8::1]:5", "http://desk/", "", "GET", "https://desk/"},
		{true, "127.0.0.1:5", "http://localhost:5900/", "", "GET", ""},
		{true, "[::ffff:127.0.0.1]:5", "http://localhost:5900/", "", "GET", ""},
		{true, "192.0.2.1:5", "https://desk:5900/", "", "GET", ""},
		{true, "192.0.2.1:5", "http://desk:5900/", "https", "GET", ""},
		{true, "192.0.2.1:5", "http://desk:5900/", "", "HEAD", ""},
		{false, "192.0.2.1:5", "http://desk:5900/", "", "GET", ""},
	} {
		s := &Server{cfg: Config{TLS: c.tls}}
		r := httptest.NewRequest(c.method, c.url, nil)
		r.RemoteAddr = c.remote
		if c.proto != "" {
			r.Header.Set("X-Forwarded-Proto", c.proto)
		}
		w := httptest.NewRecorder()
		require.Equal(t, c.to != "", s.toHTTPS(w, r), "%+v", c)
		require.Equal(t, c.to, w.Header().Get("Location"))
	}
}

// FuzzGuard: names and origins of any form are judged without a panic, and an origin
// that is taken has the host's name or a configured one.
func FuzzGuard(f *testing.F) {
	f.Add("localhost:5900", "http://localhost:5900", "")
	f.Add("[::1]", "https://[::1]", "x")
	f.Add("a:b:c", "http://a:80:80", "a")
	f.Fuzz(func(t *testing.T, host, origin, forwarded string) {
		s := &Server{hostname: "h"}
		s.ownName(hostname(host))
		printable(hostname(host))
		r := &http.Request{Host: host, Header: http.Header{"Origin": {origin}, "X-Forwarded-Host": {forwarded}}}
		cookieName(r)
		if s.sameOrigin(r) {
			low := strings.ToLower(origin)
			trim := func(h string) string {
				return strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(h, ":80"), ":443"))
			}
			if !strings.Contains(low, trim(host)) && !strings.Contains(low, trim(forwarded)) {
				t.Fatalf("origin %q passes for host %q, forwarded %q", origin, host, forwarded)
			}
		}
	})
}

// TestReady: readiness follows the display, health does not.
func TestReady(t *testing.T) {
	up := false
	r := setUp(t, func(w *Config, _ *vnc.Config) { w.Ready = func() bool { return up } })
	resp, body := r.do("GET", "/readyz", "", "Host", "10.1.2.3:5900")
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	require.Equal(t, "waiting for the display\n", body)
	resp, _ = r.do("GET", "/healthz", "", "Host", "anything.example.com")
	require.Equal(t, http.StatusOK, resp.StatusCode)
	up = true
	resp, _ = r.do("GET", "/readyz", "")
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

// TestBadRequests: what is no HTTP, too long or too slow ends, and nobody else is
// kept waiting.
func TestBadRequests(t *testing.T) {
	r := setUp(t, nil)
	const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	for _, c := range []struct{ says, gets string }{
		{"GET\r\n\r\n", "400"},
		{"GET / HTTP/9.9\r\n\r\n", "505"},
		{"GET / HTTP/1.1\r\n\r\n", "400"}, // no Host
		{"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
		{"GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", "431"},
		{"GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("A: b\r\n", 10000) + "\r\n", "431"},
		{"GET /" + strings.Repeat("x", 64<<10) + " HTTP/1.1\r\nHost: x\r\n\r\n", "431"},
		{"GET http://x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "400"},
		{"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "400"},
		{"POST /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{", "400"},
		{"GET /websockify HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "426"},
		{"GET /websockify HTTP/1.0\r\n" + upgrade, "426"},
		{"GET /stream HTTP/1.1\r\nHost: x\r\n" + strings.Replace(upgrade, "13", "8", 1), "400"},
	} {
		c1, err := net.Dial("tcp", r.addr)
		require.NoError(t, err)
		require.NoError(t, c1.SetDeadline(time.Now().Add(timeout)))
		io.WriteString(c1, c.says) //nolint:errcheck // the server may have had enough
		if strings.Contains(c.says, "99999999999") {
			io.WriteString(c1, strings.Repeat(" ", 1<<20)) //nolint:errcheck // likewise
		}
		line, err := bufio.NewReader(c1).ReadString('\n')
		require.NoError(t, err, "%.60q", c.says)
		require.Contains(t, line, c.gets, "%.60q", c.says)
		c1.Close()
	}
}

// TestBadWebSockets: frames that break RFC 6455 end the connection.
func TestBadWebSockets(t *testing.T) {
	r := setUp(t, nil)
	for _, path := range []string{"/websockify", "/stream"} {
		for _, frame := range []string{
			"\x82\x05hello", // not masked
			"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", // a negative length
			"\x82\xfe",                 // half a length
			"\xf2\x80\x00\x00\x00\x00", // reserved bits
			"\x83\x80\x00\x00\x00\x00", // reserved opcode
			"\x80\x80\x00\x00\x00\x00", // a continuation of nothing
			"\x09\x80\x00\x00\x00\x00", // a fragmented ping
			"\x89\xfe\x00\x7e\x00\x00\x00\x00" + strings.Repeat("x", 126), // a long ping
			"\x88\x81\x00\x00\x00\x00x",                                   // half a status
			"\x02\x80\x00\x00\x00\x00\x82\x80\x00\x00\x00\x00",            // a message within a message
			"\x81\x85\x00\x00\x00\x00hello",                               // text
		} {
			c, err := net.Dial("tcp", r.addr)
			require.NoError(t, err)
			require.NoError(t, c.SetDeadline(time.Now().Add(timeout)))
			_, err = io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
				"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"+frame)
			require.NoError(t, err)
			require.NoError(t, c.(*net.TCPConn).CloseWrite())
			_, err = io.Copy(io.Discard, c)
			if err != nil {
				require.ErrorContains(t, err, "reset", "%s %q", path, frame)
			}
			c.Close()
		}
	}
}

// TestIdle: connections without a request are bounded, the oldest goes first.
func TestIdle(t *testing.T) {
	r := setUp(t, nil)
	var conns []net.Conn
	for range maxIdle + 20 {
		c, err := net.Dial("tcp", r.addr)
		require.NoError(t, err)
		defer c.Close()
		_, err = io.WriteString(c, "GET / HT")
		require.NoError(t, err)
		conns = append(conns, c)
	}
	for i := range 20 {
		require.NoError(t, conns[i].SetDeadline(time.Now().Add(timeout)))
		_, err := io.ReadAll(conns[i])
		if err != nil {
			require.ErrorContains(t, err, "reset") // the port sees to that, not the server
		}
	}
	resp, _ := r.do("GET", "/healthz", "")
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

func TestConfig(t *testing.T) {
	scr := screen.New(screen.Config{})
	v, err := vnc.New(vnc.Config{Screen: scr, NoAuth: true})
	require.NoError(t, err)
	p, err := stream.New(stream.Config{Screen: scr})
	require.NoError(t, err)
	for field, c := range map[string]Config{
		"Config.VNC": {Screen: scr, Stream: p}, "Config.Screen": {VNC: v, Stream: p}, "Config.Stream": {VNC: v, Screen: scr},
		"--web-dir": {VNC: v, Screen: scr, Stream: p, Dir: "/nonexistent"},
	} {
		_, err := New(c)
		require.ErrorContains(t, err, field)
	}
}

// TestTransport: messages of any cut and length arrive whole, or are seen to be too
// long.
func TestTransport(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	const limit = 3000
	lengths := []int{0, 1, 511, 512, 513, 1024, 2999, 3000, 3001}
	var got []int
	done := make(chan struct{})
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		ws, err := websocket.Accept(w, r, nil)
		if !assert.NoError(t, err) {
			return
		}
		defer ws.CloseNow()
		ws.SetReadLimit(-1)
		tr := &pageTransport{ws: socket{Conn: ws}, max: limit}
		for range lengths {
			b, err := tr.Read()
			if !assert.NoError(t, err) {
				return
			}
			assert.Equal(t, bytes.Repeat([]byte{7}, len(b)), b)
			got = append(got, len(b))
		}
	})}
	var wg sync.WaitGroup
	wg.Go(func() { srv.Serve(l) })
	defer wg.Wait()
	defer srv.Close()
	ws, _, err := websocket.Dial(t.Context(), "http://"+l.Addr().String(), nil)
	require.NoError(t, err)
	defer ws.CloseNow()
	for _, n := range lengths {
		require.NoError(t, ws.Write(t.Context(), websocket.MessageBinary, bytes.Repeat([]byte{7}, n)))
	}
	<-done
	require.Equal(t, lengths, got)
}
