package screen

import (
	"image"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/capture"
	"framebridge/internal/pix"
)

func TestMergeCoversAndShrinks(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	var rs []image.Rectangle
	for y := 0; y < 1080; y += 64 {
		for x := 0; x < 1920; x += 64 {
			rs = append(rs, image.Rect(x+rnd.IntN(14), y+rnd.IntN(14), x+64-rnd.IntN(14), y+64-rnd.IntN(14)))
		}
	}
	all := pix.RegionOf(rs...)
	far := []image.Rectangle{image.Rect(0, 0, 5, 5), image.Rect(1000, 900, 1005, 905)}
	require.Len(t, merge(far), 2, "what is far apart stays apart")
	got := merge(rs)
	require.Less(t, len(got), 40)
	require.True(t, all.Subtract(pix.RegionOf(got...)).Empty())
}

// page draws lines of random "text" so that no two rows are alike.
func page(m *pix.Image, rnd *rand.Rand) {
	m.Fill(m.Rect, 0xffffff)
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		if y%15 > 10 {
			continue
		}
		for x := m.Rect.Min.X; x < m.Rect.Max.X; x++ {
			if rnd.IntN(3) == 0 {
				m.Set(x, y, 0)
			}
		}
	}
}

func TestScrollsAreFound(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 5))
	for _, c := range []struct {
		name string
		area image.Rectangle
		d    image.Point
	}{
		{"up a line", image.Rect(100, 100, 1100, 885), image.Pt(0, 15)},
		{"down a page", image.Rect(3, 7, 700, 600), image.Pt(0, -300)},
		{"left", image.Rect(64, 64, 900, 700), image.Pt(40, 0)},
		{"right", image.Rect(64, 64, 900, 700), image.Pt(-3, 0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := New(Config{})
			img := pix.New(image.Rect(0, 0, 1280, 1024))
			page(img, rnd)
			s.commit(&capture.Frame{Size: img.Rect.Size(), Patches: []pix.Image{*img}})
			img2 := pix.New(img.Rect)
			pix.Copy(img2, img, img.Rect)
			src := c.area.Intersect(c.area.Add(c.d))
			img2.Move(src.Min.Sub(c.d), src)
			rest := pix.RegionOf(c.area).Subtract(pix.RegionOf(src.Sub(c.d)))
			for _, r := range rest.Rects() {
				part := img2.Sub(r)
				page(&part, rnd)
			}
			s.commit(&capture.Frame{Size: img.Rect.Size(), Patches: []pix.Image{img2.Sub(c.area)}})
			require.True(t, pix.Equal(s.store, img2, img.Rect))
			ch := s.journal[s.gen%journalLen]
			require.Len(t, ch.moves, 1)
			require.LessOrEqual(t, ch.damage.Area(), rest.Area()+rest.Area()/4+2048)
		})
	}
}

// TestDragsAreFound moves a window over a desktop, in all directions.
func TestDragsAreFound(t *testing.T) {
	rnd := rand.New(rand.NewPCG(6, 5))
	desktop := pix.New(image.Rect(0, 0, 1280, 1024))
	for y := range 1024 {
		for x := range 1280 {
			desktop.Set(x, y, uint32(y/4)<<8|uint32(x/5))
		}
	}
	window := pix.New(image.Rect(0, 0, 500, 380))
	page(window, rnd)
	window.Fill(image.Rect(0, 0, 500, 20), 0x3050a0)
	s := New(Config{})
	at := image.Pt(300, 300)
	picture := func() *pix.Image {
		m := pix.New(desktop.Rect)
		pix.Copy(m, desktop, m.Rect)
		for y := range 380 {
			copy(m.Row(at.Y+y, at.X, at.X+500), window.Row(y, 0, 500))
		}
		return m
	}
	s.commit(whole(picture()))
	moved := 0
	const steps = 40
	for range steps {
		before := image.Rectangle{Max: image.Pt(500, 380)}.Add(at)
		at = at.Add(image.Pt(rnd.IntN(31)-15, rnd.IntN(31)-15))
		m := picture()
		reported := before.Union(before.Add(at.Sub(before.Min)))
		s.commit(&capture.Frame{Size: m.Rect.Size(), Patches: []pix.Image{m.Sub(reported)}})
		require.True(t, pix.Equal(s.store, m, m.Rect))
		c := s.journal[s.gen%journalLen]
		if len(c.moves) > 0 {
			moved++
			require.Less(t, c.damage.Area(), 60000)
		}
	}
	require.GreaterOrEqual(t, moved, steps*3/4)
}

func BenchmarkCommitDrag(b *testing.B) {
	s := New(Config{})
	rnd := rand.New(rand.NewPCG(5, 5))
	a, c := pix.New(image.Rect(0, 0, 1920, 1080)), pix.New(image.Rect(0, 0, 1920, 1080))
	window := pix.New(image.Rect(0, 0, 500, 380))
	page(window, rnd)
	for y := range 380 {
		copy(a.Row(300+y, 300, 800), window.Row(y, 0, 500))
		copy(c.Row(307+y, 309, 809), window.Row(y, 0, 500))
	}
	s.commit(whole(a))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m := a
		if i%2 == 0 {
			m = c
		}
		s.commit(&capture.Frame{Size: m.Rect.Size(), Patches: []pix.Image{m.Sub(image.Rect(300, 300, 809, 687))}})
	}
}

func BenchmarkCommitScroll(b *testing.B) {
	s := New(Config{})
	rnd := rand.New(rand.NewPCG(5, 5))
	img := pix.New(image.Rect(0, 0, 1920, 1080))
	page(img, rnd)
	s.commit(&capture.Frame{Size: img.Rect.Size(), Patches: []pix.Image{*img}})
	area := image.Rect(100, 100, 1100, 885)
	line := pix.New(image.Rect(0, 0, 1000, 15))
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		img.Move(area.Min, image.Rect(area.Min.X, area.Min.Y+15, area.Max.X, area.Max.Y))
		page(line, rnd)
		at := image.Pt(area.Min.X, area.Max.Y-15)
		for y := range 15 {
			copy(img.Row(at.Y+y, at.X, at.X+1000), line.Row(y, 0, 1000))
		}
		b.StartTimer()
		s.commit(&capture.Frame{Size: img.Rect.Size(), Patches: []pix.Image{img.Sub(area)}})
	}
}
