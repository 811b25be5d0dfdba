package vnc

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"framebridge/input"
	"framebridge/internal/pix"
	"framebridge/internal/screen"
	"framebridge/rfb"
)

// firstPictureLimit is how long a viewer waits for the screen's first picture
// before it is told to come back.
const firstPictureLimit = 60 * time.Second

// session is one viewer.
type session struct {
	srv    *Server
	conn   net.Conn
	remote string
	peer   Peer
	log    *slog.Logger
	rights Rights
	shake  rfb.Handshake
	view   *screen.Viewer
	held   *input.Held // nil: the viewer may not control
	stop   context.CancelFunc
	endBy  atomic.Pointer[time.Time] // set when the session ends: the last moment to write

	kick chan struct{} // capacity 1: the wishes changed
	mu   sync.Mutex
	w    wishes // guarded by mu
	link congestion

	writer // the writer goroutine's
}

// wishes is what the viewer asked for and what others want to tell it, from the
// reader and the server to the writer.
type wishes struct {
	format  pix.Format
	newForm bool // the format was set since the writer looked
	caps    caps
	newCaps bool

	asked bool            // an update was requested and not yet sent
	area  image.Rectangle // union of the requested areas
	whole pix.Region      // requested without regard to what the viewer has
	init  bool            // a non-incremental request: tell the screen layout, too

	dragging   bool        // the viewer holds a button
	pointer    image.Point // where the viewer itself put the pointer last
	hasPointer bool

	cut           string // clipboard to send
	newCut        bool
	bell          bool
	continuous    continuous // as the viewer set it last
	newContinuous bool

	fences  []rfb.Fence // to be answered
	resizes int         // SetDesktopSize requests to be refused
}

func (s *Server) newSession(conn net.Conn, h rfb.Handshake, p Peer) *session {
	rights, _ := h.Grant.(Rights)
	remote := p.Remote.String()
	se := &session{
		srv: s, conn: conn, remote: remote, peer: p, rights: rights, shake: h,
		log:  s.log.With("viewer", remote),
		kick: make(chan struct{}, 1),
		stop: func() {},
	}
	se.w.format = pix.BGRX
	se.w.caps = newCaps(nil)
	if rights.Control && s.cfg.Sink != nil {
		se.held = &input.Held{Sink: s.cfg.Sink}
	}
	return se
}

// run serves the viewer until it leaves, breaks the protocol or ctx is done.
func (se *session) run(ctx context.Context) error {
	ctx, se.stop = context.WithCancel(ctx)
	defer se.stop()
	se.view = se.srv.cfg.Screen.View()
	defer se.view.Close()
	start := time.Now()
	if err := se.srv.join(ctx, se, se.shake.Shared); err != nil {
		se.log.Info("viewer refused", "reason", err)
		_ = se.begin(ctx) // it is about to be closed
		closeGently(se.conn)
		return err
	}
	in := false
	defer func() {
		n := se.srv.leave(se)
		if left := se.srv.cfg.Hooks.Left; in && left != nil {
			left(se.peer, n)
		}
	}()
	se.log.Info("viewer connected", "version", se.shake.Version.String(), "security", se.shake.Security.String(), "tls", encrypted(se.conn),
		"shared", se.shake.Shared, "control", se.held != nil)

	if err := se.begin(ctx); err != nil {
		se.log.Warn("viewer turned away", "error", err)
		closeGently(se.conn)
		return err
	}
	in = true
	if joined := se.srv.cfg.Hooks.Joined; joined != nil {
		joined(se.peer, se.srv.Viewers())
	}
	// Closing is what ends the reader; a deadline in the past lets a blocked
	// write end first, so that what is written stays whole until then.
	var wg sync.WaitGroup
	errs := make(chan error, 2)
	wg.Go(func() { errs <- se.read(); se.stop() })
	wg.Go(func() { errs <- se.write(ctx); se.stop() })
	<-ctx.Done()
	end := time.Now().Add(lingerLimit)
	se.endBy.Store(&end)
	se.conn.SetWriteDeadline(end)
	se.conn.SetReadDeadline(time.Unix(1, 0))
	wg.Wait()
	if se.held != nil {
		if err := se.held.Release(); err != nil {
			se.log.Debug("cannot release held keys", "error", err)
		}
	}
	closeGently(se.conn)
	err := <-errs
	var protocol *rfb.ProtocolError
	if errors.As(err, &protocol) {
		se.log.Warn("viewer broke the protocol", "error", protocol.Err)
	}
	se.log.Info("viewer left", "after", time.Since(start).Round(time.Millisecond), "bytes", se.sent, "updates", se.updates)
	return err
}

// begin waits for the first picture and sends ServerInit.
func (se *session) begin(ctx context.Context) error {
	limit := time.NewTimer(firstPictureLimit)
	defer limit.Stop()
	for !se.view.Synced() {
		select {
		case <-se.view.Wake():
		case <-limit.C:
			return fmt.Errorf("the display gave no picture within %v", firstPictureLimit)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	se.size = se.srv.cfg.Screen.Size()
	if se.size.X > rfbMax || se.size.Y > rfbMax {
		return fmt.Errorf("screen of %dx%d: RFB ends at %d", se.size.X, se.size.Y, rfbMax)
	}
	return se.send(rfb.ServerInit{
		Width: uint16(se.size.X), Height: uint16(se.size.Y),
		Format: pix.BGRX,
		Name:   se.srv.cfg.DesktopName,
	}.Append(nil))
}

// rfbMax is the largest width and height in RFB's 16 bits.
const rfbMax = 65535

// wish changes the wishes and wakes the writer.
func (se *session) wish(f func(w *wishes)) {
	se.mu.Lock()
	f(&se.w)
	se.mu.Unlock()
	select {
	case se.kick <- struct{}{}:
	default:
	}
}

func (se *session) offerClipboard(text string) {
	if se.rights.ClipboardOut {
		se.wish(func(w *wishes) { w.cut, w.newCut = text, true })
	}
}

// read takes the viewer's messages until the connection ends.
func (se *session) read() error {
	r := rfb.NewReader(se.conn)
	r.MaxCutText = se.srv.cfg.MaxCutText
	for {
		m, err := r.ReadMessage()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if e, ok := m.(rfb.SetEncodings); ok {
			c := newCaps(e.Encodings)
			r.ExtendedMouseButtons = c.extendedButtons
		}
		se.handle(m)
	}
}

// maxFences bounds the fences that wait for their answer. A viewer sends them
// one at a time; one that floods us loses its oldest.
const maxFences = 16

func (se *session) handle(m rfb.ClientMessage) {
	switch m := m.(type) {
	case rfb.UpdateRequest:
		r := image.Rect(int(m.X), int(m.Y), int(m.X)+int(m.Width), int(m.Y)+int(m.Height))
		se.wish(func(w *wishes) {
			w.asked = true
			w.area = w.area.Union(r)
			if !m.Incremental {
				w.whole = w.whole.Union(pix.RegionOf(r))
				w.init = true
				if len(w.whole.Rects()) > maxWholeRects {
					w.whole = pix.RegionOf(w.whole.Bounds())
				}
			}
		})
	case rfb.SetEncodings:
		c := newCaps(m.Encodings)
		se.wish(func(w *wishes) { w.caps, w.newCaps = c, true })
	case rfb.SetPixelFormat:
		se.wish(func(w *wishes) { w.format, w.newForm = m.Format, true })
	case rfb.KeyEvent:
		se.key(m.Keysym, 0, m.Down)
	case rfb.QEMUKeyEvent:
		se.key(m.Keysym, m.Keycode, m.Down)
	case rfb.PointerEvent:
		se.point(int(m.X), int(m.Y), m.Buttons)
		se.mu.Lock()
		se.w.pointer, se.w.hasPointer = image.Pt(int(m.X), int(m.Y)), true
		released := se.w.dragging && m.Buttons == 0
		se.w.dragging = m.Buttons != 0
		se.mu.Unlock()
		if released && se.srv.cfg.NoDragging {
			se.wish(func(*wishes) {})
		}
	case rfb.ClientCutText:
		if !m.Extended && se.rights.ClipboardIn {
			text := latin1ToUTF8(m.Data)
			if c := se.srv.cfg.Clipboard; c != nil {
				se.sinkError(c.SetText(text))
			}
			se.srv.spreadClipboard(text, se)
		}
	case rfb.EnableContinuousUpdates:
		se.wish(func(w *wishes) {
			w.continuous, w.newContinuous = continuous{on: m.Enable, area: m.Rect()}, true
		})
	case rfb.Fence:
		if m.Flags&rfb.FenceRequest == 0 {
			if se.link.answered(m.Payload, time.Now()) {
				se.wish(func(*wishes) {})
			}
		} else {
			f := rfb.Fence{Flags: m.Flags & rfb.FenceKnown, Payload: append([]byte(nil), m.Payload...)}
			se.wish(func(w *wishes) {
				if len(w.fences) == maxFences {
					w.fences = w.fences[1:]
				}
				w.fences = append(w.fences, f)
			})
		}
	case rfb.SetDesktopSize:
		se.wish(func(w *wishes) { w.resizes++ })
	}
}

// maxWholeRects bounds how many pieces of the screen a viewer may ask for
// separately; beyond, it gets the rectangle around them.
const maxWholeRects = 64

func (se *session) key(keysym, code uint32, down bool) {
	if se.held != nil && !se.rights.Withheld.Keys {
		se.sinkError(se.held.Key(keysym, code, down))
	}
}

// point passes the pointer on, as far as the viewer may use it: without motion
// its buttons are for where the pointer is.
func (se *session) point(x, y int, buttons uint16) {
	withheld := se.rights.Withheld
	if se.held == nil || withheld.Motion && withheld.Buttons {
		return
	}
	if withheld.Buttons {
		buttons = 0
	}
	if withheld.Motion {
		x, y = input.Stay, input.Stay
	}
	se.sinkError(se.held.Pointer(x, y, buttons))
}

// sinkError notes that input found no X server. The supervisor knows, too; the
// viewer stays.
func (se *session) sinkError(err error) {
	if err != nil {
		se.log.Debug("input lost", "error", err)
	}
}

// latin1ToUTF8 converts a cut text (RFC 6143, section 7.5.6).
func latin1ToUTF8(b []byte) string {
	rs := make([]rune, len(b))
	for i, c := range b {
		rs[i] = rune(c)
	}
	return string(rs)
}

// utf8ToLatin1 converts a clipboard to cut text: what Latin-1 lacks becomes a
// question mark, line ends become single line feeds.
func utf8ToLatin1(s string) []byte {
	b := make([]byte, 0, len(s))
	var prev rune
	for _, r := range s {
		switch {
		case r == '\n' && prev == '\r':
			b[len(b)-1] = '\n'
		case r < 256:
			b = append(b, byte(r))
		default:
			b = append(b, '?')
		}
		prev = r
	}
	return b
}
