package bench

import (
	"context"
	"image"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"framebridge/internal/pix"
	"framebridge/rfb/rfbtest"
)

// A work is something that programs do to a screen, again and again.
type work struct {
	name string
	what string
	run  func(ctx context.Context, t *take) error
	at   mark // zero but for works that are points of a curve
}

// take is one work on one server.
type take struct {
	stage   *stage
	viewers []*viewer
	rnd     *rand.Rand
	changes int // how many the work makes
	result  *Result
}

// Works are the works of bench live by name, in their order.
func Works() (names []string) {
	for _, w := range works {
		names = append(names, w.name)
	}
	return names
}

var works = []work{
	{name: "idle", what: "nothing, for two seconds", run: runIdle},
	{name: "type", what: "one character, random pauses of 60 to 120 ms", run: runType},
	{name: "popup", what: "480x320 photo or page at random places", run: pictures(image.Pt(480, 320), 8)},
	{name: "full", what: "the whole page changes", run: runFull},
	{name: "scroll", what: "text area up by 15 pixels with a new line, 25 ms after the viewer shows the last", run: runScroll},
	{name: "storm", what: "300x300 of photo redrawn 1000 times a second", run: runStorm},
	{name: "video", what: "640x360 at 30 frames a second", run: runVideo},
}

// runIdle is for the memory and the CPU time that a still screen costs.
func runIdle(ctx context.Context, t *take) error {
	t.result.Changes = 1
	return t.measure(ctx, func() error { return sleep(ctx, 2*time.Second) })
}

// change draws and waits until the first viewer shows it.
func (t *take) change(ctx context.Context, draw func() image.Rectangle) error {
	// The truth must be known before the draw is sent, and the watch be there
	// before the update comes: drawing only queues the request.
	area := draw()
	w := t.viewers[0].expect(t.stage.truth, area, t.rnd)
	start := time.Now()
	t.stage.conn.Flush()
	if w == nil { // nothing to see: there is no latency
		t.result.Changes++
		return nil
	}
	at, err := t.viewers[0].wait(ctx, w)
	if err != nil {
		return err
	}
	t.result.Latency = append(t.result.Latency, millis(at.Sub(start)))
	t.result.Changes++
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func runType(ctx context.Context, t *take) error {
	shown := make([]*picture, glyphs)
	for i := range shown {
		p, err := t.stage.upload(smoothGlyph(i))
		if err != nil {
			return err
		}
		defer t.stage.free(p)
		shown[i] = p
	}
	return t.measure(ctx, func() error {
		for i := range t.changes {
			err := t.change(ctx, func() image.Rectangle {
				return t.stage.show(shown[t.rnd.IntN(len(shown))], glyphPlace(i))
			})
			if err != nil {
				return err
			}
			if err := sleep(ctx, 60*time.Millisecond+time.Duration(t.rnd.IntN(60))*time.Millisecond); err != nil {
				return err
			}
		}
		return nil
	})
}

// pictures is a work that shows n photos and pages of a size, clipped to the
// screen, at random places.
func pictures(size image.Point, n int) func(context.Context, *take) error {
	return func(ctx context.Context, t *take) error {
		b := t.stage.truth.Rect
		size := image.Pt(min(size.X, b.Dx()), min(size.Y, b.Dy()))
		shown := make([]*picture, n)
		for i := range shown {
			m := photo(size.X, size.Y, uint64(i))
			if i%2 == 0 {
				m = article(size.X, size.Y, uint64(i))
			}
			p, err := t.stage.upload(m)
			if err != nil {
				return err
			}
			defer t.stage.free(p)
			shown[i] = p
		}
		return t.measure(ctx, func() error {
			for i := range t.changes / 2 {
				err := t.change(ctx, func() image.Rectangle {
					return t.stage.show(shown[i%n], image.Pt(t.rnd.IntN(b.Dx()-size.X+1), t.rnd.IntN(b.Dy()-size.Y+1)))
				})
				if err != nil {
					return err
				}
				if err := sleep(ctx, 100*time.Millisecond); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

func runFull(ctx context.Context, t *take) error {
	pages := make([]*picture, 4)
	for i, m := range fullPages(t.stage.truth.Rect.Size(), len(pages), article) {
		p, err := t.stage.upload(m)
		if err != nil {
			return err
		}
		defer t.stage.free(p)
		pages[i] = p
	}
	return t.measure(ctx, func() error {
		for i := range max(4, t.changes/4) {
			err := t.change(ctx, func() image.Rectangle { return t.stage.show(pages[i%len(pages)], image.Point{}) })
			if err != nil {
				return err
			}
			if err := sleep(ctx, 150*time.Millisecond); err != nil {
				return err
			}
		}
		return nil
	})
}

func runScroll(ctx context.Context, t *take) error {
	area := scrollArea(t.stage.truth.Rect)
	first, err := t.stage.upload(article(area.Dx(), area.Dy(), 77))
	if err != nil {
		return err
	}
	defer t.stage.free(first)
	lines := make([]*picture, 20)
	for i := range lines {
		if lines[i], err = t.stage.upload(articleLine(area.Dx(), t.rnd)); err != nil {
			return err
		}
		defer t.stage.free(lines[i])
	}
	if err := t.change(ctx, func() image.Rectangle { return t.stage.show(first, area.Min) }); err != nil {
		return err
	}
	t.result.Latency, t.result.Changes = nil, 0
	return t.measure(ctx, func() error {
		for i := range t.changes {
			err := t.change(ctx, func() image.Rectangle {
				t.stage.scroll(area, scrollStep, lines[i%len(lines)])
				return area
			})
			if err != nil {
				return err
			}
			if err := sleep(ctx, 25*time.Millisecond); err != nil {
				return err
			}
		}
		return nil
	})
}

func runStorm(ctx context.Context, t *take) error {
	photos := make([]*picture, 11) // no divisor of what is drawn between two frames
	for i := range photos {
		p, err := t.stage.upload(photo(300, 300, uint64(40+i)))
		if err != nil {
			return err
		}
		defer t.stage.free(p)
		photos[i] = p
	}
	at := image.Pt(200, 200)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	return t.measure(ctx, func() error {
		n := 3000
		for i := range n {
			t.stage.blit(photos[i%len(photos)], at)
			t.stage.conn.Flush()
			select {
			case <-tick.C:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		t.result.Changes = n
		t.stage.show(photos[0], at)
		t.stage.conn.Flush()
		return nil
	})
}

func runVideo(ctx context.Context, t *take) error {
	const w, h, fps = 640, 360, 30
	frames := make([]*picture, 16)
	for i := range frames {
		// No frame is another one moved; a mark tells them apart.
		m := photo(w, h, uint64(60+i))
		m.Fill(image.Rect(0, 0, 32, 32), videoMark(i))
		p, err := t.stage.upload(m)
		if err != nil {
			return err
		}
		defer t.stage.free(p)
		frames[i] = p
	}
	at := image.Pt(320, 160)
	seen := make(map[int]bool)
	n := t.changes * 2
	var current atomic.Int64
	v := t.viewers[0]
	v.mu.Lock()
	v.onFrame = func(c *rfbtest.Client) {
		got := c.Value(at.X+16, at.Y+16) & pix.RGBMask
		// The frame that is shown is one of the last drawn with this mark.
		last := int(current.Load())
		for k := last; k > last-len(frames) && k >= 0; k-- {
			if want := videoMark(k % len(frames)); got == want || v.lossy && near(got, want) && nearest(got, len(frames)) == k%len(frames) {
				seen[k] = true
				break
			}
		}
	}
	v.mu.Unlock()
	defer func() { v.mu.Lock(); v.onFrame = nil; v.mu.Unlock() }()
	tick := time.NewTicker(time.Second / fps)
	defer tick.Stop()
	return t.measure(ctx, func() error {
		for i := range n {
			current.Store(int64(i))
			t.stage.show(frames[i%len(frames)], at)
			t.stage.conn.Flush()
			select {
			case <-tick.C:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		// The last frames may be on their way.
		for deadline := time.Now().Add(500 * time.Millisecond); time.Now().Before(deadline); {
			v.mu.Lock()
			there := seen[n-1]
			v.mu.Unlock()
			if there {
				break
			}
			if err := sleep(ctx, 10*time.Millisecond); err != nil {
				return err
			}
		}
		v.mu.Lock()
		t.result.Missed = n - len(seen)
		v.mu.Unlock()
		t.result.Changes = n
		return nil
	})
}

// videoMark is the colour of frame i's mark: far enough from the others to be
// told apart after JPEG.
func videoMark(i int) uint32 {
	return uint32(i&1)*0xc00000 + uint32(i>>1&1)*0x00c000 + uint32(i>>2&3)*0x000040 + 0x202020
}

func nearest(got uint32, n int) (best int) {
	dist := 1 << 30
	for i := range n {
		d := 0
		for s := 0; s < 24; s += 8 {
			e := int(got>>s&255) - int(videoMark(i)>>s&255)
			d += e * e
		}
		if d < dist {
			dist, best = d, i
		}
	}
	return best
}
