package vp8

import (
	"fmt"
	"image"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
)

// draw makes changes of all kinds to m and tells of them.
func draw(rng *rand.Rand, m *pix.Image) Change {
	var c Change
	w, h := m.Rect.Dx(), m.Rect.Dy()
	rect := func() image.Rectangle {
		x, y := rng.IntN(w), rng.IntN(h)
		return image.Rect(x, y, x+1+rng.IntN(w-x), y+1+rng.IntN(h-y))
	}
	for range rng.IntN(3) {
		src := rect()
		dst := image.Pt(rng.IntN(w-src.Dx()+1), rng.IntN(h-src.Dy()+1))
		m.Move(dst, src)
		c.Moves = append(c.Moves, Move{Src: src, Dst: dst})
	}
	for range rng.IntN(4) {
		r := rect()
		switch rng.IntN(4) {
		case 0:
			m.Fill(r, rng.Uint32())
		case 1: // noise
			for y := r.Min.Y; y < r.Max.Y; y++ {
				for x := r.Min.X; x < r.Max.X; x++ {
					m.Set(x, y, rng.Uint32())
				}
			}
		case 2: // strokes
			ink, paper := rng.Uint32(), rng.Uint32()
			m.Fill(r, paper)
			for range r.Dx() * r.Dy() / 40 {
				x, y := r.Min.X+rng.IntN(r.Dx()), r.Min.Y+rng.IntN(r.Dy())
				m.Fill(image.Rect(x, y, x+1+rng.IntN(3), y+1+rng.IntN(6)).Intersect(r), ink)
			}
		case 3: // a gradient that moves
			k := rng.IntN(64)
			for y := r.Min.Y; y < r.Max.Y; y++ {
				for x := r.Min.X; x < r.Max.X; x++ {
					m.Set(x, y, uint32((x+k)*3&255)<<16|uint32((y+k)*2&255)<<8|uint32((x+y)&255))
				}
			}
		}
		c.Damage = append(c.Damage, r)
	}
	return c
}

// TestDecoders compares the encoder's picture with two decoders', for frames of all
// kinds and pictures of all sizes.
func TestDecoders(t *testing.T) {
	sizes := []image.Point{{1, 1}, {16, 16}, {17, 33}, {40, 200}, {150, 97}, {641, 70}, {400, 300}}
	for i, size := range sizes {
		for _, workers := range []int{1, 2, 8} {
			t.Run(fmt.Sprintf("%dx%d/%d", size.X, size.Y, workers), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(uint64(i), uint64(workers)))
				e, err := New(size.X, size.Y, Config{Workers: workers})
				require.NoError(t, err)
				m := newPicture(size.X, size.Y)
				m.Fill(m.Rect, 0x336699)
				rec := record(e)
				var clock time.Duration
				keys := 0
				for n := range 60 {
					o := Options{Key: rng.IntN(20) == 0, Quality: Quality(rng.IntN(3)), Refine: rng.IntN(2) == 0}
					if rng.IntN(3) == 0 {
						o.Budget = 1 << rng.IntN(18)
					}
					var c Change
					if n%8 < 5 {
						c = draw(rng, m)
					}
					clock += time.Duration(rng.IntN(300)) * time.Millisecond
					o.Time = clock
					frame, info, err := e.Encode(nil, m, c, o)
					require.NoError(t, err)
					require.Equal(t, info.Key, frame[0]&1 == 0)
					if info.Key {
						keys++
						checkKey(t, e, frame)
					}
					rec.add(e, frame)
				}
				require.Greater(t, keys, 0)
				rec.check(t, "vp8")
				rec.check(t, "libvpx")
			})
		}
	}
}

// TestVideoDecoders is TestDecoders with a film that plays, stops and moves amid
// other changes: with segments, their map, and the loop filter.
func TestVideoDecoders(t *testing.T) {
	for _, workers := range []int{1, 3} {
		rng := rand.New(rand.NewPCG(9, uint64(workers)))
		e, err := New(501, 300, Config{Workers: workers})
		require.NoError(t, err)
		m := newPicture(501, 300)
		page(m, m.Rect, 2)
		frames := filmFrames(image.Rect(0, 0, 320, 190), 12)
		rec := record(e)
		var clock time.Duration
		var filtered, maps, mixed int
		r := image.Rect(90, 40, 410, 230)
		for n := range 120 {
			var c Change
			if n%10 == 0 {
				c = draw(rng, m)
			}
			if n%50 == 49 {
				r = r.Add(image.Pt(rng.IntN(80)-40, rng.IntN(60)-30))
			}
			if n%40 < 34 {
				k := n % (2*len(frames) - 2)
				pix.Copy(m, shifted(frames[min(k, 2*len(frames)-2-k)], r.Min), r)
				c.Damage = append(c.Damage, r)
			}
			if n%7 == 3 {
				at := image.Pt(rng.IntN(480), rng.IntN(280))
				text(m, at, "a", 0)
				c.Damage = append(c.Damage, image.Rectangle{Min: at, Max: at.Add(image.Pt(7, 13))})
			}
			clock += 33 * time.Millisecond
			o := Options{Time: clock, Refine: n%3 != 0, Key: n == 77, Quality: Quality(n / 40)}
			if n%4 == 0 {
				o.Budget = 3000
			}
			frame, _, err := e.Encode(nil, m, c, o)
			require.NoError(t, err)
			rec.add(e, frame)
			if e.frame.filter > 0 {
				filtered++
			}
			if e.frame.segmentMap {
				maps++
			}
			if e.frame.kinds[kindRefine] > 0 && e.frame.kinds[kindVideo] > 0 {
				mixed++
			}
		}
		require.Greater(t, filtered, 40)
		require.Greater(t, mixed, 10)
		require.Less(t, maps, 60, "the map of segments stays for some frames")
		rec.check(t, "vp8")
		rec.check(t, "libvpx")
	}
}

// shifted is m at another place.
func shifted(m *pix.Image, at image.Point) *pix.Image {
	return &pix.Image{Pix: m.Pix, Stride: m.Stride, Rect: m.Rect.Add(at.Sub(m.Rect.Min))}
}
