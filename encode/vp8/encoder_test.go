package vp8

import (
	"encoding/binary"
	"image"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
)

func TestErrors(t *testing.T) {
	for _, size := range []image.Point{{0, 1}, {1, 0}, {16384, 1}, {1, 16384}, {-1, 5}} {
		_, err := New(size.X, size.Y, Config{})
		require.Error(t, err)
	}
	for _, workers := range []int{-1, 9} {
		_, err := New(16, 16, Config{Workers: workers})
		require.ErrorContains(t, err, "Workers")
	}
	e, err := New(32, 32, Config{})
	require.NoError(t, err)
	_, _, err = e.Encode(nil, newPicture(32, 31), Change{}, Options{})
	require.ErrorContains(t, err, "size")
	_, _, err = e.Encode(nil, newPicture(32, 32), Change{}, Options{Budget: -1})
	require.ErrorContains(t, err, "Budget")
	_, _, err = e.Encode(nil, newPicture(32, 32), Change{}, Options{Quality: Fast + 1})
	require.ErrorContains(t, err, "Quality")
	frame, info, err := e.Encode([]byte("x"), newPicture(32, 32), Change{}, Options{})
	require.NoError(t, err)
	require.True(t, info.Key, "errors change nothing: this is the first frame")
	require.Equal(t, byte('x'), frame[0])
}

// TestSizes holds frames to the bytes that they may have.
func TestSizes(t *testing.T) {
	d := newDesk(t, 1)
	still := d.encode(t, Change{}, Options{})
	require.Zero(t, still.Macroblocks)
	require.Less(t, len(d.frame), 600)

	rng := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		r := image.Rect(0, 0, 7, 13).Add(image.Pt(rng.IntN(1900), rng.IntN(1060)))
		d.m.Fill(r, 0xf8f8f4)
		text(d.m, r.Min, words(rng, 1), 0x202020)
		d.encode(t, Change{Damage: []image.Rectangle{r}}, Options{})
		require.Less(t, len(d.frame), 1500)
	}

	for _, dy := range []int{15, 48} {
		d.sizes, d.n = 0, 0
		for range 12 {
			d.encode(t, scrollBy(d.m, rng, image.Rect(60, 60, 1060, 845), dy), Options{})
		}
		require.Less(t, d.sizes/d.n, 10_000*(dy+14)/15, "lines of %d pixels", dy)
	}
}

// TestQuality holds what is shown a second after a change to 48 dB, with a viewer
// that asks for a frame 30 times a second.
func TestQuality(t *testing.T) {
	for _, quality := range []Quality{Auto, Sharp, Fast} {
		d := newDeskOf(t, 960, 540, 2)
		page(d.m, d.m.Rect, 8)
		d.encode(t, Change{Damage: []image.Rectangle{d.m.Rect}}, Options{Quality: quality})
		info := Info{Refining: true}
		for range 30 {
			info = d.encode(t, Change{}, Options{Quality: quality, Refine: true})
		}
		require.False(t, info.Refining)
		require.Greater(t, psnr(d.e, d.m, d.m.Rect), 48.0)
		d.encode(t, Change{}, Options{Refine: true})
		require.Less(t, len(d.frame), 600, "nothing left to do")
	}
}

// TestBudget changes all of the screen with little room and refines it with as
// little.
func TestBudget(t *testing.T) {
	d := newDeskOf(t, 960, 540, 2)
	for i, budget := range []int{100_000, 50_000, 25_000, 62_000} {
		page(d.m, d.m.Rect, uint64(20+i))
		info := d.encode(t, Change{Damage: []image.Rectangle{d.m.Rect}}, Options{Budget: budget, Quality: Sharp})
		require.LessOrEqual(t, len(d.frame), budget)
		require.Greater(t, len(d.frame), budget/2, "quantiser %d", info.Quantiser)
	}
	n := 0
	for ; ; n++ {
		info := d.encode(t, Change{}, Options{Budget: 8_000, Refine: true})
		require.LessOrEqual(t, len(d.frame), 8_000)
		if !info.Refining {
			break
		}
		require.Less(t, n, 300)
	}
	require.Greater(t, n, 5)
	require.Greater(t, psnr(d.e, d.m, d.m.Rect), 48.0)
}

// TestRestore opens and closes a window: what was below comes from a snapshot.
func TestRestore(t *testing.T) {
	d := newDeskOf(t, 960, 540, 1)
	rec := record(d.e)
	d.encode(t, Change{}, Options{Key: true})
	rec.add(d.e, d.frame)
	below := newPicture(960, 540)
	pix.Copy(below, d.m, d.m.Rect)
	r := image.Rect(201, 103, 700, 400)
	for i := range 3 {
		for d.clock += time.Second; ; {
			info := d.encode(t, Change{}, Options{Refine: true})
			rec.add(d.e, d.frame)
			if !info.Refining {
				break
			}
		}
		page(d.m, r, uint64(50+i))
		d.encode(t, Change{Damage: []image.Rectangle{r}}, Options{})
		rec.add(d.e, d.frame)
		opened := len(d.frame)
		pix.Copy(d.m, below, r)
		d.encode(t, Change{Damage: []image.Rectangle{r}}, Options{})
		rec.add(d.e, d.frame)
		require.Less(t, len(d.frame), opened/8, "closed at once")
		require.Greater(t, psnr(d.e, d.m, r), 48.0)

		page(d.m, r, uint64(60+i))
		d.encode(t, Change{Damage: []image.Rectangle{r}}, Options{})
		rec.add(d.e, d.frame)
		for range 30 {
			d.encode(t, Change{}, Options{Refine: true})
			rec.add(d.e, d.frame)
		}
		pix.Copy(d.m, below, r)
		d.encode(t, Change{Damage: []image.Rectangle{r}}, Options{})
		rec.add(d.e, d.frame)
		require.Less(t, len(d.frame), opened/8, "closed after a while")
		require.Greater(t, psnr(d.e, d.m, r), 48.0)
	}
	rec.check(t, "vp8")
}

// TestMoves moves things over all distances; where they come to rest decoders show
// them as they were.
func TestMoves(t *testing.T) {
	const w, h = 1300, 500
	for _, workers := range []int{1, 4} {
		e, err := New(w, h, Config{Workers: workers})
		require.NoError(t, err)
		rng := rand.New(rand.NewPCG(3, 3))
		m := newPicture(w, h)
		page(m, m.Rect, 3)
		rec := record(e)
		encode := func(c Change, o Options) int {
			frame, _, err := e.Encode(nil, m, c, o)
			require.NoError(t, err)
			rec.add(e, frame)
			return len(frame)
		}
		encode(Change{}, Options{})
		for range 12 {
			encode(Change{}, Options{Refine: true})
		}
		for _, d := range []image.Point{{0, -16}, {0, 48}, {64, 0}, {2, 6}, {0, -230}, {260, 0}, {600, 60}, {-900, 2}, {900, 200}} {
			src := image.Rect(0, 0, 200+rng.IntN(100), 150+rng.IntN(60)).Add(image.Pt(max(0, -d.X)+20, max(0, -d.Y)+20))
			m.Move(src.Min.Add(d), src)
			size := encode(Change{Moves: []Move{{Src: src, Dst: src.Min.Add(d)}}}, Options{})
			require.Less(t, size, 8000, "by %v", d)
			require.Greater(t, psnr(e, m, src.Add(d)), 33.0, "by %v", d)
			for range 8 {
				encode(Change{}, Options{Refine: true})
			}
			require.Greater(t, psnr(e, m, src.Add(d)), 48.0, "by %v", d)
		}
		rec.check(t, "vp8")
	}
}

// TestClone splits a stream: both go on from the same frame, and decoders follow
// either.
func TestClone(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	e, err := New(333, 222, Config{Workers: 2})
	require.NoError(t, err)
	m := newPicture(333, 222)
	page(m, m.Rect, 4)
	rec := record(e)
	step := func(e *Encoder, rec *recording, c Change) {
		frame, _, err := e.Encode(nil, m, c, Options{Refine: true, Time: e.now + 200*time.Millisecond})
		require.NoError(t, err)
		rec.add(e, frame)
	}
	for range 12 {
		step(e, rec, draw(rng, m))
	}
	other := e.Clone()
	rec2 := &recording{width: rec.width, height: rec.height, ivf: append([]byte(nil), rec.ivf...), shown: append([][]byte(nil), rec.shown...)}
	saved := newPicture(333, 222)
	pix.Copy(saved, m, m.Rect)
	for range 12 {
		step(e, rec, draw(rng, m))
	}
	pix.Copy(m, saved, m.Rect)
	for range 12 {
		step(other, rec2, draw(rng, m))
	}
	rec.check(t, "vp8")
	rec2.check(t, "vp8")
}

// TestFirstPartition bounds the partition of modes, which real pictures reach only
// at sizes that take too much memory here.
func TestFirstPartition(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	e, err := New(800, 600, Config{Workers: 2})
	require.NoError(t, err)
	e.firstLimit = 1900
	m := newPicture(800, 600)
	rec := record(e)
	var chosen [fewModes + 1]int
	for i := range 8 {
		var c Change
		for range 3 {
			more := draw(rng, m)
			c = Change{Damage: append(c.Damage, m.Rect), Moves: append(c.Moves, more.Moves...)}
		}
		frame, _, err := e.Encode(nil, m, c, Options{Key: i%4 == 0})
		require.NoError(t, err)
		first := int(frame[0])>>5 | int(frame[1])<<3 | int(frame[2])<<11
		require.LessOrEqual(t, first, e.firstLimit)
		chosen[e.frame.modes]++
		rec.add(e, frame)
	}
	require.NotZero(t, chosen[fewModes], "%v", chosen)
	rec.check(t, "vp8")
}

// TestAllocations holds the steady state to none.
func TestAllocations(t *testing.T) {
	for _, workers := range []int{1, 2} {
		d := newDeskOf(t, 960, 540, workers)
		pages := [2]*pix.Image{newPicture(960, 540), newPicture(960, 540)}
		for i, p := range pages {
			page(p, p.Rect, uint64(i))
		}
		c := Change{Damage: []image.Rectangle{d.m.Rect}}
		n := 0
		round := func() {
			n++
			d.m = pages[n%2]
			d.encode(t, c, Options{})
			d.clock += time.Second
			d.encode(t, Change{}, Options{Refine: true})
			d.encode(t, Change{}, Options{})
		}
		for range 4 {
			round()
		}
		// Starting goroutines may take a little.
		require.LessOrEqual(t, testing.AllocsPerRun(6, round), 4*float64(workers-1), "%d workers", workers)
	}
}

// FuzzChange encodes rectangles and moves of any kind, also such that make no
// sense.
func FuzzChange(f *testing.F) {
	f.Add(uint16(40), uint16(30), []byte{1, 2, 3, 4, 5, 6, 7, 8})
	f.Add(uint16(1), uint16(1), []byte{0xff, 0x7f, 0xff, 0x7f, 0, 0x80, 0, 0x80, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, w, h uint16, data []byte) {
		width, height := int(w)%300+1, int(h)%300+1
		e, err := New(width, height, Config{Workers: 2})
		require.NoError(t, err)
		m := newPicture(width, height)
		next := func() int {
			if len(data) < 2 {
				return 0
			}
			v := int(int16(binary.LittleEndian.Uint16(data)))
			data = data[2:]
			return v
		}
		for range 6 {
			var c Change
			for range 2 {
				src := image.Rect(next(), next(), next(), next())
				c.Moves = append(c.Moves, Move{Src: src, Dst: image.Pt(next(), next())})
				c.Damage = append(c.Damage, image.Rectangle{Min: image.Pt(next(), next()), Max: image.Pt(next(), next())})
			}
			for i := range m.Pix {
				m.Pix[i] ^= byte(next())
			}
			frame, _, err := e.Encode(nil, m, c, Options{Budget: max(next(), 0), Refine: next()&1 == 0})
			require.NoError(t, err)
			require.NotEmpty(t, frame)
		}
	})
}
