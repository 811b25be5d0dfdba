package video

import (
	"context"
	"errors"
	"time"

	"framebridge/encode/vp8"
	"framebridge/internal/stream"
)

const (
	// window is how many frames a viewer may have that it has not acknowledged: one
	// that it decodes and shows, and one on the way meanwhile.
	window = 2
	// queued is how many frames wait for Next at most: the window and a frame to keep
	// the connection alive.
	queued = window + 1
)

// ErrClosed says that the viewer was closed, or the hub.
var ErrClosed = errors.New("video: closed")

// Viewer is one receiver of a stream; it is a stream.Video.
type Viewer struct {
	hub    *Hub
	opts   Options
	frames chan *stream.Frame
	gone   chan struct{} // closed by Close

	// Guarded by hub.mu.
	closed  bool
	group   *group
	quality vp8.Quality
	flight  []flight
	link    link
	blocked time.Time // since when it alone makes its group wait; zero: it does not
	parted  int       // how often it went its own way for that
	lastOut time.Time // when it was given a frame last
}

// flight is a frame on its way.
type flight struct {
	seq   uint32
	bytes int
	sent  time.Time
}

// Next returns the viewer's next frame.
func (v *Viewer) Next(ctx context.Context) (*stream.Frame, error) {
	// What waits is given even when the hub has just been closed: it was counted.
	select {
	case f := <-v.frames:
		v.fetched(f)
		return f, nil
	default:
	}
	select {
	case f := <-v.frames:
		v.fetched(f)
		return f, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-v.gone:
		return nil, ErrClosed
	case <-v.hub.ctx.Done():
		return nil, ErrClosed
	}
}

// fetched counts f as shown where nobody will say so.
func (v *Viewer) fetched(f *stream.Frame) {
	if v.opts.NoAcks {
		v.Ack(f.Seq)
	}
}

// Ack says that the frame of this number, and all before it, are shown.
func (v *Viewer) Ack(seq uint32) {
	h := v.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	n := 0
	for n < len(v.flight) && int32(v.flight[n].seq-seq) <= 0 {
		if !v.opts.NoAcks {
			v.link.acked(v.flight[n].bytes, v.flight[n].sent, now)
		}
		n++
	}
	if n == 0 {
		return
	}
	v.flight = append(v.flight[:0], v.flight[n:]...)
	// The group is told when it can go on, or is at rest: not once for each member.
	if g := v.group; g.held || g.shown() {
		g.wake()
	}
}

// Rekey asks for a key frame.
func (v *Viewer) Rekey() {
	h := v.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if v.closed || v.group.keying {
		return
	}
	v.regroup()
}

// regroup takes v out of its group and lets it begin with a key frame, which is
// its group's own if it is alone there. The caller holds mu.
func (v *Viewer) regroup() {
	g := v.group
	v.drain()
	if len(g.members) == 1 && g.quality == v.quality {
		g.keying = true
		v.flight = nil
		g.wake()
		return
	}
	g.remove(v)
	v.hub.join(v)
}

// drain throws away frames that were not fetched: a key frame makes them void.
func (v *Viewer) drain() {
	for {
		select {
		case <-v.frames:
		default:
			return
		}
	}
}

// SetQuality chooses between "auto", "sharp" and "fast".
func (v *Viewer) SetQuality(name string) {
	q, ok := map[string]vp8.Quality{"auto": vp8.Auto, "sharp": vp8.Sharp, "fast": vp8.Fast}[name]
	h := v.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if !ok || q == v.quality || v.closed {
		return
	}
	v.quality = q
	if g := v.group; len(g.members) == 1 {
		g.quality = q // nothing but the next frames' sizes depends on it
		g.wake()
		return
	}
	v.regroup()
}

// Link returns the shortest time from sending to showing of late, and how much
// longer it took last.
func (v *Viewer) Link() (rtt, queue time.Duration) {
	h := v.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	return v.link.rtt, v.link.queue
}

// Close ends the viewer; Next returns ErrClosed.
func (v *Viewer) Close() {
	h := v.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if v.closed {
		return
	}
	v.closed = true
	close(v.gone)
	v.group.remove(v)
}

// ready reports whether v can be sent a frame now. The caller holds hub.mu.
func (v *Viewer) ready() bool {
	if len(v.flight) == 0 {
		return len(v.frames) < window
	}
	return len(v.flight) < window && len(v.frames) < window && v.flight[0].bytes < v.link.budget()
}

// give hands f to v. The caller holds hub.mu and knows that v is ready, or that f is
// one more to keep alive.
func (v *Viewer) give(f *stream.Frame, now time.Time) {
	v.lastOut = now
	select {
	case v.frames <- f:
		v.flight = append(v.flight, flight{f.Seq, len(f.Data), now})
	default:
		// Cannot be: ready looks at the room. Should it ever, the viewer's picture
		// would be wrong from here on.
		v.regroup()
	}
}
