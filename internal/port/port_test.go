package port

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const timeout = 30 * time.Second

const greeting = "RFB 003.008\n"

// rig is a Port with something behind it: viewers are greeted and sent back what
// they say, requests answered, ICE-TCP echoed.
type rig struct {
	t       *testing.T
	addr    string
	viewers atomic.Int32
	log     *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func start(t *testing.T, cfg Config) *rig {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &rig{t: t, addr: l.Addr().String(), log: &lockedBuffer{}}
	cfg.Logger = slog.New(slog.NewTextHandler(r.log, nil)) // info and above
	if cfg.Delay == 0 {
		cfg.Delay = 2 * time.Second // so long who speaks first may take on a busy machine
	}
	p, err := New(l, cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	each := func(l net.Listener, f func(c net.Conn)) {
		wg.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				stop := context.AfterFunc(ctx, func() { c.Close() })
				wg.Go(func() { defer stop(); defer c.Close(); f(c) })
			}
		})
	}
	each(p.RFB(), func(c net.Conn) {
		r.viewers.Add(1)
		if _, err := io.WriteString(c, greeting); err == nil {
			io.Copy(c, c)
		}
	})
	each(p.ICE(), func(c net.Conn) { io.Copy(c, c) })
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s tls=%v", r.URL.Path, r.TLS != nil)
	})}
	hl := p.HTTP()
	wg.Go(func() { srv.Serve(hl) })
	wg.Go(func() { assert.NoError(t, p.Serve(ctx)) })
	t.Cleanup(func() { cancel(); srv.Close(); wg.Wait() })
	return r
}

func (r *rig) dial() *net.TCPConn {
	r.t.Helper()
	c, err := net.Dial("tcp", r.addr)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { c.Close() })
	require.NoError(r.t, c.SetDeadline(time.Now().Add(timeout)))
	return c.(*net.TCPConn)
}

func expect(t *testing.T, r io.Reader, s string) {
	t.Helper()
	b := make([]byte, len(s))
	_, err := io.ReadFull(r, b)
	require.NoError(t, err)
	require.Equal(t, s, string(b))
}

func (r *rig) get(url string, client *http.Client) string {
	r.t.Helper()
	resp, err := client.Get(url)
	require.NoError(r.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	return string(b)
}

func plain(t *testing.T) *http.Client {
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func TestSilentViewer(t *testing.T) {
	r := start(t, Config{Delay: 50 * time.Millisecond})
	begin := time.Now()
	c := r.dial()
	expect(t, c, greeting)
	require.GreaterOrEqual(t, time.Since(begin), 50*time.Millisecond)
	_, err := io.WriteString(c, "RFB 003.008\nmore")
	require.NoError(t, err)
	expect(t, c, "RFB 003.008\nmore")
}

// TestEarlyViewer: one that does not wait is one nevertheless, also when its words
// come in pieces.
func TestEarlyViewer(t *testing.T) {
	r := start(t, Config{Delay: time.Hour})
	c := r.dial()
	for _, piece := range []string{"R", "FB", " 003.008\n"} {
		_, err := io.WriteString(c, piece)
		require.NoError(t, err)
	}
	expect(t, c, greeting+"RFB 003.008\n")
	require.NoError(t, c.CloseWrite())
	_, err := c.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}

// TestSlowViewer: one that stops in the middle of its name is greeted.
func TestSlowViewer(t *testing.T) {
	r := start(t, Config{})
	c := r.dial()
	_, err := io.WriteString(c, "RF")
	require.NoError(t, err)
	expect(t, c, greeting+"RF")
}

func TestHTTP(t *testing.T) {
	r := start(t, Config{Delay: time.Hour})
	client := plain(t)
	for range 3 {
		require.Equal(t, "/x tls=false", r.get("http://"+r.addr+"/x", client))
	}
	// Byte by byte.
	c := r.dial()
	for _, b := range []byte("GET /y HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n") {
		_, err := c.Write([]byte{b})
		require.NoError(t, err)
	}
	answer, err := io.ReadAll(c)
	require.NoError(t, err)
	require.Contains(t, string(answer), "/y tls=false")
}

func TestICE(t *testing.T) {
	r := start(t, Config{Delay: time.Hour, Ufrag: func(s string) bool { return s == "ours" }})
	c := r.dial()
	frame := string(binding("ours:theirs"))
	_, err := io.WriteString(c, frame[:7])
	require.NoError(t, err)
	_, err = io.WriteString(c, frame[7:]+"next")
	require.NoError(t, err)
	expect(t, c, frame+"next")
	for _, name := range []string{"others:theirs", "none"} {
		c := r.dial()
		_, err := c.Write(binding(name))
		require.NoError(t, err)
		_, err = c.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
	}
}

// TestQuiet: what is nothing here ends with FIN and without a word in the log, and
// nobody was a viewer.
func TestQuiet(t *testing.T) {
	r := start(t, Config{Delay: time.Hour})
	for _, s := range []string{"", "G", "SSH-2.0-x\r\n", "\x00\x20\x00", "RF", strings.Repeat("x", 100<<10)} {
		c := r.dial()
		_, err := io.WriteString(c, s)
		require.NoError(t, err)
		require.NoError(t, c.CloseWrite())
		b, err := io.ReadAll(c)
		require.NoError(t, err, "%.10q", s)
		require.Empty(t, b)
	}
	require.Zero(t, r.viewers.Load())
	require.Empty(t, r.log.String())
}

// TestNoTLS: without a certificate a TLS client is told.
func TestNoTLS(t *testing.T) {
	r := start(t, Config{Delay: time.Hour})
	_, err := tls.Dial("tcp", r.addr, &tls.Config{InsecureSkipVerify: true})
	require.ErrorContains(t, err, "remote error: tls: handshake failure")
	require.Empty(t, r.log.String())
}

func certificate(t *testing.T) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestTLSOnlyRFB: viewers in the clear are not greeted.
func TestTLSOnlyRFB(t *testing.T) {
	r := start(t, Config{TLS: &tls.Config{Certificates: []tls.Certificate{certificate(t)}}, TLSOnlyRFB: true})
	c := r.dial()
	_, err := io.WriteString(c, "RFB 003.008\n")
	require.NoError(t, err)
	b, err := io.ReadAll(c)
	require.NoError(t, err)
	require.Empty(t, b)
	silent := r.dial()
	inside, err := tls.Dial("tcp", r.addr, &tls.Config{InsecureSkipVerify: true})
	require.NoError(t, err)
	defer inside.Close()
	require.NoError(t, inside.SetDeadline(time.Now().Add(timeout)))
	expect(t, inside, greeting)
	require.NoError(t, silent.CloseWrite())
	b, err = io.ReadAll(silent)
	require.NoError(t, err)
	require.Empty(t, b)
	require.EqualValues(t, 1, r.viewers.Load())
	_, err = New(nil, Config{TLSOnlyRFB: true})
	require.ErrorContains(t, err, "TLSOnlyRFB")
}

func TestTLS(t *testing.T) {
	r := start(t, Config{TLS: &tls.Config{Certificates: []tls.Certificate{certificate(t)}, NextProtos: []string{alpnHTTP}}})
	cfg := &tls.Config{InsecureSkipVerify: true}

	tr := &http.Transport{TLSClientConfig: cfg}
	defer tr.CloseIdleConnections()
	require.Equal(t, "/x tls=true", r.get("https://"+r.addr+"/x", &http.Client{Transport: tr}))
	require.Equal(t, "/x tls=false", r.get("http://"+r.addr+"/x", plain(t)), "not only over TLS")

	// Without ALPN the first bytes tell, or their absence.
	for _, says := range []string{"GET /y HTTP/1.0\r\n\r\n", "", "RFB 003.008\n"} {
		c, err := tls.Dial("tcp", r.addr, cfg)
		require.NoError(t, err)
		require.NoError(t, c.SetDeadline(time.Now().Add(timeout)))
		_, err = io.WriteString(c, says)
		require.NoError(t, err)
		if says == "" || says[0] == 'R' {
			expect(t, c, greeting+says)
			_, err = io.WriteString(c, "hello")
			require.NoError(t, err)
			expect(t, c, "hello")
			require.NoError(t, c.CloseWrite())
		}
		b, err := io.ReadAll(c)
		require.NoError(t, err, "the end is told")
		if strings.HasPrefix(says, "GET") {
			require.Contains(t, string(b), "/y tls=true")
		}
		c.Close()
	}
}

// TestHalfOpen: thousands of connections that stop in the middle of a word keep
// nobody out, and the oldest go.
func TestHalfOpen(t *testing.T) {
	r := start(t, Config{})
	const n = maxUndecided + 500
	conns := make([]*net.TCPConn, n)
	for i := range conns {
		conns[i] = r.dial()
		_, err := io.WriteString(conns[i], "GE")
		require.NoError(t, err)
	}
	require.Equal(t, "/x tls=false", r.get("http://"+r.addr+"/x", plain(t)))
	expect(t, r.dial(), greeting)
	for i := range n - maxUndecided {
		_, err := conns[i].Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF, "connection %d", i)
	}
	_, err := io.WriteString(conns[n-1], "T /z HTTP/1.0\r\n\r\n")
	require.NoError(t, err)
	b, err := io.ReadAll(conns[n-1])
	require.NoError(t, err)
	require.Contains(t, string(b), "/z")
	require.Empty(t, r.log.String())
}

// TestClosePreservesOutput: a server that closes with unread input does not
// destroy what it sent.
func TestClosePreservesOutput(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p, err := New(l, Config{Delay: time.Hour})
	require.NoError(t, err)
	hl := p.HTTP()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { assert.NoError(t, p.Serve(ctx)) })
	defer wg.Wait()
	defer cancel()
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(timeout)))
	_, err = io.WriteString(c, "POST / "+strings.Repeat("x", 50000))
	require.NoError(t, err)
	s, err := hl.Accept()
	require.NoError(t, err)
	blocked := make(chan error, 1)
	_, err = s.Read(make([]byte, 10))
	require.NoError(t, err)
	wg.Go(func() {
		_, err := io.Copy(io.Discard, s)
		blocked <- err
	})
	_, err = io.WriteString(s, "the answer")
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.ErrorIs(t, <-blocked, net.ErrClosed, "a reader is let go")
	_, err = s.Write([]byte("x"))
	require.ErrorIs(t, err, net.ErrClosed)
	require.ErrorIs(t, s.SetDeadline(time.Time{}), net.ErrClosed)
	require.ErrorIs(t, s.Close(), net.ErrClosed)
	b, err := io.ReadAll(c)
	require.NoError(t, err, "FIN, not RST")
	require.Equal(t, "the answer", string(b))
}

// TestUnwanted: kinds that nobody asked for are closed.
func TestUnwanted(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p, err := New(l, Config{Delay: time.Millisecond})
	require.NoError(t, err)
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	wg.Go(func() { assert.NoError(t, p.Serve(ctx)) })
	defer wg.Wait()
	defer cancel()
	for _, s := range []string{"", "GET / HTTP/1.0\r\n\r\n", string(binding("a:b"))} {
		c, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		require.NoError(t, c.SetDeadline(time.Now().Add(timeout)))
		_, err = io.WriteString(c, s)
		require.NoError(t, err)
		_, err = c.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
		c.Close()
	}
}

func TestConfig(t *testing.T) {
	_, err := New(nil, Config{Delay: -1})
	require.ErrorContains(t, err, "Config.Delay")
}

// failing is a listener that runs out of descriptors for a while.
type failing struct {
	net.Listener
	left atomic.Int32
}

func (f *failing) Accept() (net.Conn, error) {
	if f.left.Add(-1) >= 0 {
		return nil, errors.New("too many open files")
	}
	return f.Listener.Accept()
}

func TestAcceptRecovers(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	f := &failing{Listener: l}
	f.left.Store(3)
	p, err := New(f, Config{Delay: time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	rl := p.RFB()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { assert.NoError(t, p.Serve(ctx)) })
	defer wg.Wait()
	defer cancel()
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	s, err := rl.Accept()
	require.NoError(t, err)
	s.Close()
}
