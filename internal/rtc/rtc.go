// Package rtc serves viewers over WebRTC: the VP8 stream that pages get in a
// WebSocket, as RTP, and the messages of package stream over data channels. It is
// for pages that are no secure context, which have no WebCodecs, for ways that UDP
// can go, and for players of others: signalling is WHEP
// (draft-ietf-wish-whep), one request with an offer that is answered with all our
// candidates.
//
// Media comes over UDP, or over ICE-TCP on the port that serves all else. A page
// adds a candidate with the address that it was loaded from: so that forwarders
// may change the port, and nobody has to tell the server how it is reached.
//
// Frames of video are made of the ones before, so none is left out: rather than
// that, the next one is not made until there is room for it. Pages that say they
// acknowledge frames pace the stream themselves; for others a frame counts as shown
// once it is sent.
//
// The data channels are made by the page. "control" is reliable and ordered and
// carries all messages; "pointer" may lose and reorder and carries pointer messages,
// whose buttons are ignored: a late one must not undo a click. The sub-protocol
// "ack" of the control channel promises that the page acknowledges frames, with
// their RTP timestamps in place of the numbers that they have elsewhere.
package rtc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/ice/v4"

	"framebridge/internal/rtc/icetcp"
	"framebridge/internal/stream"
)

// KeepAlive is after how long without a frame a stream for WebRTC needs one that
// changes nothing: browsers ask for a key frame after 3 s of silence.
const KeepAlive = 2 * time.Second

const (
	// DefaultMaxPeers bounds the viewers: each costs some 20 goroutines and half a MB.
	DefaultMaxPeers = 64
	// maxPending bounds those that have not connected yet, which anybody can become who
	// may look.
	maxPending = 32
	// connectLimit is how long ICE and DTLS may take.
	connectLimit = 15 * time.Second
)

// Config configures a Server. Video must be set.
type Config struct {
	// Video starts a stream for a viewer. acks says that it will acknowledge frames.
	// The stream must have a frame at least every KeepAlive.
	Video func(acks bool) stream.Video
	// PublicIPs are told to viewers in place of the machine's own addresses, where NAT
	// gives it others; at most one of IPv4 and one of IPv6.
	PublicIPs []netip.Addr
	// MaxPeers bounds the viewers; 0: DefaultMaxPeers.
	MaxPeers int
	// MaxMessage bounds a message of a page in bytes; 0: 1 MiB + 1, which is the bound
	// of a clipboard.
	MaxMessage int
	// Alone says that each viewer without a page disconnects the others. The function
	// is called for viewers of other kinds; nil: viewers share.
	Alone func(viewer string)
	// OnViewers is called when Viewers may have changed; it must not block. Nil:
	// nothing.
	OnViewers func()
	// Logger; nil: slog.Default().
	Logger *slog.Logger
}

const defaultMaxMessage = 1<<20 + 1

// Errors of Offer, Trickle and End.
var (
	// ErrOffer says that the offer is none that can be answered; it is wrapped.
	ErrOffer = errors.New("not an offer to watch VP8 video")
	// ErrBusy says that there are too many viewers.
	ErrBusy = errors.New("too many viewers")
	// ErrNotServing says that Serve does not run, or with nothing to serve on.
	ErrNotServing = errors.New("WebRTC is not served")
	// ErrUnknown says that there is no such session.
	ErrUnknown = errors.New("no such session")
	// ErrTag says that candidates are for another start of ICE than ours.
	ErrTag = errors.New("not the session's tag")
	// ErrRestart says that ICE cannot start anew: that takes another offer.
	ErrRestart = errors.New("ICE restarts are not supported")
	// ErrFragment says that what should be candidates is something else; it is
	// wrapped.
	ErrFragment = errors.New("not a fragment with candidates for this session")
)

// Server serves viewers over WebRTC.
type Server struct {
	cfg     Config
	log     *slog.Logger
	tcp     icetcp.Mux
	packets packets
	limit   limits

	mu      sync.Mutex // guards what follows
	ctx     context.Context
	udp     *ice.MultiUDPMuxDefault // nil: none
	loop    bool                    // loopback is one of our addresses
	peers   map[string]*peer        // by ID
	pending int
	running sync.WaitGroup // peers; added to under mu while ctx is set
}

// limits are the times that things may take. Tests have shorter ones.
type limits struct {
	connect time.Duration
	ack     time.Duration // until a frame counts as shown without a word
	channel time.Duration // channelLimit
	flush   time.Duration // flushLimit
}

// New returns a server, or an error that names what is wrong with cfg.
func New(cfg Config) (*Server, error) {
	switch {
	case cfg.Video == nil:
		return nil, errors.New("rtc: Config.Video is nil")
	case cfg.MaxPeers < 0:
		return nil, fmt.Errorf("rtc: Config.MaxPeers %d is negative", cfg.MaxPeers)
	case cfg.MaxMessage < 0:
		return nil, fmt.Errorf("rtc: Config.MaxMessage %d is negative", cfg.MaxMessage)
	}
	kinds := map[bool]bool{}
	for _, ip := range cfg.PublicIPs {
		if !ip.IsValid() || ip.IsUnspecified() || kinds[ip.Unmap().Is4()] {
			return nil, fmt.Errorf("rtc: Config.PublicIPs %v: want one address of a kind", cfg.PublicIPs)
		}
		kinds[ip.Unmap().Is4()] = true
	}
	if cfg.MaxPeers == 0 {
		cfg.MaxPeers = DefaultMaxPeers
	}
	if cfg.MaxMessage == 0 {
		cfg.MaxMessage = defaultMaxMessage
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	s := &Server{
		cfg: cfg, log: cfg.Logger, peers: make(map[string]*peer),
		limit: limits{connect: connectLimit, ack: time.Second, channel: channelLimit, flush: flushLimit},
	}
	s.tcp.Logger = cfg.Logger
	return s, nil
}

// Known reports whether a username fragment of ICE is one of ours.
func (s *Server) Known(ufrag string) bool { return s.tcp.Known(ufrag) }

// Serve lets viewers come over ICE-TCP connections from tcp, which may be nil, and
// over udp's sockets, one per address, until ctx is done. Then it ends all
// sessions, waits for them and closes the sockets. One Serve runs at a time.
func (s *Server) Serve(ctx context.Context, tcp net.Listener, udp []net.PacketConn) error {
	// The transports outlive the sessions: what those say last is still sent.
	tctx, stopTransports := context.WithCancel(context.WithoutCancel(ctx))
	defer stopTransports()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	s.mu.Lock()
	if s.ctx != nil {
		s.mu.Unlock()
		return errors.New("rtc: already serving")
	}
	var muxes []ice.UDPMux
	loop := onlyLoopback()
	for _, c := range udp {
		loop = loop || isLoopback(c.LocalAddr())
		muxes = append(muxes, ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: c, Logger: logger{s.log, "udp"}}))
	}
	if tcp != nil {
		loop = loop || isLoopback(tcp.Addr())
	}
	s.udp = nil
	if len(muxes) > 0 {
		s.udp = ice.NewMultiUDPMuxDefault(muxes...)
	}
	s.loop = loop
	s.ctx = ctx
	s.mu.Unlock()

	ended := make(chan error, 1)
	if tcp == nil {
		ended <- nil
	} else {
		go func() {
			err := s.tcp.Serve(tctx, tcp)
			cancel() // it ends first only when it cannot serve
			ended <- err
		}()
	}
	<-ctx.Done()
	s.mu.Lock()
	s.ctx = nil
	s.mu.Unlock()
	s.running.Wait()
	stopTransports()
	err := <-ended
	s.mu.Lock()
	m := s.udp
	s.udp = nil
	s.mu.Unlock()
	if m != nil {
		err = errors.Join(err, m.Close())
	}
	return err
}

// Viewers returns how many viewers watch without a page's session.
func (s *Server) Viewers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, p := range s.peers {
		if p.watching {
			n++
		}
	}
	return n
}

// Sessions returns how many sessions there are, those that have not connected yet
// among them.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.peers)
}

// GiveWay ends all sessions of viewers without a page, for one that takes the screen
// for itself. It does not wait for their end.
func (s *Server) GiveWay(to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.peers {
		if p.watching {
			p.log.Info("viewer gives way to another that does not share", "to", to)
			p.end(errGaveWay)
		}
	}
}

// End ends a session. From here on nobody finds it, though its goroutines may still
// say goodbye.
func (s *Server) End(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.find(id)
	if p == nil {
		return ErrUnknown
	}
	p.end(errLeft)
	return nil
}

// find returns a session that has not been ended. The caller holds mu.
func (s *Server) find(id string) *peer {
	if p := s.peers[id]; p != nil && p.ctx.Err() == nil {
		return p
	}
	return nil
}

// enter makes p one of the sessions and starts its goroutine.
func (s *Server) enter(p *peer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil {
		return ErrNotServing
	}
	if len(s.peers) >= s.cfg.MaxPeers || s.pending >= maxPending {
		return ErrBusy
	}
	s.pending++
	s.peers[p.id] = p
	p.ctx, p.end = context.WithCancelCause(s.ctx)
	return nil
}

// connected says that p is not pending any more, and whether it only watches.
func (s *Server) connected(p *peer, watching bool) {
	s.mu.Lock()
	if !p.counted {
		p.counted = true
		s.pending--
	}
	change := p.watching != watching
	p.watching = watching
	s.mu.Unlock()
	if change && s.cfg.OnViewers != nil {
		s.cfg.OnViewers()
	}
}

func (s *Server) leave(p *peer) {
	s.connected(p, false)
	s.mu.Lock()
	delete(s.peers, p.id)
	s.mu.Unlock()
}
