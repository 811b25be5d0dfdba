package stream

import (
	"errors"
	"time"
)

// flight is what is under way to the page, and the figures of that.
type flight struct {
	heard, sent time.Time  // when the page last said, and was last told, something
	open        []inFlight // sent, not yet acknowledged
	last        uint32     // number of the frame sent last

	frames, bytes int64 // in all

	stats struct { // since they were told last
		frames, bytes int
		encode        time.Duration
		quant         int
	}
}

type inFlight struct {
	seq uint32
	at  time.Time
}

// maxInFlight bounds the frames that are remembered. A Video has two under way.
const maxInFlight = 64

func (f *flight) wrote(n int, now time.Time) {
	f.sent = now
	f.bytes += int64(n)
}

// frame notes that a frame of n bytes is about to be sent.
func (f *flight) frame(v *Frame, n int, now time.Time) {
	if len(f.open) == maxInFlight {
		f.open = append(f.open[:0], f.open[1:]...)
	}
	f.open = append(f.open, inFlight{v.Seq, now})
	f.last = v.Seq
	f.frames++
	f.stats.frames++
	f.stats.bytes += n
	f.stats.encode += v.Encode
	f.stats.quant = v.Quant
}

var errAck = errors.New("acknowledges a frame that it was not sent")

// ack notes that the frame, and those before it, are shown. Numbers may wrap.
func (f *flight) ack(seq uint32) error {
	if f.frames == 0 || int32(seq-f.last) > 0 {
		return errAck
	}
	n := 0
	for n < len(f.open) && int32(f.open[n].seq-seq) <= 0 {
		n++
	}
	f.open = append(f.open[:0], f.open[n:]...)
	return nil
}

// oldest returns when the oldest frame that is not yet shown was sent.
func (f *flight) oldest() (at time.Time, ok bool) {
	if len(f.open) == 0 {
		return time.Time{}, false
	}
	return f.open[0].at, true
}

func (f *flight) totals() (frames, bytes int64) { return f.frames, f.bytes }

// takeStats returns the figures since the last call.
func (f *flight) takeStats() Stats {
	s := Stats{Frames: f.stats.frames, Bytes: f.stats.bytes, Quant: f.stats.quant}
	if s.Frames > 0 {
		s.EncodeMs = milliseconds(f.stats.encode / time.Duration(s.Frames))
	}
	f.stats.frames, f.stats.bytes, f.stats.encode = 0, 0, 0
	return s
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
