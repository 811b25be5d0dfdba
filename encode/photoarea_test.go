package encode_test

import (
	"image"
	"image/color"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/image/font"
	"golang.org/x/image/font/inconsolata"
	"golang.org/x/image/math/fixed"

	"framebridge/encode"
	"framebridge/encode/encodetest"
	"framebridge/internal/pix"
)

// article is a page of text with smooth edges.
func article(r image.Rectangle, seed uint64) *pix.Image {
	rnd := rand.New(rand.NewPCG(seed, 3))
	rgba := image.NewRGBA(r)
	for i := range rgba.Pix {
		rgba.Pix[i] = 0xf4
	}
	ink := image.NewUniform(color.RGBA{uint8(rnd.IntN(90)), uint8(rnd.IntN(90)), uint8(rnd.IntN(90)), 255})
	for y := r.Min.Y; y < r.Max.Y+16; y += 18 {
		line := make([]byte, r.Dx()/8+1)
		for i := range line {
			if line[i] = ' '; rnd.IntN(6) > 0 {
				line[i] = byte('!' + rnd.IntN(90))
			}
		}
		(&font.Drawer{Dst: rgba, Src: ink, Face: inconsolata.Regular8x16, Dot: fixed.P(r.Min.X+rnd.IntN(8), y)}).DrawBytes(line)
	}
	m := pix.New(r)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			c := rgba.RGBAAt(x, y)
			m.Set(x, y, uint32(c.R)<<16|uint32(c.G)<<8|uint32(c.B))
		}
	}
	return m
}

// TestPhotoArea: a photograph beside text is found, to the pixel where nothing but
// background touches it; text alone has none, and a photograph alone is one.
func TestPhotoArea(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 4))
		r := image.Rect(0, 0, 128+rnd.IntN(300), 128+rnd.IntN(160)).Add(image.Pt(rnd.IntN(50), rnd.IntN(50)))
		m := article(r, seed)
		require.Empty(t, encode.PhotoArea(m, r, encode.PhotoLike(m, r)))
		require.False(t, encode.PhotoLike(m, r))

		size := image.Pt(100+rnd.IntN(r.Dx()-100), 100+rnd.IntN(r.Dy()-100))
		photo := image.Rectangle{Max: size}.Add(r.Min).Add(image.Pt(rnd.IntN(r.Dx()-size.X+1), rnd.IntN(r.Dy()-size.Y+1)))
		pix.Copy(m, encodetest.Find("photo").New(photo, seed), photo)
		got := encode.PhotoArea(m, r, encode.PhotoLike(m, r))
		require.True(t, got.In(photo.Inset(-2)), "%v: photograph %v, found %v", r, photo, got)
		require.GreaterOrEqual(t, got.Dx()*got.Dy(), photo.Inset(16).Dx()*photo.Inset(16).Dy(), "%v: photograph %v, found %v", r, photo, got)

		pix.Copy(m, encodetest.Find("photo").New(r, seed), r)
		require.Equal(t, r, encode.PhotoArea(m, r, encode.PhotoLike(m, r)))
	}
}

// TestPhotoAreaOfAnything: what it returns lies in the rectangle, whatever that is.
func TestPhotoAreaOfAnything(t *testing.T) {
	for _, c := range encodetest.Contents {
		for _, size := range []image.Point{{1, 1}, {2048, 2}, {3, 2000}, {2048, 256}, {16, 32768}, {33, 65}, {256, 256}} {
			r := image.Rectangle{Max: size}.Add(image.Pt(3, 2))
			m := c.New(r, 7)
			for _, whole := range []bool{false, true} {
				q := encode.PhotoArea(m, r, whole)
				require.True(t, q.In(r))
				require.Equal(t, q.Empty(), q == image.Rectangle{})
			}
		}
	}
}

// BenchmarkPhotoArea bounds what it adds to a picture's cost.
func BenchmarkPhotoArea(b *testing.B) {
	r := image.Rect(0, 0, 256, 256)
	mixed := article(r, 1)
	left := image.Rect(0, 0, 120, 256)
	pix.Copy(mixed, encodetest.Find("photo").New(left, 1), left)
	for name, m := range map[string]*pix.Image{"photo": encodetest.Find("photo").New(r, 1), "text": article(r, 1), "mixed": mixed} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(m.Pix)))
			whole := encode.PhotoLike(m, r)
			for b.Loop() {
				encode.PhotoArea(m, r, whole)
			}
		})
	}
}
