package stream

import (
	"context"
	"image"
	"time"

	"framebridge/capture"
)

// write sends what is news until ctx is done.
func (se *session) write(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		next, err := se.serve(time.Now())
		if err != nil {
			return err
		}
		timer.Reset(time.Until(next))
		select {
		case <-ctx.Done():
			return errLeft // there is another cause
		case <-se.kick:
		case <-se.view.Wake():
		case <-timer.C:
		}
	}
}

// statsEvery is how often a page that wants them gets figures.
const statsEvery = time.Second

// serve sends everything that is news now, and returns when it has to look again.
func (se *session) serve(now time.Time) (next time.Time, err error) {
	se.mu.Lock()
	n := se.news
	se.news.clip, se.news.bell, se.news.pongs = nil, false, nil
	heard, sent := se.flight.heard, se.flight.sent
	oldest, waiting := se.flight.oldest()
	se.mu.Unlock()
	lim := se.srv.limits

	out := se.buf[:0]
	var ends []int // of the messages in out
	add := func(m ServerMessage) {
		out = m.Append(out)
		ends = append(ends, len(out))
	}
	if s := se.stateNow(); s != se.state {
		se.state = s
		add(s)
	}
	if c, serial := se.srv.cfg.Screen.Cursor(); c != nil && serial != se.cursor {
		se.cursor = serial
		add(cursorOf(c))
	}
	if p, known := se.srv.cfg.Screen.Pointer(); known && (p != se.pointer || !se.sentPointer) {
		se.pointer, se.sentPointer = p, true
		// Where the page itself put the pointer it knows better than we do.
		if !n.hasPointer || p != n.pointer {
			add(PointerPos{max(0, p.X), max(0, p.Y)})
		}
	}
	if n.clip != nil {
		add(ServerClip(*n.clip))
	}
	if n.bell {
		add(Bell{})
	}
	for _, k := range n.pongs {
		add(ServerPong(k))
	}
	next = now.Add(lim.ping)
	if n.stats {
		if !now.Before(se.statsAt.Add(statsEvery)) {
			se.statsAt = now
			add(se.stats())
		}
		next = earlier(next, se.statsAt.Add(statsEvery))
	}
	if n.rekey && se.peer.Video != nil {
		if due := se.rekeyed.Add(lim.rekey); now.Before(due) {
			next = earlier(next, due)
		} else {
			se.rekeyed = now
			se.mu.Lock()
			se.news.rekey = false
			se.mu.Unlock()
			se.peer.Video.Rekey()
		}
	}
	// Silence either way is broken by a ping: towards the page because what is silent
	// is cut off by others, from the page to learn whether it is there.
	quiet := sent
	if heard.Before(sent) {
		quiet = heard
	}
	if se.pinged.After(quiet) {
		quiet = se.pinged
	}
	switch {
	case now.Sub(heard) >= lim.answer:
		return next, errSilent
	case waiting && now.Sub(oldest) >= lim.ack:
		return next, errNoAck
	case now.Sub(quiet) >= lim.ping:
		se.pinged, quiet = now, now
		se.pings++
		add(ServerPing(se.pings))
	}
	next = earlier(next, quiet.Add(lim.ping))
	next = earlier(next, heard.Add(lim.answer))
	if waiting {
		next = earlier(next, oldest.Add(lim.ack))
	}

	se.buf = out
	from := 0
	for _, end := range ends {
		if err := se.sendBytes(out[from:end]); err != nil {
			return next, errLeft
		}
		from = end
	}
	return next, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// stateNow is how the display is.
func (se *session) stateNow() State {
	s := State{Display: "up"}
	scr := se.srv.cfg.Screen
	if scr.Lost() || scr.Size() == (image.Point{}) {
		s.Display = "waiting"
	}
	if f := se.srv.cfg.Viewers; f != nil {
		s.Viewers = f()
	} else {
		s.Viewers = se.srv.Viewers()
	}
	return s
}

func (se *session) stats() Stats {
	se.mu.Lock()
	s := se.flight.takeStats()
	se.mu.Unlock()
	if m, ok := se.peer.Video.(Meter); ok {
		d := m.Meter()
		s = Stats{Frames: d.Frames, Bytes: d.Bytes, Quant: d.Quant}
		if d.Frames > 0 {
			s.EncodeMs = milliseconds(d.Encode / time.Duration(d.Frames))
		}
	}
	if v := se.peer.Video; v != nil {
		rtt, queue := v.Link()
		s.RTTMs, s.QueueMs = milliseconds(rtt), milliseconds(queue)
	}
	return s
}

// cursorOf converts a shape from BGRA with premultiplied colours.
func cursorOf(c *capture.Cursor) Cursor {
	if c.Size.X <= 0 || c.Size.Y <= 0 {
		return Cursor{}
	}
	m := Cursor{Size: c.Size, RGBA: make([]byte, c.Size.X*c.Size.Y*4)}
	m.Hot = image.Pt(max(0, min(c.Hot.X, c.Size.X-1)), max(0, min(c.Hot.Y, c.Size.Y-1)))
	for i := 0; i < len(m.RGBA); i += 4 {
		b, g, r, a := c.Pix[i], c.Pix[i+1], c.Pix[i+2], c.Pix[i+3]
		m.RGBA[i], m.RGBA[i+1], m.RGBA[i+2], m.RGBA[i+3] = straight(r, a), straight(g, a), straight(b, a), a
	}
	return m
}

// straight undoes the multiplication of a colour by its alpha.
func straight(c, alpha byte) byte {
	if alpha == 0 || alpha == 255 {
		return c
	}
	return byte(min(255, (int(c)*255+int(alpha)/2)/int(alpha)))
}
