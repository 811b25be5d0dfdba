package rtc

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"

	"framebridge/internal/stream"
)

const (
	// clockRate is that of VP8's RTP timestamps (RFC 7741, section 4.1).
	clockRate = 90000
	// payloadSize bounds an RTP payload: with its headers, SRTP's tag, UDP and IPv6 it
	// stays below 1280 bytes, which every path of IPv6 takes.
	payloadSize = 1160
	// calmBytes is what may wait to be sent over ICE-TCP before the next frame is asked
	// for, and burstBytes before more of a frame is added: what waits is late.
	calmBytes  = 8 << 10
	burstBytes = 64 << 10
	// drainPackets is after how many packets that is looked at.
	drainPackets = 16
	// Over UDP a frame's first packets go at once, the others at paceRate at most:
	// routers and receivers keep tens of packets, not hundreds.
	paceFree  = 48
	paceGroup = 24
	paceEvery = time.Millisecond // 24 packets of 1200 bytes a millisecond: 230 Mbit/s
)

// track is the video of one session; a TrackLocal of pion.
type track struct {
	*webrtc.TrackLocalStaticRTP

	bound  chan struct{} // closed once the fields below are set
	once   sync.Once
	header rtp.Header // of all packets, but for number, time and marker
	w      webrtc.TrackLocalWriter
}

func newTrack() *track {
	t, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8}, "video", "framebridge")
	if err != nil {
		panic(err) // it fails for bad options alone
	}
	return &track{TrackLocalStaticRTP: t, bound: make(chan struct{})}
}

// Bind learns what was agreed on.
func (t *track) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	codec, err := t.TrackLocalStaticRTP.Bind(c)
	if err != nil {
		return codec, err
	}
	t.once.Do(func() {
		t.header = rtp.Header{Version: 2, PayloadType: uint8(codec.PayloadType), SSRC: uint32(c.SSRC())}
		for _, e := range c.HeaderExtensions() {
			if e.URI != playoutDelay {
				continue
			}
			b, err := rtp.PlayoutDelayExtension{}.Marshal()
			if err == nil {
				err = t.header.SetExtension(uint8(e.ID), b)
			}
			if err != nil {
				t.header.Extension, t.header.Extensions = false, nil // an ID that cannot be: without
			}
		}
		t.w = c.WriteStream()
		close(t.bound)
	})
	return codec, nil
}

// packets makes RTP payloads of frames, once for all viewers that are sent a frame.
// The zero value is ready.
type packets struct {
	mu     sync.Mutex
	recent [4]struct { // more than one: there may be groups of viewers
		frame    *stream.Frame
		payloads [][]byte
	}
	next int
}

func (k *packets) of(f *stream.Frame) [][]byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.recent {
		if r := &k.recent[i]; r.frame == f {
			return r.payloads
		}
	}
	r := &k.recent[k.next]
	k.next = (k.next + 1) % len(k.recent)
	r.frame, r.payloads = f, new(codecs.VP8Payloader).Payload(payloadSize, f.Data)
	return r.payloads
}

// show sends frames until the viewer leaves.
func (p *peer) show(v stream.Video, acks bool) error {
	select {
	case <-p.track.bound:
	case <-p.ctx.Done():
		return errLeft
	}
	h := p.track.header
	h.SequenceNumber = uint16(rand.Uint32()) // RFC 3550, section 5.1
	base, start := rand.Uint32(), time.Now()
	last := base
	p.mu.Lock()
	p.pacing.begin(start, acks)
	p.mu.Unlock()
	p.wake()
	for {
		if err := p.drained(calmBytes); err != nil {
			return errLeft
		}
		f, err := v.Next(p.ctx)
		if err != nil {
			if p.ctx.Err() != nil {
				return errLeft
			}
			return err
		}
		h.Timestamp = base + uint32(f.Captured.Sub(start)*clockRate/time.Second)
		if int32(h.Timestamp-last) <= 0 {
			h.Timestamp = last + 1
		}
		last = h.Timestamp
		// It is known before it is sent: its acknowledgement may be quicker than we are.
		p.mu.Lock()
		p.pacing.sends(h.Timestamp, f, time.Now())
		p.mu.Unlock()
		if err := p.send(&h, p.srv.packets.of(f)); err != nil {
			return errLeft
		}
		p.mu.Lock()
		p.pacing.sent(h.Timestamp, time.Now())
		p.mu.Unlock()
		p.wake()
	}
}

// send sends a frame's packets as fast as the way takes them.
func (p *peer) send(h *rtp.Header, payloads [][]byte) error {
	for i, b := range payloads {
		switch {
		case i == 0:
		case p.tcp.Load():
			if i%drainPackets == 0 {
				if err := p.drained(burstBytes); err != nil {
					return err
				}
			}
		case i >= paceFree && i%paceGroup == 0:
			select {
			case <-time.After(paceEvery):
			case <-p.ctx.Done():
				return p.ctx.Err()
			}
		}
		h.Marker = i == len(payloads)-1 // RFC 7741, section 4.1
		packet := *h
		if _, err := p.track.w.WriteRTP(&packet, b); err != nil {
			return err
		}
		h.SequenceNumber++
	}
	return nil
}

// drained waits until at most limit bytes wait in our connections.
func (p *peer) drained(limit int) error {
	return p.srv.tcp.Drain(p.ctx, p.ufrag, limit)
}

// tend asks for key frames and counts frames as shown when it is time to, until the
// viewer leaves.
func (p *peer) tend(v stream.Video) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		now := time.Now()
		p.mu.Lock()
		a, next := p.pacing.due(now, p.srv.limit.ack)
		p.mu.Unlock()
		for _, seq := range a.shown {
			v.Ack(seq)
		}
		if a.rekey {
			v.Rekey()
		}
		timer.Reset(next.Sub(now))
		select {
		case <-p.kick:
		case <-timer.C:
		case <-p.ctx.Done():
			return
		}
	}
}

func (p *peer) wake() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// rekey asks for a key frame, now or as soon as one may be had again.
func (p *peer) rekey() {
	p.mu.Lock()
	p.pacing.wanted = true
	p.mu.Unlock()
	p.wake()
}

// acked takes the page's word that the frame of this RTP timestamp is shown.
func (p *peer) acked(timestamp uint32) {
	p.mu.Lock()
	p.pacing.acked(timestamp)
	p.mu.Unlock()
	p.wake()
}
