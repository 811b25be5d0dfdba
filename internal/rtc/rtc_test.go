package rtc

import (
	"bytes"
	"context"
	"image"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	xvp8 "golang.org/x/image/vp8"

	"framebridge/encode/vp8"
	"framebridge/internal/pix"
	"framebridge/internal/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = time.Minute

// source is a stream.Video: frames of a screen of one colour, one each time there is
// a token, and a key frame at the start and when asked.
type source struct {
	acks   bool
	tokens chan struct{}
	gone   chan struct{}
	once   sync.Once

	mu     sync.Mutex
	enc    *vp8.Encoder
	pic    *pix.Image
	seq    uint32
	keying bool

	rekeys, frames atomic.Int32
	acked          atomic.Uint32
	quality        atomic.Value
}

const side = 64

// colour is BT.601's limited range of 0xff0000: Y 82, U 90, V 240.
const colour = 0xff0000

func newSource(acks bool, w, h int, rgb uint32) *source {
	e, err := vp8.New(w, h, vp8.Config{Workers: 1})
	if err != nil {
		panic(err)
	}
	v := &source{
		acks: acks, tokens: make(chan struct{}, 1000), gone: make(chan struct{}),
		enc: e, pic: pix.New(image.Rect(0, 0, w, h)), keying: true,
	}
	v.pic.Fill(v.pic.Rect, rgb)
	v.tokens <- struct{}{}
	return v
}

func (v *source) Next(ctx context.Context) (*stream.Frame, error) {
	select {
	case <-v.tokens:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-v.gone:
		return nil, io.EOF
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	now := time.Now()
	b, info, err := v.enc.Encode(nil, v.pic, vp8.Change{Damage: []image.Rectangle{v.pic.Rect}}, vp8.Options{Key: v.keying, Quality: vp8.Sharp})
	if err != nil {
		return nil, err
	}
	v.keying = false
	v.seq++
	v.frames.Add(1)
	return &stream.Frame{Data: b, Key: info.Key, Seq: v.seq, Width: v.pic.Rect.Dx(), Height: v.pic.Rect.Dy(), Captured: now}, nil
}

func (v *source) Ack(seq uint32) { v.acked.Store(seq) }

func (v *source) Rekey() {
	v.rekeys.Add(1)
	v.mu.Lock()
	v.keying = true
	v.mu.Unlock()
	v.tokens <- struct{}{}
}

func (v *source) SetQuality(q string)                  { v.quality.Store(q) }
func (v *source) Link() (time.Duration, time.Duration) { return 0, 0 }
func (v *source) Close()                               { v.once.Do(func() { close(v.gone) }) }

// sources makes them for a server.
type sources struct {
	w, h int
	ch   chan *source
}

func newSources() *sources { return &sources{side, side, make(chan *source, 100)} }

func (s *sources) video(acks bool) stream.Video {
	v := newSource(acks, s.w, s.h, colour)
	s.ch <- v
	return v
}

func (s *sources) next(t *testing.T) *source {
	t.Helper()
	select {
	case v := <-s.ch:
		return v
	case <-time.After(patience):
		require.Fail(t, "no stream was started")
		return nil
	}
}

var quiet = slog.New(slog.DiscardHandler)

// serve runs a server until the test ends.
func serve(t *testing.T, cfg Config, tcp net.Listener, udp []net.PacketConn, change ...func(*Server)) *Server {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = quiet
	}
	s, err := New(cfg)
	require.NoError(t, err)
	// What comes in time comes late on a busy machine.
	s.limit.connect, s.limit.channel, s.limit.flush = patience, patience, patience
	for _, f := range change {
		f(s)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, tcp, udp) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			require.NoError(t, err)
		case <-time.After(patience):
			require.Fail(t, "Serve does not end")
		}
	})
	require.Eventually(t, func() bool { return s.serving() && (tcp == nil || s.tcp.LocalAddr() != nil) }, patience, time.Millisecond)
	return s
}

func (s *Server) serving() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ctx != nil
}

func udpSockets(t *testing.T, addr string) []net.PacketConn {
	t.Helper()
	c, err := ListenUDP(addr)
	require.NoError(t, err)
	return c
}

func listen(t *testing.T, addr string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// player is a WHEP client: another pion program.
type player struct {
	t      *testing.T
	pc     *webrtc.PeerConnection
	answer *Answer

	frames chan received
	closed chan struct{}
	once   sync.Once

	control, pointer *webrtc.DataChannel
	opened           chan struct{} // closed once both are open
	messages         chan []byte
	track            chan *webrtc.TrackRemote
}

// received is a frame of a player.
type received struct {
	data      []byte
	timestamp uint32
	delays    int // packets with a playout delay of zero
	packets   int
}

type playerOptions struct {
	networks []webrtc.NetworkType
	channels bool
	protocol string // of the control channel
	answer   func(string) string
	add      []string // candidates to be added
	page     func(ctx context.Context, t Transport, v stream.Video)
}

func newPlayer(t *testing.T, o playerOptions) *player {
	t.Helper()
	var e webrtc.SettingEngine
	e.SetIncludeLoopbackCandidate(true)
	if o.networks != nil {
		e.SetNetworkTypes(o.networks)
	}
	e.LoggerFactory = logger{log: quiet}
	e.SetSCTPMaxMessageSize(2 << 20)
	var m webrtc.MediaEngine
	require.NoError(t, m.RegisterDefaultCodecs())
	require.NoError(t, m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: playoutDelay}, webrtc.RTPCodecTypeVideo))
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(e), webrtc.WithMediaEngine(&m)).NewPeerConnection(webrtc.Configuration{})
	require.NoError(t, err)
	p := &player{
		t: t, pc: pc, frames: make(chan received, 1000), closed: make(chan struct{}),
		opened: make(chan struct{}), messages: make(chan []byte, 100), track: make(chan *webrtc.TrackRemote, 1),
	}
	t.Cleanup(func() { pc.GracefulClose() })
	_, err = pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
	require.NoError(t, err)
	_, err = pc.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
	require.NoError(t, err)
	pc.OnTrack(func(tr *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		p.track <- tr
		p.receive(tr)
	})
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateClosed || s == webrtc.PeerConnectionStateFailed {
			p.once.Do(func() { close(p.closed) })
		}
	})
	if o.channels {
		var left atomic.Int32
		left.Store(2)
		open := func() {
			if left.Add(-1) == 0 {
				close(p.opened)
			}
		}
		var none uint16
		no := false
		p.control, err = pc.CreateDataChannel(labelControl, &webrtc.DataChannelInit{Protocol: &o.protocol})
		require.NoError(t, err)
		p.pointer, err = pc.CreateDataChannel(labelPointer, &webrtc.DataChannelInit{Ordered: &no, MaxRetransmits: &none})
		require.NoError(t, err)
		p.control.OnOpen(open)
		p.pointer.OnOpen(open)
		p.control.OnMessage(func(m webrtc.DataChannelMessage) { p.messages <- m.Data })
	}
	return p
}

// offer makes the player's offer.
func (p *player) offer() []byte {
	p.t.Helper()
	o, err := p.pc.CreateOffer(nil)
	require.NoError(p.t, err)
	gathered := webrtc.GatheringCompletePromise(p.pc)
	require.NoError(p.t, p.pc.SetLocalDescription(o))
	<-gathered
	return []byte(p.pc.LocalDescription().SDP)
}

// play connects to s.
func play(t *testing.T, s *Server, o playerOptions) *player {
	t.Helper()
	p := newPlayer(t, o)
	a, err := s.Offer(t.Context(), Request{SDP: p.offer(), Remote: t.Name(), Page: o.page})
	require.NoError(t, err)
	p.answer = a
	text := string(a.SDP)
	if o.answer != nil {
		text = o.answer(text)
	}
	require.NoError(t, p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: text}))
	for _, c := range o.add {
		require.NoError(t, p.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: c}))
	}
	return p
}

// receive puts frames together.
func (p *player) receive(tr *webrtc.TrackRemote) {
	var f received
	next, begun := uint16(0), false
	for {
		packet, _, err := tr.ReadRTP()
		if err != nil {
			return
		}
		var v codecs.VP8Packet
		b, err := v.Unmarshal(packet.Payload)
		if err != nil || len(b) == 0 {
			continue
		}
		if begun && packet.SequenceNumber != next {
			f = received{} // lost something: nothing here asks for it
			begun = false
			continue
		}
		next, begun = packet.SequenceNumber+1, true
		if v.S == 1 && v.PID == 0 {
			f = received{timestamp: packet.Timestamp}
		}
		f.data = append(f.data, b...)
		f.packets++
		if hasZeroDelay(packet) {
			f.delays++
		}
		if packet.Marker {
			select {
			case p.frames <- f:
			default:
			}
			f = received{}
		}
	}
}

func hasZeroDelay(p *rtp.Packet) bool {
	for _, id := range p.GetExtensionIDs() {
		if bytes.Equal(p.GetExtension(id), []byte{0, 0, 0}) {
			return true
		}
	}
	return false
}

func (p *player) frame() received {
	p.t.Helper()
	select {
	case f := <-p.frames:
		return f
	case <-time.After(patience):
		require.Fail(p.t, "no frame came")
		return received{}
	}
}

// key waits for a key frame and decodes it.
func (p *player) key() (*image.YCbCr, received) {
	p.t.Helper()
	for {
		f := p.frame()
		if len(f.data) == 0 || f.data[0]&1 != 0 { // RFC 6386, section 9.1
			continue
		}
		d := xvp8.NewDecoder()
		d.Init(bytes.NewReader(f.data), len(f.data))
		h, err := d.DecodeFrameHeader()
		require.NoError(p.t, err)
		require.True(p.t, h.KeyFrame)
		m, err := d.DecodeFrame()
		require.NoError(p.t, err)
		return m, f
	}
}

// gone waits until the session is over at the player's side.
func (p *player) gone() {
	p.t.Helper()
	select {
	case <-p.closed:
	case <-time.After(patience):
		require.Fail(p.t, "the session goes on")
	}
}

func (p *player) pli() {
	p.t.Helper()
	tr := <-p.track
	p.track <- tr
	require.NoError(p.t, p.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(tr.SSRC())}}))
}

func requireColour(t *testing.T, m *image.YCbCr) {
	t.Helper()
	require.Equal(t, image.Pt(side, side), m.Rect.Size())
	y, cb, cr := m.Y[m.YOffset(20, 20)], m.Cb[m.COffset(20, 20)], m.Cr[m.COffset(20, 20)]
	require.InDelta(t, 82, int(y), 4)
	require.InDelta(t, 90, int(cb), 4)
	require.InDelta(t, 240, int(cr), 4)
}

func withoutCandidates(s string) string {
	var out []string
	for line := range strings.Lines(s) {
		if !strings.HasPrefix(line, "a=candidate") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}
