package screen

import (
	"context"
	"errors"
	"image"
	"time"

	"framebridge/capture"
	"framebridge/internal/pix"
)

// Run feeds the screen from src until ctx is done or the source fails, and
// returns the reason. It does not close src. One Run at a time; after a failure
// the next Run, with another source, continues with the same viewers.
//
// While nobody views, or no viewer could use an update, the source is not asked
// for anything.
func (s *Screen) Run(ctx context.Context, src capture.Source) error {
	s.mu.Lock()
	s.synced = false
	s.lost = false
	s.mu.Unlock()

	r := runner{
		s:      s,
		src:    src,
		bucket: bucket{burst: burstFrames, tokens: burstFrames},
		first:  true,
	}
	r.sampler, _ = src.(capture.Sampler)
	if s.cfg.VerifyInterval > 0 && r.sampler != nil {
		r.verifyAt = time.Now().Add(s.cfg.VerifyInterval)
	}
	if s.cfg.Quiet != nil {
		r.quiet = time.AfterFunc(quietAfter, s.cfg.Quiet)
		defer r.quiet.Stop()
	}
	for {
		if err := r.step(ctx); err != nil {
			return err
		}
	}
}

// burstFrames is how many frames may follow each other at once after a pause:
// a key's echo, the cursor's blink and a status line are not delayed by pacing.
const burstFrames = 6

// runner is the state of one Run.
type runner struct {
	s       *Screen
	src     capture.Source
	sampler capture.Sampler // nil: the source cannot sample
	bucket  bucket

	quiet     *time.Timer // nil: nobody asks
	quietNext time.Time

	first bool // no frame yet

	verifyAt time.Time // zero: no verification
	rows     int       // which rows the next sample takes
	polling  bool
	missedAt time.Time // when drawing without damage was seen last
	pollCost time.Duration
	warnedAt time.Time
}

func (r *runner) step(ctx context.Context) error {
	if err := r.s.waitDemand(ctx); err != nil {
		return err
	}
	if !r.first && !r.s.isSynced() {
		if err := r.resync(ctx); err != nil {
			return err
		}
		if r.s.isSynced() {
			return nil // look at the demand again: viewers now know that they have it all
		}
	}
	r.bucket.rate = float64(r.s.maxFPS.Load())
	if err := r.bucket.wait(ctx); err != nil {
		return err
	}
	var deadline time.Time // none: the first frame is not to be interrupted
	switch {
	case r.polling:
		deadline = time.Now().Add(max(pollInterval, 10*r.pollCost))
	case !r.first:
		deadline = r.verifyAt
	}
	nctx, cancel := r.s.whileViewed(ctx, deadline)
	f, err := r.src.Next(nctx)
	cancel()
	switch {
	case err == nil:
		r.commit(f, r.first)
		r.first = false
	case ctx.Err() != nil:
		return ctx.Err()
	case !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
		return err
	default:
		r.bucket.tokens++ // nothing was captured
	}
	if r.first || r.verifyAt.IsZero() || r.s.Viewers() == 0 {
		return nil
	}
	if r.polling {
		if errors.Is(err, context.DeadlineExceeded) {
			return r.poll(ctx)
		}
		return nil
	}
	if !time.Now().Before(r.verifyAt) {
		return r.verify(ctx)
	}
	return nil
}

const (
	// quietAfter is how long nothing must change for Config.Quiet.
	quietAfter = 1500 * time.Millisecond
	// quietPause is the least time between two calls that changes lie between.
	quietPause = time.Minute
)

// commit takes a frame, and has Config.Quiet called when it was the last for a while.
func (r *runner) commit(f *capture.Frame, first bool) {
	r.s.commit(f)
	if r.quiet == nil {
		return
	}
	now := time.Now()
	called := !r.quiet.Reset(max(quietAfter, r.quietNext.Sub(now)))
	if called && !first {
		r.quietNext = now.Add(quietPause)
		r.quiet.Reset(quietPause)
	}
}

// resync finds out whether damage is waiting in the source after a time without
// viewers. If not, or if the source cannot tell, the store is good as it is.
func (r *runner) resync(ctx context.Context) error {
	pending := false
	if r.sampler != nil {
		var err error
		if _, pending, err = r.sampler.Sample(ctx, []image.Rectangle{image.Rect(0, 0, 1, 1)}); err != nil {
			return err
		}
	}
	if !pending {
		r.s.mu.Lock()
		r.s.synced = true
		r.s.mu.Unlock()
		r.s.wakeAll(false)
	}
	return nil
}

const (
	// pollInterval is the time between two whole captures while DAMAGE is not
	// trusted: drawing shows within it, at a few per cent of a core.
	pollInterval = 50 * time.Millisecond
	// trustAfter is how long DAMAGE must have reported everything before polling
	// ends.
	trustAfter = 10 * time.Second
	// warnEvery bounds the log when programs with and without damage take turns.
	warnEvery = time.Minute
	// sampleRows is how many rows of pixels a verification compares, each time
	// other ones: an area that changed is found at once when it is higher than
	// the screen's height divided by this.
	sampleRows = 24
)

// verify compares sampled rows with the store. Rows that differ although the
// source knows of no drawing mean that DAMAGE missed something.
func (r *runner) verify(ctx context.Context) error {
	r.verifyAt = time.Now().Add(r.s.cfg.VerifyInterval)
	size := r.s.store.Rect.Size()
	step := max(1, size.Y/sampleRows)
	var areas []image.Rectangle
	// 7 and the usual steps have no common factor: all rows have their turn.
	for y := r.rows * 7 % step; y < size.Y; y += step {
		areas = append(areas, image.Rect(0, y, size.X, y+1))
	}
	r.rows++
	f, pending, err := r.sampler.Sample(ctx, areas)
	if err != nil {
		return err
	}
	if pending || f.Size != size || !r.s.differs(f) {
		return nil
	}
	r.polling = true
	r.missedAt = time.Now()
	if time.Since(r.warnedAt) > warnEvery {
		r.warnedAt = time.Now()
		r.s.log.Warn("drawing without DAMAGE reports: polling the screen until they are right again")
	}
	return r.poll(ctx)
}

// poll captures the whole screen whatever DAMAGE says.
func (r *runner) poll(ctx context.Context) error {
	start := time.Now()
	f, pending, err := r.sampler.Sample(ctx, []image.Rectangle{r.s.store.Rect})
	if err != nil {
		return err
	}
	if f.Size != r.s.store.Rect.Size() {
		return nil // Next brings the new size
	}
	if r.s.differs(f) {
		if !pending {
			r.missedAt = start
		}
		r.commit(f, false)
	}
	now := time.Now()
	r.pollCost = now.Sub(start)
	if now.Sub(r.missedAt) > trustAfter {
		r.polling = false
		r.verifyAt = now.Add(r.s.cfg.VerifyInterval)
		r.s.log.Info("DAMAGE reports are right again: polling ended")
	}
	return nil
}

// differs reports whether the frame's pixels differ from the store's.
func (s *Screen) differs(f *capture.Frame) bool {
	for i := range f.Patches {
		p := &f.Patches[i]
		if !pix.Equal(p, s.store, p.Rect.Intersect(s.store.Rect)) {
			return true
		}
	}
	return false
}

func (s *Screen) isSynced() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.synced
}

// waitDemand blocks until a viewer could use a frame.
func (s *Screen) waitDemand(ctx context.Context) error {
	for {
		synced := s.isSynced()
		s.vmu.Lock()
		ok := s.wanting > 0 || !synced && len(s.viewers) > 0
		s.vmu.Unlock()
		if ok {
			return ctx.Err()
		}
		select {
		case <-s.demand:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// whileViewed returns a context that ends with ctx, at the deadline (if one is
// given), or when the last viewer leaves.
func (s *Screen) whileViewed(ctx context.Context, deadline time.Time) (context.Context, context.CancelFunc) {
	var cancel context.CancelFunc
	if deadline.IsZero() {
		ctx, cancel = context.WithCancel(ctx)
	} else {
		ctx, cancel = context.WithDeadline(ctx, deadline)
	}
	s.vmu.Lock()
	defer s.vmu.Unlock()
	if len(s.viewers) == 0 {
		cancel()
	}
	s.unviewed = cancel
	return ctx, cancel
}

// bucket is a token bucket: rate tokens a second, at most burst.
type bucket struct {
	rate, burst, tokens float64
	last                time.Time
}

// wait takes a token, waiting for it if there is none.
func (b *bucket) wait(ctx context.Context) error {
	now := time.Now()
	if !b.last.IsZero() {
		b.tokens = min(b.burst, b.tokens+now.Sub(b.last).Seconds()*b.rate)
	}
	b.last = now
	b.tokens--
	if b.tokens >= 0 {
		return nil
	}
	t := time.NewTimer(time.Duration(-b.tokens / b.rate * float64(time.Second)))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
