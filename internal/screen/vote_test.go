package screen

import (
	"image"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/capture"
	"framebridge/internal/pix"
)

// transposed returns m with its rows for columns.
func transposed(m *pix.Image) *pix.Image {
	t := pix.New(image.Rect(m.Rect.Min.Y, m.Rect.Min.X, m.Rect.Max.Y, m.Rect.Max.X))
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		for x := m.Rect.Min.X; x < m.Rect.Max.X; x++ {
			t.Set(y, x, m.At(x, y))
		}
	}
	return t
}

// TestPagesScroll scrolls a window onto long pages of many kinds by many distances, up
// and down and to both sides, first by a distance that is new, then by the same again.
func TestPagesScroll(t *testing.T) {
	const w, h, long = 700, 500, 2600
	texts := func(ink, paper uint32, draw func(m *pix.Image, rnd *rand.Rand)) *pix.Image {
		m := pix.New(image.Rect(0, 0, w, long))
		m.Fill(m.Rect, paper)
		draw(m, rand.New(rand.NewPCG(9, 9)))
		return m
	}
	pagesOf := []struct {
		name string
		page *pix.Image
		// over is what stands in the window and does not scroll; blinks says that it
		// is there in every second step only.
		over   *pix.Image
		blinks bool
		// missed is the share of steps, in per cent, in which no move needs to be found:
		// too little changes, or too many lines are alike.
		missed int
	}{
		{name: "text", page: textPage(w, long, 0x202020, 0xf8f8f4, 1)},
		{name: "dark text", page: textPage(w, long, 0xd0d0d0, 0x101010, 2)},
		{name: "photo", page: photo(w, long, 3)},
		{name: "little text", missed: 55, page: texts(0x303030, 0xffffff, func(m *pix.Image, rnd *rand.Rand) {
			for y := 10; y < long; y += 130 {
				textLine(m, image.Pt(20, y), 60, 0x303030, rnd)
			}
		})},
		{name: "few words", page: texts(0x303030, 0xffffff, func(m *pix.Image, rnd *rand.Rand) {
			for y := 10; y < long; y += 40 {
				textLine(m, image.Pt(100, y), 9, 0x303030, rnd)
			}
		})},
		{name: "repeated lines", missed: 60, page: texts(0xe0e0e0, 0x202020, func(m *pix.Image, rnd *rand.Rand) {
			for y := 2; y < long; y += 15 {
				// As a list of files, three of four lines the same.
				same := rand.New(rand.NewPCG(4, 4))
				textLine(m, image.Pt(4, y), 60, 0xe0e0e0, same)
				if y%4 == 0 {
					textLine(m, image.Pt(430, y), 30, 0xe0e0e0, rnd)
				}
			}
		})},
		{name: "cursor", page: textPage(w, long, 0x202020, 0xffffff, 5), blinks: true,
			over: pix.New(image.Rect(300, 240, 308, 256))},
		{name: "header", page: textPage(w, long, 0x202020, 0xffffff, 6), over: textPage(w, 60, 0xffffff, 0x304060, 7)},
		{name: "sidebar", page: textPage(w, long, 0x202020, 0xffffff, 6), over: textPage(200, h, 0xffffff, 0x304060, 7)},
	}
	for _, c := range pagesOf {
		for _, sideways := range []bool{false, true} {
			size := image.Rect(0, 0, w, h)
			if sideways {
				c.page, size = transposed(c.page), image.Rect(0, 0, h, w)
				if c.over != nil {
					c.over = transposed(c.over)
				}
			}
			// The desktop around the window is half reported with it.
			place := size.Add(image.Pt(40, 40))
			reported := place.Inset(-20)
			steps, found, damage, shown := 0, 0, 0, 0
			for _, d := range []int{1, 3, 15, 16, 45, 120, 250, -1, -3, -15, -16, -45, -120, -250} {
				s := New(Config{})
				at := 0
				if d < 0 {
					at = long - h
				}
				for n := range 5 {
					desktop := pix.New(size.Union(place.Inset(-40)))
					from := image.Pt(0, at)
					if sideways {
						from = image.Pt(at, 0)
					}
					shows := c.page.Sub(size.Add(from))
					pix.Copy(desktop, view(&shows, place.Min), place)
					if c.over != nil && !(c.blinks && n%2 != 0) {
						over := view(c.over, place.Min.Add(c.over.Rect.Min))
						pix.Copy(desktop, over, over.Rect)
					}
					f := &capture.Frame{Size: desktop.Rect.Size(), Patches: []pix.Image{desktop.Sub(reported)}}
					if n == 0 {
						f = whole(desktop)
					}
					s.alone()
					s.commit(f)
					require.True(t, pix.Equal(s.store, desktop, desktop.Rect))
					if n > 0 {
						step := s.journal[s.gen%journalLen]
						steps++
						found += len(step.moves)
						damage += step.damage.Area()
						shown += abs(d) * w
					}
					at += d
				}
			}
			t.Logf("%s, sideways %v: %d steps, %d found, damage %d %% of what came in", c.name, sideways, steps, found, damage*100/shown)
			require.GreaterOrEqual(t, found*100, steps*(100-c.missed), "%s, sideways %v", c.name, sideways)
			if c.missed == 0 {
				require.Less(t, damage*10, shown*11, "%s, sideways %v", c.name, sideways)
			}
		}
	}
}

// TestSamplesTellNoMove changes one picture into another: the samples say at once
// that nothing moved, and no move is found.
func TestSamplesTellNoMove(t *testing.T) {
	ms := append(pages(480, 320, 6), photo(480, 320, 1), photo(480, 320, 2))
	looks, told := 0, 0
	for i, from := range ms {
		for k, to := range ms {
			if i == k {
				continue
			}
			s := New(Config{})
			s.commit(whole(from))
			for _, a := range []axis{vertical, horizontal} {
				g, ok := newGrid(to.Rect, a)
				require.True(t, ok)
				what, _, _ := s.voter.sample(to, from, &g)
				require.NotEqual(t, move, what)
				looks++
				if what == noMove {
					told++
				}
			}
			s.commit(whole(to))
			require.Empty(t, s.journal[s.gen%journalLen].moves)
		}
	}
	t.Logf("no move told in %d of %d looks", told, looks)
	require.Greater(t, told, looks/2)
}

// TestCountStrip compares the votes with those of every line by every other.
func TestCountStrip(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 3))
	votes := 0
	var v voter
	for range 300 {
		n := 1 + rnd.IntN(200)
		v.reset(n)
		kinds := 1 + rnd.IntN(2*n)
		for _, hs := range [][]uint64{v.old, v.new} {
			for i := range hs {
				// Hashes that share slots.
				hs[i] = uint64(rnd.IntN(kinds)) << uint(8*rnd.IntN(2))
			}
		}
		want := make([]int32, 2*n)
		for l, h := range v.new {
			var twins []int
			for o, g := range v.old {
				if g == h {
					twins = append(twins, o)
				}
			}
			if len(twins) > maxTwins {
				continue
			}
			for _, o := range twins {
				if o != l {
					want[o-l+n]++
					votes++
				}
			}
		}
		v.countStrip()
		require.Equal(t, want, v.votes)
	}
	require.Greater(t, votes, 1000)
}
