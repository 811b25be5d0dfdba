// Package port lets one listening socket serve RFB, HTTP, WebSockets, TLS and
// ICE-TCP, told apart by the client's first bytes. In RFB the server speaks first:
// a client that says nothing for a moment is a viewer that waits to be greeted.
//
// Browsers connect ahead of their requests, and probes and scanners connect and
// close all day: they are closed without a word, and nothing above debug is logged.
// Connections end with FIN after what the client still sent was read, never with
// RST.
package port

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"
)

const (
	// DefaultDelay is the silence that makes a client a viewer. Clients that speak
	// first do so right after connecting, in the packet after their ACK; 100 ms are
	// the jitter of a bad link, and a viewer's user does not feel them.
	DefaultDelay = 100 * time.Millisecond
	// decideLimit is how long a client may take to say what it speaks, and for TLS's
	// handshake.
	decideLimit = 10 * time.Second
	// maxUndecided bounds the clients that have not said what they speak. Each costs a
	// goroutine and a few KB. When there are more, the one that has waited longest
	// is closed: honest ones have made themselves known within a round trip.
	maxUndecided = 1024
	// maxFirst is how much is read before a decision: a whole STUN frame.
	maxFirst = frameHeader + maxSTUN
)

// Config configures a Port; the zero value works.
type Config struct {
	// Delay is how long a client has to say something before it counts as a viewer;
	// 0: DefaultDelay.
	Delay time.Duration
	// TLS serves HTTP and RFB over TLS, too; nil: such clients are sent an alert.
	TLS *tls.Config
	// TLSOnlyRFB, with TLS, closes viewers that come in the clear: a client that says
	// nothing is waited for and never greeted.
	TLSOnlyRFB bool
	// Ufrag reports whether an ICE username fragment is one of ours. Connections for
	// others are closed: nothing would ever take them. Nil: none is. It may be called
	// from several goroutines.
	Ufrag func(ufrag string) bool
	// Logger; nil: slog.Default().
	Logger *slog.Logger
}

// Port is a listening socket and the listeners of what is spoken on it.
type Port struct {
	l   net.Listener
	cfg Config
	log *slog.Logger

	rfb, http, ice *listener

	given sync.WaitGroup // connections handed out and not yet ended

	mu      sync.Mutex
	waiting []*undecided // in the order of their coming; guarded by mu
}

// New returns a Port for l, which it owns. The listeners for the kinds that are
// wanted are asked for before Serve; clients of the other kinds are closed.
func New(l net.Listener, cfg Config) (*Port, error) {
	if cfg.Delay < 0 {
		return nil, fmt.Errorf("port: Config.Delay %v is negative", cfg.Delay)
	}
	if cfg.TLSOnlyRFB && cfg.TLS == nil {
		return nil, errors.New("port: Config.TLSOnlyRFB without TLS")
	}
	if cfg.Delay == 0 {
		cfg.Delay = DefaultDelay
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &Port{l: l, cfg: cfg, log: cfg.Logger}, nil
}

// Addr returns the address of the socket.
func (p *Port) Addr() net.Addr { return p.l.Addr() }

// RFB returns the listener for viewers.
func (p *Port) RFB() net.Listener { return p.ask(&p.rfb) }

// HTTP returns the listener for HTTP. Connections over TLS have a method
// ConnectionState, from which net/http learns of it.
func (p *Port) HTTP() net.Listener { return p.ask(&p.http) }

// ICE returns the listener for ICE-TCP. A connection begins with the frame of its
// first STUN request.
func (p *Port) ICE() net.Listener { return p.ask(&p.ice) }

func (p *Port) ask(l **listener) net.Listener {
	if *l == nil {
		*l = &listener{addr: p.l.Addr(), conns: make(chan net.Conn), done: make(chan struct{})}
	}
	return *l
}

// Serve accepts clients and hands them to the listeners until ctx is done. Then
// it closes the socket and the listeners and waits until all connections that it
// handed out are closed, except viewers' that waited for their greeting: those are
// the plain sockets.
func (p *Port) Serve(ctx context.Context) error {
	var deciding sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	defer p.given.Wait()
	defer deciding.Wait()
	defer func() {
		for _, l := range []*listener{p.rfb, p.http, p.ice} {
			if l != nil {
				l.Close()
			}
		}
	}()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { p.l.Close() })
	defer stop()
	defer p.l.Close()
	for pause := time.Duration(0); ; {
		c, err := p.l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if errors.Is(err, net.ErrClosed) {
				return fmt.Errorf("accept: %w", err)
			}
			// Out of descriptors, most likely: that passes when clients leave.
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			p.log.Warn("cannot accept a connection", "error", err, "retry", pause)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
			continue
		}
		pause = 0
		u := &undecided{port: p, socket: c, gone: make(chan struct{})}
		p.enter(u)
		deciding.Go(func() {
			u.decide(ctx)
			p.leave(u)
		})
	}
}

// enter adds a client that has yet to say what it speaks.
func (p *Port) enter(u *undecided) {
	p.mu.Lock()
	var oldest *undecided
	if len(p.waiting) >= maxUndecided {
		oldest = p.waiting[0]
		p.waiting = slices.Delete(p.waiting, 0, 1)
	}
	p.waiting = append(p.waiting, u)
	p.mu.Unlock()
	if oldest != nil {
		oldest.evict()
	}
}

func (p *Port) leave(u *undecided) {
	p.mu.Lock()
	if i := slices.Index(p.waiting, u); i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
	}
	p.mu.Unlock()
}

// listener is the net.Listener of one kind.
type listener struct {
	addr  net.Addr
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *listener) Addr() net.Addr { return l.addr }
