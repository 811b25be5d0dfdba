package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/rfb"
	"framebridge/rfb/rfbtest"
)

// Browsers and TLS on x11vnc's ports.

// viewerAt connects the strict client through a WebSocket at any address. The port
// for viewers greets who says nothing for 50 ms, which on a busy machine happens to
// browsers, too: they try again.
func viewerAt(t testing.TB, url string, trust *tls.Config, password string) *rfbtest.Client {
	t.Helper()
	var client *rfbtest.Client
	poll(t, url, func() (bool, string) {
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		defer cancel()
		tr := &http.Transport{TLSClientConfig: trust}
		t.Cleanup(tr.CloseIdleConnections)
		ws, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: &http.Client{Transport: tr}, Subprotocols: []string{"binary"}})
		if err != nil {
			return false, err.Error()
		}
		ws.SetReadLimit(-1)
		t.Cleanup(func() { ws.CloseNow() })
		client, err = rfbtest.Open(t.Context(), websocket.NetConn(t.Context(), ws, websocket.MessageBinary), viewer{Password: password, Shared: true})
		require.NoError(t, err)
		return true, ""
	})
	return client
}

// dialTLS begins with TLS, again where it was late and was greeted in the clear.
func dialTLS(t testing.TB, addr string, trust *tls.Config) (c *tls.Conn) {
	t.Helper()
	poll(t, "TLS", func() (ok bool, why string) {
		var err error
		if c, err = tls.Dial("tcp", addr, trust); err != nil {
			return false, err.Error()
		}
		t.Cleanup(func() { c.Close() })
		return true, ""
	})
	return c
}

// fetchAt gets a page as a browser does, again where it was taken for a viewer.
func fetchAt(t testing.TB, url string, trust *tls.Config) (code int, body string) {
	t.Helper()
	tr := &http.Transport{TLSClientConfig: trust}
	defer tr.CloseIdleConnections()
	c := &http.Client{Transport: tr, Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	poll(t, url, func() (bool, string) {
		resp, err := c.Get(url)
		if err != nil {
			return false, err.Error()
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		code, body = resp.StatusCode, string(b)
		return true, ""
	})
	return code, body
}

// pageURLs waits for the n addresses of the page.
func (s *x11vncServing) pageURLs(n int) (urls []string) {
	s.t.Helper()
	host, err := os.Hostname()
	require.NoError(s.t, err)
	poll(s.t, "the page's addresses", func() (bool, string) {
		urls = nil
		text := s.stderr.String()
		for l := range strings.Lines(text) {
			if url, ok := strings.CutPrefix(l, "Java viewer URL:         "); ok && strings.HasSuffix(url, "\n") {
				urls = append(urls, strings.Replace(strings.TrimSpace(url), host, "127.0.0.1", 1))
			}
		}
		return len(urls) >= n, text
	})
	require.Len(s.t, urls, n)
	return urls
}

// TestX11vncWebSocket: a noVNC connects to the port for viewers, which has no page.
func TestX11vncWebSocket(t *testing.T) {
	t.Parallel()
	s := startX11vnc(t, xServer(t), "-passwd", "sesame", "-forever", "-shared")
	for _, path := range []string{"/", "/websockify"} {
		c := viewerAt(t, "ws://"+s.addr+path, nil, "sesame")
		whole(t, c)
		c.Close()
	}
	code, body := fetchAt(t, "http://"+s.addr+"/", nil)
	assert.Equal(t, http.StatusNotFound, code)
	assert.Contains(t, body, "VNC server")
	_, how := s.come("sesame")
	require.Equal(t, "in", how)
}

// TestX11vncBanner: with the browsers in mind viewers do not wait long.
func TestX11vncBanner(t *testing.T) {
	t.Parallel()
	s := startX11vnc(t, xServer(t), "-nopw", "-forever")
	bannerAtOnce(t, s.server)
}

// TestX11vncPage: -http and -httpdir, and the hooks and rules that viewers have.
func TestX11vncPage(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, 160, 120)
	d.photo(2)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "vnc.html"), []byte("other page"), 0o600))
	s := startX11vnc(t, d.x, "-passwd", "sesame", "-forever", "-httpport", strconv.Itoa(freePort(t)), "-http", "-q",
		"-afteraccept", "echo in $RFB_CLIENT_COUNT >>"+dir+"/log", "-gone", "echo gone $RFB_CLIENT_COUNT >>"+dir+"/log")
	s.http = s.pageURLs(1)[0]
	b := s.browser()
	code, body := b.get("")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, string(body), "<html")
	code, _ = b.get("snapshot.png")
	require.Equal(t, http.StatusNotFound, code)
	code, _ = b.login("wrong")
	require.Equal(t, http.StatusUnauthorized, code)
	code, _ = b.login("sesame")
	require.Equal(t, http.StatusOK, code)
	p := b.page()
	p.shows(d, 30)
	// A viewer is refused while the page is there: there is no -shared.
	c, how := s.come("sesame")
	require.Equal(t, "in", how)
	require.False(t, alive(c))
	p.ws.CloseNow()
	poll(t, "the hooks", func() (bool, string) {
		b, _ := os.ReadFile(dir + "/log")
		return string(b) == "in 1\ngone 0\n", string(b)
	})
	c, how = s.come("sesame")
	require.Equal(t, "in", how)
	require.True(t, alive(c))

	s = startX11vnc(t, d.x, "-nopw", "-forever", "-shared", "-httpdir", dir, "-httpport", strconv.Itoa(freePort(t)), "-http_oneport")
	urls := s.pageURLs(2)
	require.Equal(t, "http://"+s.addr+"/", urls[1])
	for _, url := range urls {
		code, body := fetchAt(t, url, nil)
		require.Equal(t, http.StatusOK, code, url)
		require.Equal(t, "other page", body)
		whole(t, viewerAt(t, "ws"+strings.TrimPrefix(url, "http")+"websockify", nil, ""))
	}

	// One viewer, then the end: a page is one.
	s = startX11vnc(t, d.x, "-nopw", "-http", "-httpport", strconv.Itoa(freePort(t)))
	s.http = s.pageURLs(1)[0]
	p = s.browser().page()
	p.shows(d, 30)
	p.ws.CloseNow()
	require.Equal(t, 0, s.wait(timeout))
	l, err := net.Listen("tcp", ":0")
	require.NoError(t, err)
	defer l.Close()
	e := start(t, x11vncCommand(t, d.x, "-nopw", "-http", "-httpport", strconv.Itoa(l.Addr().(*net.TCPAddr).Port)))
	require.Equal(t, 1, e.wait(timeout))
	assert.Contains(t, e.stderr.String(), "-httpport")
}

// TestX11vncSSL: a certificate is made once and kept; viewers come by TLS from the
// first byte on or by VeNCrypt, browsers by https; nothing is served in the clear.
func TestX11vncSSL(t *testing.T) {
	t.Parallel()
	x := xServer(t)
	cmd := x11vncCommand(t, x, "-ssl", "-passwd", "sesame", "-forever", "-shared", "-http", "-httpport", strconv.Itoa(freePort(t)))
	s := awaitX11vnc(t, cmd)
	s.await(s.stdout, "PORT="+s.port+"\nSSLPORT="+s.port+"\n")
	n, err := strconv.Atoi(s.port)
	require.NoError(t, err)
	host, err := os.Hostname()
	require.NoError(t, err)
	s.await(s.stderr, fmt.Sprintf("\nThe SSL VNC desktop is:  %s:%d\n", host, displayOf(n)))
	assert.Contains(t, s.stderr.String(), "-----BEGIN CERTIFICATE-----")
	assert.NotContains(t, s.stderr.String()+s.stdout.String(), "PRIVATE")
	pemFile := filepath.Join(s.home, ".vnc", "certs", "server.pem")
	st, err := os.Stat(pemFile)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), st.Mode().Perm())
	crt, err := os.ReadFile(strings.TrimSuffix(pemFile, ".pem") + ".crt")
	require.NoError(t, err)
	assert.NotContains(t, string(crt), "PRIVATE")
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(crt))
	trust := &tls.Config{RootCAs: roots, ServerName: "localhost"}

	// TLS first.
	nc := dialTLS(t, s.addr, trust)
	c, err := rfbtest.Open(t.Context(), nc, viewer{Password: "sesame", Shared: true})
	require.NoError(t, err)
	defer c.Close()
	whole(t, c)
	require.Equal(t, []rfb.SecurityType{rfb.SecurityVncAuth}, c.Welcome.Offered)
	// VeNCrypt.
	c, err = rfbtest.Dial(t.Context(), s.addr, viewer{Password: "sesame", Shared: true, TLS: trust})
	require.NoError(t, err)
	defer c.Close()
	require.True(t, c.Welcome.TLS)
	whole(t, c)
	_, err = rfbtest.Dial(t.Context(), s.addr, viewer{Password: "sesame", Shared: true})
	require.ErrorContains(t, err, "VeNCrypt", "in the clear")
	// Browsers.
	whole(t, viewerAt(t, "wss://"+s.addr+"/websockify", trust, "sesame"))
	urls := s.pageURLs(2)
	require.Equal(t, "https://"+s.addr+"/", urls[1])
	code, _ := fetchAt(t, urls[0], nil)
	require.Equal(t, http.StatusTemporaryRedirect, code)
	for _, url := range []string{strings.Replace(urls[0], "http:", "https:", 1), urls[1]} {
		code, body := fetchAt(t, url, trust)
		require.Equal(t, http.StatusOK, code)
		require.Contains(t, body, "<html")
	}
	s.signal(syscall.SIGTERM)
	require.Equal(t, 2, s.wait(timeout))

	// The certificate stays, -sslonly refuses VeNCrypt.
	before, err := os.ReadFile(pemFile)
	require.NoError(t, err)
	cmd = x11vncCommand(t, x, "-ssl", "SAVE", "-sslonly", "-nopw", "-forever", "-ssldir", filepath.Dir(pemFile))
	s = awaitX11vnc(t, cmd)
	after, err := os.ReadFile(pemFile)
	require.NoError(t, err)
	require.True(t, bytes.Equal(before, after))
	clear := s.dial()
	_, err = io.WriteString(clear, "RFB 003.008\n")
	require.NoError(t, err)
	b, err := io.ReadAll(clear)
	require.NoError(t, err)
	require.Empty(t, b)
	nc = dialTLS(t, s.addr, trust)
	readBanner(t, nc)

	// And -vencrypt force what is not VeNCrypt.
	s = awaitX11vnc(t, x11vncCommand(t, x, "-ssl", pemFile, "-vencrypt", "force", "-nopw", "-forever"))
	nc = dialTLS(t, s.addr, trust)
	require.NoError(t, nc.SetDeadline(time.Now().Add(timeout)))
	b, _ = io.ReadAll(nc)
	require.Empty(t, b)
	c, err = rfbtest.Dial(t.Context(), s.addr, viewer{TLS: trust, Shared: true})
	require.NoError(t, err)
	c.Close()

	info := start(t, command(t, nil, binary, "x11vnc", "-ssldir", filepath.Dir(pemFile), "-sslCertInfo", "SAVE"))
	require.Equal(t, 0, info.wait(timeout))
	assert.Contains(t, info.stdout.String(), "Subject: ")
	assert.Contains(t, info.stdout.String(), string(crt))
	assert.NotContains(t, info.stdout.String(), "PRIVATE")
}

// TestX11vncSSLVerify: only viewers with a certificate come in.
func TestX11vncSSLVerify(t *testing.T) {
	t.Parallel()
	x := xServer(t)
	dir := t.TempDir()
	cert, key, _ := certificate(t, dir)
	own, err := tls.LoadX509KeyPair(cert, key)
	require.NoError(t, err)
	s := startX11vnc(t, x, "-ssl", "TMP", "-sslverify", cert, "-nopw", "-forever", "-shared")
	trust := &tls.Config{InsecureSkipVerify: true}
	_, err = rfbtest.Dial(t.Context(), s.addr, viewer{TLS: trust, Shared: true})
	require.Error(t, err)
	trust = &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{own}}
	c, err := rfbtest.Dial(t.Context(), s.addr, viewer{TLS: trust, Shared: true})
	require.NoError(t, err)
	c.Close()
	for _, args := range [][]string{
		{"-ssl", "/nowhere/x.pem"}, {"-ssl", "TMP", "-sslverify", "nobody"}, {"-ssl", "ANON"}, {"-ssl", cert},
		{"-sslcertfile", cert, "-sslkeyfile", "/nowhere"}, {"-ssl", "SAVE-../x"},
	} {
		p := start(t, x11vncCommand(t, x, append(args, "-nopw")...))
		require.Equal(t, 1, p.wait(timeout), args)
		require.Empty(t, p.stdout.String(), args)
		require.Contains(t, p.stderr.String(), args[len(args)-2], args)
	}
}

// TestX11vncTigerSSL: TigerVNC's viewer comes by VeNCrypt.
func TestX11vncTigerSSL(t *testing.T) {
	t.Parallel()
	tiger := peer(t, "xtigervncviewer")
	x := xServer(t)
	s := awaitX11vnc(t, x11vncCommand(t, x, "-ssl", "SAVE", "-nopw", "-forever", "-shared"))
	crt := filepath.Join(s.home, ".vnc", "certs", "server.crt")
	screen := xServer(t)
	v := start(t, command(t, screen.Env(), tiger, "-SecurityTypes=X509None", "-X509CA="+crt, "-Shared", "localhost::"+s.port))
	s.await(s.stderr, "viewer connected")
	assert.Contains(t, s.stderr.String(), "tls=true")
	v.kill()
	s.await(s.stderr, "viewer left")
}

// TestParseCertificates: what is made here can be read, and is for this machine.
func TestParseCertificates(t *testing.T) {
	t.Parallel()
	b, err := makeCertificate(time.Hour)
	require.NoError(t, err)
	list, err := parseCertificates(b)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.NoError(t, list[0].VerifyHostname("localhost"))
	require.NoError(t, list[0].VerifyHostname("127.0.0.1"))
	_, err = parseCertificates(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("none")}))
	require.Error(t, err)
}

// FuzzParseCertificates reads files of certificates.
func FuzzParseCertificates(f *testing.F) {
	b, err := makeCertificate(time.Hour)
	require.NoError(f, err)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := parseCertificates(b)
		if err != nil {
			require.Empty(t, list)
		}
		var out bytes.Buffer
		for _, c := range list {
			describe(&out, "file", c)
		}
		for s := bufio.NewScanner(&out); s.Scan(); {
			require.NotContains(t, s.Text(), "\x1b")
		}
	})
}
