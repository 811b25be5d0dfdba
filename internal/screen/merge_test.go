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
