package vnc

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"
)

// Connections that are encrypted in the middle of RFB's handshake, by VeNCrypt.

// wantsTLS reports whether a connection has yet to be encrypted. What does not
// leave the machine by design, a unix socket or a pipe, need not be.
func (s *Server) wantsTLS(c net.Conn) bool {
	if s.cfg.TLS == nil {
		return false
	}
	_, tcp := c.RemoteAddr().(*net.TCPAddr)
	return tcp && !encrypted(c)
}

// encrypted reports whether a connection is TLS, or goes through one, which its
// method Encrypted says.
func encrypted(c net.Conn) bool {
	if e, ok := c.(interface{ Encrypted() bool }); ok {
		return e.Encrypted()
	}
	_, ok := c.(interface{ ConnectionState() tls.ConnectionState })
	return ok
}

// startTLS returns what makes TLS of a connection, and puts it into out.
func (s *Server) startTLS(ctx context.Context, c net.Conn, out *net.Conn) func() (io.ReadWriter, error) {
	return func() (io.ReadWriter, error) {
		t := tls.Server(c, s.cfg.TLS)
		if err := t.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		*out = &secured{Conn: t, socket: c}
		return *out, nil
	}
}

// secured is TLS over a socket.
type secured struct {
	*tls.Conn
	socket net.Conn
}

// CloseWrite ends TLS's direction, and the socket's.
func (c *secured) CloseWrite() error {
	err := c.Conn.CloseWrite()
	if w, ok := c.socket.(interface{ CloseWrite() error }); ok {
		return errors.Join(err, w.CloseWrite())
	}
	return err
}

// SyscallConn gives access to the socket's options.
func (c *secured) SyscallConn() (syscall.RawConn, error) {
	if s, ok := c.socket.(syscall.Conn); ok {
		return s.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}
