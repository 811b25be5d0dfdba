package fbdir_test

import (
	"image"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
)

// BenchmarkWhole reads a whole screen of 1920x1080, which for a view means to
// copy it.
func BenchmarkWhole(b *testing.B) {
	_, opt := start(b, xvfb.Options{Width: 1920, Height: 1080})
	src := open(b, opt)
	all := []image.Rectangle{image.Rect(0, 0, 1920, 1080)}
	b.SetBytes(1920 * 1080 * pix.BytesPerPixel)
	b.ReportAllocs()
	for b.Loop() {
		_, _, err := src.Sample(b.Context(), all)
		require.NoError(b, err)
	}
}

// BenchmarkSmallDamage is xshm's, with one hop less: the pixels are here.
func BenchmarkSmallDamage(b *testing.B) {
	s, opt := start(b, xvfb.Options{Width: 1920, Height: 1080})
	src := open(b, opt)
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
}
