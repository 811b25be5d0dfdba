package video

import (
	"image"
	"time"

	"framebridge/encode/vp8"
	"framebridge/internal/pix"
	"framebridge/internal/screen"
	"framebridge/internal/stream"
)

// group is viewers who get the same frames, and the goroutine that makes them.
type group struct {
	hub  *Hub
	kick chan struct{} // capacity 1: something about the members changed

	// Guarded by hub.mu.
	members []*Viewer
	quality vp8.Quality
	held    bool      // somebody could not take the next frame
	keying  bool      // the next frame is a key frame: whoever needs one may join
	ended   bool      // has no members, and will get none
	since   time.Time // when it began
	changed time.Time // when the screen changed last
	calm    bool      // still, improved as far as possible, and all of it shown

	// The goroutine's own.
	view    *screen.Viewer
	enc     *vp8.Encoder
	picture pix.Image // what enc knows of the screen
	coarse  bool      // enc could improve still areas
	refined time.Time // when it did last
	buf     []byte
}

// epoch is what the encoders' clock counts from.
var epoch = time.Now()

// wholeScreen is an area that holds every screen.
var wholeScreen = image.Rect(0, 0, 1<<16, 1<<16)

const (
	// refineAfter is how long the screen must be still before it is improved: before,
	// the encoder finds nothing that is still enough.
	refineAfter = vp8.StillAfter
	// refineEvery is the time between two improvements: a change that comes waits for
	// one of them at most.
	refineEvery = 20 * time.Millisecond
	// refineBeside is the time between two improvements of areas that are still while
	// others move.
	refineBeside = 100 * time.Millisecond
	// refineBytes is what an improvement may have at most: as much as is coded in a few
	// milliseconds.
	refineBytes = 48 << 10
	// mergeAfter is how long the screen must be still before groups become one.
	mergeAfter = 700 * time.Millisecond
	// mergeAnyway is after what time they become one although it is not: half the work
	// for all that comes is worth a key frame.
	mergeAnyway = 5 * time.Second
	// patience is how long one member may make others wait.
	patience = 60 * time.Millisecond
)

// add makes v a member. The caller holds hub.mu.
func (g *group) add(v *Viewer) {
	v.group = g
	v.blocked = time.Time{}
	g.members = append(g.members, v)
	g.wake()
}

// remove takes v out; without members the group ends. The caller holds hub.mu.
func (g *group) remove(v *Viewer) {
	for i, m := range g.members {
		if m == v {
			g.members = append(g.members[:i], g.members[i+1:]...)
			break
		}
	}
	if len(g.members) == 0 {
		g.ended = true
		g.hub.drop(g)
	}
	g.wake()
}

func (g *group) wake() {
	select {
	case g.kick <- struct{}{}:
	default:
	}
}

// run makes frames until the last member has left.
func (g *group) run() {
	defer func() { g.view.Close() }()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		wait, ok := g.step()
		if !ok {
			return
		}
		timer.Reset(wait)
		select {
		case <-g.kick:
		case <-g.view.Wake():
		case <-timer.C:
		case <-g.hub.ctx.Done():
			return
		}
	}
}

// step sends what can be sent now and says how long nothing is to be done.
func (g *group) step() (wait time.Duration, ok bool) {
	h := g.hub
	now := time.Now()
	h.mu.Lock()
	if g.ended {
		h.mu.Unlock()
		return 0, false
	}
	ready, wait := g.readiness(now)
	g.held = !ready
	if !ready {
		h.mu.Unlock()
		g.view.Want(false)
		return wait, true
	}
	key, quality := g.keying, g.quality
	budget, idle := g.budget(), g.shown()
	h.mu.Unlock()

	u := g.view.Take(wholeScreen, !key)
	if u.Size == (image.Point{}) {
		g.view.Want(true)
		return time.Hour, true
	}
	if g.enc == nil || u.Size != g.picture.Rect.Size() {
		if !g.renew(u.Size) {
			return time.Hour, true
		}
		key = true
	}
	news := key || len(u.Moves) > 0 || !u.Damage.Empty()
	opts := vp8.Options{Key: key, Budget: budget, Quality: quality, Time: now.Sub(epoch)}
	if !news {
		g.view.Want(true)
		if wait, opts.Refine = g.rest(now); wait > 0 {
			return wait, true
		}
	}
	switch {
	case key:
		opts.Budget *= keyShare
	case news:
		// A video must not keep the page around it coarse.
		opts.Refine = idle && g.coarse && now.Sub(g.refined) >= refineBeside && u.Damage.Area() < u.Size.X*u.Size.Y/refineNews
	}
	if opts.Refine {
		opts.Budget = min(opts.Budget, refineBytes)
		g.refined = now
	}
	f, ok := g.code(u, opts)
	if !ok {
		return time.Hour, true
	}
	g.view.Want(true)
	h.mu.Lock()
	g.send(f, news, now)
	h.mu.Unlock()
	return refineEvery, true
}

// refineNews is which part of the screen may change in a frame that improves others
// as well.
const refineNews = 8

// keyShare is how many times the bytes of another frame a key frame may have: all
// of the screen is in it, and it comes when nothing was to be seen yet.
const keyShare = 6

// readiness reports whether every member can be sent a frame; if not, for how long
// nothing changes about that by itself. A member that alone makes the others wait
// goes its own way. The caller holds hub.mu.
func (g *group) readiness(now time.Time) (ready bool, wait time.Duration) {
	var late []*Viewer
	for _, v := range g.members {
		switch {
		case v.ready():
			v.blocked = time.Time{}
		case v.blocked.IsZero():
			v.blocked = now
			fallthrough
		default:
			late = append(late, v)
		}
	}
	if len(late) == 0 {
		return true, 0
	}
	if len(late) == len(g.members) || g.enc == nil || g.keying {
		return false, time.Hour
	}
	wait = time.Hour
	for _, v := range late {
		if over := patience - now.Sub(v.blocked); over > 0 {
			wait = min(wait, over)
			continue
		}
		g.part(v)
	}
	return false, min(wait, time.Millisecond*5)
}

// part lets v go on at its own pace, from where it is. The caller holds hub.mu and is
// the group's goroutine.
func (g *group) part(v *Viewer) {
	h := g.hub
	own := h.newGroup(g.view.Clone(), g.quality)
	own.enc = g.enc.Clone()
	own.picture.Reset(g.picture.Rect)
	copy(own.picture.Pix, g.picture.Pix)
	own.coarse, own.refined, own.changed = g.coarse, g.refined, g.changed
	g.remove(v)
	v.parted++
	own.add(v)
	h.start(own)
}

// budget returns how many bytes all members' links take. The caller holds hub.mu.
func (g *group) budget() int {
	b := maxBudget
	for _, v := range g.members {
		b = min(b, v.link.budget())
	}
	return b
}

// shown reports whether the members show all that they were sent. The caller holds
// hub.mu.
func (g *group) shown() bool {
	for _, v := range g.members {
		if len(v.flight) > 0 {
			return false
		}
	}
	return true
}

// renew begins with a screen of another size.
func (g *group) renew(size image.Point) bool {
	enc, err := vp8.New(size.X, size.Y, vp8.Config{Workers: g.hub.cfg.Workers})
	if err != nil {
		// The screen is larger than the format knows.
		g.hub.log.Error("no video of this screen", "width", size.X, "height", size.Y, "error", err)
		return false
	}
	g.enc = enc
	g.picture.Reset(image.Rectangle{Max: size})
	return true
}

// code makes the frame that brings the members to u.
func (g *group) code(u screen.Update, o vp8.Options) (*stream.Frame, bool) {
	begin := time.Now()
	c := vp8.Change{Moves: make([]vp8.Move, len(u.Moves))}
	read := u.Damage
	for i, m := range u.Moves {
		c.Moves[i] = vp8.Move{Src: m.Src, Dst: m.Dst}
		// Moved pixels are read as well: the source may have gone on meanwhile.
		read = read.Union(pix.RegionOf(m.To()))
	}
	for _, r := range read.Rects() {
		g.view.Read(&g.picture, r)
	}
	c.Damage = u.Damage.Rects()
	var info vp8.Info
	var err error
	g.buf, info, err = g.enc.Encode(g.buf[:0], &g.picture, c, o)
	if err != nil {
		g.hub.log.Error("video: coding a frame", "error", err)
		return nil, false
	}
	g.coarse = info.Refining
	return &stream.Frame{
		Data: append([]byte(nil), g.buf...), Key: info.Key,
		Width: g.picture.Rect.Dx(), Height: g.picture.Rect.Dy(),
		Captured: begin, Encode: time.Since(begin), Quant: info.Quantiser,
	}, true
}

// send gives f, of what was taken from the screen then, to the members. Who joined while it was coded needs a key frame, and
// so do all if it was to be one and is not: they wait for the next. The caller
// holds hub.mu.
func (g *group) send(f *stream.Frame, news bool, taken time.Time) {
	if g.keying && !f.Key {
		g.wake()
		return
	}
	g.keying = false
	g.calm = false
	if news {
		g.changed = taken // the encoder counts from there, too
	}
	f.Seq = g.hub.number()
	now := time.Now()
	for _, v := range g.members {
		v.give(f, now)
	}
	if len(g.hub.groups) > 1 && now.Sub(g.since) > mergeAnyway {
		g.hub.merge(now)
	}
}

// rest says how long the group has nothing to do while the screen is still. When that
// is no time, a frame is due: one that improves the picture, or one that keeps
// connections alive.
func (g *group) rest(now time.Time) (wait time.Duration, refine bool) {
	h := g.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	still := now.Sub(g.changed)
	shown := g.shown()
	g.calm = shown && !g.coarse && still >= mergeAfter
	wait = g.aliveIn(now)
	switch {
	case g.coarse && still < refineAfter:
		return min(wait, refineAfter-still), false
	case g.coarse && now.Sub(g.refined) < refineEvery:
		return min(wait, refineEvery-now.Sub(g.refined)), false
	case g.coarse && shown:
		return 0, true
	case g.coarse: // what is on the way comes first
	case !g.calm && shown:
		wait = min(wait, mergeAfter-still)
	case len(h.groups) > 1:
		h.merge(now)
		wait = min(wait, mergeAfter)
	}
	return wait, false
}
