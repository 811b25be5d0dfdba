package stream

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"framebridge/capture"
	"framebridge/internal/pix"
	"framebridge/internal/screen"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const timeout = 30 * time.Second

// page is the other end of a transport in memory: the messages of both sides go
// through channels.
type page struct {
	t      *testing.T
	in     chan []byte // to the server
	out    chan []byte // from the server
	closed chan struct{}
	once   sync.Once
	failed bool
	gone   chan struct{} // closed when Serve has returned
}

func (p *page) Read() ([]byte, error) {
	select {
	case b := <-p.in:
		return b, nil
	case <-p.closed:
		return nil, io.EOF
	}
}

func (p *page) Write(ctx context.Context, b []byte) error {
	select {
	case p.out <- append([]byte(nil), b...):
		return nil
	case <-p.closed:
		return net.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *page) Close(failed bool) { p.once.Do(func() { p.failed = failed; close(p.closed) }) }

// send sends a message as the page.
func (p *page) send(m PageMessage) { p.sendBytes(m.Append(nil)) }

func (p *page) sendBytes(b []byte) {
	p.t.Helper()
	select {
	case p.in <- b:
	case <-p.closed:
	case <-time.After(timeout):
		p.t.Fatal("the server does not read")
	}
}

// next returns the next message of the type M, passing over others.
func next[M ServerMessage](p *page) M {
	p.t.Helper()
	limit := time.After(timeout)
	for {
		select {
		case b := <-p.out:
			m, err := ParseServer(b)
			require.NoError(p.t, err)
			if m, ok := m.(M); ok {
				return m
			}
		case <-limit:
			var none M
			p.t.Fatalf("no %T", none)
		}
	}
}

// ends waits for the end of the session and returns its bye, if there is one.
func (p *page) ends() (bye Bye) {
	p.t.Helper()
	limit := time.After(timeout)
	look := func(b []byte) {
		m, err := ParseServer(b)
		require.NoError(p.t, err)
		if m, ok := m.(Bye); ok {
			bye = m
		}
	}
	for {
		select {
		case b := <-p.out:
			look(b)
		case <-p.gone:
			for len(p.out) > 0 {
				look(<-p.out)
			}
			return bye
		case <-limit:
			p.t.Fatal("the session does not end")
		}
	}
}

// sink notes what input does.
type sink struct {
	mu   sync.Mutex
	said []string
	news chan struct{}
}

func (s *sink) note(f string, a ...any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, fmt.Sprintf(f, a...))
	select {
	case s.news <- struct{}{}:
	default:
	}
	return nil
}

func (s *sink) Key(keysym, code uint32, down bool) error {
	return s.note("key %x %x %v", keysym, code, down)
}
func (s *sink) Pointer(x, y int, buttons uint16) error {
	return s.note("pointer %d,%d %x", x, y, buttons)
}
func (s *sink) SetText(text string) error { return s.note("clip %s", text) }

// await waits for the n-th thing and returns all.
func (s *sink) await(t *testing.T, n int) []string {
	t.Helper()
	limit := time.After(timeout)
	for {
		s.mu.Lock()
		all := append([]string(nil), s.said...)
		s.mu.Unlock()
		if len(all) >= n {
			return all
		}
		select {
		case <-s.news:
		case <-limit:
			t.Fatalf("only %q", all)
		}
	}
}

// reel is a Video of frames that the test gives.
type reel struct {
	frames  chan *Frame
	acks    chan uint32
	rekeys  chan struct{}
	quality chan string
	closed  chan struct{}
}

func newReel() *reel {
	return &reel{make(chan *Frame, 100), make(chan uint32, 100), make(chan struct{}, 100), make(chan string, 10), make(chan struct{})}
}

func (r *reel) Next(ctx context.Context) (*Frame, error) {
	select {
	case f, ok := <-r.frames:
		if !ok {
			return nil, errors.New("the reel ends")
		}
		return f, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
func (r *reel) Ack(seq uint32)      { r.acks <- seq }
func (r *reel) Rekey()              { r.rekeys <- struct{}{} }
func (r *reel) SetQuality(q string) { r.quality <- q }
func (r *reel) Link() (rtt, queue time.Duration) {
	return 3 * time.Millisecond, 1500 * time.Microsecond
}
func (r *reel) Close() { close(r.closed) }

// source is a screen's source that the test drives.
type source struct{ frames chan *capture.Frame }

func (s *source) Next(ctx context.Context) (*capture.Frame, error) {
	select {
	case f := <-s.frames:
		return f, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
func (s *source) Close() error { return nil }

type rig struct {
	t      *testing.T
	screen *screen.Screen
	source *source
	sink   *sink
	server *Server
}

func setUp(t *testing.T, change func(c *Config)) *rig {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	r := &rig{t: t, screen: screen.New(screen.Config{Logger: quiet}), source: &source{make(chan *capture.Frame, 10)}, sink: &sink{news: make(chan struct{}, 1)}}
	cfg := Config{Screen: r.screen, Sink: r.sink, Clipboard: r.sink, DesktopName: "desk", MaxClipboard: 1000, Logger: quiet}
	if change != nil {
		change(&cfg)
	}
	var err error
	r.server, err = New(cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.screen.Run(ctx, r.source) }()
	t.Cleanup(func() { cancel(); <-done })
	return r
}

var full = Rights{Control: true, ClipboardIn: true, ClipboardOut: true, Resize: true}

// open starts a page's session.
func (r *rig) open(rights Rights, v Video) *page {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p := &page{t: r.t, in: make(chan []byte), out: make(chan []byte, 10), closed: make(chan struct{}), gone: make(chan struct{})}
	go func() {
		defer close(p.gone)
		r.server.Serve(ctx, p, Peer{Remote: "test", Kind: "test", Rights: rights, Video: v})
	}()
	r.t.Cleanup(func() { cancel(); p.ends() })
	return p
}

// picture makes the screen show something, with a pointer on it.
func (r *rig) picture(at image.Point) {
	m := pix.New(image.Rect(0, 0, 64, 48))
	r.source.frames <- &capture.Frame{
		Size: image.Pt(64, 48), Patches: []pix.Image{*m},
		Cursor:  &capture.Cursor{Size: image.Pt(2, 1), Hot: image.Pt(1, 0), Pix: []byte{10, 20, 30, 255, 10, 20, 30, 60}},
		Pointer: at, HavePointer: true,
	}
}

func TestHello(t *testing.T) {
	r := setUp(t, nil)
	p := r.open(full, newReel())
	require.Equal(t, Hello{Version: Version, Name: "desk", Control: true, ClipboardIn: true, ClipboardOut: true, MaxClipboard: 1000}, next[Hello](p))
	require.Equal(t, State{Display: "waiting", Viewers: 1}, next[State](p))
	r.picture(image.Pt(5, 6))
	require.Equal(t, State{Display: "up", Viewers: 1}, next[State](p))
	require.Equal(t, Cursor{image.Pt(1, 0), image.Pt(2, 1), []byte{30, 20, 10, 255, 128, 85, 43, 60}}, next[Cursor](p))
	require.Equal(t, PointerPos{5, 6}, next[PointerPos](p))

	viewer := r.open(Rights{}, newReel())
	require.Equal(t, Hello{Version: Version, Name: "desk", Width: 64, Height: 48, MaxClipboard: 1000}, next[Hello](viewer))
	require.Equal(t, State{Display: "up", Viewers: 2}, next[State](p))
	viewer.Close(false)
	viewer.ends()
	require.Equal(t, State{Display: "up", Viewers: 1}, next[State](p))
}

func TestInput(t *testing.T) {
	r := setUp(t, nil)
	p := r.open(full, newReel())
	p.send(Key{true, 0xffe3, 0x1d})
	p.send(Pointer{3, 4, 1})
	p.send(Release{})
	p.send(Key{true, 'a', 0})
	p.send(PageClip("täxt"))
	require.Equal(t, []string{"key ffe3 1d true", "pointer 3,4 1", "key ffe3 1d false", "pointer 3,4 0", "key 61 0 true", "clip täxt"}, r.sink.await(t, 6))
	p.Close(false)
	require.Empty(t, p.ends())
	require.Equal(t, "key 61 0 false", r.sink.await(t, 7)[6], "released at the end")
}

// TestViewOnly: nothing of a page that may only look arrives, and it hears no
// clipboard.
func TestViewOnly(t *testing.T) {
	r := setUp(t, nil)
	p, q := r.open(Rights{}, newReel()), r.open(full, newReel())
	for _, m := range []PageMessage{Key{true, 'a', 0}, Pointer{1, 1, 1}, PageClip("no"), Release{}, Settings{Width: 10, Height: 10}} {
		p.send(m)
	}
	p.send(PagePing(5))
	require.Equal(t, ServerPong(5), next[ServerPong](p))
	q.send(PageClip("yes"))
	require.Equal(t, []string{"clip yes"}, r.sink.await(t, 1))
	r.server.SetClipboard("again")
	require.Equal(t, ServerClip("again"), next[ServerClip](q))
	r.server.Bell()
	for m := ServerMessage(nil); m != (Bell{}); {
		var err error
		m, err = ParseServer(<-p.out)
		require.NoError(t, err)
		require.NotEqual(t, ServerClip("again"), m)
	}
}

// TestClipboard: a page's clipboard reaches the others, and not itself; what is too
// long reaches nobody.
func TestClipboard(t *testing.T) {
	r := setUp(t, nil)
	p, q := r.open(full, newReel()), r.open(full, newReel())
	next[Hello](p)
	next[Hello](q)
	p.send(PageClip("from p"))
	require.Equal(t, ServerClip("from p"), next[ServerClip](q))
	r.server.SetClipboard(string(make([]byte, 1001)))
	r.server.SetClipboard("from X")
	require.Equal(t, ServerClip("from X"), next[ServerClip](p))
	require.Equal(t, ServerClip("from X"), next[ServerClip](q))
	p.send(PageClip(make([]byte, 1001)))
	p.send(PagePing(1))
	require.Equal(t, ServerPong(1), next[ServerPong](p))
	require.Equal(t, []string{"clip from p"}, r.sink.await(t, 1))
}

func TestFrames(t *testing.T) {
	r := setUp(t, nil)
	v := newReel()
	p := r.open(full, v)
	p.send(Settings{Quality: "sharp", Stats: yes()})
	require.Equal(t, "sharp", <-v.quality)
	require.Zero(t, next[Stats](p).Frames)
	for seq := uint32(1<<32 - 2); seq != 3; seq++ { // numbers wrap
		v.frames <- &Frame{Data: []byte{byte(seq)}, Key: seq == 1<<32-2, Seq: seq, Width: 64, Height: 48, Captured: time.Now(), Encode: time.Millisecond, Quant: 12}
		f := next[FrameMessage](p)
		require.Equal(t, seq, f.Seq)
		require.Equal(t, seq == 1<<32-2, f.Key)
		require.Equal(t, []byte{byte(seq)}, f.Data)
		require.Equal(t, image.Pt(64, 48), image.Pt(f.Width, f.Height))
		require.Equal(t, time.Millisecond, f.Encode)
		p.send(Ack(seq))
		require.Equal(t, seq, <-v.acks)
	}
	p.send(Ack(1)) // again, and late
	require.EqualValues(t, 1, <-v.acks)
	s := next[Stats](p)
	require.Equal(t, Stats{Frames: 5, Bytes: 5 * (1 + frameHeader + 1), EncodeMs: 1, RTTMs: 3, QueueMs: 1.5, Quant: 12}, s)
	p.send(Rekey{})
	<-v.rekeys
	p.Close(false)
	p.ends()
	<-v.closed
}

// TestFaults: who breaks the rules is told why and goes; others stay.
func TestFaults(t *testing.T) {
	r := setUp(t, nil)
	other := r.open(full, newReel())
	tested := 0
	for _, c := range []struct {
		why  string
		send []byte
	}{
		{"unknown type", []byte{1}},
		{"empty message", []byte{}},
		{"wrong length", []byte{typeKey, 1}},
		{"no UTF-8", []byte{typePageClip, 0xff}},
		{"not sent", Ack(7).Append(nil)},
		{"a message of", make([]byte, 1<<20)},
	} {
		p := r.open(full, newReel())
		p.sendBytes(c.send)
		require.Contains(t, p.ends().Text, c.why)
		require.True(t, p.failed)
		tested++
	}
	require.Equal(t, 6, tested)
	p := r.open(full, newReel())
	go func() {
		for { // a fixed number may be no flood on a slow machine
			select {
			case <-p.closed:
				return
			default:
				p.sendBytes(PagePong(1).Append(nil))
			}
		}
	}()
	require.Contains(t, p.ends().Text, "too many messages")
	other.send(PagePing(1))
	require.Equal(t, ServerPong(1), next[ServerPong](other))
}

func TestSilence(t *testing.T) {
	r := setUp(t, nil)
	r.server.limits.ping, r.server.limits.answer = 20*time.Millisecond, timeout
	p := r.open(full, newReel())
	for n := range 3 {
		require.EqualValues(t, n+1, next[ServerPing](p))
		p.send(PagePong(n + 1))
	}
	r.server.limits.answer = 100 * time.Millisecond
	mute := r.open(full, newReel())
	require.Contains(t, mute.ends().Text, "does not answer")
}

func TestNoAck(t *testing.T) {
	r := setUp(t, nil)
	r.server.limits.ack = 50 * time.Millisecond
	v := newReel()
	p := r.open(full, v)
	v.frames <- &Frame{Seq: 1, Captured: time.Now()}
	v.frames <- &Frame{Seq: 2, Captured: time.Now()}
	require.Contains(t, p.ends().Text, "does not show its frames")
}

// TestDeaf: a page that reads nothing costs what is on its way, and its end waits for
// nobody.
func TestDeaf(t *testing.T) {
	r := setUp(t, nil)
	r.server.limits.write = 50 * time.Millisecond
	v := newReel()
	p := r.open(full, v)
	for range 1000 {
		r.server.SetClipboard("news")
		r.server.Bell()
	}
	for seq := range uint32(50) {
		v.frames <- &Frame{Seq: seq, Captured: time.Now()}
	}
	select {
	case <-p.gone:
	case <-time.After(timeout):
		t.Fatal("it stays")
	}
}

// TestRekeyRate: however often a page cries, key frames are rare, and the last cry is
// heard.
func TestRekeyRate(t *testing.T) {
	r := setUp(t, nil)
	v := newReel()
	p := r.open(full, v)
	heard := func() {
		t.Helper()
		select {
		case <-v.rekeys:
		case <-time.After(timeout):
			t.Fatal("no key frame")
		}
	}
	begin := time.Now()
	p.send(Rekey{})
	heard()
	for range 100 {
		p.send(Rekey{})
	}
	heard()
	require.GreaterOrEqual(t, time.Since(begin), r.server.limits.rekey)
	p.send(PagePing(1))
	next[ServerPong](p)
	require.LessOrEqual(t, 1+len(v.rekeys), int(time.Since(begin)/r.server.limits.rekey), "with the two that were heard, one more than there are pauses")
}

func TestAlone(t *testing.T) {
	told := make(chan string, 2)
	r := setUp(t, func(c *Config) { c.Alone = func(viewer string) { told <- viewer } })
	p := r.open(full, newReel())
	next[Hello](p)
	require.Equal(t, "test", <-told)
	q := r.open(full, newReel())
	require.Contains(t, p.ends().Text, "another viewer")
	require.Equal(t, "test", <-told)
	next[Hello](q)
	r.server.GiveWay("somebody")
	require.Contains(t, q.ends().Text, "another viewer")
}

func TestEndOfVideo(t *testing.T) {
	r := setUp(t, nil)
	v := newReel()
	p := r.open(full, v)
	close(v.frames)
	require.Contains(t, p.ends().Text, "the reel ends")
}

func TestEndOfServer(t *testing.T) {
	r := setUp(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	p := &page{t: t, in: make(chan []byte), out: make(chan []byte, 10), closed: make(chan struct{}), gone: make(chan struct{})}
	go func() {
		defer close(p.gone)
		r.server.Serve(ctx, p, Peer{Rights: full, Video: newReel()})
	}()
	next[Hello](p)
	cancel()
	require.Equal(t, Bye{Text: "the server ends"}, p.ends())
	require.Zero(t, r.server.Viewers())
}

func TestRefuse(t *testing.T) {
	p := &page{t: t, in: make(chan []byte), out: make(chan []byte, 10), closed: make(chan struct{}), gone: make(chan struct{})}
	Refuse(t.Context(), p, "no video")
	close(p.gone)
	require.Equal(t, Bye{Text: "no video"}, next[Bye](p))
	<-p.closed
}

func TestResize(t *testing.T) {
	asked := make(chan image.Point, 1)
	r := setUp(t, func(c *Config) {
		c.Resize = func(w, h int) error { asked <- image.Pt(w, h); return errors.New("no") }
	})
	p := r.open(full, newReel())
	require.True(t, next[Hello](p).Resize)
	p.send(Settings{Width: 800, Height: 600})
	require.Equal(t, image.Pt(800, 600), <-asked)
}

func TestConfig(t *testing.T) {
	_, err := New(Config{})
	require.ErrorContains(t, err, "Config.Screen")
	_, err = New(Config{Screen: screen.New(screen.Config{}), MaxClipboard: -1})
	require.ErrorContains(t, err, "Config.MaxClipboard")
}
