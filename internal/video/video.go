// Package video makes VP8 streams of a screen for any number of viewers, coding
// each picture once for all who can have the same.
//
// A frame of video is made of the one before it, so viewers who share frames must
// have had the same ones. Those who have form a group: one encoder, one place in
// the screen's journal, one pace, that of its slowest member. Three things part
// and join groups:
//
//   - Who comes, or lost the thread, needs a key frame, which the others do not.
//     It starts a second group, so that the others notice nothing.
//   - A member that makes the others wait is given a copy of the group's encoder
//     and goes on at its own pace, without a key frame.
//   - When nothing happens on the screen, groups that go at the same pace become
//     one again, by a key frame for all. It costs them a moment in which nothing is
//     to be seen anyway, and halves the work of everything that comes.
//
// A change goes out at once. A viewer has at most two frames on the way that it has
// not said to have shown; what it tells of their times gives the rate of the link,
// and that the number of bytes that the next frame may have. When the screen is
// still and the link idle, the encoder improves what it coded coarsely.
package video

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"framebridge/encode/vp8"
	"framebridge/internal/screen"
	"framebridge/internal/stream"
)

// Config configures a Hub. Screen must be set.
type Config struct {
	Screen *screen.Screen
	// Workers is on how many goroutines a frame is coded; 0: as vp8.Config.
	Workers int
	// Logger; nil: slog.Default().
	Logger *slog.Logger
}

// Hub makes the streams of one screen. Without viewers it does nothing.
type Hub struct {
	cfg Config
	log *slog.Logger

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup // the groups' goroutines

	mu     sync.Mutex // guards what follows, and what Viewer and group say it does
	groups []*group
	seq    uint32
}

// New returns a hub. Close it when its viewers are closed.
func New(cfg Config) (*Hub, error) {
	if cfg.Screen == nil {
		return nil, errors.New("video: Config.Screen is nil")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	h := &Hub{cfg: cfg, log: cfg.Logger}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	return h, nil
}

// Close ends all streams and waits for the goroutines that make them.
func (h *Hub) Close() {
	h.mu.Lock()
	h.cancel()
	h.mu.Unlock()
	h.wg.Wait()
}

// Groups returns how many encoders are at work.
func (h *Hub) Groups() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.groups)
}

// Options are what kind of viewer comes.
type Options struct {
	// NoAcks says that the viewer will not tell what it shows: frames count as shown
	// when they are fetched with Next.
	NoAcks bool
	// KeepAlive is after how long without a frame the viewer gets one that changes
	// nothing; 0: never. WebRTC players ask for a key frame after 3 s of silence.
	KeepAlive time.Duration
}

// View adds a viewer, which begins with a key frame.
func (h *Hub) View(o Options) *Viewer {
	v := &Viewer{
		hub:    h,
		opts:   o,
		frames: make(chan *stream.Frame, queued),
		gone:   make(chan struct{}),
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.join(v)
	return v
}

// join puts v, which needs a key frame, into a group that is about to send one. The
// caller holds mu.
func (h *Hub) join(v *Viewer) {
	v.flight = nil
	for _, g := range h.groups {
		if g.keying && g.quality == v.quality {
			g.add(v)
			return
		}
	}
	g := h.newGroup(h.cfg.Screen.View(), v.quality)
	g.keying = true
	g.add(v)
	h.start(g)
}

// newGroup returns a group without members. The caller holds mu.
func (h *Hub) newGroup(view *screen.Viewer, q vp8.Quality) *group {
	now := time.Now()
	return &group{
		hub: h, view: view, quality: q, kick: make(chan struct{}, 1),
		since: now, changed: now,
	}
}

// start lets g work. The caller holds mu.
func (h *Hub) start(g *group) {
	h.groups = append(h.groups, g)
	h.wg.Go(g.run)
}

// drop removes g, whose members have left. The caller holds mu.
func (h *Hub) drop(g *group) {
	for i, o := range h.groups {
		if o == g {
			h.groups = append(h.groups[:i], h.groups[i+1:]...)
			return
		}
	}
}

// number returns the next frame's number. The caller holds mu.
func (h *Hub) number() uint32 {
	h.seq++
	return h.seq
}
