package x11

import (
	"image"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// TestCoalesce checks what its result promises on random rectangles.
func TestCoalesce(t *testing.T) {
	bounds := image.Rect(0, 0, 300, 200)
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var in []image.Rectangle
		for range rng.IntN(300) {
			p := image.Pt(rng.IntN(340)-20, rng.IntN(240)-20)
			in = append(in, image.Rectangle{p, p.Add(image.Pt(rng.IntN(12), rng.IntN(12)))})
		}
		want := map[image.Point]bool{}
		for _, r := range in {
			r = r.Intersect(bounds)
			for y := r.Min.Y; y < r.Max.Y; y++ {
				for x := r.Min.X; x < r.Max.X; x++ {
					want[image.Pt(x, y)] = true
				}
			}
		}
		out := coalesce(in, bounds)
		require.LessOrEqual(t, len(out), MaxRects)
		for i, r := range out {
			require.True(t, !r.Empty() && r.In(bounds))
			for _, s := range out[:i] {
				require.False(t, r.Overlaps(s))
			}
			for y := r.Min.Y; y < r.Max.Y; y++ {
				for x := r.Min.X; x < r.Max.X; x++ {
					delete(want, image.Pt(x, y))
				}
			}
		}
		require.Empty(t, want, "not covered")
	}
}

func TestCoalesceKeepsApart(t *testing.T) {
	bounds := image.Rect(0, 0, 1920, 1080)
	for _, c := range [][]image.Rectangle{
		{image.Rect(0, 0, 8, 16), image.Rect(1900, 1000, 1908, 1016)},
		{image.Rect(100, 100, 101, 101)},
	} {
		require.Equal(t, c, coalesce(append([]image.Rectangle(nil), c...), bounds))
	}
	// A region that nearly fills its box is the box.
	dense := []image.Rectangle{image.Rect(0, 0, 100, 50), image.Rect(0, 50, 90, 100)}
	require.Equal(t, []image.Rectangle{image.Rect(0, 0, 100, 100)}, coalesce(dense, bounds))
}
