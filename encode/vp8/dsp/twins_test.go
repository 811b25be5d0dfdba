package dsp

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
)

// A memory gives n bytes, with undefined contents.
type memory func(n int) []uint8

func heap(n int) []uint8 { return make([]uint8, n) }

// everyWay runs a check with every set of kernels, in every kind of memory: each
// compares kernels with a twin written from the specification.
func everyWay(t *testing.T, rounds int, check func(t *testing.T, rnd *rand.Rand, mem memory)) {
	for _, set := range kernelSets() {
		for name, mem := range memories(t) {
			t.Run(set.name+"/"+name, func(t *testing.T) {
				defer set.use()()
				rnd := rand.New(rand.NewPCG(7, 11))
				for range rounds {
					check(t, rnd, mem)
				}
			})
		}
	}
}

// plane makes h rows of w random samples in as little memory as holds them.
func plane(rnd *rand.Rand, mem memory, w, h int) (b []uint8, stride int) {
	stride = w + rnd.IntN(40)
	b = mem((h-1)*stride + w)
	randomSamples(rnd, b)
	return b, stride
}

// near makes b a little different from a, or not at all, or leaves it.
func near(rnd *rand.Rand, b, a []uint8) {
	switch rnd.IntN(4) {
	case 0:
		copy(b, a)
	case 1:
		copy(b, a)
		for range 5 {
			b[rnd.IntN(len(b))]++
		}
	}
}

// sameBlock compares w*h samples and what lies between and behind them.
func sameBlock(t *testing.T, want, got []uint8, stride int, what string, args ...any) {
	t.Helper()
	for i := range want {
		if want[i] != got[i] {
			t.Fatalf("%s: at (%d, %d) want %d, got %d", fmt.Sprintf(what, args...), i%stride, i/stride, want[i], got[i])
		}
	}
}

func TestMeasures(t *testing.T) {
	everyWay(t, 300, func(t *testing.T, rnd *rand.Rand, mem memory) {
		for _, n := range []int{16, 8, 4} {
			a, as := plane(rnd, mem, n, n)
			b, bs := plane(rnd, heap, n, n)
			if as == bs {
				near(rnd, b, a)
			}
			sad, sse, sum, sumSq, equal := referenceSAD(a, as, b, bs, n), 0, 0, 0, true
			for y := range n {
				for x := range n {
					p, q := int(a[y*as+x]), int(b[y*bs+x])
					sse += (p - q) * (p - q)
					sum += p
					sumSq += p * p
					equal = equal && p == q
				}
			}
			switch n {
			case 16:
				require.Equal(t, sad, SAD16x16(a, as, b, bs))
				require.Equal(t, sad, SAD16x16(b, bs, a, as))
				require.Equal(t, sse, SSE16x16(a, as, b, bs))
				require.Equal(t, sse, SSE16x16(b, bs, a, as))
				s, q := Moments16x16(a, as)
				require.Equal(t, [2]int{sum, sumSq}, [2]int{s, q})
				require.Equal(t, equal, Equal16x16(a, as, b, bs))
			case 8:
				require.Equal(t, sad, SAD8x8(a, as, b, bs))
				require.Equal(t, sad, SAD8x8(b, bs, a, as))
				require.Equal(t, sse, SSE8x8(a, as, b, bs))
				require.Equal(t, sse, SSE8x8(b, bs, a, as))
				require.Equal(t, equal, Equal8x8(a, as, b, bs))
			default:
				require.Equal(t, sad, SAD4x4(a, as, b, bs))
				require.Equal(t, sse, SSE4x4(a, as, b, bs))
				var all [16 * NumSubblockModes]uint8
				randomSamples(rnd, all[:])
				p := Penalties{10: 65535, 65535, 65535, 65535, 65535, 65535}
				most := []int{1, 10, 200, 65536}[rnd.IntN(4)]
				best, least := 0, 1<<20
				for m := range int(NumSubblockModes) {
					if rnd.IntN(3) == 0 {
						near(rnd, all[16*m:][:16], all[:16])
					}
					p[m] = uint16(rnd.IntN(most))
					if rnd.IntN(4) == 0 {
						p[m] = 65535
					}
					if d := min(referenceSAD(a, as, all[16*m:], 4, 4)+int(p[m]), 65535); d < least {
						best, least = m, d
					}
				}
				mode, sum := BestSubblock(a, as, &all, &p)
				require.Equal(t, [2]int{best, least}, [2]int{int(mode), sum})
			}
		}
		ref, stride := plane(rnd, mem, 40, 40)
		src, ss := plane(rnd, heap, 16, 16)
		at := [4]int{0, 24*stride + 24, rnd.IntN(24)*stride + rnd.IntN(24), 7}
		sums := SAD16x16x4(src, ss, ref, stride, &at)
		for i, o := range at {
			require.Equal(t, referenceSAD(src, ss, ref[o:], stride, 16), sums[i])
		}
	})
}

// referenceSAD is the sum of absolute differences of n*n samples.
func referenceSAD(a []uint8, aStride int, b []uint8, bStride, n int) (sum int) {
	for i := range n * n {
		p, q := int(a[i/n*aStride+i%n]), int(b[i/n*bStride+i%n])
		sum += max(p-q, q-p)
	}
	return sum
}

// TestMeasureExtremes: nothing overflows.
func TestMeasureExtremes(t *testing.T) {
	for _, set := range kernelSets() {
		undo := set.use()
		a, b := make([]uint8, 256), make([]uint8, 256)
		fill(b, 255)
		require.Equal(t, 256*255, SAD16x16(a, 16, b, 16))
		require.Equal(t, 256*255*255, SSE16x16(a, 16, b, 16))
		s, q := Moments16x16(b, 16)
		require.Equal(t, [2]int{256 * 255, 256 * 255 * 255}, [2]int{s, q})
		undo()
	}
}

// TestHash: every sample counts.
func TestHash(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	y, u, v := make([]uint8, 16*20), make([]uint8, 8*11), make([]uint8, 8*11)
	seen := map[uint64]bool{Hash(y, u, v, 20, 11): true}
	n := 1
	for i, b := range [][]uint8{y, u, v} {
		stride, size := 20, 16
		if i > 0 {
			stride, size = 11, 8
		}
		for j := range b {
			if j%stride >= size {
				continue
			}
			b[j] = 1 + uint8(rnd.IntN(255))
			seen[Hash(y, u, v, 20, 11)] = true
			n++
		}
	}
	require.Len(t, seen, n)
	require.Equal(t, 16*16+2*64+1, n)
}

func TestConvert(t *testing.T) {
	everyWay(t, 60, func(t *testing.T, rnd *rand.Rand, mem memory) {
		w, h := 1+rnd.IntN(90), 1+rnd.IntN(40)
		stride := 4*w + rnd.IntN(30)
		m := pix.Image{Pix: mem((h-1)*stride + 4*w), Stride: stride, Rect: image.Rect(3, 4, 3+w, 4+h)}
		randomSamples(rnd, m.Pix)
		mw, mh := (w+15)/16, (h+15)/16
		r := image.Rect(rnd.IntN(mw), rnd.IntN(mh), mw, mh)
		r.Max.X -= rnd.IntN(r.Dx())
		r.Max.Y -= rnd.IntN(r.Dy())
		r.Min, r.Max = r.Min.Mul(16), r.Max.Mul(16)
		ys, cs := 16*mw+rnd.IntN(9), 8*mw+rnd.IntN(9)
		y, u, v := make([]uint8, ys*16*mh), make([]uint8, cs*8*mh), make([]uint8, cs*8*mh)
		Convert(y, u, v, ys, cs, &m, r)
		at := func(x, y int) (r, g, b float64) {
			p := m.At(3+min(x, w-1), 4+min(y, h-1))
			return float64(p>>16&255) / 255, float64(p>>8&255) / 255, float64(p&255) / 255
		}
		const rounding = 0.515 // and what the factors' 15 bits lose
		for yy := range 16 * mh {
			for x := range 16 * mw {
				if !(image.Point{X: x, Y: yy}).In(r) {
					require.Zero(t, y[yy*ys+x])
					require.Zero(t, u[yy/2*cs+x/2])
					require.Zero(t, v[yy/2*cs+x/2])
					continue
				}
				r, g, b := at(x, yy)
				if want := 16 + 65.481*r + 128.553*g + 24.966*b; math.Abs(want-float64(y[yy*ys+x])) > rounding {
					t.Fatalf("Y at (%d, %d): want %.2f, got %d", x, yy, want, y[yy*ys+x])
				}
				if x%2+yy%2 > 0 {
					continue
				}
				for i := 1; i < 4; i++ {
					r1, g1, b1 := at(x+i%2, yy+i/2)
					r, g, b = r+r1, g+g1, b+b1
				}
				if want := 128 + (-37.797*r-74.203*g+112*b)/4; math.Abs(want-float64(u[yy/2*cs+x/2])) > rounding {
					t.Fatalf("Cb at (%d, %d): want %.2f, got %d", x, yy, want, u[yy/2*cs+x/2])
				}
				if want := 128 + (112*r-93.786*g-18.214*b)/4; math.Abs(want-float64(v[yy/2*cs+x/2])) > rounding {
					t.Fatalf("Cr at (%d, %d): want %.2f, got %d", x, yy, want, v[yy/2*cs+x/2])
				}
			}
		}
	})
}

// TestConvertColours compares the kernels for many colours, one by one.
func TestConvertColours(t *testing.T) {
	needKernels(t)
	var src [4 * 256]byte
	var y, y2 [256]uint8
	var c, c2 [2][128]uint8
	for r := 0; r < 256; r += 3 {
		for g := range 256 {
			for b := range 256 {
				copy(src[4*b:], []byte{byte(b), byte(g), byte(r), byte(b * g)})
			}
			convertRows(y[:], y[:], c[0][:], c[1][:], src[:], src[:])
			convertRowsGeneric(y2[:], y2[:], c2[0][:], c2[1][:], src[:], src[:])
			if y != y2 || c != c2 {
				t.Fatalf("red %d, green %d", r, g)
			}
		}
	}
}

// needKernels skips a comparison where there are no kernels to compare.
func needKernels(t testing.TB) {
	if len(kernelSets()) < 2 {
		t.Skip("plain kernels only")
	}
}
