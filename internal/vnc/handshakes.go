package vnc

import (
	"net"
	"time"
)

const (
	// handshakeLimit is how long a viewer may take from connecting to its
	// ClientInit: a person types a password in it.
	handshakeLimit = 120 * time.Second
	// maxHandshakes bounds the connections that are not viewers yet. Each costs
	// a goroutine and a few KB.
	maxHandshakes = 512
)

// handshakes are the connections that are not viewers yet. When there are too many,
// one has to go for each that comes, and not the one that comes: else whoever opens
// many and says nothing would keep everybody out. It is the oldest of the host that
// has the most.
type handshakes struct {
	all       map[*handshake]struct{}
	refusedAt time.Time // when it was logged
}

type handshake struct {
	id   uint64 // ascending
	conn net.Conn
	host string
}

// end makes what reads from or writes to the connection fail.
func (h *handshake) end() { h.conn.SetDeadline(time.Unix(1, 0)) }

// beginHandshake gives the connection a number and a time limit.
func (s *Server) beginHandshake(conn net.Conn) *handshake {
	conn.SetDeadline(time.Now().Add(handshakeLimit))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peers++
	h := &handshake{s.peers, conn, hostOf(conn.RemoteAddr())}
	k := &s.shaking
	if len(k.all) >= maxHandshakes {
		if time.Since(k.refusedAt) > time.Second {
			k.refusedAt = time.Now()
			s.log.Warn("too many connections wait for authentication: the oldest are closed")
		}
		old := k.oldest()
		delete(k.all, old)
		old.end()
	}
	if k.all == nil {
		k.all = make(map[*handshake]struct{})
	}
	k.all[h] = struct{}{}
	return h
}

// oldest returns the oldest handshake of the host that has the most.
func (k *handshakes) oldest() (old *handshake) {
	count := make(map[string]int)
	for h := range k.all {
		count[h.host]++
	}
	for h := range k.all {
		if old == nil || count[h.host] > count[old.host] || count[h.host] == count[old.host] && h.id < old.id {
			old = h
		}
	}
	return old
}

func (s *Server) endHandshake(h *handshake) {
	s.mu.Lock()
	delete(s.shaking.all, h)
	s.mu.Unlock()
}
