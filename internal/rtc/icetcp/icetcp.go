// Package icetcp carries ICE over TCP (RFC 6544): it gives the connections that
// browsers make to passive candidates to the ICE agents that they are for, told
// apart by the username fragment in the first STUN request, and shows each agent
// its connections as one packet socket.
//
// It differs from the usual multiplexer in what a server behind port forwarding
// needs. A connection belongs to the agent of its fragment, wherever it seems to
// come from and to arrive: a forwarder connects from and to loopback, although the
// agent knows only the addresses of the pod. A loopback peer is shown to the agent
// under an address that is none, since Firefox rejects a loopback address as its
// own. Nothing is kept for fragments that nobody has. And writes never block: what
// waits to be sent is bounded, its amount can be asked for, and media that finds
// no room is dropped.
package icetcp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"
)

const (
	// maxConns bounds the connections of all agents, and of one: a browser makes one
	// per pair of addresses that it tries.
	maxConns         = 1024
	maxConnsPerAgent = 8
	// helloLimit is how long a connection may take for its first frame.
	helloLimit = 5 * time.Second
)

// Mux gives connections to agents. The zero value is ready; its methods may be
// called from several goroutines.
type Mux struct {
	// Logger; nil: slog.Default(). Not to be changed after the first use.
	Logger *slog.Logger

	mu     sync.Mutex
	addr   *net.TCPAddr // where Serve listens; nil: it does not
	agents map[string]*agent
	conns  map[*conn]struct{}
	synth  uint16 // port of the last address that was made up
}

func (m *Mux) log() *slog.Logger {
	if m.Logger != nil {
		return m.Logger
	}
	return slog.Default()
}

// LocalAddr returns the address of the listener, which is where candidates are
// made of; nil while Serve does not run.
func (m *Mux) LocalAddr() net.Addr {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.addr == nil {
		return nil
	}
	return m.addr
}

// Known reports whether an agent has this username fragment.
func (m *Mux) Known(ufrag string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.agents[ufrag] != nil
}

// Conns returns how many connections there are.
func (m *Mux) Conns() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.conns)
}

// Serve takes connections from l until l is closed. When ctx is done it closes l and
// all connections and waits for them. One Serve runs at a time.
func (m *Mux) Serve(ctx context.Context, l net.Listener) error {
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return fmt.Errorf("icetcp: the listener's address %v is not TCP's", l.Addr())
	}
	m.mu.Lock()
	if m.addr != nil {
		m.mu.Unlock()
		return errors.New("icetcp: already serving")
	}
	m.addr = addr
	m.conns = make(map[*conn]struct{})
	m.mu.Unlock()

	var wg sync.WaitGroup
	defer wg.Wait()
	defer func() {
		m.mu.Lock()
		m.addr = nil
		for c := range m.conns {
			c.close()
		}
		m.mu.Unlock()
	}()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	defer l.Close()
	for {
		nc, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				// Who owns the listener may close it first; agents have more to say.
				<-ctx.Done()
				return nil
			}
			// Out of descriptors, most likely: that passes when peers leave.
			m.log().Warn("cannot accept an ICE-TCP connection", "error", err)
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
			continue
		}
		c := newConn(nc)
		if !m.enter(c) {
			m.log().Debug("too many ICE-TCP connections: one is closed", "remote", nc.RemoteAddr())
			nc.Close()
			continue
		}
		wg.Go(func() {
			if err := m.run(c); err != nil {
				m.log().Debug("ICE-TCP connection closed", "remote", nc.RemoteAddr(), "reason", err)
			}
		})
	}
}

func (m *Mux) enter(c *conn) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.conns) >= maxConns || m.addr == nil {
		return false
	}
	m.conns[c] = struct{}{}
	return true
}

// run serves a connection until it ends.
func (m *Mux) run(c *conn) error {
	defer func() {
		c.Close()
		m.mu.Lock()
		delete(m.conns, c)
		m.mu.Unlock()
	}()
	if err := c.readable(helloLimit); err != nil {
		return err
	}
	buf := make([]byte, maxPacket)
	first, err := readFrame(c, buf, maxSTUN)
	if err != nil {
		return err
	}
	name, ok := ufrag(first)
	if !ok {
		return errors.New("no STUN Binding request with a USERNAME")
	}
	s, err := m.assign(c, name)
	if err != nil {
		return err
	}
	defer s.remove(c)
	setOptions(c.Conn)
	var writer sync.WaitGroup
	writer.Go(c.write)
	defer writer.Wait()
	defer c.close()
	for packet := first; ; {
		if len(packet) > 0 && !s.receive(packet, c) {
			return net.ErrClosed
		}
		if err := c.readable(silenceLimit); err != nil {
			return err
		}
		if packet, err = readFrame(c, buf, maxPacket); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

var (
	errUnknown = errors.New("nobody has this username fragment")
	errMany    = errors.New("too many connections for one agent")
)

// assign adds c to the socket that fits it best: the one of the address at which it
// arrived, or, through a forwarder, any of the agent's.
func (m *Mux) assign(c *conn, name string) (*socket, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.agents[name]
	if a == nil {
		return nil, errUnknown
	}
	remote, local := addrPort(c.RemoteAddr()), addrPort(c.LocalAddr())
	var best *socket
	n := 0
	for _, s := range a.sockets {
		k, open := s.conns()
		if !open {
			continue
		}
		n += k
		if s.ip == local.Addr() || best == nil || best.ip != local.Addr() && best.ip.Is4() != remote.Addr().Is4() && s.ip.Is4() == remote.Addr().Is4() {
			best = s
		}
	}
	if best == nil {
		return nil, errUnknown
	}
	if n >= maxConnsPerAgent {
		return nil, errMany
	}
	if !remote.IsValid() || remote.Addr().IsLoopback() && !best.ip.IsLoopback() || remote.Addr().Is4() != best.ip.Is4() {
		m.synth = max(m.synth+1, 1024)
		remote = madeUp(best.ip, m.synth)
	}
	if !best.add(c, remote) {
		return nil, errUnknown
	}
	return best, nil
}
