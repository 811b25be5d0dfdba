package main

import (
	"bytes"
	"fmt"
	"image"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
	"framebridge/rfb"
	"framebridge/rfb/rfbtest"
)

// settled waits until a server has given back what viewers cost.
func settled(t testing.TB, s *server, fds int) {
	t.Helper()
	poll(t, "descriptors given back", func() (bool, string) {
		n := descriptors(t, s.pid())
		return n <= fds, fmt.Sprintf("%d open, %d before", n, fds)
	})
}

// TestComeAndGo: two hundred viewers, of all kinds of manners, cost nothing when
// they have gone.
func TestComeAndGo(t *testing.T) {
	d := newDesktop(t, 320, 240)
	s := serve(t, d.x)
	visit := func(i int) {
		e := []rfb.Encoding{rfb.EncodingRaw, rfb.EncodingTight, rfb.EncodingZRLE, rfb.EncodingHextile, rfb.EncodingZlib}[i%5]
		c, err := rfbtest.Dial(t.Context(), s.addr, viewer{Shared: true, Encodings: withCursor(e)})
		require.NoError(t, err)
		require.NoError(t, c.SetDeadline(time.Now().Add(timeout)))
		switch i % 4 {
		case 0, 1:
			whole(t, c)
		case 2:
			// It leaves in the middle of an update.
			require.NoError(t, c.RequestUpdate(false, c.Bounds()))
		}
		require.NoError(t, c.Close())
	}
	for i := range 40 {
		visit(i)
	}
	left := func(want int) {
		t.Helper()
		poll(t, "all viewers noted as gone", func() (bool, string) {
			n := bytes.Count([]byte(s.stderr.String()), []byte(`msg="viewer left"`))
			return n == want, fmt.Sprint(n)
		})
	}
	left(40)
	fds, kb, nthreads := descriptors(t, s.pid()), memory(t, s.pid()), threads(t, s.pid())
	for i := range 200 {
		visit(i)
	}
	settled(t, s, fds)
	// A viewer's picture alone is 300 kB: two hundred that stay are 60 MB. How much
	// garbage there is, and how many threads it took, is the machine's business.
	assert.Less(t, memory(t, s.pid()), kb+24<<10, "kB of memory, before: %d", kb)
	assert.Less(t, threads(t, s.pid()), nthreads+50)
	left(240)
}

// TestAbortedHandshakes: ten thousand connections that end at every byte of the
// handshake, hundreds at a time, beside a viewer that goes on.
func TestAbortedHandshakes(t *testing.T) {
	d := newDesktop(t, 160, 120)
	s := serve(t, d.x)
	watcher := connect(t, s, viewer{Encodings: withCursor(rfb.EncodingZRLE)})
	whole(t, watcher)
	follow(t, watcher, d)

	// What a viewer says up to its first requests.
	script := []byte("RFB 003.008\n\x01\x01")
	script = rfb.SetEncodings{Encodings: []rfb.Encoding{rfb.EncodingZRLE, rfb.PseudoCursor}}.Append(script)
	script = rfb.UpdateRequest{Width: 160, Height: 120}.Append(script)
	script = rfb.KeyEvent{Down: true, Keysym: 'a'}.Append(script)
	script = rfb.ClientCutText{Data: []byte("cut")}.Append(script)
	const total, parallel = 10000, 50
	fds := descriptors(t, s.pid())
	var wg sync.WaitGroup
	var mu sync.Mutex
	done, refused, peak := 0, 0, 0
	for w := range parallel {
		wg.Go(func() {
			for i := w; i < total; i += parallel {
				c, err := net.Dial("tcp", s.addr)
				if err != nil {
					mu.Lock()
					refused++
					mu.Unlock()
					continue
				}
				c.Write(script[:i%(len(script)+1)]) //nolint:errcheck // it may have been closed
				if i%3 == 0 {
					c.(*net.TCPConn).SetLinger(0) //nolint:errcheck // RST instead of FIN
				}
				c.Close()
				mu.Lock()
				done++
				mu.Unlock()
				if i%500 == 0 {
					kb := memory(t, s.pid())
					mu.Lock()
					peak = max(peak, kb)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, total, done+refused)
	require.Zero(t, refused)
	settled(t, s, fds)
	assert.Less(t, peak, 128<<10, "kB of memory at the worst")
	d.pattern(7)
	follow(t, watcher, d)
}

// TestHalfOpenHandshakes: connections that say nothing are bounded, and the
// viewers that are in notice nothing.
func TestHalfOpenHandshakes(t *testing.T) {
	d := newDesktop(t, 160, 120)
	s := serve(t, d.x)
	watcher := connect(t, s, viewer{Encodings: withCursor(rfb.EncodingZRLE)})
	whole(t, watcher)
	kb := memory(t, s.pid())
	greeted := func(c net.Conn) bool {
		require.NoError(t, c.SetDeadline(time.Now().Add(timeout)))
		_, err := io.ReadFull(c, make([]byte, 12))
		require.False(t, isTimeout(err))
		return err == nil
	}
	// Beyond the bound the oldest are closed, so that others get in.
	var conns []net.Conn
	for range 700 {
		c, err := net.Dial("tcp", s.addr)
		require.NoError(t, err)
		defer c.Close()
		require.True(t, greeted(c))
		conns = append(conns, c)
	}
	another := connect(t, s, viewer{Shared: true})
	whole(t, another)
	for _, c := range conns[:150] {
		require.False(t, greeted(c), "the oldest are closed")
	}
	assert.Less(t, memory(t, s.pid()), kb+64<<10, "kB of memory")
	d.pattern(8)
	follow(t, watcher, d)
	follow(t, another, d)
}

// TestBadMessages: what breaks the protocol closes that viewer, and only that.
func TestBadMessages(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, 160, 120)
	s := serve(t, d.x, "--max-cut-text", "1000")
	watcher := connect(t, s, viewer{Encodings: withCursor(rfb.EncodingTight)})
	whole(t, watcher)
	header := func(n uint32) []byte {
		return []byte{6, 0, 0, 0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	}
	tested := 0
	for _, c := range []struct {
		name string
		send []byte
	}{
		{"unknown message", []byte{99}},
		{"another one", []byte{7}},
		{"cut text beyond the limit", header(1001)},
		{"cut text of 2 GB", header(0x7fffffff)},
		{"largest extended cut text", header(0x80000000)},
		{"pixel format of 24 bits", []byte{0, 0, 0, 0, 24, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0}},
		{"pixel format of 0 bits", make([]byte, 20)},
		{"pixel format with a shift of 200", []byte{0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 200, 8, 0, 0, 0, 0}},
	} {
		client := connect(t, s, viewer{})
		require.NoError(t, client.Send(c.send), c.name)
		for {
			_, err := client.ReadMessage()
			if err != nil {
				assert.ErrorIs(t, err, io.EOF, c.name)
				break
			}
		}
		tested++
	}
	require.Equal(t, 8, tested)
	require.NoError(t, watcher.CutText(make([]byte, 1000)), "at the limit")
	d.pattern(3)
	follow(t, watcher, d)
	poll(t, "each is logged", func() (bool, string) {
		n := bytes.Count([]byte(s.stderr.String()), []byte("broke the protocol"))
		return n == tested, fmt.Sprint(n)
	})
}

// TestNeverEnding: messages without an end, and viewers that never read, cost
// bounded memory and nobody's time.
func TestNeverEnding(t *testing.T) {
	d := newDesktop(t, 640, 480)
	s := serve(t, d.x)
	watcher := connect(t, s, viewer{Encodings: withCursor(rfb.EncodingZRLE)})
	whole(t, watcher)
	kb := memory(t, s.pid())

	flood := func(c *rfbtest.Client, b []byte, total int) {
		for n := 0; n < total; n += len(b) {
			if c.Send(b) != nil {
				return // it was closed, which is as good
			}
		}
	}
	var wg sync.WaitGroup
	// Announces the largest cut text and sends it in bits, again and again.
	cut := connect(t, s, viewer{})
	wg.Go(func() { flood(cut, rfb.ClientCutText{Data: make([]byte, rfb.DefaultMaxCutText)}.Append(nil), 128<<20) })
	// The longest list of encodings.
	encodings := connect(t, s, viewer{})
	wg.Go(func() {
		flood(encodings, rfb.SetEncodings{Encodings: make([]rfb.Encoding, 65535)}.Append(nil), 64<<20)
	})
	// Requests without reading a byte.
	deaf := connect(t, s, viewer{})
	request := rfb.UpdateRequest{Width: 640, Height: 480}.Append(nil)
	wg.Go(func() { flood(deaf, bytes.Repeat(request, 1000), 8<<20) })
	// A message that stops in the middle.
	stuck := connect(t, s, viewer{})
	require.NoError(t, stuck.Send([]byte{6, 0, 0, 0, 0, 15, 0, 0, 1, 2, 3}))
	peak := 0
	for seed := uint64(20); seed < 40; seed++ {
		d.pattern(seed)
		follow(t, watcher, d) // in time, or it fails
		peak = max(peak, memory(t, s.pid()))
	}
	deaf.Close()
	cut.Close()
	encodings.Close()
	wg.Wait()
	peak = max(peak, memory(t, s.pid()))
	// What is alive is a few MB per viewer; the collector lets garbage grow to
	// as much again, more on a loaded machine. Kept input would be 200 MB.
	assert.Less(t, peak, kb+80<<10, "kB of memory, before: %d", kb)
	d.Fill(image.Rect(0, 0, 640, 480), 0x00ff00)
	follow(t, watcher, d)
}

// TestScanners: what is no viewer gets nowhere and is not worth a line in the
// log.
func TestScanners(t *testing.T) {
	t.Parallel()
	x := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 48})
	s := serve(t, x, "--rfb-delay", "20ms")
	tested := 0
	for _, addr := range []string{s.addr, s.shared} {
		// A browser that connected ahead of its request is greeted before it speaks.
		for _, b := range []string{"", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "RFB 003.008", "RFB 002.000\n", "SSH-2.0-x\r\n"} {
			c, err := net.Dial("tcp", addr)
			require.NoError(t, err)
			require.NoError(t, c.SetDeadline(time.Now().Add(timeout)))
			readBanner(t, c)
			_, err = io.WriteString(c, b)
			require.NoError(t, err)
			require.NoError(t, c.(*net.TCPConn).CloseWrite())
			_, err = io.Copy(io.Discard, c)
			require.NoError(t, err, "%q", b)
			c.Close()
			tested++
		}
	}
	require.Equal(t, 12, tested)
	connect(t, s, viewer{})
	s.await(s.stderr, "viewer connected")
	assert.Len(t, s.stderr.lines(), 2, s.stderr) // and where to open a browser
}
