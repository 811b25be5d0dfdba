package rtc

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"framebridge/internal/stream"
)

const (
	// MaxSDP bounds an offer in bytes: those of browsers are 5 to 10 KB.
	MaxSDP = 64 << 10
	// maxMedia bounds its media sections: video, audio and data are three.
	maxMedia = 8
	// maxCandidates bounds its candidates, of which each is tried: a machine with ten
	// addresses has 30.
	maxCandidates = 64
	// defaultMessage is the longest message that a peer takes that does not say so
	// (RFC 8841, section 6).
	defaultMessage = 64 << 10
)

// Request is a viewer that wants to watch.
type Request struct {
	SDP    []byte // the offer
	Remote string // address, for the log
	// Page serves the page at the other end once its control channel is open, and
	// returns when it has left or ctx is done; then the session ends. It closes t.
	// The stream makes no frames for it: they go as RTP. Nil: data channels are
	// refused.
	Page func(ctx context.Context, t Transport, v stream.Video)
}

// Answer is what a viewer is told.
type Answer struct {
	ID  string // of the session: who knows it may end it
	Tag string // changes when ICE starts anew, which it does not; WHEP's ETag
	SDP []byte
}

// offered is what we need to know of an offer.
type offered struct {
	ufrag      string // of the peer
	data       bool   // there are data channels
	maxMessage int    // the longest message that the peer takes, in bytes
}

const attrUfrag = "ice-ufrag"

// parseOffer looks at an offer before it costs anything.
func parseOffer(b []byte) (o offered, err error) {
	if len(b) > MaxSDP {
		return o, fmt.Errorf("%w: %d bytes", ErrOffer, len(b))
	}
	var d sdp.SessionDescription
	if err := d.Unmarshal(b); err != nil {
		return o, fmt.Errorf("%w: %v", ErrOffer, err)
	}
	if len(d.MediaDescriptions) > maxMedia {
		return o, fmt.Errorf("%w: %d media sections", ErrOffer, len(d.MediaDescriptions))
	}
	candidates, video := 0, false
	for _, m := range d.MediaDescriptions {
		switch m.MediaName.Media {
		case "video":
			video = video || m.MediaName.Port.Value != 0 && receivesVP8(m)
		case "application":
			o.data = o.data || m.MediaName.Port.Value != 0
			o.maxMessage = defaultMessage
			if v, ok := m.Attribute("max-message-size"); ok {
				n, err := strconv.ParseUint(v, 10, 32)
				if err != nil {
					return o, fmt.Errorf("%w: max-message-size %q", ErrOffer, v)
				}
				if o.maxMessage = int(n); n == 0 { // any (RFC 8841, section 6)
					o.maxMessage = 1 << 30
				}
			}
		}
		for _, a := range m.Attributes {
			switch a.Key {
			case "candidate":
				candidates++
			case attrUfrag:
				o.ufrag = a.Value // bundled: all have the same
			}
		}
	}
	if candidates > maxCandidates {
		return o, fmt.Errorf("%w: %d candidates", ErrOffer, candidates)
	}
	if !video {
		return o, ErrOffer
	}
	if v, ok := d.Attribute(attrUfrag); ok && o.ufrag == "" {
		o.ufrag = v
	}
	return o, nil
}

// receivesVP8 reports whether a media section would take VP8 from us.
func receivesVP8(m *sdp.MediaDescription) bool {
	vp8 := false
	for _, a := range m.Attributes {
		switch a.Key {
		case "sendonly", "inactive":
			return false
		case "rtpmap":
			_, codec, _ := strings.Cut(a.Value, " ")
			vp8 = vp8 || strings.EqualFold(strings.TrimSpace(codec), "VP8/90000")
		}
	}
	return vp8
}

// Offer starts a session for a viewer. Its error is ErrOffer, ErrBusy,
// ErrNotServing or that of ctx.
func (s *Server) Offer(ctx context.Context, q Request) (*Answer, error) {
	o, err := parseOffer(q.SDP)
	if err != nil {
		return nil, err
	}
	p := &peer{
		srv: s, page: q.Page, offered: o, ufrag: rand.Text()[:8], id: rand.Text(),
		remote: q.Remote, log: s.log.With("viewer", q.Remote),
		open: make(chan struct{}), linked: make(chan struct{}), kick: make(chan struct{}, 1),
	}
	if err := s.enter(p); err != nil {
		return nil, err
	}
	p.channels = newChannels(p)
	answer, err := p.negotiate(ctx, q.SDP)
	if err == nil {
		err = s.start(p)
	}
	if err != nil {
		p.end(err)
		if p.pc != nil {
			p.pc.GracefulClose() //nolint:errcheck // it has just begun
		}
		s.leave(p)
		return nil, err
	}
	return answer, nil
}

// start lets p run, unless Serve ends.
func (s *Server) start(p *peer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil {
		return ErrNotServing
	}
	s.running.Go(p.run)
	return nil
}

// negotiate makes the connection and its answer.
func (p *peer) negotiate(ctx context.Context, offer []byte) (*Answer, error) {
	api, err := p.srv.api(p)
	if err != nil {
		return nil, err
	}
	if p.pc, err = api.NewPeerConnection(webrtc.Configuration{}); err != nil {
		return nil, fmt.Errorf("rtc: %w", err)
	}
	p.track = newTrack()
	if p.sender, err = p.pc.AddTrack(p.track); err != nil {
		return nil, fmt.Errorf("rtc: %w", err)
	}
	p.pc.OnConnectionStateChange(p.changed)
	p.pc.OnDataChannel(p.channels.add)
	p.pc.SCTP().Transport().ICETransport().OnSelectedCandidatePairChange(p.selected)
	err = p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: string(offer)})
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrOffer, err)
	}
	answer, err := p.pc.CreateAnswer(nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrOffer, err)
	}
	gathered := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(answer); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrOffer, err)
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.ctx.Done():
		return nil, ErrNotServing
	}
	return &Answer{ID: p.id, Tag: p.ufrag, SDP: []byte(p.pc.LocalDescription().SDP)}, nil
}

// playoutDelay asks the receiver not to wait for packets that might come late
// (webrtc.googlesource.com, docs/native-code/rtp-hdrext/playout-delay): a
// picture of a desktop is to be seen at once.
const playoutDelay = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"

// Payload types (RFC 3551, section 3: dynamic ones). Answers take those of the
// offer.
const (
	payloadVP8 = 96
	payloadRTX = 97
)

// api returns pion's settings for one session.
func (s *Server) api(p *peer) (*webrtc.API, error) {
	var m webrtc.MediaEngine
	err := errors.Join(
		m.RegisterCodec(webrtc.RTPCodecParameters{
			RTPCodecCapability: webrtc.RTPCodecCapability{
				MimeType: webrtc.MimeTypeVP8, ClockRate: clockRate,
				RTCPFeedback: []webrtc.RTCPFeedback{{Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"}},
			},
			PayloadType: payloadVP8,
		}, webrtc.RTPCodecTypeVideo),
		m.RegisterCodec(webrtc.RTPCodecParameters{
			RTPCodecCapability: webrtc.RTPCodecCapability{
				MimeType: webrtc.MimeTypeRTX, ClockRate: clockRate, SDPFmtpLine: fmt.Sprintf("apt=%d", payloadVP8),
			},
			PayloadType: payloadRTX,
		}, webrtc.RTPCodecTypeVideo),
		m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: playoutDelay}, webrtc.RTPCodecTypeVideo),
	)
	if err != nil {
		return nil, fmt.Errorf("rtc: %w", err)
	}
	var r interceptor.Registry
	resend, err := nack.NewResponderInterceptor(nack.WithResponderLoggerFactory(logger{log: s.log}))
	if err != nil {
		return nil, fmt.Errorf("rtc: %w", err)
	}
	reports, err := report.NewSenderInterceptor(report.WithSenderLoggerFactory(logger{log: s.log}))
	if err != nil {
		return nil, fmt.Errorf("rtc: %w", err)
	}
	r.Add(resend)
	r.Add(reports)

	e := webrtc.SettingEngine{LoggerFactory: logger{log: s.log}}
	e.SetICECredentials(p.ufrag, rand.Text())
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled) // pods have none, and it would ask the network
	e.DisableActiveTCP(true)                               // browsers connect to us
	e.SetICETimeouts(disconnectedAfter, failedAfter, keepAliveEvery)
	if err := e.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil { // the page knows first that there is a way
		return nil, fmt.Errorf("rtc: %w", err)
	}
	e.SetSCTPMaxMessageSize(uint32(s.cfg.MaxMessage))
	e.SetSCTPMaxReceiveBufferSize(uint32(s.cfg.MaxMessage) + sctpSpare)

	s.mu.Lock()
	udp, loop := s.udp, s.loop
	s.mu.Unlock()
	var networks []webrtc.NetworkType
	if udp != nil {
		networks = append(networks, webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6)
		e.SetICEUDPMux(udp)
	}
	if s.tcp.LocalAddr() != nil {
		networks = append(networks, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
		e.SetICETCPMux(&s.tcp)
	}
	if len(networks) == 0 {
		return nil, ErrNotServing
	}
	e.SetNetworkTypes(networks)
	e.SetIncludeLoopbackCandidate(loop)
	var rules []webrtc.ICEAddressRewriteRule
	for _, ip := range s.cfg.PublicIPs {
		rules = append(rules, webrtc.ICEAddressRewriteRule{
			External: []string{ip.Unmap().String()}, AsCandidateType: webrtc.ICECandidateTypeHost,
			Mode: webrtc.ICEAddressRewriteReplace,
		})
	}
	if err := e.SetICEAddressRewriteRules(rules...); err != nil {
		return nil, fmt.Errorf("rtc: Config.PublicIPs: %w", err)
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(&m), webrtc.WithInterceptorRegistry(&r), webrtc.WithSettingEngine(e)), nil
}

// sctpSpare is how much of other messages may wait beside the longest one.
const sctpSpare = 256 << 10
