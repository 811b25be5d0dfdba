package stream

import (
	"fmt"
	"image"
	"time"

	"framebridge/input"
)

const (
	// maxRate is how many messages a second a page may send for long, and maxBurst at
	// once. A mouse that reports a thousand times a second, with none of its
	// reports joined, stays below.
	maxRate  = 2000
	maxBurst = 8000
)

// quota is a bucket of messages. The zero value is full.
type quota struct {
	used float64
	last time.Time
}

func (q *quota) take(now time.Time) bool {
	q.used = max(0, q.used-now.Sub(q.last).Seconds()*maxRate)
	q.last = now
	q.used++
	return q.used <= maxBurst
}

// read takes the page's messages until it leaves or breaks the rules.
func (se *session) read() error {
	for {
		b, err := se.t.Read()
		if err != nil {
			return errLeft
		}
		now := time.Now()
		if !se.quota.take(now) {
			return errFlood
		}
		if len(b) > se.srv.MaxMessage() {
			return fault{fmt.Errorf("a message of %d bytes", len(b))}
		}
		m, err := ParsePage(b)
		if err != nil {
			return fault{err}
		}
		se.mu.Lock()
		se.flight.heard = now
		se.mu.Unlock()
		if err := se.handle(m); err != nil {
			return fault{err}
		}
	}
}

// handle does what a message says, as far as the page may.
func (se *session) handle(m PageMessage) error {
	video := se.peer.Video
	switch m := m.(type) {
	case Ack:
		se.mu.Lock()
		err := se.flight.ack(uint32(m))
		se.mu.Unlock()
		if err != nil {
			return err
		}
		if video != nil {
			video.Ack(uint32(m))
		}
	case Key:
		if se.held != nil {
			se.sinkError(se.held.Key(m.Keysym, m.Code, m.Down))
		}
	case Pointer:
		if se.held != nil {
			se.sinkError(se.held.Pointer(m.X, m.Y, m.Buttons))
			se.mu.Lock()
			se.news.pointer, se.news.hasPointer = image.Pt(m.X, m.Y), true
			se.mu.Unlock()
		}
	case Release:
		if se.held != nil {
			se.sinkError(se.held.Release())
			se.held = &input.Held{Sink: se.srv.cfg.Sink}
		}
	case PageClip:
		se.clipboard(string(m))
	case PagePing:
		se.tell(func() {
			if len(se.news.pongs) == maxPongs {
				se.news.pongs = append(se.news.pongs[:0], se.news.pongs[1:]...)
			}
			se.news.pongs = append(se.news.pongs, uint32(m))
		})
	case Settings:
		se.settings(m)
	case Rekey:
		se.tell(func() { se.news.rekey = true })
	}
	return nil
}

func (se *session) clipboard(text string) {
	if !se.peer.Rights.ClipboardIn || len(text) > se.srv.cfg.MaxClipboard {
		return
	}
	if c := se.srv.cfg.Clipboard; c != nil {
		se.sinkError(c.SetText(text))
	}
	se.srv.spreadClipboard(text, se)
}

func (se *session) settings(m Settings) {
	if m.Quality != "" && se.peer.Video != nil {
		se.peer.Video.SetQuality(m.Quality)
	}
	if m.Stats != nil {
		on := *m.Stats
		se.tell(func() { se.news.stats = on })
	}
	if m.Width > 0 && se.peer.Rights.Resize && se.srv.cfg.Resize != nil {
		if err := se.srv.cfg.Resize(m.Width, m.Height); err != nil {
			se.log.Info("the screen keeps its size", "asked", fmt.Sprintf("%dx%d", m.Width, m.Height), "error", err)
		}
	}
}

// sinkError notes that input found no X server. The supervisor knows, too; the
// page stays.
func (se *session) sinkError(err error) {
	if err != nil {
		se.log.Debug("input lost", "error", err)
	}
}
