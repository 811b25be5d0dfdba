package screen

import (
	"image"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"framebridge/capture"
	"framebridge/internal/pix"
)

// textLine draws random letters of the 7x13 font to the right of at, clipped to m.
func textLine(m *pix.Image, at image.Point, n int, ink uint32, rnd *rand.Rand) {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 (){};=+-*/<>.,_ "
	s := make([]byte, n)
	for i := range s {
		s[i] = letters[rnd.IntN(len(letters))]
	}
	face := basicfont.Face7x13
	mask := image.NewAlpha(image.Rect(0, 0, 7*n, 13))
	(&font.Drawer{Dst: mask, Src: image.Opaque, Face: face, Dot: fixed.P(0, face.Ascent)}).DrawString(string(s))
	for y := range 13 {
		for x := range 7 * n {
			if p := at.Add(image.Pt(x, y)); mask.Pix[y*mask.Stride+x] != 0 && p.In(m.Rect) {
				m.Set(p.X, p.Y, ink)
			}
		}
	}
}

// textPage is a page of lines of text, 15 pixels each, of random lengths and
// indents.
func textPage(w, h int, ink, paper uint32, seed uint64) *pix.Image {
	rnd := rand.New(rand.NewPCG(seed, 21))
	m := pix.New(image.Rect(0, 0, w, h))
	m.Fill(m.Rect, paper)
	for y := 1; y < h; y += 15 {
		indent := rnd.IntN(5) * 28
		if n := (w - 16 - indent) / 7; n > 0 {
			textLine(m, image.Pt(8+indent, y), rnd.IntN(n), ink, rnd)
		}
	}
	return m
}

// photo is smooth shapes with grain.
func photo(w, h int, seed uint64) *pix.Image {
	rnd := rand.New(rand.NewPCG(seed, 22))
	m := pix.New(image.Rect(0, 0, w, h))
	a, b := rnd.Float64()*9, rnd.Float64()*9
	for y := range h {
		for x := range w {
			v := 128 + 90*math.Sin(a*float64(x)/float64(w)+2*math.Sin(b*float64(y)/float64(h)))
			m.Set(x, y, uint32(v)<<16|uint32(255-v)<<8|uint32(rnd.IntN(13)+int(v)/2))
		}
	}
	return m
}

// view is m shown at p: a view of m's pixels.
func view(m *pix.Image, p image.Point) *pix.Image {
	return &pix.Image{Pix: m.Pix, Stride: m.Stride, Rect: m.Rect.Add(p.Sub(m.Rect.Min))}
}

// pages are n pictures, text and photos in turn.
func pages(w, h, n int) (ms []*pix.Image) {
	for i := range n {
		m := textPage(w, h, 0x202020, 0xf8f8f4, uint64(i))
		if i%2 == 1 {
			pix.Copy(m, view(photo(w/2, h/2, uint64(i)), image.Pt(w/4, h/4)), image.Rect(w/4, h/4, w/4+w/2, h/4+h/2))
		}
		ms = append(ms, m)
	}
	return ms
}

// alone makes the next change one of its own: after a pause, elsewhere than the
// last.
func (s *Screen) alone() { s.changedAt, s.misses = time.Time{}, misses{} }

func BenchmarkCommit(b *testing.B) {
	size := image.Pt(1920, 1080)
	desktop := textPage(size.X, size.Y, 0x202020, 0xf8f8f4, 99)
	run := func(name string, step func(s *Screen, i int) *pix.Image) {
		b.Run(name, func(b *testing.B) {
			s := New(Config{})
			s.commit(whole(desktop))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				s.commit(&capture.Frame{Size: size, Patches: []pix.Image{*step(s, i)}})
			}
		})
	}
	popups := pages(480, 320, 8)
	rnd := rand.New(rand.NewPCG(1, 1))
	run("popup", func(s *Screen, i int) *pix.Image {
		s.alone()
		return view(popups[i%len(popups)], image.Pt(rnd.IntN(size.X-480), rnd.IntN(size.Y-320)))
	})
	fulls := pages(size.X, size.Y, 4)
	run("full", func(s *Screen, i int) *pix.Image {
		s.alone()
		return fulls[i%len(fulls)]
	})
	run("equal", func(*Screen, int) *pix.Image { return desktop })
	film := make([]*pix.Image, 16)
	for i := range film {
		film[i] = photo(640, 360, uint64(i))
	}
	run("video", func(_ *Screen, i int) *pix.Image { return view(film[i%len(film)], image.Pt(320, 160)) })

	// A window onto a long page goes down by 15 pixels a step, then back to the top.
	const line, lines = 15, 100
	area := image.Rect(0, 0, 1000, 785)
	long := textPage(area.Dx(), area.Dy()+line*lines, 0x202020, 0xf8f8f4, 7)
	scrolled := func(s *Screen, i int) *pix.Image {
		y := i % lines * line
		if y == 0 {
			s.lastMove = image.Point{}
		}
		v := long.Sub(area.Add(image.Pt(0, y)))
		return view(&v, image.Pt(60, 120))
	}
	run("scroll", scrolled)
	run("scroll/new", func(s *Screen, i int) *pix.Image {
		s.alone()
		s.lastMove = image.Point{}
		return scrolled(s, i)
	})
}
