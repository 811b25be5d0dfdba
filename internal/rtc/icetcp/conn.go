package icetcp

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	// silenceLimit is after what silence a connection ends. Browsers check those that
	// they use, and those that they keep in reserve, at least every 25 s.
	silenceLimit = time.Minute
	// writeLimit is how long the peer may take to make room for a write.
	writeLimit = 15 * time.Second
	// flushLimit is how long the peer may take, at the end, for what waits.
	flushLimit = 300 * time.Millisecond
	// maxMedia bounds what waits to be sent when media comes, and maxWaiting when
	// anything else does. Who sends media asks Drain first and never comes near.
	maxMedia   = 256 << 10
	maxWaiting = 512 << 10
	// maxWrite is how much is written at once: bytes under way can no longer be
	// counted as waiting.
	maxWrite = 32 << 10
)

var errFull = errors.New("icetcp: no room: the packet is dropped")

// conn is one TCP connection. Its packets wait in a buffer for the goroutine that
// writes them, many at a time.
type conn struct {
	net.Conn
	peer netip.AddrPort // what the agent knows it by
	room chan struct{}
	more chan struct{} // capacity 1: there is something to send
	done chan struct{}

	dmu    sync.Mutex // held while setting deadlines
	closed bool       // guarded by dmu

	mu  sync.Mutex
	out []byte // frames that wait
	at  int    // how many bytes of out are sent
}

func newConn(nc net.Conn) *conn {
	return &conn{Conn: nc, more: make(chan struct{}, 1), done: make(chan struct{})}
}

// close ends both goroutines: reading at once, writing when what waits is sent, for
// which the peer has flushLimit. The last of it tells the peer that it is over.
func (c *conn) close() {
	c.dmu.Lock()
	defer c.dmu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	close(c.done)
	c.SetReadDeadline(time.Unix(1, 0))             //nolint:errcheck // it has gone, which is as good
	c.SetWriteDeadline(time.Now().Add(flushLimit)) //nolint:errcheck // as above
}

// readable and writable set the time for the next read or write, unless close has.
func (c *conn) readable(limit time.Duration) error {
	c.dmu.Lock()
	defer c.dmu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	return c.SetReadDeadline(time.Now().Add(limit))
}

func (c *conn) writable(limit time.Duration) error {
	c.dmu.Lock()
	defer c.dmu.Unlock()
	if c.closed {
		return nil
	}
	return c.SetWriteDeadline(time.Now().Add(limit))
}

func (c *conn) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.out) - c.at
}

// put adds a packet; false: there is no room.
func (c *conn) put(b []byte) bool {
	c.mu.Lock()
	limit := maxWaiting
	if isMedia(b) {
		limit = maxMedia
	}
	if len(c.out)-c.at+frameHeader+len(b) > limit {
		c.mu.Unlock()
		return false
	}
	c.out = appendFrame(c.out, b)
	c.mu.Unlock()
	select {
	case c.more <- struct{}{}:
	default:
	}
	return true
}

// write sends what waits until the connection is closed and nothing does.
func (c *conn) write() {
	defer c.close()
	buf := make([]byte, 0, maxWrite)
	for {
		c.mu.Lock()
		buf = append(buf[:0], c.out[c.at:min(len(c.out), c.at+maxWrite)]...)
		c.mu.Unlock()
		if len(buf) == 0 {
			select {
			case <-c.more:
				continue
			default:
			}
			select {
			case <-c.more:
				continue
			case <-c.done:
				return
			}
		}
		if c.writable(writeLimit) != nil {
			return
		}
		if _, err := c.Write(buf); err != nil {
			return
		}
		c.mu.Lock()
		c.at += len(buf)
		if c.at == len(c.out) {
			c.out, c.at = c.out[:0], 0
		} else if c.at > maxWaiting {
			c.out, c.at = append(c.out[:0], c.out[c.at:]...), 0
		}
		c.mu.Unlock()
		c.wake()
	}
}

// wake tells Drain that something was sent.
func (c *conn) wake() {
	select {
	case c.room <- struct{}{}:
	default:
	}
}
