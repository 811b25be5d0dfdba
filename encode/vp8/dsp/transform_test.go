package dsp

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// layouts are the blocks of a macroblock's luma and chroma, one block, and others.
var layouts = [][2]int{{4, 4}, {2, 2}, {1, 1}, {4, 1}, {2, 4}, {2, 1}, {2, 3}, {1, 4}, {4, 8}}

// words is memory of int16s with guards of garbage.
func words(rnd *rand.Rand, n int) []int16 {
	w := make([]int16, n)
	for i := range w {
		w[i] = int16(rnd.Uint32())
	}
	return w
}

// TestForwardDCT compares with the matrices that transform.go names.
func TestForwardDCT(t *testing.T) {
	c, s := math.Sqrt2*math.Cos(math.Pi/8), math.Sqrt2*math.Sin(math.Pi/8)
	basis := [4][4]float64{{1, 1, 1, 1}, {c, s, -s, -c}, {1, -1, -1, 1}, {s, -c, c, -s}}
	everyWay(t, 60, func(t *testing.T, rnd *rand.Rand, mem memory) {
		for _, l := range layouts {
			wide, high := l[0], l[1]
			src, ss := plane(rnd, mem, 4*wide, 4*high)
			pred, ps := plane(rnd, heap, 4*wide, 4*high)
			if rnd.IntN(4) == 0 { // a basis function's signs
				u, v := rnd.IntN(4), rnd.IntN(4)
				for y := range 4 * high {
					for x := range 4 * wide {
						src[y*ss+x], pred[y*ps+x] = 255, 0
						if basis[u][x%4]*basis[v][y%4] < 0 {
							src[y*ss+x], pred[y*ps+x] = 0, 255
						}
					}
				}
			}
			n := 16 * wide * high
			coef := words(rnd, n+16)
			after := slices.Clone(coef[n:])
			ForwardDCT(coef, src, ss, pred, ps, wide, high)
			require.Equal(t, after, coef[n:])
			for i := range wide * high {
				bx, by := 4*(i%wide), 4*(i/wide)
				for v := range 4 {
					for u := range 4 {
						sum := 0.0
						for y := range 4 {
							for x := range 4 {
								d := int(src[(by+y)*ss+bx+x]) - int(pred[(by+y)*ps+bx+x])
								sum += basis[u][x] * basis[v][y] * float64(d)
							}
						}
						if got := coef[16*i+4*v+u]; math.Abs(sum/2-float64(got)) > 0.8 || got < -2040 || got > 2040 {
							t.Fatalf("block %d, coefficient (%d, %d): want %.2f, got %d", i, u, v, sum/2, got)
						}
					}
				}
			}
		}
	})
}

// TestForwardTwins: the kernels' integers are the same.
func TestForwardTwins(t *testing.T) {
	needKernels(t)
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		for _, l := range layouts {
			src, ss := plane(rnd, heap, 4*l[0], 4*l[1])
			pred, ps := plane(rnd, heap, 4*l[0], 4*l[1])
			a, b := make([]int16, 16*l[0]*l[1]), make([]int16, 16*l[0]*l[1])
			forwardDCT(a, src, ss, pred, ps, l[0], l[1])
			forwardDCTGeneric(b, src, ss, pred, ps, l[0], l[1])
			if !slices.Equal(a, b) {
				t.Fatalf("%dx%d blocks: want %d, got %d", l[0], l[1], b, a)
			}
		}
	}
}

// referenceIDCT is the inverse transform in the words of RFC 6386, section 14.3.
func referenceIDCT(in []int16) (out [16]int) {
	const sinpi8sqrt2, cospi8sqrt2minus1 = 35468, 20091
	for i := range 4 {
		ip := [4]int{int(in[i]), int(in[4+i]), int(in[8+i]), int(in[12+i])}
		a1, b1 := ip[0]+ip[2], ip[0]-ip[2]
		temp1, temp2 := (ip[1]*sinpi8sqrt2)>>16, ip[3]+((ip[3]*cospi8sqrt2minus1)>>16)
		c1 := temp1 - temp2
		temp1, temp2 = ip[1]+((ip[1]*cospi8sqrt2minus1)>>16), (ip[3]*sinpi8sqrt2)>>16
		d1 := temp1 + temp2
		out[i], out[12+i], out[4+i], out[8+i] = a1+d1, a1-d1, b1+c1, b1-c1
	}
	for i := range 4 {
		ip := [4]int(out[4*i:])
		a1, b1 := ip[0]+ip[2], ip[0]-ip[2]
		temp1, temp2 := (ip[1]*sinpi8sqrt2)>>16, ip[3]+((ip[3]*cospi8sqrt2minus1)>>16)
		c1 := temp1 - temp2
		temp1, temp2 = ip[1]+((ip[1]*cospi8sqrt2minus1)>>16), (ip[3]*sinpi8sqrt2)>>16
		d1 := temp1 + temp2
		out[4*i], out[4*i+3] = (a1+d1+4)>>3, (a1-d1+4)>>3
		out[4*i+1], out[4*i+2] = (b1+c1+4)>>3, (b1-c1+4)>>3
	}
	return out
}

// randomCoefficients fills a block such that the magnitudes' sum is below 16384.
func randomCoefficients(rnd *rand.Rand, c []int16) (ac bool) {
	clear(c)
	kind := rnd.IntN(6)
	if kind == 0 {
		return false
	}
	left := 16383
	c[0] = int16(rnd.IntN(4081) - 2040)
	if kind == 1 {
		return false
	}
	left -= 2040
	for _, i := range rnd.Perm(16)[:rnd.IntN(17)] {
		if i == 0 {
			continue
		}
		most := []int{3, 200, 2040, left}[rnd.IntN(4)]
		v := rnd.IntN(min(most, left) + 1)
		left -= v
		if rnd.IntN(2) == 0 {
			v = -v
		}
		c[i] = int16(v)
	}
	return true
}

func TestInverseDCTAdd(t *testing.T) {
	everyWay(t, 300, func(t *testing.T, rnd *rand.Rand, mem memory) {
		for _, l := range layouts {
			wide, high := l[0], l[1]
			pred, ps := plane(rnd, mem, 4*wide, 4*high)
			dst, ds := plane(rnd, heap, 4*wide, 4*high)
			inPlace := rnd.IntN(3) == 0
			if inPlace {
				dst, ds = pred, ps
			}
			want := slices.Clone(dst)
			coef := make([]int16, 16*wide*high)
			var ac uint32
			for i := range wide * high {
				c := coef[16*i:][:16]
				if randomCoefficients(rnd, c) {
					ac |= 1 << i
				}
				for j, d := range referenceIDCT(c) {
					x, y := i%wide*4+j%4, i/wide*4+j/4
					want[y*ds+x] = uint8(min(max(int(pred[y*ps+x])+d, 0), 255))
				}
			}
			InverseDCTAdd(dst, ds, pred, ps, coef, ac, wide, high)
			sameBlock(t, want, dst, ds, "%dx%d blocks, set %b", wide, high, ac)
		}
	})
}

// TestWHT: the inverse transform is that of RFC 6386, section 14.3, and undoes the
// forward one for all that it is given.
func TestWHT(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	hadamard := [4][4]int{{1, 1, 1, 1}, {1, 1, -1, -1}, {1, -1, -1, 1}, {1, -1, 1, -1}}
	for range 1500 {
		luma, most := words(rnd, 256), 1+rnd.IntN(2040)
		var in [16]int16
		for i := range in {
			in[i] = int16(rnd.IntN(2*most+1) - most)
			if most == 2040 {
				in[i] = int16(2040 * (rnd.IntN(2)*2 - 1))
			}
			luma[16*i] = in[i]
		}
		was := slices.Clone(luma)
		var y2 [16]int16
		ForwardWHT(&y2, luma)
		for v := range 4 {
			for u := range 4 {
				sum := 0
				for i, x := range in {
					sum += hadamard[u][i%4] * hadamard[v][i/4] * int(x)
				}
				require.EqualValues(t, (sum+1)>>1, y2[4*v+u])
			}
		}
		InverseWHT(luma, &y2)
		for v := range 4 {
			for u := range 4 {
				sum := 3
				for i, x := range y2 {
					sum += hadamard[u][i%4] * hadamard[v][i/4] * int(x)
				}
				require.EqualValues(t, sum>>3, luma[16*(4*v+u)])
			}
		}
		for i := range luma {
			require.InDelta(t, was[i], luma[i], 1)
			if i%16 > 0 {
				require.Equal(t, was[i], luma[i])
			}
		}
	}
}

func TestQuantise(t *testing.T) {
	everyWay(t, 700, func(t *testing.T, rnd *rand.Rand, _ memory) {
		var q Quant
		dc, ac := 4+rnd.IntN(450), 4+rnd.IntN(450)
		if rnd.IntN(4) == 0 {
			dc, ac = 4, 8<<rnd.IntN(5)
		}
		var rounding [16]uint8
		for i := range rounding {
			rounding[i] = uint8(rnd.IntN(129))
		}
		q.Set(dc, ac, &rounding)
		n, first := 1+rnd.IntN(32), rnd.IntN(2)
		levels, coef := words(rnd, 16*n+1), make([]int16, 16*n+1)
		end := make([]uint8, n)
		most := []int{1, 30, 300, 2040, 16320}[rnd.IntN(5)]
		for i := range coef {
			if rnd.IntN(3) == 0 {
				coef[i] = int16(rnd.IntN(2*most+1) - most)
			}
		}
		was, guard := slices.Clone(coef), levels[16*n]
		set := Quantise(levels, coef, end, &q, first)
		require.Equal(t, guard, levels[16*n])
		require.Equal(t, was[16*n], coef[16*n])
		again := slices.Clone(was)
		Dequantise(again, levels[:16*n], &q)
		for b := range n {
			last, more := 0, false
			for k, i := range Zigzag {
				step, level := ac, 0
				if i == 0 {
					step = dc
				}
				v := int(was[16*b+int(i)])
				round := step * int(rounding[i]) / 256
				if v < 0 {
					level = -((round - v) / step)
				} else {
					level = (v + round) / step
				}
				want := level * step
				if k < first {
					level, want = 0, v
				} else {
					require.Equal(t, coef[16*b+int(i)], again[16*b+int(i)])
				}
				if int(levels[16*b+k]) != level || int(coef[16*b+int(i)]) != want {
					t.Fatalf("%d by %d, rounding %d: want %d, got %d and %d", v, step, round, level, levels[16*b+k], coef[16*b+int(i)])
				}
				if level != 0 {
					last, more = k+1, k > 0
				}
			}
			require.EqualValues(t, last, end[b])
			require.Equal(t, more, set>>b&1 != 0)
		}
		require.Zero(t, uint64(set)>>n)
	})
}

// TestQuantiseExact: the reciprocals divide exactly, for all steps and values.
func TestQuantiseExact(t *testing.T) {
	for step := 4; step <= 500; step++ {
		var q Quant
		q.Set(step, step, new([16]uint8))
		for x := 0; x <= 16640; x++ {
			got := x * int(q.recip[1]) >> 16 * int(q.shift[1]) >> 16
			if got != x/step {
				t.Fatalf("%d/%d: got %d", x, step, got)
			}
		}
	}
	require.Panics(t, func() { new(Quant).Set(3, 8, new([16]uint8)) })
	require.Panics(t, func() { new(Quant).Set(8, 2000, new([16]uint8)) })
	require.Panics(t, func() { new(Quant).Set(8, 8, &[16]uint8{5: 129}) })
}

// TestMacroblock: what the coefficients of any macroblock become after the steps of
// any quantiser stays within what the inverse transform promises.
func TestMacroblock(t *testing.T) {
	everyWay(t, 600, func(t *testing.T, rnd *rand.Rand, mem memory) {
		src, ss := plane(rnd, mem, 16, 16)
		pred, ps := plane(rnd, heap, 16, 16)
		var coef, levels [256]int16
		var end [16]uint8
		ForwardDCT(coef[:], src, ss, pred, ps, 4, 4)
		var q Quant
		var rounding [16]uint8
		fill(rounding[:], uint8(rnd.IntN(129)))
		q.Set(4+rnd.IntN(154), 4+rnd.IntN(281), &rounding)
		ac := Quantise(levels[:], coef[:], end[:], &q, 0)
		dst := make([]uint8, 256)
		InverseDCTAdd(dst, 16, pred, ps, coef[:], ac, 4, 4)
		for b := range 16 {
			sum := 0
			for _, c := range coef[16*b:][:16] {
				sum += absInt(int(c))
			}
			require.Less(t, sum, 16384)
			for j, d := range referenceIDCT(coef[16*b:]) {
				x, y := b%4*4+j%4, b/4*4+j/4
				require.EqualValues(t, min(max(int(pred[y*ps+x])+d, 0), 255), dst[16*y+x])
			}
		}
	})
}

func absInt(v int) int { return max(v, -v) }
