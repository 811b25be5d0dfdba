package port

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// lingerLimit is how long the end of a connection waits for the peer's end.
	lingerLimit = 500 * time.Millisecond
	// lingerBytes bounds what is read and thrown away meanwhile: a peer that goes on
	// sending gets the reset that it asks for.
	lingerBytes = 256 << 10
)

// conn is a connection with its first bytes put back in front. Close returns at
// once and ends the connection in the background so that the peer reads all that
// was sent: closing with unread input would make the kernel send RST, which
// destroys what is under way, and which takes a whole kubectl port-forward with it.
type conn struct {
	net.Conn          // what is read and written: the socket, or TLS over it
	socket   net.Conn // what is closed
	port     *Port

	rmu    sync.Mutex // held while reading
	prefix []byte     // guarded by rmu
	wmu    sync.Mutex // held while writing
	dmu    sync.Mutex // held while setting deadlines and closed: after Close nobody does
	closed atomic.Bool
}

// secureConn is a conn over TLS. net/http asks it for the state of the encryption.
type secureConn struct {
	*conn
	tls *tls.Conn
}

func (c secureConn) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }

func (c *conn) Read(p []byte) (int, error) {
	c.rmu.Lock()
	defer c.rmu.Unlock()
	if c.closed.Load() {
		return 0, net.ErrClosed
	}
	if len(c.prefix) > 0 {
		n := copy(p, c.prefix)
		c.prefix = c.prefix[n:]
		return n, nil
	}
	c.prefix = nil
	n, err := c.Conn.Read(p)
	return n, c.closedError(err)
}

func (c *conn) Write(p []byte) (int, error) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if c.closed.Load() {
		return 0, net.ErrClosed
	}
	n, err := c.Conn.Write(p)
	return n, c.closedError(err)
}

// closedError replaces what Close's deadline caused.
func (c *conn) closedError(err error) error {
	if err != nil && c.closed.Load() {
		return net.ErrClosed
	}
	return err
}

// CloseWrite says that no more will be sent.
func (c *conn) CloseWrite() error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if c.closed.Load() {
		return net.ErrClosed
	}
	return closeWrite(c.Conn)
}

func closeWrite(c net.Conn) error {
	if w, ok := c.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return errors.ErrUnsupported
}

func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.dmu.Lock()
	defer c.dmu.Unlock()
	if c.closed.Load() {
		return net.ErrClosed
	}
	return c.Conn.SetReadDeadline(t)
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.dmu.Lock()
	defer c.dmu.Unlock()
	if c.closed.Load() {
		return net.ErrClosed
	}
	return c.Conn.SetWriteDeadline(t)
}

// SyscallConn gives access to the socket's options.
func (c *conn) SyscallConn() (syscall.RawConn, error) {
	if s, ok := c.socket.(syscall.Conn); ok {
		return s.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// Close unblocks all and leaves the rest to a goroutine that the Port waits for.
func (c *conn) Close() error {
	c.dmu.Lock()
	if c.closed.Swap(true) {
		c.dmu.Unlock()
		return net.ErrClosed
	}
	c.socket.SetDeadline(time.Unix(1, 0)) //nolint:errcheck // the socket has gone, which is as good
	c.dmu.Unlock()
	go func() {
		defer c.port.given.Done()
		c.end()
	}()
	return nil
}

func (c *conn) end() {
	// Those that are inside Read and Write leave first: a new deadline would let them
	// wait again.
	c.rmu.Lock()
	defer c.rmu.Unlock()
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if c.Conn != c.socket {
		c.socket.SetDeadline(time.Now().Add(lingerLimit)) //nolint:errcheck // as in Close
		closeWrite(c.Conn)                                //nolint:errcheck // the alert is a courtesy
	}
	linger(c.socket)
}

// linger ends a connection with FIN, reads what the peer still sends, and closes.
func linger(c net.Conn) {
	defer c.Close()
	if closeWrite(c) != nil || c.SetReadDeadline(time.Now().Add(lingerLimit)) != nil {
		return
	}
	var scratch [4096]byte
	for n := 0; n < lingerBytes; {
		k, err := c.Read(scratch[:])
		if err != nil {
			return
		}
		n += k
	}
}
