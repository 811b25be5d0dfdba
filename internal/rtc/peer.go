package rtc

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"framebridge/internal/stream"
)

const (
	// How long ICE hears nothing until the way counts as broken, and then until the
	// session ends; and how often it makes itself heard.
	disconnectedAfter = 5 * time.Second
	failedAfter       = 10 * time.Second
	keepAliveEvery    = 2 * time.Second
	// channelLimit is how long the picture waits for the control channel, which tells
	// whether there will be acknowledgements.
	channelLimit = time.Second
)

var (
	errLeft    = errors.New("the viewer has left")
	errGaveWay = errors.New("another viewer took the screen for itself")
	errLate    = errors.New("no connection came about")
	errLost    = errors.New("the connection was lost")
)

// peer is one session. Its goroutine, run, owns the others.
type peer struct {
	srv     *Server
	id      string
	ufrag   string
	remote  string // address, for the log
	log     *slog.Logger
	page    func(ctx context.Context, t Transport, v stream.Video)
	offered offered
	ctx     context.Context
	end     context.CancelCauseFunc

	pc       *webrtc.PeerConnection
	track    *track
	sender   *webrtc.RTPSender
	channels *channels

	open     chan struct{} // closed once the control channel is open
	linked   chan struct{} // closed once connected
	linkOnce sync.Once
	tcp      atomic.Bool   // media goes over ICE-TCP
	kick     chan struct{} // capacity 1: tend has something to look at

	// Guarded by Server.mu.
	counted  bool // not pending any more
	watching bool // connected, without a page's session

	mu       sync.Mutex // guards what follows
	trickled int
	pacing   pacing
}

// changed is pion's callback.
func (p *peer) changed(s webrtc.PeerConnectionState) {
	switch s {
	case webrtc.PeerConnectionStateConnected:
		p.linkOnce.Do(func() { close(p.linked) })
	case webrtc.PeerConnectionStateFailed:
		p.end(errLost)
	case webrtc.PeerConnectionStateClosed:
		p.end(errLeft)
	}
}

// selected is pion's callback.
func (p *peer) selected(pair *webrtc.ICECandidatePair) {
	p.tcp.Store(pair != nil && pair.Local != nil && pair.Local.Protocol == webrtc.ICEProtocolTCP)
}

// run serves the viewer until it leaves or the server ends.
func (p *peer) run() {
	defer p.srv.leave(p)
	var reader sync.WaitGroup
	reader.Go(p.readRTCP)
	p.serve()
	p.end(errLeft)
	p.pc.GracefulClose() //nolint:errcheck // what fails to close has gone
	reader.Wait()
}

func (p *peer) serve() {
	late := time.NewTimer(p.srv.limit.connect)
	defer late.Stop()
	select {
	case <-p.linked:
	case <-late.C:
		p.end(errLate)
		p.log.Debug("session dropped", "reason", errLate)
		return
	case <-p.ctx.Done():
		return
	}
	start := time.Now()
	p.srv.connected(p, false)
	var open <-chan struct{} // nil: there will be no page
	if p.page != nil && p.offered.data {
		open = p.open
		late.Reset(p.srv.limit.channel)
		select {
		case <-open:
		case <-late.C:
		case <-p.ctx.Done():
			return
		}
	}
	acks := p.channels.acks()
	v := p.srv.cfg.Video(acks)
	defer v.Close()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { p.end(p.show(v, acks)) })
	wg.Go(func() { p.tend(v) })

	select {
	case <-open:
		p.srv.connected(p, false)
		p.page(p.ctx, p.channels, view{v, p})
		p.end(errLeft)
		return
	default:
	}
	// A page may still come: meanwhile it is one who watches.
	if f := p.srv.cfg.Alone; f != nil {
		p.srv.GiveWay(p.remote)
		f(p.remote)
	}
	p.srv.connected(p, true)
	p.log.Info("viewer connected", "kind", "whep", "control", false)
	defer func() {
		p.mu.Lock()
		frames, bytes := p.pacing.frames, p.pacing.bytes
		p.mu.Unlock()
		p.log.Info("viewer left", "after", time.Since(start).Round(time.Millisecond),
			"bytes", bytes, "frames", frames, "reason", context.Cause(p.ctx))
	}()
	select {
	case <-open:
		p.srv.connected(p, false)
		p.page(p.ctx, p.channels, view{v, p})
		p.end(errLeft)
	case <-p.ctx.Done():
	}
}

// readRTCP takes what the receiver says of the video until the connection is
// closed. Packets that it misses are sent again by an interceptor.
func (p *peer) readRTCP() {
	for {
		packets, _, err := p.sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, m := range packets {
			switch m.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				p.rekey()
			}
		}
	}
}

// view is the stream as the page's session sees it: its frames go as RTP.
type view struct {
	stream.Video
	peer *peer
}

// Next waits for the end.
func (v view) Next(ctx context.Context) (*stream.Frame, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-v.peer.ctx.Done():
		return nil, context.Cause(v.peer.ctx)
	}
}

// Rekey asks for a key frame, not too often.
func (v view) Rekey() { v.peer.rekey() }

// Meter returns the figures of the frames that were sent since the last call.
func (v view) Meter() stream.Metered {
	v.peer.mu.Lock()
	defer v.peer.mu.Unlock()
	m := v.peer.pacing.meter
	v.peer.pacing.meter = stream.Metered{Quant: m.Quant}
	return m
}

// Ack is not for sessions: acknowledgements are taken from the channel.
func (v view) Ack(uint32) {}

// Close is not for sessions, either: the stream is the peer's.
func (v view) Close() {}
