package main

import (
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// inetd is a listener for the one viewer that is there already, on standard input
// and output.
type inetd struct {
	conn   net.Conn
	once   sync.Once
	served chan struct{} // closed when the viewer has gone
	closed chan struct{}
	given  bool
}

func newInetd() *inetd {
	l := &inetd{served: make(chan struct{}), closed: make(chan struct{})}
	c, err := net.FileConn(os.Stdin)
	if err != nil {
		c = newStdio()
	}
	l.conn = &inetdConn{Conn: c, l: l}
	return l
}

// Accept implements net.Listener.
func (l *inetd) Accept() (net.Conn, error) {
	if !l.given {
		l.given = true
		return l.conn, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

// Close implements net.Listener.
func (l *inetd) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener.
func (l *inetd) Addr() net.Addr { return l.conn.LocalAddr() }

type inetdConn struct {
	net.Conn
	l    *inetd
	once sync.Once
}

func (c *inetdConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { close(c.l.served) })
	return err
}

// CloseWrite ends what the viewer reads, where that can be.
func (c *inetdConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return os.ErrInvalid
}

// stdio is a connection of two pipes, as systemd and ssh give them.
type stdio struct{ in, out *os.File }

// newStdio makes the pipes such that deadlines work.
func newStdio() stdio {
	files := [2]*os.File{}
	for fd := range files {
		syscall.SetNonblock(fd, true) //nolint:errcheck // then without deadlines
		files[fd] = os.NewFile(uintptr(fd), "stdio")
	}
	return stdio{files[0], files[1]}
}

func (c stdio) Read(p []byte) (int, error)         { return c.in.Read(p) }
func (c stdio) Write(p []byte) (int, error)        { return c.out.Write(p) }
func (c stdio) LocalAddr() net.Addr                { return &net.UnixAddr{Name: "stdout", Net: "pipe"} }
func (c stdio) RemoteAddr() net.Addr               { return &net.UnixAddr{Name: "stdin", Net: "pipe"} }
func (c stdio) SetReadDeadline(t time.Time) error  { return c.in.SetReadDeadline(t) }
func (c stdio) SetWriteDeadline(t time.Time) error { return c.out.SetWriteDeadline(t) }

func (c stdio) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// Close ends both pipes.
func (c stdio) Close() error { return errors.Join(c.in.Close(), c.out.Close()) }
