package rtc

import (
	"time"

	"framebridge/internal/stream"
)

// rekeyEvery is the time between two key frames for one viewer's sake: a receiver
// asks again and again until it has one.
const rekeyEvery = 300 * time.Millisecond

// earlyKeys is when, after the first frame, a viewer that has not shown anything
// gets another key frame: what is sent right after the connection stands is lost by
// browsers, which get ready only then, and ask for a key frame after 3 s.
var earlyKeys = []time.Duration{100 * time.Millisecond, 330 * time.Millisecond}

// pacing knows what a viewer was sent and when it is to get key frames. The zero
// value is one that has not begun.
type pacing struct {
	started time.Time
	acks    bool // the viewer acknowledges frames
	early   int  // how many of earlyKeys are done, or not needed
	wanted  bool // a key frame
	rekeyed time.Time

	flight []sentFrame
	shown  []uint32 // to be told to the stream

	frames, bytes int64
	meter         stream.Metered // since it was read last
}

type sentFrame struct {
	timestamp, seq uint32
	at             time.Time
}

// maxFlight bounds what is remembered: streams have two frames under way.
const maxFlight = 16

func (c *pacing) begin(now time.Time, acks bool) {
	c.started, c.acks = now, acks
	c.rekeyed = now // it begins with a key frame
}

// sends notes that a frame is about to be sent.
func (c *pacing) sends(timestamp uint32, f *stream.Frame, now time.Time) {
	c.frames++
	c.bytes += int64(len(f.Data))
	c.meter.Frames++
	c.meter.Bytes += len(f.Data)
	c.meter.Encode += f.Encode
	c.meter.Quant = f.Quant
	if !c.acks {
		return
	}
	if len(c.flight) == maxFlight {
		c.flight = append(c.flight[:0], c.flight[1:]...)
	}
	c.flight = append(c.flight, sentFrame{timestamp, f.Seq, now})
}

// sent notes that a frame was sent.
func (c *pacing) sent(timestamp uint32, now time.Time) {
	if n := len(c.flight); n > 0 && c.flight[n-1].timestamp == timestamp {
		c.flight[n-1].at = now
	}
}

// acked notes that a frame, and those before it, are shown.
func (c *pacing) acked(timestamp uint32) {
	n := 0
	for n < len(c.flight) && int32(c.flight[n].timestamp-timestamp) <= 0 {
		n++
	}
	if n == 0 {
		return
	}
	c.early = len(earlyKeys) // it has a picture
	c.shown = append(c.shown[:0], c.flight[n-1].seq)
	c.flight = append(c.flight[:0], c.flight[n:]...)
}

// action is what is to be done.
type action struct {
	shown []uint32 // numbers of frames that count as shown
	rekey bool
}

// due returns what is to be done now, and when to look again.
func (c *pacing) due(now time.Time, ack time.Duration) (a action, next time.Time) {
	next = now.Add(time.Hour)
	if c.started.IsZero() {
		return a, next
	}
	a.shown, c.shown = c.shown, nil
	// A page that nobody sees shows nothing. It goes on slowly.
	for len(c.flight) > 0 {
		if due := c.flight[0].at.Add(ack); now.Before(due) {
			next = due
			break
		}
		a.shown = append(a.shown, c.flight[0].seq)
		c.flight = append(c.flight[:0], c.flight[1:]...)
	}
	for c.early < len(earlyKeys) {
		due := c.started.Add(earlyKeys[c.early])
		if now.Before(due) {
			next = earlier(next, due)
			break
		}
		c.early++
		a.rekey = true
	}
	if c.wanted {
		if due := c.rekeyed.Add(rekeyEvery); now.Before(due) {
			next = earlier(next, due)
		} else {
			a.rekey = true
		}
	}
	if a.rekey {
		c.wanted = false
		c.rekeyed = now
	}
	return a, next
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
