package video

import "time"

// slowFor is after what time a member that made others wait may be with them
// again, the first time; each time it does so again doubles it.
const slowFor = 10 * time.Second

// maxSlow bounds the doubling.
const maxSlow = 6

// merge makes one group of those that go at the same pace. The caller holds mu.
func (h *Hub) merge(now time.Time) {
	var into *group
	for _, g := range h.groups {
		if !g.mergeable(now) {
			continue
		}
		if into == nil {
			into = g
			continue
		}
		if g.quality != into.quality {
			continue
		}
		if len(g.members) > len(into.members) {
			g, into = into, g
		}
		h.move(g, into)
		return // one at a time: the list has changed
	}
}

// mergeable reports whether g may become part of another, or another of g. The
// caller holds hub.mu.
func (g *group) mergeable(now time.Time) bool {
	if g.keying || !g.calm && now.Sub(g.since) < mergeAnyway {
		return false
	}
	for _, v := range g.members {
		if v.parted > 0 && now.Sub(g.since) < slowFor<<min(v.parted-1, maxSlow) {
			return false
		}
	}
	return true
}

// move makes g's members into's and begins anew with all of them. The caller holds
// mu.
func (h *Hub) move(g, into *group) {
	for len(g.members) > 0 {
		v := g.members[0]
		g.remove(v)
		into.add(v)
	}
	for _, v := range into.members {
		v.drain()
		v.flight = nil
	}
	into.keying = true
	into.calm = false
	into.since = time.Now()
	into.wake()
}

// aliveIn says when a member next needs a frame although there is nothing to show. All
// members get it, as all frames. The caller holds hub.mu.
func (g *group) aliveIn(now time.Time) time.Duration {
	next := time.Hour
	for _, v := range g.members {
		if every := v.opts.KeepAlive; every > 0 {
			next = min(next, max(0, every-now.Sub(v.lastOut)))
		}
	}
	return next
}
