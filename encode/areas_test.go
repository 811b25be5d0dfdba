package encode

import (
	"image"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
)

// covered requires that parts cover r exactly once.
func covered(t *testing.T, r image.Rectangle, parts []image.Rectangle) {
	t.Helper()
	area := 0
	for i, p := range parts {
		require.False(t, p.Empty())
		require.True(t, p.In(r), "%v in %v", p, r)
		area += p.Dx() * p.Dy()
		for _, o := range parts[:i] {
			if p.Overlaps(o) {
				t.Fatal(p, o)
			}
		}
	}
	require.Equal(t, r.Dx()*r.Dy(), area)
}

func TestAppendSplit(t *testing.T) {
	require.Empty(t, AppendSplit(nil, image.Rectangle{}, 10, 100))
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		r := image.Rect(0, 0, 1+rnd.IntN(300), 1+rnd.IntN(300)).Add(image.Pt(rnd.IntN(50)-25, rnd.IntN(50)))
		width := 1 + rnd.IntN(100)
		area := width + rnd.IntN(3000)
		parts := AppendSplit(nil, r, width, area)
		for _, p := range parts {
			require.LessOrEqual(t, p.Dx(), width)
			require.LessOrEqual(t, p.Dx()*p.Dy(), area)
		}
		if len(parts) < 200 {
			covered(t, r, parts)
		}
	}
	screen := image.Rect(0, 0, 3840, 2160)
	parts := AppendSplit(nil, screen, MaxSplitWidth, MaxSplitArea)
	covered(t, screen, parts)
	require.Len(t, parts, 9*15) // 256x256 or less, not rows of 2048x32

	// What is low or narrow is not cut more than needed.
	require.Len(t, AppendSplit(nil, image.Rect(0, 0, 1920, 34), MaxSplitWidth, MaxSplitArea), 1)
	require.Len(t, AppendSplit(nil, image.Rect(0, 0, 60, 1080), MaxSplitWidth, MaxSplitArea), 1)
	require.Len(t, AppendSplit(nil, image.Rect(0, 0, 257, 256), MaxSplitWidth, MaxSplitArea), 2)
}

func TestSolid(t *testing.T) {
	for w := 1; w < 40; w++ {
		for _, h := range []int{1, 2, 5} {
			m := pix.New(image.Rect(0, 0, w+2, h+2))
			for i := range m.Pix {
				m.Pix[i] = byte(i * 7)
			}
			r := image.Rect(1, 1, 1+w, 1+h)
			for y := r.Min.Y; y < r.Max.Y; y++ {
				for x := r.Min.X; x < r.Max.X; x++ {
					copy(m.Pix[m.Offset(x, y):], []byte{1, 2, 3}) // the fourth byte stays
				}
			}
			rgb, ok := Solid(m, r)
			require.True(t, ok)
			require.Equal(t, uint32(0x030201), rgb)
			for y := r.Min.Y; y < r.Max.Y; y++ {
				for x := r.Min.X; x < r.Max.X; x++ {
					m.Set(x, y, 0x030202)
					_, ok := Solid(m, r)
					require.Equal(t, w*h == 1, ok, "%d,%d of %dx%d", x, y, w, h)
					m.Set(x, y, 0x030201)
				}
			}
		}
	}
}

func TestSolidAreas(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	var s SolidAreas
	solids := 0
	for range 300 {
		m := pix.New(image.Rect(0, 0, 21+rnd.IntN(400), 21+rnd.IntN(300)))
		for range rnd.IntN(6) {
			x, y := rnd.IntN(m.Rect.Dx()), rnd.IntN(m.Rect.Dy())
			m.Fill(image.Rect(x, y, x+rnd.IntN(200), y+rnd.IntN(200)), uint32(rnd.IntN(3))*0x7f0000)
		}
		r := image.Rect(rnd.IntN(20), rnd.IntN(20), m.Rect.Dx(), m.Rect.Dy())
		minArea := 1 + rnd.IntN(8000)
		var parts []image.Rectangle
		for _, a := range s.Append(nil, m, r, minArea) {
			parts = append(parts, a.Rectangle)
			if !a.Solid {
				continue
			}
			solids++
			require.True(t, a.Dx()*a.Dy() >= minArea || a.Rectangle == r)
			rgb, ok := Solid(m, a.Rectangle)
			require.True(t, ok)
			require.Equal(t, rgb, a.RGB)
		}
		covered(t, r, parts)
	}
	require.Greater(t, solids, 300)
	// A window on a plain desktop: the desktop must be found around it.
	m := pix.New(image.Rect(0, 0, 800, 600))
	m.Fill(m.Rect, 0x204060)
	for y := 200; y < 400; y++ {
		for x := 300; x < 500; x++ {
			m.Set(x, y, uint32(x*y))
		}
	}
	plain := 0
	areas := s.Append(nil, m, m.Rect, MinSolidArea)
	for _, a := range areas {
		if a.Solid {
			plain += a.Dx() * a.Dy()
		}
	}
	require.Greater(t, plain, 800*600-230*230)
	require.LessOrEqual(t, len(areas), 6)
	require.Zero(t, testing.AllocsPerRun(10, func() { areas = s.Append(areas[:0], m, m.Rect, MinSolidArea) }))
}

func TestPalette(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	var p Palette
	for range 200 {
		p.Reset()
		limit := 1 + rnd.IntN(MaxColours)
		want := map[uint32]int{}
		counts := map[uint32]int32{}
		shift := rnd.IntN(24) // values that differ in their high or low bits alone
		for range 3000 {
			v := uint32(rnd.IntN(300)) << shift
			n := 1 + rnd.IntN(5)
			got := p.Add(v, n, limit)
			if i, ok := want[v]; ok {
				require.Equal(t, i, got)
			} else if len(want) == limit {
				require.Equal(t, -1, got)
				continue
			} else {
				require.Equal(t, len(want), got)
				want[v] = got
			}
			counts[v] += int32(n)
		}
		require.Equal(t, len(want), p.N)
		for v, i := range want {
			require.Equal(t, v, p.Values[i])
			require.Equal(t, counts[v], p.Counts[i])
			require.LessOrEqual(t, counts[v], p.Counts[p.Most()])
		}
	}
}

func BenchmarkSolidAreas(b *testing.B) {
	m := pix.New(image.Rect(0, 0, 1920, 1080))
	var s SolidAreas
	var areas []Area
	b.SetBytes(int64(len(m.Pix)))
	b.ReportAllocs()
	for b.Loop() {
		if areas = s.Append(areas[:0], m, m.Rect, MinSolidArea); len(areas) != 1 {
			b.Fatal(len(areas))
		}
	}
}
