package jpeg

import (
	"bytes"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/encode/encodetest"
	"framebridge/internal/pix"
)

// psnr compares a decoded picture with the pixels it was made of, in dB over all
// three colours.
func psnr(t testing.TB, file []byte, m *pix.Image, r image.Rectangle) float64 {
	got, err := stdjpeg.Decode(bytes.NewReader(file))
	require.NoError(t, err)
	require.Equal(t, r.Size(), got.Bounds().Size())
	var sum float64
	for y := range r.Dy() {
		for x := range r.Dx() {
			c := color.RGBAModel.Convert(got.At(x, y)).(color.RGBA)
			v := m.At(r.Min.X+x, r.Min.Y+y)
			for _, d := range []float64{
				float64(c.R) - float64(v>>16), float64(c.G) - float64(v>>8&255), float64(c.B) - float64(v&255),
			} {
				sum += d * d
			}
		}
	}
	return 10 * math.Log10(255*255/max(sum/float64(3*r.Dx()*r.Dy()), 1e-9))
}

// TestQuality holds every quality that Tight uses to a bound, for a picture whose
// detail the subsamplings keep.
func TestQuality(t *testing.T) {
	r := image.Rect(5, 6, 5+203, 6+101)
	m := encodetest.Find("photo").New(image.Rect(0, 0, 250, 120), 3)
	var e Encoder
	for _, c := range []struct {
		quality int
		sub     Subsampling
		least   float64
	}{
		// About a dB below what was measured.
		{15, S420, 30}, {29, S420, 34}, {41, S420, 35}, {42, S422, 35.3}, {62, S422, 36.2},
		{77, S422, 36.8}, {79, S444, 37.1}, {86, S444, 37.4}, {92, S444, 37.7}, {100, S444, 49},
		{100, S420, 39}, {1, S420, 22.5},
	} {
		got := psnr(t, e.AppendEncode(nil, m, r, c.quality, c.sub), m, r)
		t.Logf("quality %d, subsampling %d: %.2f dB", c.quality, c.sub, got)
		require.Greater(t, got, c.least, "%d %d", c.quality, c.sub)
	}
}

// TestSolid: colours without detail keep within the rounding of the conversion,
// in all sizes and positions.
func TestSolid(t *testing.T) {
	var e Encoder
	for w := 1; w < 40; w++ {
		for _, h := range []int{1, 7, 8, 9, 16, 17, 33} {
			m := pix.New(image.Rect(0, 0, w+3, h+3))
			rgb := []uint32{0, 0xffffff, 0xff0000, 0x00ff00, 0x0000ff, 0x123456}[(w+h)%6]
			m.Fill(m.Rect, rgb)
			r := image.Rect(1, 2, 1+w, 2+h)
			for s := S444; s <= S420; s++ {
				out := e.AppendEncode([]byte{1, 2}, m, r, 100, s)
				require.Equal(t, []byte{1, 2, 0xff, 0xd8}, out[:4])
				require.Greater(t, psnr(t, out[2:], m, r), 45., "%06x %dx%d", rgb, w, h)
			}
		}
	}
}

// TestContents: whatever the pixels are, the file is one that image/jpeg reads,
// and at full quality the picture is the same to the eye.
func TestContents(t *testing.T) {
	var e Encoder
	var dst []byte
	for i, c := range encodetest.Contents {
		for _, size := range encodetest.Sizes {
			r := image.Rectangle{Max: size}
			m := c.New(r, uint64(i))
			for _, q := range []int{-5, 1, 50, 100, 300} {
				dst = e.AppendEncode(dst[:0], m, r, q, S444)
				p := psnr(t, dst, m, r)
				if q >= 100 {
					require.Greater(t, p, 38., "%s %v", c.Name, size)
				}
			}
			dst = e.AppendEncode(dst[:0], m, r, 100, Subsampling(i%3))
			psnr(t, dst, m, r)
		}
	}
}

// TestFDCT compares with the definition, T.81, A.3.3.
func TestFDCT(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	worst, most := 0., int32(0)
	for i := range 300 {
		var src [64]byte
		for j := range src {
			src[j] = byte(rnd.Uint32())
			if i%3 == 0 {
				src[j] = byte(rnd.IntN(2)) * 255
			}
		}
		var got [64]int32
		fdct(&got, src[:], 8)
		for _, v := range got {
			most = max(most, v, -v)
		}
		for v := range 8 {
			for u := range 8 {
				sum := 0.
				for y := range 8 {
					for x := range 8 {
						sum += (float64(src[y*8+x]) - 128) *
							math.Cos(float64(2*x+1)*float64(u)*math.Pi/16) * math.Cos(float64(2*y+1)*float64(v)*math.Pi/16)
					}
				}
				if u == 0 {
					sum /= math.Sqrt2
				}
				if v == 0 {
					sum /= math.Sqrt2
				}
				worst = max(worst, math.Abs(sum/4-float64(got[v*8+u])/8))
			}
		}
	}
	t.Logf("largest error %.3f", worst)
	require.Less(t, worst, 0.25)
}

// TestQuantiser compares the multiplication with division, rounded half away
// from zero, and the mask with the results.
func TestQuantiser(t *testing.T) {
	for quality := 1; quality <= 100; quality += 3 {
		var q quantiser
		q.set(&quantBase[quality&1], quality)
		for k := range 64 {
			d := 8 * uint32(q.steps[k])
			for v := uint32(0); v < 1<<15; v += 7 {
				got := uint32(uint64(v+q.half[k]) * q.recip[k] >> 32)
				if want := (v + d/2) / d; want != got {
					t.Fatalf("%d/%d: want %d, got %d", v, d, want, got)
				}
			}
		}
		var src [64]byte
		for i := range src {
			src[i] = byte(i*i*quality + i)
		}
		var b block
		for v := range 256 { // flat blocks, the short way and the long one
			same := bytes.Repeat([]byte{byte(v)}, 64)
			q.transformBlock(&b, same, 8)
			require.Zero(t, b.nonzero)
			var out [64]int32
			fdct(&out, same, 8)
			require.Equal(t, int32(math.Round(float64(out[0])/8/float64(q.steps[0]))), b.dc)
			require.Equal(t, [63]int32{}, [63]int32(out[1:]))
		}
		q.transformBlock(&b, src[:], 8)
		var out [64]int32
		fdct(&out, src[:], 8)
		require.Equal(t, int32(math.Round(float64(out[0])/8/float64(q.steps[0]))), b.dc)
		for k, at := range zigzag[1:] {
			k++
			want := int(math.Round(float64(out[at]) / 8 / float64(q.steps[k])))
			require.Equal(t, want != 0, b.nonzero>>k&1 != 0)
			if want != 0 {
				require.Equal(t, want, fromCoded(b.coef[transposed[k]]))
			}
		}
	}
}

// fromCoded undoes what block.coef says.
func fromCoded(v int16) int {
	if v < 0 {
		return int(v) + 1
	}
	return int(v)
}

// TestConvert compares with the equations in floating point.
func TestConvert(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 2))
	src := make([]byte, 4*64)
	near := func(want float64, got byte) {
		if math.Abs(want-float64(got)) > 0.51 {
			t.Fatalf("want %.2f, got %d", want, got)
		}
	}
	ycc := func(p []byte) (y, cb, cr float64) {
		r, g, b := float64(p[2]), float64(p[1]), float64(p[0])
		return 0.299*r + 0.587*g + 0.114*b, (b-0.299*r-0.587*g-0.114*b)/1.772 + 128, (r-0.299*r-0.587*g-0.114*b)/1.402 + 128
	}
	for i := range 200 {
		for j := range src {
			src[j] = byte(rnd.Uint32())
			if i%2 == 0 {
				src[j] = byte(rnd.IntN(2)) * 255
			}
		}
		var y0, y1, cb, cr [32]byte
		convert444Generic(y0[:], cb[:], cr[:], src)
		for x := range 32 {
			y, b, r := ycc(src[4*x:])
			near(y, y0[x])
			near(min(b, 255), cb[x])
			near(min(r, 255), cr[x])
		}
		convert422Generic(y1[:], cb[:16], cr[:16], src)
		require.Equal(t, y0, y1)
		for x := range 16 {
			_, b, r := ycc(src[8*x:])
			_, b2, r2 := ycc(src[8*x+4:])
			near(min((b+b2)/2, 255), cb[x])
			near(min((r+r2)/2, 255), cr[x])
		}
		var want [32]byte
		convert444Generic(want[:], make([]byte, 32), make([]byte, 32), src[128:])
		var top [32]byte
		convert420Generic(top[:], y1[:], cb[:16], cr[:16], src[:128], src[128:])
		require.Equal(t, y0, top)
		require.Equal(t, want, y1)
		for x := range 16 {
			var sb, sr float64
			for _, at := range []int{8 * x, 8*x + 4, 128 + 8*x, 128 + 8*x + 4} {
				_, b, r := ycc(src[at:])
				sb, sr = sb+b/4, sr+r/4
			}
			near(min(sb, 255), cb[x])
			near(min(sr, 255), cr[x])
		}
	}
}

func TestAllocs(t *testing.T) {
	m := encodetest.Find("photo").New(image.Rect(0, 0, 201, 100), 1)
	var e Encoder
	dst := e.AppendEncode(nil, m, m.Rect, 80, S420)
	require.Zero(t, testing.AllocsPerRun(10, func() { dst = e.AppendEncode(dst[:0], m, m.Rect, 80, S420) }))
}
