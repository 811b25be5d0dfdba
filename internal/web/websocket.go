package web

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/coder/websocket"
)

// socket is a WebSocket and the connection below it.
type socket struct {
	*websocket.Conn
	raw net.Conn
}

// websocket accepts a WebSocket from a page of ours, or from no page, and lets f
// serve it. f must end soon after its context.
func (s *Server) websocket(w http.ResponseWriter, r *http.Request, f func(ctx context.Context, ws socket)) {
	if s.checkOrigin(w, r) {
		s.upgrade(w, r, f)
	}
}

// upgrade is websocket for a page whose origin was looked at.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request, f func(ctx context.Context, ws socket)) {
	s.running.Add(1)
	defer s.running.Done()
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // whoever called knows more
		Subprotocols:       []string{"binary"},
		CompressionMode:    websocket.CompressionDisabled, // pictures are compressed already
	})
	if err != nil {
		s.log.Debug("no WebSocket", "remote", r.RemoteAddr, "error", err)
		return
	}
	ws := socket{c, connOf(r)}
	defer ws.CloseNow()
	f(r.Context(), ws)
}

// end closes the WebSocket with a code and a reason, which must be short. A peer
// that does not answer is given closeLimit.
func (ws socket) end(code websocket.StatusCode, reason string) {
	t := time.AfterFunc(closeLimit, func() { ws.raw.Close() })
	defer t.Stop()
	ws.Close(code, reason) //nolint:errcheck // the peer has gone, which is as good
}

// websockify serves RFB in binary messages, as noVNC speaks it. Where messages
// begin and end means nothing. RFB asks for its password itself.
//
// The RFB session gets one end of a pipe: its deadlines mean the pipe, so that it
// can stop reading and still write, which a WebSocket cannot.
func (s *Server) websockify(ctx context.Context, ws socket) {
	ws.SetReadLimit(-1) // nothing is kept: rfb.Reader bounds what counts
	near, far := net.Pipe()
	var wg sync.WaitGroup
	wg.Go(func() {
		fromSocket(ws, far)
		far.Close()
	})
	sent := make(chan struct{})
	wg.Go(func() {
		toSocket(far, ws)
		far.Close()
		close(sent)
	})
	s.cfg.VNC.ServeConn(ctx, pipe{near, ws.raw})
	select { // the pipe is closed: what was written is on its way
	case <-sent:
	case <-time.After(closeLimit):
	}
	ws.end(websocket.StatusNormalClosure, "")
	wg.Wait()
}

// chunk is how much goes over the pipe at a time. Towards the viewer it makes a
// message: pieces of updates reach it while the rest is being encoded.
const chunk = 64 << 10

// fromSocket copies what a WebSocket's messages hold.
func fromSocket(ws socket, to io.Writer) {
	buf := make([]byte, 4<<10)
	for {
		kind, r, err := ws.Reader(context.Background())
		if err != nil {
			return
		}
		if kind != websocket.MessageBinary {
			ws.end(websocket.StatusUnsupportedData, "want binary messages")
			return
		}
		if _, err := io.CopyBuffer(onlyWriter{to}, r, buf); err != nil {
			return
		}
	}
}

// onlyWriter hides other methods.
type onlyWriter struct{ io.Writer }

// toSocket sends what is read as binary messages.
func toSocket(from io.Reader, ws socket) {
	buf := make([]byte, chunk)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if ws.Write(context.Background(), websocket.MessageBinary, buf[:n]) != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// pipe is an end of a pipe that goes by the addresses, and has the socket's options,
// of the connection at its other end.
type pipe struct {
	net.Conn
	socket net.Conn
}

// Encrypted reports whether the connection is, for vnc.Config.TLS.
func (p pipe) Encrypted() bool {
	_, ok := p.socket.(interface{ ConnectionState() tls.ConnectionState })
	return ok
}

func (p pipe) LocalAddr() net.Addr  { return p.socket.LocalAddr() }
func (p pipe) RemoteAddr() net.Addr { return p.socket.RemoteAddr() }

func (p pipe) SyscallConn() (syscall.RawConn, error) {
	if c, ok := p.socket.(syscall.Conn); ok {
		return c.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}
