package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/coder/websocket"

	"framebridge/internal/stream"
	"framebridge/internal/vnc"
)

// pageRights are a viewer's rights on a page. Pages have no part of a control.
func pageRights(r vnc.Rights) stream.Rights {
	r.Control = r.Control && r.Withheld == (vnc.Devices{})
	return stream.Rights{
		Control:      r.Control,
		ClipboardIn:  r.ClipboardIn,
		ClipboardOut: r.ClipboardOut,
		Resize:       r.Control,
	}
}

// stream serves a page: those who logged in, or everybody where no password is
// asked for.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	rights, ok := s.rights(r)
	if !ok {
		http.Error(w, "log in first", http.StatusUnauthorized)
		return
	}
	s.websocket(w, r, func(ctx context.Context, ws socket) {
		// What is too long is read as far as the session needs it to say so.
		ws.SetReadLimit(-1)
		t := &pageTransport{ws: ws, max: s.cfg.Stream.MaxMessage()}
		if s.cfg.OpenVideo == nil {
			stream.Refuse(ctx, t, "no video: this server has none")
			return
		}
		if s.cfg.Guests {
			var leave func()
			var err error
			if ctx, rights, leave, err = s.enter(ctx, ws, rights); err != nil {
				stream.Dismiss(ctx, t, err.Error())
				return
			}
			defer leave()
		}
		v, err := s.cfg.OpenVideo()
		if err != nil {
			stream.Refuse(ctx, t, "no video: "+err.Error())
			return
		}
		s.cfg.Stream.Serve(ctx, t, stream.Peer{
			Remote: ws.raw.RemoteAddr().String(), Kind: "websocket", Rights: pageRights(rights), Video: v,
		})
	})
}

// pageTransport is a WebSocket as package stream wants it.
type pageTransport struct {
	ws  socket
	max int
	buf []byte
}

var errText = errors.New("text instead of a binary message")

func (t *pageTransport) Read() ([]byte, error) {
	kind, r, err := t.ws.Reader(context.Background())
	if err != nil {
		return nil, err
	}
	if kind != websocket.MessageBinary {
		return nil, errText
	}
	if t.buf == nil {
		t.buf = make([]byte, 512)
	}
	for n := 0; ; {
		if n == len(t.buf) {
			if n > t.max {
				return t.buf, nil // the session sees that it is too long
			}
			t.buf = append(t.buf, make([]byte, min(len(t.buf), t.max+1-len(t.buf)))...)
		}
		k, err := r.Read(t.buf[n:])
		n += k
		if errors.Is(err, io.EOF) {
			return t.buf[:n], nil
		}
		if err != nil {
			return nil, fmt.Errorf("message: %w", err)
		}
	}
}

func (t *pageTransport) Write(ctx context.Context, b []byte) error {
	return t.ws.Write(ctx, websocket.MessageBinary, b)
}

func (t *pageTransport) Close(failed bool) {
	code := websocket.StatusNormalClosure
	if failed {
		code = websocket.StatusPolicyViolation
	}
	t.ws.end(code, "")
}
