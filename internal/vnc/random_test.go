package vnc

import (
	"fmt"
	"image"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
	"framebridge/rfb"
	"framebridge/rfb/rfbtest"
)

// TestThousandsOfRandomSteps lets viewers of every kind and speed follow a screen
// that is drawn on, scrolled and resized at random, and compares all of them with
// it at every rest.
func TestThousandsOfRandomSteps(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 12))
	r := newRig(t, newCanvas(320, 240), nil)
	kinds := []rfbtest.Options{
		{Encodings: []rfb.Encoding{rfb.EncodingTight, rfb.EncodingCopyRect, rfb.PseudoLastRect, rfb.PseudoDesktopSize, rfb.PseudoCursor}},
		{Encodings: []rfb.Encoding{rfb.EncodingTight, rfb.EncodingCopyRect, rfb.PseudoDesktopSize, rfb.PseudoCursor}},
		{Encodings: []rfb.Encoding{rfb.EncodingTight, rfb.EncodingCopyRect, rfb.PseudoExtendedDesktopSize, rfb.PseudoJPEGQuality0 + 4}},
		{Encodings: []rfb.Encoding{
			rfb.EncodingTight, rfb.EncodingCopyRect, rfb.PseudoLastRect, rfb.PseudoExtendedDesktopSize, rfb.PseudoFence,
			rfb.PseudoContinuousUpdates, rfb.PseudoJPEGQuality0 + 6,
		}},
		{Encodings: []rfb.Encoding{rfb.EncodingZRLE, rfb.EncodingCopyRect, rfb.PseudoExtendedDesktopSize, rfb.PseudoFence, rfb.PseudoContinuousUpdates}},
		{Encodings: []rfb.Encoding{rfb.EncodingHextile, rfb.PseudoDesktopSize}},
	}
	// At a rest the viewers are told what to show and say when they do.
	var mu sync.Mutex
	var want *pix.Image
	rest := make(chan struct{}, len(kinds))
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wrong := make([]string, len(kinds)) // what each viewer shows, guarded by mu
	for i, o := range kinds {
		o.Shared = true
		c := r.dial(t, o)
		slow := rand.New(rand.NewPCG(uint64(i), 1))
		wg.Go(func() {
			defer c.Close()
			var reached *pix.Image
			continuous := false
			for whole := true; ; {
				if !continuous || whole {
					if c.RequestUpdate(!whole, c.Bounds()) != nil {
						return
					}
				}
				whole = false
				size := c.Bounds()
				for got := false; !got; {
					m, err := c.ReadMessage()
					select {
					case <-stop:
						return
					default:
					}
					if err != nil {
						t.Errorf("viewer %d: %v", i, err)
						return
					}
					switch m.(type) {
					case rfbtest.EndOfContinuousUpdates:
						continuous = true
						c.EnableContinuousUpdates(true, image.Rect(0, 0, 4096, 4096))
					case *rfbtest.Update:
						got = true
					}
				}
				if c.Bounds() != size {
					whole = true
				}
				mu.Lock()
				w := want
				shows := w != nil && w != reached && c.Bounds() == w.Rect && pix.Equal(w, c.Image(), w.Rect)
				if w != nil {
					wrong[i] = fmt.Sprintf("reached %v, bounds %v, want %v", reached == w || shows, c.Bounds(), w.Rect)
					if c.Bounds() == w.Rect {
						wrong[i] += fmt.Sprint(", differs in ", pix.Diff(w, c.Image(), w.Rect), " continuous ", continuous)
					}
				}
				mu.Unlock()
				if shows {
					reached = w
					rest <- struct{}{}
				}
				if w == nil && slow.IntN(4) == 0 {
					time.Sleep(time.Duration(slow.IntN(1+i*3)) * time.Millisecond)
				}
			}
		})
	}
	const steps = 3000
	for n := range steps {
		switch k := rnd.IntN(200); {
		case k == 0:
			r.resize(100+rnd.IntN(700), 100+rnd.IntN(600))
		case k < 4: // an empty window, which may be large
			b := r.img.Rect
			a := image.Rect(rnd.IntN(b.Dx()), rnd.IntN(b.Dy()), rnd.IntN(b.Dx()), rnd.IntN(b.Dy()))
			r.draw(b, func(m *pix.Image) {
				paint(m, b, uint64(n))
				m.Fill(a, rnd.Uint32())
			})
		case k < 60: // scroll
			r.draw(r.img.Rect, func(m *pix.Image) {
				b := m.Rect
				a := image.Rect(rnd.IntN(b.Dx()), rnd.IntN(b.Dy()), b.Dx(), b.Dy())
				if d := 1 + rnd.IntN(20); rnd.IntN(2) == 0 && a.Dy() > d {
					m.Move(a.Min, image.Rect(a.Min.X, a.Min.Y+d, a.Max.X, a.Max.Y))
				} else if a.Dx() > d {
					m.Move(a.Min.Add(image.Pt(d, 0)), image.Rect(a.Min.X, a.Min.Y, a.Max.X-d, a.Max.Y))
				}
			})
		default:
			b := r.img.Rect
			a := image.Rect(rnd.IntN(b.Dx()), rnd.IntN(b.Dy()), rnd.IntN(b.Dx()), rnd.IntN(b.Dy()))
			if a.Empty() {
				continue
			}
			r.draw(a, func(m *pix.Image) { paint(m, a, uint64(n)) })
		}
		if n%10 == 0 {
			time.Sleep(time.Millisecond) // let somebody see the middle
		}
		if n%300 != 299 {
			continue
		}
		mu.Lock()
		want = r.snapshot()
		mu.Unlock()
		// What is right already sends no update any more: poke everybody, more and
		// more rarely, as who is not done with one when the next comes never shows it.
		poke := 20 * time.Millisecond
		for seen := 0; seen < len(kinds); {
			select {
			case <-rest:
				seen++
			case <-time.After(poke):
				poke *= 2
				if poke > 2*time.Minute { // a busy machine refreshes approximations slowly
					mu.Lock()
					require.Fail(t, "not all viewers show the screen", "step %d: %q", n, wrong)
				}
				r.draw(image.Rect(0, 0, 8, 8), func(m *pix.Image) { m.Fill(image.Rect(0, 0, 8, 8), rnd.Uint32()) })
				mu.Lock()
				pix.Copy(want, r.snapshot(), image.Rect(0, 0, 8, 8))
				mu.Unlock()
			}
			if t.Failed() {
				break
			}
		}
		mu.Lock()
		want = nil
		mu.Unlock()
		require.False(t, t.Failed())
	}
	close(stop)
	left := make(chan struct{})
	go func() {
		wg.Wait()
		close(left)
	}()
	// They look whether it is over with each message.
	for n := uint64(0); ; n++ {
		r.draw(r.img.Rect, func(m *pix.Image) { paint(m, m.Rect, n) })
		select {
		case <-left:
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}
