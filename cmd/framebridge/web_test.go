package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"image/png"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
	"framebridge/rfb"
	"framebridge/rfb/rfbtest"
)

// browser is an HTTP client with a browser's cookies and nothing else of it.
type browser struct {
	*http.Client
	t    testing.TB
	base string
}

func (s *server) browser() *browser {
	s.t.Helper()
	require.NotEmpty(s.t, s.http)
	jar, err := cookiejar.New(nil)
	require.NoError(s.t, err)
	tr := &http.Transport{}
	s.t.Cleanup(tr.CloseIdleConnections)
	return &browser{&http.Client{Transport: tr, Jar: jar, Timeout: timeout}, s.t, s.http}
}

// get returns an answer's status and body.
func (b *browser) get(path string) (int, []byte) {
	b.t.Helper()
	resp, err := b.Get(b.base + path)
	require.NoError(b.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(b.t, err)
	return resp.StatusCode, body
}

// login sends a password.
func (b *browser) login(password string) (int, map[string]any) {
	b.t.Helper()
	q, err := json.Marshal(map[string]string{"password": password})
	require.NoError(b.t, err)
	resp, err := b.Post(b.base+"login", "application/json", bytes.NewReader(q))
	require.NoError(b.t, err)
	defer resp.Body.Close()
	var answer map[string]any
	require.NoError(b.t, json.NewDecoder(resp.Body).Decode(&answer))
	return resp.StatusCode, answer
}

// dial opens a WebSocket.
func (b *browser) dial(path string) (*websocket.Conn, error) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), timeout)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, b.base+path, &websocket.DialOptions{HTTPClient: b.Client, Subprotocols: []string{"binary"}})
	if err == nil {
		b.t.Cleanup(func() { ws.CloseNow() })
	}
	return ws, err
}

// viewer connects the strict client through a WebSocket.
func (b *browser) viewer(o viewer) (*rfbtest.Client, error) {
	b.t.Helper()
	ws, err := b.dial("websockify")
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(-1)
	o.Shared = true
	return rfbtest.Open(b.t.Context(), websocket.NetConn(b.t.Context(), ws, websocket.MessageBinary), o)
}

// TestOnePort: viewers, browsers, WebSockets, probes and scanners on one port. Its
// delay is one that browsers keep on a busy machine, too: see listening.
func TestOnePort(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, 320, 240)
	s := serve(t, d.x)
	require.NotEqual(t, s.addr, s.shared)
	b := s.browser()

	code, body := b.get("robots.txt")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, string(body), "Disallow")
	for _, path := range []string{"healthz", "readyz", "session"} {
		code, _ := b.get(path)
		require.Equal(t, http.StatusOK, code, path)
	}

	begin := time.Now()
	plain := connectTo(t, s.shared, viewer{Encodings: withCursor(rfb.EncodingZRLE)})
	require.GreaterOrEqual(t, time.Since(begin), 5*time.Second)
	web, err := b.viewer(viewer{Encodings: withCursor(rfb.EncodingTight, rfb.EncodingCopyRect)})
	require.NoError(t, err)
	defer web.Close()
	for _, c := range []*rfbtest.Client{plain, web} {
		whole(t, c)
		follow(t, c, d)
	}
	for _, change := range changes {
		change.do(d)
		follow(t, plain, d)
		follow(t, web, d)
	}
	require.Positive(t, web.Stats().Rects[rfb.EncodingTight])
	require.NoError(t, web.Close())
	s.await(s.stderr, "viewer left")
}

// TestQuietPort: what comes and goes without being a viewer leaves no line in the
// log, is answered in its own language, and ends with FIN.
func TestQuietPort(t *testing.T) {
	t.Parallel()
	x := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 48})
	s := serve(t, x)
	for _, c := range []struct{ says, gets string }{
		{"", ""},
		{"GET /healthz HTTP/1.0\r\n\r\n", "200 OK"},
		{"GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("A: b\r\n", 100000) + "\r\n", "431 Request Header"},
		{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
		{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "\x15\x03\x01\x00\x02\x02\x28"},
		{"SSH-2.0-x\r\n", ""},
		{"\x00\x1c\x00\x01\x00\x08\x21\x12\xa4\x42abcdefghijkl\x00\x06\x00\x03a:b\x00", ""}, // ICE
	} {
		nc, err := net.Dial("tcp", s.shared)
		require.NoError(t, err)
		defer nc.Close()
		require.NoError(t, nc.SetDeadline(time.Now().Add(timeout)))
		go io.WriteString(nc, c.says) //nolint:errcheck // the server may have had enough
		if c.says == "" {
			require.NoError(t, nc.(*net.TCPConn).CloseWrite())
		}
		answer, err := io.ReadAll(nc)
		require.NoError(t, err, "%.20q", c.says)
		if c.gets == "" {
			require.Empty(t, answer, "%.20q", c.says)
		}
		require.Contains(t, string(answer), c.gets)
	}
	s.await(s.stderr, s.http) // the log says what to open
	assert.Len(t, s.stderr.lines(), 1, s.stderr)
}

// TestWebLogin: a password opens what it opens for viewers, and wrong ones count
// with theirs.
func TestWebLogin(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, 160, 120)
	file := filepath.Join(t.TempDir(), "pw")
	require.NoError(t, os.WriteFile(file, []byte("sesame\nlooking\n"), 0o600))
	s := serve(t, d.x, "--password-file", file)
	b := s.browser()
	code, body := b.get("session")
	require.Equal(t, http.StatusOK, code)
	require.JSONEq(t, `{"auth":"needed","control":false}`, string(body))
	code, _ = b.get("snapshot.png")
	require.Equal(t, http.StatusUnauthorized, code)

	code, answer := b.login("looking")
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, false, answer["control"])
	code, answer = b.login("sesame")
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, true, answer["control"])
	code, body = b.get("session")
	require.Equal(t, http.StatusOK, code)
	require.JSONEq(t, `{"auth":"ok","control":true}`, string(body))

	code, body = b.get("snapshot.png")
	require.Equal(t, http.StatusOK, code)
	m, err := png.Decode(bytes.NewReader(body))
	require.NoError(t, err)
	want := d.grab()
	require.Equal(t, want.Rect, m.Bounds())
	for y := range 120 {
		for x := range 160 {
			r, g, bl, _ := m.At(x, y).RGBA()
			require.Equal(t, want.At(x, y), r>>8<<16|g>>8<<8|bl>>8, "%d,%d", x, y)
		}
	}

	// RFB asks for itself, cookie or not.
	_, err = b.viewer(viewer{})
	require.Error(t, err)
	v, err := b.viewer(viewer{Password: "sesame", Encodings: withCursor(rfb.EncodingZRLE)})
	require.NoError(t, err)
	whole(t, v)
	v.Close()

	other := s.browser()
	banned := false
	for range 20 {
		if code, answer = other.login("guess"); code == http.StatusTooManyRequests {
			banned = true
			break
		}
		require.Equal(t, http.StatusUnauthorized, code)
		require.Contains(t, answer["error"], "wrong password")
	}
	require.True(t, banned, "twenty guesses were answered")
	_, err = rfbtest.Dial(t.Context(), s.addr, viewer{Password: "sesame"})
	var refused *rfb.RefusedError
	require.ErrorAs(t, err, &refused)
	code, _ = b.get("session")
	require.Equal(t, http.StatusOK, code)
	code, _ = b.get("snapshot.png")
	require.Equal(t, http.StatusOK, code, "who is in stays in")
}

// TestOtherSites: pages of others get nowhere, whatever they call themselves.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	x := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 48})
	s := serve(t, x, "--web-host", "desk.example.com")
	b := s.browser()
	ask := func(path, host, origin string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.http+path, nil)
		require.NoError(t, err)
		r.Host = host
		if path == "websockify" {
			r.Header.Set("Connection", "Upgrade")
			r.Header.Set("Upgrade", "websocket")
			r.Header.Set("Sec-WebSocket-Version", "13")
			r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
		}
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		resp, err := b.Do(r)
		require.NoError(t, err)
		resp.Body.Close()
		return resp.StatusCode
	}
	_, port, err := net.SplitHostPort(s.shared)
	require.NoError(t, err)
	for _, c := range []struct {
		path, host, origin string
		code               int
	}{
		{"session", "127.0.0.1:" + port, "", 200},
		{"session", "localhost:" + port, "", 200},
		{"session", "[::1]:" + port, "", 200},
		{"session", "desktop:" + port, "", 200},
		{"session", "desk.default.svc.cluster.local", "", 200},
		{"session", "desk.example.com", "", 200},
		{"session", "rebound.example.com:" + port, "", 421},
		{"snapshot.png", "rebound.example.com:" + port, "", 421},
		{"websockify", "rebound.example.com:" + port, "http://rebound.example.com:" + port, 421},
		{"healthz", "rebound.example.com", "", 200},
		{"websockify", "localhost:" + port, "http://localhost:" + port, 101},
		{"websockify", "localhost:" + port, "", 101},
		{"websockify", "localhost:" + port, "https://desk.example.com", 101},
		{"websockify", "localhost:" + port, "http://localhost:1", 403},
		{"websockify", "localhost:" + port, "http://evil.example.com", 403},
		{"websockify", "localhost:" + port, "null", 403},
	} {
		assert.Equal(t, c.code, ask(c.path, c.host, c.origin), fmt.Sprint(c))
	}
}

// TestNoWeb: the port is for viewers only, and greets at once.
func TestNoWeb(t *testing.T) {
	t.Parallel()
	x := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 48})
	s := serve(t, x, "--no-web")
	require.Empty(t, s.http)
	c := s.dial()
	_, err := io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
	require.NoError(t, err)
	require.Equal(t, "RFB 003.008\n", readBanner(t, c))
}

// certificate writes a certificate for localhost and its key.
func certificate(t testing.TB, dir string) (cert, key string, roots *x509.CertPool) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(k)
	require.NoError(t, err)
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600))
	roots = x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	return cert, key, roots
}

// TestTLS: https, wss and RFB inside TLS, on the port that does it all in the clear,
// too. A certificate that is renewed is taken up.
func TestTLS(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, 160, 120)
	d.photo(3)
	dir := t.TempDir()
	cert, key, roots := certificate(t, dir)
	file := filepath.Join(dir, "pw")
	require.NoError(t, os.WriteFile(file, []byte("sesame"), 0o600))
	s := serve(t, d.x, "--tls-cert", cert, "--tls-key", key, "--password-file", file, "--rfb-delay", "5s")
	require.Equal(t, "https://"+s.shared+"/", s.http)
	b := s.browser()
	b.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots}
	code, _ := b.login("sesame")
	require.Equal(t, http.StatusOK, code)
	resp, err := b.Post(s.http+"login", "application/json", strings.NewReader(`{"password":"sesame"}`))
	require.NoError(t, err)
	resp.Body.Close()
	require.Len(t, resp.Cookies(), 1)
	require.True(t, resp.Cookies()[0].Secure, "the cookie stays inside TLS")
	b.page().shows(d, 30)
	web, err := b.viewer(viewer{Password: "sesame", Encodings: withCursor(rfb.EncodingZRLE)})
	require.NoError(t, err)
	defer web.Close()
	whole(t, web)
	follow(t, web, d)

	nc, err := tls.Dial("tcp", s.shared, &tls.Config{RootCAs: roots})
	require.NoError(t, err)
	inside, err := rfbtest.Open(t.Context(), nc, viewer{Password: "sesame", Shared: true, Encodings: withCursor(rfb.EncodingTight)})
	require.NoError(t, err)
	defer inside.Close()
	whole(t, inside)
	d.pattern(5)
	follow(t, inside, d)
	plain := connectTo(t, s.shared, viewer{Password: "sesame", Encodings: withCursor(rfb.EncodingZRLE)})
	whole(t, plain)
	follow(t, plain, d)

	_, _, renewed := certificate(t, dir)
	poll(t, "the renewed certificate", func() (bool, string) {
		nc, err := tls.Dial("tcp", s.shared, &tls.Config{RootCAs: renewed})
		if err != nil {
			return false, err.Error()
		}
		nc.Close()
		return true, ""
	})
}

// TestWebDir: Debian's noVNC, or any other page, in place of ours.
func TestWebDir(t *testing.T) {
	t.Parallel()
	x := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 48})
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "vnc.html"), []byte("other page"), 0o600))
	s := serve(t, x, "--web-dir", dir)
	b := s.browser()
	code, body := b.get("")
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, "other page", string(body))
	v, err := b.viewer(viewer{})
	require.NoError(t, err)
	whole(t, v)
	v.Close()
}
