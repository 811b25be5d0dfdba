package icetcp

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// agent is the sockets of one username fragment.
type agent struct {
	sockets []*socket
	room    chan struct{} // capacity 1: something was sent
}

// GetConnByUfrag returns the socket of the agent with this fragment for one of our
// addresses. It implements an interface of pion/ice, as do RemoveConnByUfrag and
// Close.
func (m *Mux) GetConnByUfrag(ufrag string, _ bool, local net.IP) (net.PacketConn, error) {
	ip, ok := netip.AddrFromSlice(local)
	if !ok {
		return nil, fmt.Errorf("icetcp: %v is no address", local)
	}
	ip = ip.Unmap()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.addr == nil {
		return nil, net.ErrClosed
	}
	a := m.agents[ufrag]
	if a == nil {
		a = &agent{room: make(chan struct{}, 1)}
		if m.agents == nil {
			m.agents = make(map[string]*agent)
		}
		m.agents[ufrag] = a
	}
	for _, s := range a.sockets {
		if s.ip == ip {
			return s, nil
		}
	}
	s := &socket{
		ip: ip, local: &net.TCPAddr{IP: local, Port: m.addr.Port}, room: a.room,
		packets: make(chan packet, queuedPackets), done: make(chan struct{}),
		peers: make(map[netip.AddrPort]*conn),
	}
	a.sockets = append(a.sockets, s)
	return s, nil
}

// RemoveConnByUfrag ends an agent's sockets and their connections.
func (m *Mux) RemoveConnByUfrag(ufrag string) {
	m.mu.Lock()
	a := m.agents[ufrag]
	delete(m.agents, ufrag)
	m.mu.Unlock()
	if a != nil {
		for _, s := range a.sockets {
			s.Close()
		}
	}
}

// Close does nothing: the Mux outlives the agents. Serve's context ends it.
func (m *Mux) Close() error { return nil }

// Drain waits until an agent has at most limit bytes waiting to be sent. It
// returns at once for one that has no connections.
func (m *Mux) Drain(ctx context.Context, ufrag string, limit int) error {
	for {
		m.mu.Lock()
		a := m.agents[ufrag]
		if a == nil {
			m.mu.Unlock()
			return nil
		}
		waiting := 0
		for _, s := range a.sockets {
			waiting += s.waiting()
		}
		m.mu.Unlock()
		if waiting <= limit {
			return nil
		}
		select {
		case <-a.room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// queuedPackets is how many packets wait for the agent; then the connections are
// not read.
const queuedPackets = 64

type packet struct {
	b    []byte
	from netip.AddrPort
}

// socket is a net.PacketConn of an agent: its connections that belong to one of our
// addresses.
type socket struct {
	ip      netip.Addr
	local   *net.TCPAddr
	room    chan struct{}
	packets chan packet
	done    chan struct{}
	once    sync.Once

	mu    sync.Mutex
	peers map[netip.AddrPort]*conn
}

// conns returns how many connections there are, and whether there may be more.
func (s *socket) conns() (n int, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.done:
		return len(s.peers), false
	default:
		return len(s.peers), true
	}
}

func (s *socket) waiting() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.peers {
		n += c.waiting()
	}
	return n
}

func (s *socket) add(c *conn, remote netip.AddrPort) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.done:
		return false
	default:
	}
	if s.peers[remote] != nil {
		return false
	}
	c.peer, c.room = remote, s.room
	s.peers[remote] = c
	return true
}

func (s *socket) remove(c *conn) {
	s.mu.Lock()
	delete(s.peers, c.peer)
	s.mu.Unlock()
	c.wake()
}

// receive gives the agent a packet; false: it has gone.
func (s *socket) receive(b []byte, c *conn) bool {
	select {
	case s.packets <- packet{slices.Clone(b), c.peer}:
		return true
	case <-s.done:
		return false
	case <-c.done:
		return false
	}
}

// ReadFrom returns the next packet of any connection. That a connection ended is
// no error: the agent hears nothing more from it.
func (s *socket) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case p := <-s.packets:
		if len(p.b) > len(b) {
			return 0, nil, io.ErrShortBuffer
		}
		return copy(b, p.b), net.TCPAddrFromAddrPort(p.from), nil
	case <-s.done:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo sends a packet, or drops it where it finds no room; it does not block.
func (s *socket) WriteTo(b []byte, to net.Addr) (int, error) {
	if len(b) > maxPacket {
		return 0, errTooLong
	}
	s.mu.Lock()
	c := s.peers[addrPort(to)]
	s.mu.Unlock()
	if c == nil {
		return 0, fmt.Errorf("icetcp: no connection with %v", to)
	}
	if !c.put(b) {
		return 0, errFull
	}
	return len(b), nil
}

func (s *socket) Close() error {
	s.once.Do(func() { close(s.done) })
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.peers {
		c.close()
	}
	return nil
}

func (s *socket) LocalAddr() net.Addr { return s.local }

// Deadlines are not needed: Close ends ReadFrom, and WriteTo does not block.
func (s *socket) SetDeadline(time.Time) error      { return nil }
func (s *socket) SetReadDeadline(time.Time) error  { return nil }
func (s *socket) SetWriteDeadline(time.Time) error { return nil }

func addrPort(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	p := t.AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap().WithZone(""), p.Port())
}

// madeUp returns an address that nobody has, of the same kind as ours: from the
// networks that are set aside for benchmarks (RFC 2544, RFC 5180).
func madeUp(like netip.Addr, port uint16) netip.AddrPort {
	if like.Is4() {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, 0, 1}), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x20, 0x01, 0, 2, 15: 1}), port)
}
