package xshm_test

import (
	"image"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/capture/xshm"
	"framebridge/internal/pix"
	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
)

// BenchmarkWhole captures a whole screen of 1920x1080.
func BenchmarkWhole(b *testing.B) {
	for _, depth := range []int{24, 30, 16} {
		s := xvfbtest.Start(b, xvfb.Options{Width: 1920, Height: 1080, Depth: depth})
		for _, m := range methods {
			b.Run(map[int]string{24: "24", 30: "30", 16: "16"}[depth]+"/"+string(m), func(b *testing.B) {
				src := open(b, s, m)
				all := []image.Rectangle{image.Rect(0, 0, 1920, 1080)}
				b.SetBytes(1920 * 1080 * pix.BytesPerPixel)
				b.ReportAllocs()
				for b.Loop() {
					f, _, err := src.Sample(b.Context(), all)
					require.NoError(b, err)
					require.Len(b, f.Patches, 1)
				}
			})
		}
	}
}

// BenchmarkSmallDamage measures from the sending of a small drawing, as of one
// character, to its pixels: three hops through the server, which sees to the
// drawing, then to its region, then to its pixels.
func BenchmarkSmallDamage(b *testing.B) {
	s := xvfbtest.Start(b, xvfb.Options{Width: 1920, Height: 1080})
	for _, m := range methods {
		b.Run(string(m), func(b *testing.B) {
			src := open(b, s, m)
			p := xvfbtest.NewPainter(b, s)
			_, err := src.Next(b.Context())
			require.NoError(b, err)
			b.ReportAllocs()
			pixel := uint32(0)
			for b.Loop() {
				pixel++
				p.Send(image.Rect(800, 400, 808, 416), pixel)
				for {
					f, err := src.Next(b.Context())
					require.NoError(b, err)
					if n := len(f.Patches); n > 0 && f.Patches[n-1].Rect.Dx() == 8 {
						require.Equal(b, pixel, f.Patches[n-1].At(800, 400))
						break
					}
				}
			}
		})
	}
}

// BenchmarkManyRects captures damage of 64 rectangles.
func BenchmarkManyRects(b *testing.B) {
	s := xvfbtest.Start(b, xvfb.Options{Width: 1920, Height: 1080})
	src := open(b, s, xshm.Auto)
	var areas []image.Rectangle
	for i := range 64 {
		p := image.Pt(i%8*240, i/8*135)
		areas = append(areas, image.Rectangle{p, p.Add(image.Pt(64, 32))})
	}
	b.ReportAllocs()
	for b.Loop() {
		_, _, err := src.Sample(b.Context(), areas)
		require.NoError(b, err)
	}
}
