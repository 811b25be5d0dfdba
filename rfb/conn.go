package rfb

import (
	"net"
	"sync/atomic"
	"time"
)

const (
	// DefaultWriteTimeout is how long a viewer may take for writePiece bytes.
	DefaultWriteTimeout = 20 * time.Second
	// writePiece is the unit of progress of a Write. A deadline for a whole
	// update would cut off slow links that work: 8 MB take a minute on
	// 1 Mbit/s. A piece of 64 KiB in 20 s is 26 kbit/s.
	writePiece = 64 << 10
)

// Conn is the connection of one viewer: its messages, and writes that fail
// when the viewer takes nothing. One goroutine may read while another one
// writes; Close and the counters may be used by any, and Close unblocks both.
type Conn struct {
	net.Conn
	*Reader
	// WriteTimeout is how long the viewer may take for 64 KiB. Zero means
	// DefaultWriteTimeout; less than zero means for ever. Set it before the
	// first Write.
	WriteTimeout time.Duration

	received, sent atomic.Int64
}

// NewConn returns a Conn on nc, and owns it.
func NewConn(nc net.Conn) *Conn {
	c := &Conn{Conn: nc}
	c.Reader = NewReader(c)
	return c
}

// Read reads bytes, for the handshake. What the Reader has buffered does not
// appear: do not use it after the first ReadMessage.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.received.Add(int64(n))
	return n, err
}

// Write writes all of p. Each 64 KiB have WriteTimeout; after an error the
// connection is of no use. It sets the connection's write deadline.
func (c *Conn) Write(p []byte) (n int, err error) {
	timeout := c.WriteTimeout
	if timeout == 0 {
		timeout = DefaultWriteTimeout
	}
	for len(p) > 0 {
		if timeout > 0 {
			if err := c.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
				return n, err
			}
		}
		k, err := c.Conn.Write(p[:min(len(p), writePiece)])
		c.sent.Add(int64(k))
		n += k
		if err != nil {
			return n, err
		}
		p = p[k:]
	}
	return n, nil
}

// Received returns the number of bytes read from the network.
func (c *Conn) Received() int64 { return c.received.Load() }

// Sent returns the number of bytes written to the network.
func (c *Conn) Sent() int64 { return c.sent.Load() }
