package pix

import (
	"image"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// bitmap is the slow twin of Region: one flag per pixel.
type bitmap [32][32]bool

func (m *bitmap) set(r image.Rectangle) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			m[y][x] = true
		}
	}
}

func (m *bitmap) combine(o *bitmap, f func(a, b bool) bool) (out bitmap) {
	for y := range m {
		for x := range m[y] {
			out[y][x] = f(m[y][x], o[y][x])
		}
	}
	return out
}

func toBitmap(t *testing.T, g Region) (m bitmap) {
	t.Helper()
	prev := image.Rectangle{}
	for i, r := range g.Rects() {
		require.False(t, r.Empty(), "empty rectangle in %v", g)
		if i > 0 {
			if r.Min.Y == prev.Min.Y {
				require.Equal(t, prev.Max.Y, r.Max.Y, "band heights differ: %v", g)
				require.Greater(t, r.Min.X, prev.Max.X, "spans touch: %v", g)
			} else {
				require.GreaterOrEqual(t, r.Min.Y, prev.Max.Y, "bands overlap: %v", g)
			}
		}
		prev = r
		m.set(r)
	}
	return m
}

func randomRects(rnd *rand.Rand, n int) []image.Rectangle {
	rs := make([]image.Rectangle, n)
	for i := range rs {
		rs[i] = image.Rect(rnd.IntN(33), rnd.IntN(33), rnd.IntN(33), rnd.IntN(33))
	}
	return rs
}

func TestRegionEqualsBitmap(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 4000 {
		ra, rb := randomRects(rnd, rnd.IntN(9)), randomRects(rnd, rnd.IntN(9))
		a, b := RegionOf(ra...), RegionOf(rb...)
		var ma, mb bitmap
		for _, r := range ra {
			ma.set(r)
		}
		for _, r := range rb {
			mb.set(r)
		}
		require.Equal(t, ma, toBitmap(t, a))
		require.Equal(t, ma.combine(&mb, func(p, q bool) bool { return p || q }), toBitmap(t, a.Union(b)))
		require.Equal(t, ma.combine(&mb, func(p, q bool) bool { return p && q }), toBitmap(t, a.Intersect(b)))
		sub := a.Subtract(b)
		require.Equal(t, ma.combine(&mb, func(p, q bool) bool { return p && !q }), toBitmap(t, sub))
		// The form is canonical: taking apart and putting together gives the same.
		require.True(t, sub.Union(a.Intersect(b)).Equal(a))
		n := 0
		for y := range ma {
			for x := range ma[y] {
				if ma[y][x] {
					n++
				}
			}
		}
		require.Equal(t, n, a.Area())
		clip := image.Rect(rnd.IntN(33), rnd.IntN(33), rnd.IntN(33), rnd.IntN(33))
		require.True(t, a.Clip(clip).Equal(a.Intersect(RegionOf(clip))))
		require.Equal(t, !a.Intersect(RegionOf(clip)).Empty(), a.Overlaps(clip))
	}
}

func TestRegionTranslate(t *testing.T) {
	g := RegionOf(image.Rect(0, 0, 3, 3), image.Rect(5, 1, 7, 9))
	require.Equal(t, g.Bounds().Add(image.Pt(10, -4)), g.Translate(image.Pt(10, -4)).Bounds())
	require.True(t, g.Translate(image.Pt(2, 3)).Translate(image.Pt(-2, -3)).Equal(g))
}

func BenchmarkRegionOfTiles(b *testing.B) {
	var rs []image.Rectangle
	rnd := rand.New(rand.NewPCG(3, 4))
	for y := 0; y < 1080; y += 64 {
		for x := 0; x < 1920; x += 64 {
			rs = append(rs, image.Rect(x+rnd.IntN(8), y+rnd.IntN(8), x+64-rnd.IntN(8), y+64-rnd.IntN(8)))
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		RegionOf(rs...)
	}
}
