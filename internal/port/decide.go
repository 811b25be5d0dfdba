package port

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// undecided is a client that has not yet said what it speaks.
type undecided struct {
	port   *Port
	socket net.Conn
	gone   chan struct{} // closed when others needed the place
	once   sync.Once
}

// evict ends the waiting. The socket is closed by decide, which owns it.
func (u *undecided) evict() {
	u.once.Do(func() { close(u.gone) })
	u.socket.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck // it has gone by itself
}

// decide reads the client's first bytes and hands it on, or closes it.
func (u *undecided) decide(ctx context.Context) {
	p := u.port
	end := time.Now().Add(decideLimit)
	ctx, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	stop := context.AfterFunc(ctx, u.evict)
	defer stop()

	delay := p.cfg.Delay
	if p.cfg.TLSOnlyRFB {
		delay = decideLimit
	}
	kind, first := u.sniff(u.socket, delay, end)
	if kind == RFB && p.cfg.TLSOnlyRFB {
		u.quiet("a viewer in the clear")
		return
	}
	switch kind {
	case RFB, HTTP, ICE:
		u.hand(kind, u.socket, nil, first)
	case TLS:
		if p.cfg.TLS == nil {
			u.socket.SetWriteDeadline(end) //nolint:errcheck // as below
			u.socket.Write(noTLS)          //nolint:errcheck // the alert is a courtesy
			u.quiet("TLS without --tls-cert")
			return
		}
		u.decrypt(ctx, end, first)
	default:
		u.quiet("nothing that is spoken here")
	}
}

// noTLS is a fatal alert: handshake_failure (RFC 8446, section 6.2).
var noTLS = []byte{0x15, 0x03, 0x01, 0x00, 0x02, 2, 40}

// sniff reads until the client's kind is known. Silence for the delay means RFB.
func (u *undecided) sniff(c net.Conn, delay time.Duration, end time.Time) (Kind, []byte) {
	var buf [maxFirst]byte
	n := 0
	silent := time.Now().Add(delay)
	if silent.After(end) {
		silent = end
	}
	for n < len(buf) {
		deadline := end
		if n == 0 || begins(buf[:n], rfbHello, RFB) == Undecided {
			deadline = silent
		}
		if u.deadline(c, deadline) != nil {
			return Other, nil
		}
		k, err := c.Read(buf[n:])
		n += k
		if kind := Sniff(buf[:n]); kind != Undecided {
			return kind, buf[:n]
		}
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) && deadline == silent && !u.evicted() {
				return RFB, buf[:n]
			}
			return Other, nil
		}
	}
	return Other, nil
}

func (u *undecided) evicted() bool {
	select {
	case <-u.gone:
		return true
	default:
		return false
	}
}

// deadline sets the time until which c is read, unless the waiting has ended.
func (u *undecided) deadline(c net.Conn, t time.Time) error {
	err := c.SetReadDeadline(t)
	if u.evicted() { // evict may have come before
		return os.ErrDeadlineExceeded
	}
	return err
}

// decrypt does TLS's handshake and looks again at what comes inside.
func (u *undecided) decrypt(ctx context.Context, end time.Time, first []byte) {
	raw := &replay{Conn: u.socket, first: first}
	t := tls.Server(raw, u.port.cfg.TLS)
	if u.deadline(u.socket, end) != nil || u.socket.SetWriteDeadline(end) != nil {
		u.quiet("evicted")
		return
	}
	if err := t.HandshakeContext(ctx); err != nil {
		u.quiet(err.Error())
		return
	}
	if t.ConnectionState().NegotiatedProtocol == alpnHTTP {
		u.hand(HTTP, t, t, nil)
		return
	}
	switch kind, first := u.sniff(t, u.port.cfg.Delay, end); kind {
	case RFB, HTTP:
		u.hand(kind, t, t, first)
	default:
		u.quiet("nothing that is spoken here over TLS")
	}
}

// alpnHTTP is what browsers agree on (RFC 7301): then they need not speak first to
// be known.
const alpnHTTP = "http/1.1"

// hand gives the connection to the listener of its kind. t is set when c is TLS.
func (u *undecided) hand(kind Kind, c net.Conn, t *tls.Conn, first []byte) {
	p := u.port
	var l *listener
	switch kind {
	case RFB:
		l = p.rfb
	case HTTP:
		l = p.http
	case ICE:
		if name, ok := ufrag(first); ok && p.cfg.Ufrag != nil && p.cfg.Ufrag(name) {
			l = p.ice
		}
	}
	if l == nil {
		u.quiet("nobody for " + kind.String())
		return
	}
	if u.deadline(c, time.Time{}) != nil || c.SetDeadline(time.Time{}) != nil {
		u.quiet("evicted")
		return
	}
	out := c
	if kind != RFB || t != nil || len(first) > 0 {
		p.given.Add(1)
		w := &conn{Conn: c, socket: u.socket, port: p, prefix: append([]byte(nil), first...)}
		out = w
		if t != nil {
			out = secureConn{w, t}
		}
	}
	select {
	case l.conns <- out:
		return
	case <-l.done:
	case <-u.gone:
	}
	p.log.Debug("connection closed before it was taken", "remote", u.socket.RemoteAddr(), "kind", kind)
	out.Close()
}

// quiet closes a connection that is nobody's.
func (u *undecided) quiet(why string) {
	u.port.log.Debug("connection closed", "remote", u.socket.RemoteAddr(), "reason", why)
	// Others need the place: those that wait longest are not waited for.
	if u.evicted() {
		u.socket.Close()
		return
	}
	linger(u.socket)
}

// replay is a connection whose first bytes were read already.
type replay struct {
	net.Conn
	first []byte
}

func (r *replay) Read(p []byte) (int, error) {
	if len(r.first) > 0 {
		n := copy(p, r.first)
		r.first = r.first[n:]
		return n, nil
	}
	return r.Conn.Read(p)
}
