package video

import "time"

// link is what acknowledgements tell of the way to a viewer. The zero value
// knows nothing.
type link struct {
	rtt     time.Duration // shortest time from sending to showing of late
	rttAt   time.Time     // when that was
	queue   time.Duration // how much longer the last one took
	rate    float64       // bytes a second that the link was seen to carry; 0: unknown
	lastAck time.Time
}

const (
	// rttFor is how long a shortest time counts: routes change.
	rttFor = 10 * time.Second
	// firstRate is assumed of an unknown link, in bytes a second: 20 Mbit/s.
	firstRate = 20e6 / 8
	// frameTime is how long a frame may occupy the link.
	frameTime = 40 * time.Millisecond
	// minBudget is what a frame may always have: less would not show a page at all.
	minBudget = 12 << 10
	// maxBudget bounds what is on the way on the fastest link, where the viewer's
	// decoder and its memory are what counts.
	maxBudget = 1 << 20
	// measurable is the size from which a frame tells something about the rate:
	// smaller ones take as long as their overheads.
	measurable = 4 << 10
)

// acked notes that a frame of so many bytes, sent at sent, was shown at now.
func (l *link) acked(bytes int, sent, now time.Time) {
	d := now.Sub(sent)
	if l.rtt == 0 || d < l.rtt || now.Sub(l.rttAt) > rttFor {
		l.rtt, l.rttAt = d, now
	}
	l.queue = d - l.rtt
	switch {
	case bytes < measurable:
	case l.queue == 0:
		// The quickest frame so far cannot tell its own time from the way's: the link
		// carries at least this.
		l.rate = max(l.rate, float64(bytes)/max(d, time.Millisecond).Seconds())
	default:
		// The link began with this frame when it was sent, or when it was through with
		// the one before.
		begin := sent
		if last := l.lastAck.Add(-l.rtt); last.After(begin) {
			begin = last
		}
		busy := max(now.Sub(begin)-l.rtt, time.Millisecond)
		sample := float64(bytes) / busy.Seconds()
		switch {
		case l.rate == 0:
			l.rate = sample
		case sample > l.rate:
			l.rate += (sample - l.rate) / 4
		default:
			l.rate += (sample - l.rate) / 2
		}
	}
	l.lastAck = now
}

// budget returns how many bytes a frame may have.
func (l *link) budget() int {
	rate := l.rate
	if rate == 0 {
		rate = firstRate
	}
	return int(min(max(rate*frameTime.Seconds(), minBudget), maxBudget))
}
