package vnc

import (
	"encoding/binary"
	"image"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
	"framebridge/rfb"
	"framebridge/rfb/rfbtest"
)

func TestContinuousUpdates(t *testing.T) {
	r := newRig(t, newCanvas(400, 300), nil)
	c := r.dial(t, rfbtest.Options{Encodings: []rfb.Encoding{
		rfb.EncodingTight, rfb.EncodingCopyRect, rfb.PseudoFence, rfb.PseudoContinuousUpdates,
	}})
	for {
		m, err := c.ReadMessage()
		require.NoError(t, err)
		if _, ok := m.(rfbtest.EndOfContinuousUpdates); ok {
			break
		}
	}
	require.NoError(t, c.EnableContinuousUpdates(true, c.Bounds()))
	for i := range 50 {
		area := image.Rect(i, i, i+120, i+90)
		r.draw(area, func(m *pix.Image) { paint(m, area, uint64(i)) })
		want := r.snapshot()
		require.Eventually(t, func() bool {
			_, err := c.ReadUpdate()
			require.NoError(t, err)
			return pix.Equal(want, c.Image(), want.Rect)
		}, time.Minute, time.Nanosecond, "no request was sent, and no update came")
	}
	require.NoError(t, c.EnableContinuousUpdates(false, image.Rectangle{}))
	for {
		m, err := c.ReadMessage()
		require.NoError(t, err)
		if _, ok := m.(rfbtest.EndOfContinuousUpdates); ok {
			break
		}
	}
	r.converge(t, c, pix.BGRX)
}

// slowLink is a link in simulated time: rate bytes a second, delay each way.
type slowLink struct {
	c     congestion
	now   time.Time
	sent  int64
	free  time.Time // when the link has sent what it was given
	rate  float64
	delay time.Duration
	under []answer
}

type answer struct {
	at  time.Time
	seq uint64
}

func (l *slowLink) send(n int64) {
	l.sent += n
	seq := l.c.mark(l.sent, l.now)
	if l.free.Before(l.now) {
		l.free = l.now
	}
	l.free = l.free.Add(time.Duration(float64(n) / l.rate * float64(time.Second)))
	l.under = append(l.under, answer{l.free.Add(2 * l.delay), seq})
}

// step lets time pass up to the next answer or for d.
func (l *slowLink) step(d time.Duration) {
	if len(l.under) > 0 && l.under[0].at.Sub(l.now) <= d {
		l.now = l.under[0].at
		l.c.answered(binary.BigEndian.AppendUint64(nil, l.under[0].seq), l.now)
		l.under = l.under[1:]
		return
	}
	l.now = l.now.Add(d)
}

func TestCongestionKeepsTheLinkBusyAndItsQueueShort(t *testing.T) {
	for _, c := range []struct {
		rate  float64
		delay time.Duration
		size  int64
	}{
		{1.25e6, 20 * time.Millisecond, 20_000}, // 10 Mbit/s
		{1.25e6, 20 * time.Millisecond, 3_000},
		{12.5e6, 50 * time.Millisecond, 40_000},
		{125e3, 100 * time.Millisecond, 5_000}, // 1 Mbit/s
		{100e6, time.Millisecond, 200_000},
	} {
		l := slowLink{now: time.Unix(1000, 0), rate: c.rate, delay: c.delay}
		l.send(20) // the fence that announces fences
		for len(l.under) > 0 {
			l.step(time.Second)
		}
		var queued time.Duration
		begin := l.now
		settled := begin.Add(3 * time.Second)
		var from int64
		for l.now.Sub(begin) < 10*time.Second {
			if l.c.congested(l.sent) {
				l.step(time.Millisecond)
				continue
			}
			if l.now.After(settled) {
				if from == 0 {
					from = l.sent
					settled = l.now
				}
				queued = max(queued, l.free.Sub(l.now))
			}
			l.send(c.size)
		}
		used := float64(l.sent-from) / l.now.Sub(settled).Seconds() / c.rate
		require.Greater(t, used, 0.85, "%+v: the link idles", c)
		own := time.Duration(float64(c.size) / c.rate * float64(time.Second))
		floor := time.Duration(minWindow / c.rate * float64(time.Second))
		require.Less(t, queued, 3*queueTarget+2*own+floor+c.delay, "%+v: the queue is long", c)
		require.InDelta(t, 1, math.Max(0.5, l.c.rate/c.rate), 0.35, "%+v: estimate %v", c, l.c.rate)
	}
}

func TestApproximationsAreRefreshed(t *testing.T) {
	cv := newCanvas(320, 240)
	cv.draw(cv.img.Rect, func(m *pix.Image) {
		for y := range 240 {
			for x := range 320 {
				m.Set(x, y, uint32(x*255/320)<<16|uint32(y)<<8|uint32((x*y)>>6&0xff))
			}
		}
	})
	r := newRig(t, cv, nil)
	c := r.dial(t, rfbtest.Options{Encodings: []rfb.Encoding{rfb.EncodingTight, rfb.PseudoJPEGQuality0 + 3}})
	require.NoError(t, c.RequestUpdate(false, c.Bounds()))
	_, err := c.ReadUpdate()
	require.NoError(t, err)
	require.False(t, pix.Equal(c.Image(), r.snapshot(), cv.img.Rect), "nothing was lost: the test tests nothing")
	r.converge(t, c, pix.BGRX)
}

// TestApproximationsOfALargerScreen: what was approximate where the screen no longer
// is does not keep the rest from being refreshed.
func TestApproximationsOfALargerScreen(t *testing.T) {
	photo := func(m *pix.Image) {
		for y := range m.Rect.Dy() {
			for x := range m.Rect.Dx() {
				m.Set(x, y, uint32(x*255/m.Rect.Dx())<<16|uint32(y&0xff)<<8|uint32((x*y)>>6&0xff))
			}
		}
	}
	for _, size := range []rfb.Encoding{rfb.PseudoExtendedDesktopSize, rfb.PseudoDesktopSize, rfb.PseudoLastRect} { // the last: it keeps its own
		r := newRig(t, newCanvas(700, 500), nil)
		r.draw(image.Rect(0, 0, 700, 500), photo)
		c := r.dial(t, rfbtest.Options{Encodings: []rfb.Encoding{rfb.EncodingTight, rfb.PseudoJPEGQuality0 + 3, size}})
		require.NoError(t, c.RequestUpdate(false, c.Bounds()))
		_, err := c.ReadUpdate()
		require.NoError(t, err)
		require.False(t, pix.Equal(c.Image(), r.snapshot(), r.img.Rect), "nothing was lost: the test tests nothing")
		r.resize(320, 240)
		r.draw(image.Rect(0, 0, 320, 240), photo)
		want := pix.New(image.Rect(0, 0, 320, 240))
		if size == rfb.PseudoLastRect {
			want = pix.New(image.Rect(0, 0, 700, 500))
		}
		pix.Copy(want, r.snapshot(), image.Rect(0, 0, 320, 240))
		require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
		for !(c.Bounds() == want.Rect && pix.Equal(c.Image(), want, want.Rect)) {
			require.NoError(t, c.RequestUpdate(true, c.Bounds()))
			_, err := c.ReadUpdate()
			require.NoError(t, err, "%v: it never becomes exact: %v", size, pix.Diff(c.Image(), want, want.Rect.Intersect(c.Bounds())))
		}
	}
}

func TestManyViewersShareTheWork(t *testing.T) {
	r := newRig(t, newCanvas(700, 500), nil)
	var wg sync.WaitGroup
	for i := range 8 {
		e := []rfb.Encoding{rfb.EncodingTight, rfb.EncodingZRLE, rfb.EncodingHextile, rfb.EncodingRaw}[i%4]
		c := r.dial(t, rfbtest.Options{Shared: true, Encodings: []rfb.Encoding{e, rfb.EncodingCopyRect, rfb.PseudoCursor}})
		wg.Go(func() {
			// All draw and look at the same time, each until it has seen all.
			for k := range 25 {
				area := image.Rect(k*9, k*5, k*9+300, k*5+200)
				r.draw(area, func(m *pix.Image) { paint(m, area, uint64(i*1000+k)) })
				if c.RequestUpdate(k > 0, c.Bounds()) != nil {
					return
				}
				if _, err := c.ReadUpdate(); err != nil {
					t.Error(err)
					return
				}
			}
		})
		defer r.converge(t, c, pix.BGRX)
	}
	wg.Wait()
}
