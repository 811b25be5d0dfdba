package vnc

import (
	"image"
	"time"

	"framebridge/internal/pix"
	"framebridge/internal/screen"
)

// lossyAreas is what a viewer has only an approximation of, and since when, the
// oldest first. The zero value is empty.
type lossyAreas struct {
	areas []lossyArea
	last  time.Time     // when something lossy was sent last
	after time.Duration // how long an area must be still before it is refreshed
}

type lossyArea struct {
	region pix.Region
	since  time.Time
}

func (l *lossyAreas) empty() bool { return len(l.areas) == 0 }

// mergeWithin is the time within which approximations count as of the same age.
const mergeWithin = 20 * time.Millisecond

// sent notes that r was sent, lossy or not: what was known of it is void.
func (l *lossyAreas) sent(r image.Rectangle, lossy bool) {
	if len(l.areas) == 0 && !lossy {
		return
	}
	g := pix.RegionOf(r)
	l.subtract(g)
	if !lossy {
		return
	}
	now := time.Now()
	l.pace(now)
	if n := len(l.areas); n > 0 && now.Sub(l.areas[n-1].since) < mergeWithin {
		l.areas[n-1].region = l.areas[n-1].region.Union(g)
		return
	}
	l.areas = append(l.areas, lossyArea{g, now})
}

const (
	// steadyGap is up to which pause between lossy updates more of them are to be
	// expected: a slide show, a slow film. To refresh between them would cost more
	// than they do, for pictures that nobody looks at for long.
	steadyGap = 500 * time.Millisecond
	// maxRefreshAfter bounds how long a refresh is put off for that.
	maxRefreshAfter = time.Second
)

// pace sets how long areas must be still, from the pause before the lossy update
// of now.
func (l *lossyAreas) pace(now time.Time) {
	gap := now.Sub(l.last)
	l.last = now
	switch {
	case gap < mergeWithin: // the same update
	case gap < steadyGap:
		l.after = min(max(2*gap, refreshAfter), maxRefreshAfter)
	default:
		l.after = refreshAfter
	}
}

// clip forgets what is not in r.
func (l *lossyAreas) clip(r image.Rectangle) {
	l.change(func(g pix.Region) pix.Region { return g.Clip(r) })
}

func (l *lossyAreas) subtract(g pix.Region) {
	l.change(func(old pix.Region) pix.Region { return old.Subtract(g) })
}

func (l *lossyAreas) change(f func(g pix.Region) pix.Region) {
	out := l.areas[:0]
	for _, a := range l.areas {
		if a.region = f(a.region); !a.region.Empty() {
			out = append(out, a)
		}
	}
	clear(l.areas[len(out):])
	l.areas = out
}

// move follows a CopyRect: approximations are copied as well.
func (l *lossyAreas) move(m screen.Move) {
	if len(l.areas) == 0 {
		return
	}
	d := m.Dst.Sub(m.Src.Min)
	copies := make([]pix.Region, len(l.areas))
	for i, a := range l.areas {
		copies[i] = a.region.Clip(m.Src).Translate(d)
	}
	to := pix.RegionOf(m.To())
	out := l.areas[:0]
	for i, a := range l.areas {
		if a.region = a.region.Subtract(to).Union(copies[i]); !a.region.Empty() {
			out = append(out, a)
		}
	}
	clear(l.areas[len(out):])
	l.areas = out
}

// take returns rectangles of the oldest areas that have been still for long
// enough, of at most area pixels in all, or how long to wait for them. What
// it returns stays noted until it is sent.
func (l *lossyAreas) take(now time.Time, area int) (rects []image.Rectangle, wait time.Duration) {
	for _, a := range l.areas {
		if age := now.Sub(a.since); age < l.after {
			if len(rects) == 0 {
				return nil, l.after - age
			}
			return rects, 0
		}
		for _, r := range a.region.Rects() {
			if h := max(1, area/r.Dx()); h < r.Dy() {
				r.Max.Y = r.Min.Y + h
			}
			rects = append(rects, r)
			if area -= r.Dx() * r.Dy(); area <= 0 {
				return rects, 0
			}
		}
	}
	return rects, 0
}
