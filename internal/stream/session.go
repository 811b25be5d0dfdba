package stream

import (
	"context"
	"errors"
	"image"
	"log/slog"
	"sync"
	"time"

	"framebridge/input"
	"framebridge/internal/screen"
)

// session is one page. Three goroutines serve it: one takes its messages, one sends
// frames as the Video gives them, and one sends all else when there is news. What
// is news is kept as the latest state, so that a page that reads slowly costs
// nothing.
type session struct {
	srv  *Server
	t    Transport
	peer Peer
	log  *slog.Logger
	view *screen.Viewer
	end  context.CancelCauseFunc

	kick chan struct{} // capacity 1: there is news
	wctx context.Context

	mu     sync.Mutex
	news   news
	flight flight

	// The reader's own.
	held  *input.Held // nil: the page may not control
	quota quota

	// The sender's own.
	state       State
	cursor      uint64
	pointer     image.Point
	statsAt     time.Time
	rekeyed     time.Time
	pinged      time.Time
	pings       uint32
	sentPointer bool
	buf         []byte
}

// news is what the page is to be told, and what it asked for. Guarded by mu.
type news struct {
	clip       *string
	bell       bool
	pongs      []uint32
	stats      bool // the page wants figures
	rekey      bool
	pointer    image.Point // where the page itself put the pointer last
	hasPointer bool
}

// maxPongs bounds the pings that wait for their answer: a page sends one at a time,
// and one that floods us loses its oldest.
const maxPongs = 16

// Farewell, as the cause of the end of a context that Serve got, or of a session,
// is what the page is told. It is not its fault, and it does not come back by itself.
type Farewell string

func (f Farewell) Error() string { return string(f) }

// fault is an end that the page brought about.
type fault struct{ error }

var (
	errLeft   = errors.New("the page has left")
	errSilent = fault{errors.New("the page does not answer")}
	errNoAck  = fault{errors.New("the page does not show its frames")}
	errFlood  = fault{errors.New("too many messages")}
)

func (s *Server) newSession(t Transport, p Peer) *session {
	se := &session{
		srv: s, t: t, peer: p,
		log:  s.log.With("viewer", p.Remote),
		kick: make(chan struct{}, 1),
	}
	now := time.Now()
	se.flight.heard, se.flight.sent = now, now
	if p.Rights.Control && s.cfg.Sink != nil {
		se.held = &input.Held{Sink: s.cfg.Sink}
	}
	return se
}

// run serves the page until ctx is done, for whatever cause.
func (se *session) run(ctx context.Context) {
	start := time.Now()
	se.view = se.srv.cfg.Screen.View()
	defer se.view.Close()
	se.log.Info("viewer connected", "kind", se.peer.Kind, "control", se.held != nil)
	// Writes outlive ctx a little, so that what is written stays whole.
	wctx, stopWriting := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWriting()
	se.wctx = wctx
	err := se.send(se.hello())
	if err != nil {
		se.end(errLeft)
	}
	var reader, writers sync.WaitGroup
	reader.Go(func() { se.end(se.read()) })
	writers.Go(func() { se.end(se.write(ctx)) })
	if se.peer.Video != nil {
		writers.Go(func() { se.end(se.show(ctx)) })
	}
	<-ctx.Done()
	limit := time.AfterFunc(se.srv.limits.end, stopWriting)
	defer limit.Stop()
	writers.Wait()
	cause := context.Cause(ctx)
	var broke fault
	failed := errors.As(cause, &broke)
	if bye := se.goodbye(cause); bye != (Bye{}) {
		_ = se.send(bye) // it may have gone
	}
	se.t.Close(failed)
	reader.Wait()
	if se.held != nil {
		if err := se.held.Release(); err != nil {
			se.log.Debug("cannot release held keys", "error", err)
		}
	}
	if failed {
		se.log.Warn("page dropped", "reason", broke.error)
	}
	frames, bytes := se.flight.totals()
	se.log.Info("viewer left", "after", time.Since(start).Round(time.Millisecond), "bytes", bytes, "frames", frames)
}

// goodbye is what the page is told of the session's end.
func (se *session) goodbye(cause error) Bye {
	var f Farewell
	var broke fault
	switch {
	case errors.As(cause, &f):
		return Bye{Final: true, Text: string(f)}
	case errors.As(cause, &broke):
		return Bye{Text: broke.Error()}
	case errors.Is(cause, errLeft):
		return Bye{}
	case errors.Is(cause, context.Canceled):
		return Bye{Text: "the server ends"}
	}
	return Bye{Text: "the server cannot go on: " + cause.Error()}
}

// send writes a message at once.
func (se *session) send(m ServerMessage) error {
	return se.sendBytes(m.Append(nil))
}

func (se *session) sendBytes(b []byte) error {
	ctx, cancel := context.WithTimeout(se.wctx, se.srv.limits.write)
	defer cancel()
	err := se.t.Write(ctx, b)
	se.mu.Lock()
	se.flight.wrote(len(b), time.Now())
	se.mu.Unlock()
	return err
}

func (se *session) hello() Hello {
	c, r, size := &se.srv.cfg, se.peer.Rights, se.srv.cfg.Screen.Size()
	return Hello{
		Version: Version, Name: c.DesktopName, Width: size.X, Height: size.Y,
		Control:      se.held != nil,
		ClipboardIn:  r.ClipboardIn && c.Clipboard != nil,
		ClipboardOut: r.ClipboardOut && c.Clipboard != nil,
		Resize:       r.Resize && c.Resize != nil,
		MaxClipboard: c.MaxClipboard,
	}
}

// tell changes what is guarded by mu and wakes the sender.
func (se *session) tell(f func()) {
	se.mu.Lock()
	f()
	se.mu.Unlock()
	select {
	case se.kick <- struct{}{}:
	default:
	}
}

// show sends frames as they come.
func (se *session) show(ctx context.Context) error {
	var buf []byte
	for {
		f, err := se.peer.Video.Next(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return errLeft // there is another cause
			}
			return err
		}
		now := time.Now()
		buf = FrameMessage{
			Key: f.Key, Seq: f.Seq, Width: f.Width, Height: f.Height,
			Age: now.Sub(f.Captured), Encode: f.Encode, Data: f.Data,
		}.Append(buf[:0])
		se.mu.Lock()
		se.flight.frame(f, len(buf), now)
		se.mu.Unlock()
		if err := se.sendBytes(buf); err != nil {
			return se.writeError(ctx)
		}
		se.tell(func() {}) // the sender watches over its acknowledgement
	}
}

// writeError tells a page that has gone from one that does not read.
func (se *session) writeError(ctx context.Context) error {
	if ctx.Err() != nil {
		return errLeft
	}
	se.mu.Lock()
	defer se.mu.Unlock()
	if time.Since(se.flight.heard) > se.srv.limits.write {
		return errSilent
	}
	return errLeft
}
