package vp8

import (
	"image"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
)

// A desk is an encoder of a full screen that shows a page.
type desk struct {
	e     *Encoder
	m     *pix.Image
	clock time.Duration
	frame []byte
	sizes int
	n     int
}

func newDesk(tb testing.TB, workers int) *desk { return newDeskOf(tb, 1920, 1080, workers) }

func newDeskOf(tb testing.TB, width, height, workers int) *desk {
	d := &desk{m: newPicture(width, height)}
	var err error
	d.e, err = New(width, height, Config{Workers: workers})
	require.NoError(tb, err)
	page(d.m, d.m.Rect, 1)
	d.encode(tb, Change{}, Options{})
	d.settle(tb)
	d.sizes, d.n = 0, 0
	return d
}

// settle refines until nothing is left to refine.
func (d *desk) settle(tb testing.TB) {
	for range 50 {
		d.clock += time.Second
		if info := d.encode(tb, Change{}, Options{Refine: true}); !info.Refining {
			return
		}
	}
	require.Fail(tb, "refinement does not end")
}

func (d *desk) encode(tb testing.TB, c Change, o Options) Info {
	d.clock += 33 * time.Millisecond
	o.Time = d.clock
	var info Info
	var err error
	d.frame, info, err = d.e.Encode(d.frame[:0], d.m, c, o)
	if err != nil {
		tb.Fatal(err)
	}
	d.sizes += len(d.frame)
	d.n++
	return info
}

func (d *desk) report(b *testing.B) {
	b.ReportMetric(float64(d.sizes)/float64(d.n), "B/frame")
	b.ReportAllocs()
}

func BenchmarkStill(b *testing.B) {
	d := newDesk(b, 1)
	for b.Loop() {
		d.encode(b, Change{}, Options{})
	}
	d.report(b)
}

func BenchmarkCharacter(b *testing.B) {
	d := newDesk(b, 1)
	rng := rand.New(rand.NewPCG(1, 1))
	r := image.Rect(803, 506, 810, 519)
	for b.Loop() {
		b.StopTimer()
		d.m.Fill(r, 0xf8f8f4)
		text(d.m, r.Min, words(rng, 1), 0x202020)
		b.StartTimer()
		d.encode(b, Change{Damage: []image.Rectangle{r}}, Options{})
	}
	d.report(b)
}

func BenchmarkScroll(b *testing.B) {
	d := newDesk(b, 1)
	rng := rand.New(rand.NewPCG(1, 1))
	area := image.Rect(60, 60, 1060, 845)
	for b.Loop() {
		b.StopTimer()
		c := scrollBy(d.m, rng, area, 15)
		b.StartTimer()
		d.encode(b, c, Options{})
	}
	d.report(b)
}

// scrollBy scrolls r up by dy pixels and draws a line of text below.
func scrollBy(m *pix.Image, rng *rand.Rand, r image.Rectangle, dy int) Change {
	src := image.Rect(r.Min.X, r.Min.Y+dy, r.Max.X, r.Max.Y)
	m.Move(r.Min, src)
	bottom := image.Rect(r.Min.X, r.Max.Y-dy, r.Max.X, r.Max.Y)
	line(m, rng, r, r.Max.Y-dy)
	return Change{Moves: []Move{{Src: src, Dst: r.Min}}, Damage: []image.Rectangle{bottom}}
}

func BenchmarkVideo(b *testing.B) {
	d := newDesk(b, 1)
	r := image.Rect(320, 160, 960, 520)
	frames := filmFrames(r, 24)
	n := 0
	show := func() Change {
		// Back and forth: no cut.
		k := n % (2*len(frames) - 2)
		if k >= len(frames) {
			k = 2*len(frames) - 2 - k
		}
		n++
		pix.Copy(d.m, frames[k], r)
		return Change{Damage: []image.Rectangle{r}}
	}
	for range 30 {
		d.encode(b, show(), Options{})
	}
	d.sizes, d.n = 0, 0
	sum := 0.0
	for b.Loop() {
		b.StopTimer()
		c := show()
		b.StartTimer()
		d.encode(b, c, Options{})
		b.StopTimer()
		sum += psnr(d.e, d.m, r)
		b.StartTimer()
	}
	b.ReportMetric(sum/float64(d.n), "dB")
	d.report(b)
}

func filmFrames(r image.Rectangle, n int) []*pix.Image {
	f := newFilm(5)
	var frames []*pix.Image
	for i := range n {
		m := pix.New(r)
		f.draw(m, r, i)
		frames = append(frames, m)
	}
	return frames
}

func BenchmarkPage(b *testing.B)     { benchmarkPage(b, 1, Options{}) }
func BenchmarkPage2(b *testing.B)    { benchmarkPage(b, 2, Options{}) }
func BenchmarkPageKey(b *testing.B)  { benchmarkPage(b, 1, Options{Key: true}) }
func BenchmarkPage60kB(b *testing.B) { benchmarkPage(b, 1, Options{Budget: 60_000}) }

func benchmarkPage(b *testing.B, workers int, o Options) {
	d := newDesk(b, workers)
	var pages [3]*pix.Image
	for i := range pages {
		pages[i] = newPicture(1920, 1080)
		page(pages[i], d.m.Rect, uint64(100+i))
	}
	n := 0
	sum := 0.0
	for b.Loop() {
		d.m = pages[n%len(pages)]
		n++
		d.clock += 2 * time.Second
		d.encode(b, Change{Damage: []image.Rectangle{d.m.Rect}}, o)
		b.StopTimer()
		sum += psnr(d.e, d.m, d.m.Rect)
		b.StartTimer()
	}
	b.ReportMetric(sum/float64(d.n), "dB")
	d.report(b)
}

// BenchmarkRefine measures frames that refine a new page.
func BenchmarkRefine(b *testing.B) {
	d := newDesk(b, 1)
	r := d.m.Rect
	n := uint64(0)
	refining := false
	for b.Loop() {
		if !refining {
			b.StopTimer()
			n++
			page(d.m, r, n)
			d.encode(b, Change{Damage: []image.Rectangle{r}}, Options{})
			d.clock += time.Second
			d.sizes, d.n = 0, 0
			b.StartTimer()
		}
		refining = d.encode(b, Change{}, Options{Refine: true}).Refining
	}
	d.settle(b)
	b.ReportMetric(psnr(d.e, d.m, r), "dB")
	d.report(b)
}
