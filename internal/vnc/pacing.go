package vnc

import (
	"encoding/binary"
	"image"
	"sync"
	"time"

	"framebridge/rfb"
)

// How a viewer is paced. One that asks for each update gets one per request. One
// that switched continuous updates on gets them as they come, as long as what is
// on its way to it would arrive soon: behind each update goes a fence, and its
// answer tells when the viewer had read all before it. From these come the round
// trip without queues, the rate at which bytes arrive, and how many are on their
// way. What may be on its way is what the link takes in a round trip and in
// queueTarget more: enough to keep it busy, and to see whether it takes more.

// continuous is an area of which updates come without requests (rfbproto,
// "EnableContinuousUpdates").
type continuous struct {
	on   bool
	area image.Rectangle
}

// steer announces what the viewer may use, and takes over its wish for
// continuous updates.
func (se *session) steer(w wishes) {
	if se.caps.fence && !se.fenceOK {
		se.fenceOK = true
		se.fence()
	}
	if se.caps.continuous && se.caps.fence && !se.continuousOK {
		se.continuousOK = true
		se.out.buf = rfb.EndOfContinuousUpdates{}.Append(se.out.buf)
	}
	if !w.newContinuous || !se.continuousOK {
		return
	}
	if se.continuous.on && !w.continuous.on {
		se.out.buf = rfb.EndOfContinuousUpdates{}.Append(se.out.buf)
	}
	se.continuous = w.continuous
}

// due reports whether the viewer may get an update now, and makes w's area that
// of continuous updates where they are on.
func (se *session) due(w *wishes) bool {
	if w.dragging && se.srv.cfg.NoDragging {
		return false
	}
	if !se.continuous.on {
		return w.asked
	}
	w.area = w.area.Union(se.continuous.area)
	return !se.link.congested(se.sent + int64(se.out.len()))
}

// mark puts a fence behind an update.
func (se *session) mark() {
	if se.continuous.on && se.fenceOK {
		se.fence()
	}
}

// fence asks the viewer to say when it has read everything up to here.
func (se *session) fence() {
	seq := se.link.mark(se.sent+int64(se.out.len()), time.Now())
	se.out.buf = rfb.Fence{
		Flags:   rfb.FenceRequest | rfb.FenceBlockBefore,
		Payload: binary.BigEndian.AppendUint64(nil, seq),
	}.Append(se.out.buf)
}

const (
	// firstWindow is how many bytes may be on their way before anything is known
	// of the link: a first picture in part, not megabytes.
	firstWindow = 64 << 10
	// maxGrown is how often the first window may double, to 4 MiB.
	maxGrown = 6
	// minWindow lets small updates follow each other on any link.
	minWindow = 16 << 10
	// queueTarget is how long bytes may wait in queues on their way.
	queueTarget = 25 * time.Millisecond
	// minSample is the shortest time over which a rate is measured: answers come
	// in bursts.
	minSample = 5 * time.Millisecond
	// maxMarks bounds the fences on their way.
	maxMarks = 256
)

// congestion knows what is on its way to a viewer. The zero value knows nothing.
type congestion struct {
	mu    sync.Mutex
	seq   uint64
	marks []mark        // not answered, the oldest first
	acked int64         // bytes known to have been read
	base  time.Duration // shortest round trip; 0: unknown
	rate  float64       // bytes a second; 0: unknown

	grown     int       // how often the first window was doubled
	from      time.Time // of the sample of the rate that is being taken
	fromBytes int64
}

// mark is a fence on its way: it stands behind the first bytes bytes.
type mark struct {
	seq   uint64
	bytes int64
	at    time.Time
}

// mark notes a fence behind the first bytes bytes and returns its number.
func (c *congestion) mark(bytes int64, now time.Time) (seq uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq++
	if len(c.marks) == maxMarks {
		c.marks = c.marks[1:] // its answer will be none
	}
	c.marks = append(c.marks, mark{c.seq, bytes, now})
	return c.seq
}

// answered takes the answer to a fence; ours reports whether it was one of ours.
func (c *congestion) answered(payload []byte, now time.Time) (ours bool) {
	if len(payload) != 8 {
		return false
	}
	seq := binary.BigEndian.Uint64(payload)
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, m := range c.marks {
		if m.seq != seq {
			continue
		}
		c.marks = append(c.marks[:0], c.marks[i+1:]...)
		c.learn(m, now)
		return true
	}
	return false
}

// learn takes what the answer to m tells.
func (c *congestion) learn(m mark, now time.Time) {
	trip := max(now.Sub(m.at), time.Microsecond)
	if c.base == 0 || trip < c.base {
		c.base = trip
	}
	bytes := m.bytes - c.acked
	c.acked = m.bytes
	switch {
	case c.from.IsZero() || m.at.After(c.from):
		// The link was idle before this update: its own time is what tells.
		if queued := trip - c.base; bytes >= firstWindow/2 && queued >= minSample {
			c.sample(float64(bytes) / queued.Seconds())
		}
		// A link too quick to be measured so shows it when more is on its way.
		if trip-c.base < queueTarget && bytes >= firstWindow/4 && c.grown < maxGrown {
			c.grown++
		}
		c.from, c.fromBytes = now, m.bytes
	case now.Sub(c.from) >= minSample:
		// It was busy all the time since the answer before.
		c.sample(float64(m.bytes-c.fromBytes) / now.Sub(c.from).Seconds())
		c.from, c.fromBytes = now, m.bytes
	}
}

// sample takes a measured rate: a higher one at once, a lower one by and by.
func (c *congestion) sample(rate float64) {
	if rate >= c.rate {
		c.rate = rate
	} else {
		c.rate += (rate - c.rate) / 8
	}
}

// congested reports whether more, after the first sent bytes, had better wait.
func (c *congestion) congested(sent int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.marks) == 0 {
		return false
	}
	window := float64(int(firstWindow) << c.grown)
	if c.rate > 0 {
		window = max(minWindow, c.rate*(c.base+queueTarget).Seconds())
	}
	return float64(sent-c.acked) >= window
}

// bytesIn returns how many bytes the link takes in d; 0: unknown.
func (c *congestion) bytesIn(d time.Duration) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return int(c.rate * d.Seconds())
}
