package pix

import (
	"image"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// noisy returns an image of r with few colours, the fourth byte garbage, in rows
// that are longer than r is wide and start anywhere.
func noisy(rnd *rand.Rand, r image.Rectangle) *Image {
	m := &Image{Stride: r.Dx()*BytesPerPixel + rnd.IntN(40), Rect: r}
	off := rnd.IntN(36)
	m.Pix = make([]byte, off+m.Stride*r.Dy()+40)[off:]
	for i := range m.Pix {
		m.Pix[i] = byte(rnd.Uint32())
	}
	return m
}

// TestRectangles compares equalRows, differing and Diff with what pixel by pixel
// says, over all widths up to 100 pixels, heights and strides, with differences in few
// or many pixels.
func TestRectangles(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	found, equal := 0, 0
	for n := range 4000 {
		size := image.Rect(0, 0, 1+n%100, 1+rnd.IntN(12)).Add(image.Pt(rnd.IntN(50), rnd.IntN(50)))
		a, b := noisy(rnd, size), noisy(rnd, size.Inset(-rnd.IntN(3)))
		for y := size.Min.Y; y < size.Max.Y; y++ {
			for x := size.Min.X; x < size.Max.X; x++ {
				copy(b.Row(y, x, x+1)[:3], a.Row(y, x, x+1))
			}
		}
		r := size
		if rnd.IntN(2) == 0 {
			r.Min.X += rnd.IntN(r.Dx())
			r.Max.X -= rnd.IntN(r.Dx())
			r.Max.Y -= rnd.IntN(r.Dy())
		}
		differences := []int{0, 1, 2, 3, size.Dx() * size.Dy()}[rnd.IntN(5)]
		for range differences {
			x, y := size.Min.X+rnd.IntN(size.Dx()), size.Min.Y+rnd.IntN(size.Dy())
			b.Row(y, x, x+1)[rnd.IntN(3)] ^= 1 << rnd.IntN(8)
		}

		var want image.Rectangle
		down, up := r.Dy(), r.Dy()
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				if a.At(x, y) != b.At(x, y) {
					want = want.Union(image.Rect(x, y, x+1, y+1))
					down = min(down, y-r.Min.Y)
					up = r.Max.Y - 1 - y
				}
			}
		}
		if want.Empty() {
			equal++
		} else {
			found++
		}
		require.Equal(t, want, Diff(a, b, r), "%v", r)
		require.Equal(t, want.Empty(), Equal(a, b, r))
		require.Equal(t, down, equalRows(a, b, r, false), "%v", r)
		require.Equal(t, down, equalRowsGeneric(a, b, r, false))
		require.Equal(t, up, equalRows(a, b, r, true), "%v", r)
		require.Equal(t, up, equalRowsGeneric(a, b, r, true))

		d := image.Pt(rnd.IntN(9)-4, rnd.IntN(9)-4)
		shifted := *b
		shifted.Rect = b.Rect.Add(d)
		require.Equal(t, want.Empty(), EqualAt(a, &shifted, r, d))

		r.Max.X = min(r.Max.X, r.Min.X+columns)
		mask := uint(0)
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				if a.At(x, y) != b.At(x, y) {
					mask |= 1 << (x - r.Min.X)
				}
			}
		}
		require.Equal(t, mask, differing(a, b, r), "%v", r)
		require.Equal(t, mask, differingGeneric(a, b, r))
	}
	require.Greater(t, found, 500)
	require.Greater(t, equal, 500)
	require.True(t, Diff(&Image{}, &Image{}, image.Rectangle{}).Empty())
}

func BenchmarkDiff(b *testing.B) {
	tile := image.Rect(0, 0, 64, 64)
	old, same, photo, text := New(image.Rect(0, 0, 1920, 64)), New(image.Rect(0, 0, 1920, 64)), New(image.Rect(0, 0, 1920, 64)), New(image.Rect(0, 0, 1920, 64))
	rnd := rand.New(rand.NewPCG(5, 6))
	photo.Fill(photo.Rect, 0x808080)
	for y := range 64 {
		for x := range 30 {
			if y%15 < 11 && rnd.IntN(3) == 0 {
				text.Set(20+x, y, 0xffffff)
			}
		}
	}
	for _, c := range []struct {
		name string
		m    *Image
		want int
	}{{"equal", same, 0}, {"photo", photo, 64}, {"text", text, 30}} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(64 * 64 * BytesPerPixel)
			var r image.Rectangle
			for b.Loop() {
				r = Diff(c.m, old, tile)
			}
			if r.Dx() != c.want {
				b.Fatal(r)
			}
		})
	}
}
