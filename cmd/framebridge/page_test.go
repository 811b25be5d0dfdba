package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/BurntSushi/xgb/xproto"
	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/image/vp8"

	"framebridge/internal/pix"
	"framebridge/internal/stream"
	"framebridge/rfb"
	"framebridge/rfb/rfbtest"
)

// page is what the page is to the server. It decodes key frames only: others are
// for browsers, and for the encoder's own tests.
type page struct {
	t     testing.TB
	ws    *websocket.Conn
	hello stream.Hello
}

func (b *browser) page() *page {
	b.t.Helper()
	ws, err := b.dial("stream")
	require.NoError(b.t, err)
	ws.SetReadLimit(16 << 20)
	p := &page{t: b.t, ws: ws}
	p.hello = next[stream.Hello](p)
	require.Equal(b.t, stream.Version, p.hello.Version)
	return p
}

func (p *page) send(ms ...stream.PageMessage) {
	p.t.Helper()
	for _, m := range ms {
		ctx, cancel := context.WithTimeout(p.t.Context(), timeout)
		require.NoError(p.t, p.ws.Write(ctx, websocket.MessageBinary, m.Append(nil)))
		cancel()
	}
}

// read returns the next message, and acknowledges frames and answers pings as it
// goes.
func (p *page) read() (stream.ServerMessage, error) {
	ctx, cancel := context.WithTimeout(p.t.Context(), timeout)
	defer cancel()
	_, b, err := p.ws.Read(ctx)
	if err != nil {
		return nil, err
	}
	m, err := stream.ParseServer(b)
	require.NoError(p.t, err)
	var answer stream.PageMessage
	switch m := m.(type) {
	case stream.FrameMessage:
		answer = stream.Ack(m.Seq)
	case stream.ServerPing:
		answer = stream.PagePong(m)
	}
	if answer != nil {
		// The server may have ended meanwhile; the next read tells.
		p.ws.Write(ctx, websocket.MessageBinary, answer.Append(nil)) //nolint:errcheck // as said
	}
	return m, nil
}

// next returns the next message of a type, passing over others.
func next[M stream.ServerMessage](p *page) M {
	p.t.Helper()
	for end := time.Now().Add(timeout); time.Now().Before(end); {
		m, err := p.read()
		require.NoError(p.t, err)
		if m, ok := m.(M); ok {
			return m
		}
	}
	var none M
	p.t.Fatalf("no %T", none)
	return none
}

// bye reads to the end and returns what the server said of it.
func (p *page) bye() (why stream.Bye, code websocket.StatusCode) {
	p.t.Helper()
	for {
		m, err := p.read()
		if err != nil {
			return why, websocket.CloseStatus(err)
		}
		if b, ok := m.(stream.Bye); ok {
			why = b
		}
	}
}

// keyPicture decodes a key frame.
func keyPicture(t testing.TB, f stream.FrameMessage) *pix.Image {
	t.Helper()
	dec := vp8.NewDecoder()
	dec.Init(bytes.NewReader(f.Data), len(f.Data))
	h, err := dec.DecodeFrameHeader()
	require.NoError(t, err)
	require.Equal(t, image.Pt(f.Width, f.Height), image.Pt(h.Width, h.Height))
	m, err := dec.DecodeFrame()
	require.NoError(t, err)
	out := pix.New(image.Rect(0, 0, f.Width, f.Height))
	for y := range f.Height {
		for x := range f.Width {
			// BT.601 in the limited range, which image/color's YCbCr is not.
			c := m.YCbCrAt(x, y)
			l, u, v := 1.164*(float64(c.Y)-16), float64(c.Cb)-128, float64(c.Cr)-128
			r, g, b := l+1.596*v, l-0.392*u-0.813*v, l+2.017*u
			out.Set(x, y, clamp(r)<<16|clamp(g)<<8|clamp(b))
		}
	}
	return out
}

func clamp(v float64) uint32 { return uint32(max(0, min(255, v+0.5))) }

// shows waits for a picture like the display's: it asks for key frames until one is.
func (p *page) shows(d *desktop, atLeast float64) {
	p.t.Helper()
	best := 0.0
	for end := time.Now().Add(timeout); time.Now().Before(end); {
		p.send(stream.Rekey{})
		f := next[stream.FrameMessage](p)
		for !f.Key {
			f = next[stream.FrameMessage](p)
		}
		if best = psnr(keyPicture(p.t, f), d.grab()); best >= atLeast {
			return
		}
	}
	p.t.Fatalf("the picture is not the display's: %.1f dB", best)
}

// smooth makes a desktop whose colours survive VP8's halved resolution of them.
func smooth(t testing.TB, d *desktop) {
	t.Helper()
	d.photo(3)
}

// TestPageStream: a page sees the display, its changes, its new size, and a display
// that restarts.
func TestPageStream(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	x := p.start(t, 320, 240)
	d := furnish(t, x, 320, 240)
	smooth(t, d)
	s := startServer(t, nil, "serve", "--display", p.display, "--auth", p.auth, "--desktop-name", "desk")
	b := s.browser()
	pg := b.page()
	require.Equal(t, "desk", pg.hello.Name)
	require.True(t, pg.hello.Control && pg.hello.ClipboardIn && pg.hello.ClipboardOut)
	f := next[stream.FrameMessage](pg)
	require.True(t, f.Key, "a page begins with a key frame")
	pg.shows(d, 30)
	d.Fill(at(40, 40, 200, 100), 0x20c040)
	for f = next[stream.FrameMessage](pg); f.Key; { // a change is no reason for one
		f = next[stream.FrameMessage](pg)
	}
	pg.shows(d, 30)

	require.NoError(t, syscall.Kill(x.Pid(), syscall.SIGKILL))
	<-x.Done()
	x.Stop()
	for next[stream.State](pg).Display != "waiting" {
	}
	code, _ := b.get("readyz")
	require.Equal(t, http.StatusServiceUnavailable, code)
	code, _ = b.get("healthz")
	require.Equal(t, http.StatusOK, code)
	x = p.start(t, 400, 200)
	d = furnish(t, x, 400, 200)
	smooth(t, d)
	for next[stream.State](pg).Display != "up" {
	}
	pg.shows(d, 30)
	poll(t, "ready", func() (bool, string) {
		code, body := b.get("readyz")
		return code == http.StatusOK, string(body)
	})

	s.signal(syscall.SIGTERM)
	why, status := pg.bye()
	require.Equal(t, stream.Bye{Text: "the server ends"}, why)
	require.Equal(t, websocket.StatusNormalClosure, status)
	begin := time.Now()
	require.Equal(t, 0, s.wait(timeout))
	require.Less(t, time.Since(begin), soon)
}

// TestPageInput: a real X client gets what is done on a page, and what is held is let
// go of.
func TestPageInput(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, 200, 160)
	l := d.listen()
	s := serve(t, d.x)
	pg := s.browser().page()
	pg.send(stream.Pointer{X: 30, Y: 40})
	poll(t, "the pointer", func() (bool, string) {
		q, err := xproto.QueryPointer(d.Conn.X(), d.Conn.Root()).Reply()
		require.NoError(t, err)
		return q.RootX == 30 && q.RootY == 40, fmt.Sprint(q.RootX, q.RootY)
	})
	l.mu.Lock()
	l.events = nil
	l.mu.Unlock()
	pg.send(stream.Key{Down: true, Keysym: shiftL, Code: 0x2a}, stream.Key{Down: true, Keysym: 'B', Code: 0x30})
	l.heard("press ffe1", "press 42")
	pg.send(stream.Pointer{X: 31, Y: 41, Buttons: 1})
	l.heard("move 31,41", "button 1 at 31,41")
	pg.send(stream.Release{})
	d.nothingHeld()
	pg.send(stream.Key{Down: true, Keysym: 'x'})
	poll(t, "held", func() (bool, string) {
		k, err := xproto.QueryKeymap(d.Conn.X()).Reply()
		require.NoError(t, err)
		return !bytes.Equal(k.Keys, make([]byte, 32)), "nothing"
	})
	pg.ws.CloseNow()
	d.nothingHeld()

	// A program moves the pointer. That is learnt with the next drawing.
	pg = s.browser().page()
	next[stream.FrameMessage](pg)
	d.pointer(77, 88)
	d.Fill(at(10, 10, 8, 8), 0xff0000)
	for next[stream.PointerPos](pg) != (stream.PointerPos{X: 77, Y: 88}) {
	}
}

// TestPagePasswords: who may look may only look, who has not logged in gets nothing.
func TestPagePasswords(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, 160, 120)
	l := d.listen()
	d.pointer(10, 10)
	file := filepath.Join(t.TempDir(), "pw")
	require.NoError(t, os.WriteFile(file, []byte("driving\nlooking\n"), 0o600))
	s := serve(t, d.x, "--password-file", file)
	b := s.browser()
	_, err := b.dial("stream")
	require.ErrorContains(t, err, "401")
	code, _ := b.login("looking")
	require.Equal(t, http.StatusOK, code)
	pg := b.page()
	require.False(t, pg.hello.Control || pg.hello.ClipboardIn || pg.hello.ClipboardOut || pg.hello.Resize)
	l.mu.Lock()
	l.events = nil
	l.mu.Unlock()
	pg.send(stream.Key{Down: true, Keysym: 'a'}, stream.Pointer{X: 50, Y: 50, Buttons: 1}, stream.PageClip("no"), stream.PagePing(1))
	require.EqualValues(t, 1, next[stream.ServerPong](pg))
	d.nothingHeld()
	l.heard()
	code, _ = b.login("driving")
	require.Equal(t, http.StatusOK, code)
	require.True(t, b.page().hello.Control)
}

// TestPageClipboard: X programs, viewers and pages share one clipboard.
func TestPageClipboard(t *testing.T) {
	t.Parallel()
	xclip := peer(t, "xclip")
	d := newDesktop(t, 160, 120)
	s := serve(t, d.x)
	pg, other := s.browser().page(), s.browser().page()
	v := connect(t, s, viewer{})
	cut := func() string {
		for {
			m, err := v.ReadMessage()
			require.NoError(t, err)
			if m, ok := m.(rfbtest.CutText); ok {
				return string(m.Data)
			}
		}
	}
	inX := func(want string) {
		poll(t, "clipboard", func() (bool, string) {
			p := start(t, command(t, d.x.Env(), xclip, "-selection", "clipboard", "-out"))
			p.wait(timeout)
			return p.stdout.String() == want, p.stdout.String()
		})
	}
	pg.send(stream.PageClip("from a page €"))
	require.EqualValues(t, "from a page €", next[stream.ServerClip](other))
	require.Equal(t, "from a page ?", cut())
	inX("from a page €")
	require.NoError(t, v.CutText([]byte("from a viewer")))
	require.EqualValues(t, "from a viewer", next[stream.ServerClip](pg))
	require.EqualValues(t, "from a viewer", next[stream.ServerClip](other))
	inX("from a viewer")
	cmd := command(t, d.x.Env(), xclip, "-quiet", "-loops", "0", "-selection", "clipboard", "-in")
	cmd.Stdin = strings.NewReader("from a program")
	start(t, cmd)
	require.EqualValues(t, "from a program", next[stream.ServerClip](pg))
	require.EqualValues(t, "from a program", next[stream.ServerClip](other))
	require.Equal(t, "from a program", cut())
}

// TestPageSharing: pages are viewers among viewers.
func TestPageSharing(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, 160, 120)
	s := serve(t, d.x)
	pg := s.browser().page()
	for next[stream.State](pg).Viewers != 1 {
	}
	v := connect(t, s, viewer{})
	for next[stream.State](pg).Viewers != 2 {
	}
	v.Close()
	for next[stream.State](pg).Viewers != 1 {
	}
	alone, err := rfbtest.Dial(t.Context(), s.addr, viewer{})
	require.NoError(t, err)
	defer alone.Close()
	why, _ := pg.bye()
	require.True(t, why.Final)
	require.Contains(t, why.Text, "another viewer")
	whole(t, alone)

	s = serve(t, d.x, "--shared", "never")
	first := connect(t, s, viewer{})
	whole(t, first)
	pg = s.browser().page()
	for {
		if _, err := first.ReadMessage(); err != nil {
			break
		}
	}
	s.browser().page()
	why, _ = pg.bye()
	require.True(t, why.Final)
	require.Contains(t, why.Text, "another viewer")
}

// TestPageFaults: pages that break the rules go, with a word, and cost nobody
// anything.
func TestPageFaults(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, 160, 120)
	smooth(t, d)
	s := serve(t, d.x)
	b := s.browser()
	good := b.page()
	v := connect(t, s, viewer{Encodings: withCursor(rfb.EncodingZRLE)})
	kb := memory(t, s.pid())
	tested := 0
	for _, c := range []struct {
		why  string
		kind websocket.MessageType
		send []byte
	}{
		{"unknown type", websocket.MessageBinary, []byte{200}},
		{"wrong length", websocket.MessageBinary, []byte{130, 1, 2}},
		{"empty message", websocket.MessageBinary, nil},
		{"a message of", websocket.MessageBinary, make([]byte, 8<<20)},
		{"", websocket.MessageText, []byte("hello")},
		{"not sent", websocket.MessageBinary, stream.Ack(1 << 30).Append(nil)},
	} {
		pg := b.page()
		go pg.ws.Write(t.Context(), c.kind, c.send) //nolint:errcheck // the server may have had enough
		why, _ := pg.bye()
		require.Contains(t, why.Text, c.why)
		tested++
	}
	require.Equal(t, 6, tested)
	flood := b.page()
	go func() {
		ping := stream.PagePing(1).Append(nil)
		for flood.ws.Write(t.Context(), websocket.MessageBinary, ping) == nil {
		}
	}()
	why, _ := flood.bye()
	require.Contains(t, why.Text, "too many messages")
	good.shows(d, 30)
	follow(t, v, d)
	assert.Less(t, memory(t, s.pid()), kb+80<<10, "kB of memory, before: %d", kb)
}

// TestHalfOpenRequests: ten thousand clients that stop at different points before
// their first request is whole are bounded, and keep out neither browsers nor
// viewers.
func TestHalfOpenRequests(t *testing.T) {
	d := newDesktop(t, 64, 48)
	s := serve(t, d.x, "--rfb-delay", "5s")
	b := s.browser()
	pg := b.page()
	kb := memory(t, s.pid())
	says := []string{"G", "GET / HTTP/1.1\r\nHost: x\r\nA: ", "\x16\x03", "\x00\x1c\x00\x01\x00\x08\x21\x12"}
	peak := 0
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	n := int(min(10000, limit.Cur-500)) // they are open on this side all the time
	require.Greater(t, n, 3000, "too few descriptors")
	for i := range n {
		c, err := net.Dial("tcp", s.shared)
		require.NoError(t, err)
		defer c.Close()
		_, err = c.Write([]byte(says[i%len(says)]))
		require.NoError(t, err)
		if i%1000 == 0 {
			peak = max(peak, memory(t, s.pid()))
		}
	}
	code, _ := b.get("healthz")
	require.Equal(t, http.StatusOK, code)
	whole(t, connectTo(t, s.shared, viewer{})) // in time, or it fails
	pg.send(stream.PagePing(7))
	require.EqualValues(t, 7, next[stream.ServerPong](pg))
	peak = max(peak, memory(t, s.pid()))
	poll(t, "the oldest are closed", func() (bool, string) {
		n := descriptors(t, s.pid())
		return n < 1700, fmt.Sprint(n) // 1024 undecided, 512 with half a header
	})
	t.Logf("kB of memory: %d, at most %d", kb, peak)
	assert.Less(t, peak, kb+128<<10, "kB of memory, before: %d", kb)
}

// TestStillPage: a page that shows a still screen costs nothing once the picture is
// exact.
func TestStillPage(t *testing.T) {
	d := newDesktop(t, 320, 240)
	s := serve(t, d.x)
	pg := s.browser().page()
	frames := make(chan struct{}, 1000)
	go func() {
		for {
			m, err := pg.read()
			if err != nil {
				close(frames)
				return
			}
			if _, ok := m.(stream.FrameMessage); ok {
				frames <- struct{}{}
			}
		}
	}()
	costs(t, s, d, still, func() bool {
		for still := false; !still; { // pictures that are not exact yet are made so
			select {
			case _, ok := <-frames:
				require.True(t, ok)
			case <-time.After(1500 * time.Millisecond):
				still = true
			}
		}
		return true
	}, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		<-ctx.Done()
		return len(frames) == 0
	})
	d.Fill(at(100, 100, 8, 13), 0xffffff)
	_, ok := <-frames
	require.True(t, ok, "it was not asleep for good")
}
