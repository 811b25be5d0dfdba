package dsp

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPredict: the modes of RFC 6386, section 12.2, at the picture's edges and
// within.
func TestPredict(t *testing.T) {
	everyWay(t, 300, func(t *testing.T, rnd *rand.Rand, mem memory) {
		for _, size := range []int{16, 8} {
			pic, stride := plane(rnd, heap, 2*size, 2*size)
			x, y := rnd.IntN(2)*size, rnd.IntN(2)*size
			at := func(i, j int) int {
				switch {
				case y+j < 0:
					return 127
				case x+i < 0:
					return 129
				}
				return int(pic[(y+j)*stride+x+i])
			}
			var e Edge
			e.Load(pic, stride, x, y, size)
			require.Equal(t, [2]bool{y > 0, x > 0}, [2]bool{e.HasAbove, e.HasLeft})
			sum, n := 0, 0
			for i := range size {
				if y > 0 {
					sum, n = sum+at(i, -1), n+1
				}
				if x > 0 {
					sum, n = sum+at(-1, i), n+1
				}
			}
			dc := 128
			if n > 0 {
				dc = (sum + n/2) / n
			}
			for mode := DCPred; mode <= TMPred; mode++ {
				dst, ds := plane(rnd, mem, size, size)
				want := slices.Clone(dst)
				for j := range size {
					for i := range size {
						v := 0
						switch mode {
						case DCPred:
							v = dc
						case VPred:
							v = at(i, -1)
						case HPred:
							v = at(-1, j)
						case TMPred:
							v = min(max(at(-1, j)+at(i, -1)-at(-1, -1), 0), 255)
						}
						want[j*ds+i] = uint8(v)
					}
				}
				if size == 16 {
					Predict16x16(dst, ds, mode, &e)
				} else {
					Predict8x8(dst, ds, mode, &e)
				}
				sameBlock(t, want, dst, ds, "%d samples at (%d, %d), mode %d", size, x, y, mode)
			}
		}
	})
}

// Where a sample of a directional subblock mode comes from, by RFC 6386, section
// 12.3: "ab" is the mean of samples a and b of the edge, "abc" of a, b, b and c. The
// edge is named 0 to 9 and a to c.
var subblockSources = map[SubblockMode][16]string{
	BVEPred: {"456", "567", "678", "789", "456", "567", "678", "789", "456", "567", "678", "789", "456", "567", "678", "789"},
	BHEPred: {"432", "432", "432", "432", "321", "321", "321", "321", "210", "210", "210", "210", "100", "100", "100", "100"},
	BLDPred: {"567", "678", "789", "89a", "678", "789", "89a", "9ab", "789", "89a", "9ab", "abc", "89a", "9ab", "abc", "bcc"},
	BRDPred: {"345", "456", "567", "678", "234", "345", "456", "567", "123", "234", "345", "456", "012", "123", "234", "345"},
	BVRPred: {"45", "56", "67", "78", "345", "456", "567", "678", "234", "45", "56", "67", "123", "345", "456", "567"},
	BVLPred: {"56", "67", "78", "89", "567", "678", "789", "89a", "67", "78", "89", "9ab", "678", "789", "89a", "abc"},
	BHDPred: {"34", "345", "456", "567", "23", "234", "34", "345", "12", "123", "23", "234", "01", "012", "12", "123"},
	BHUPred: {"32", "321", "21", "210", "21", "210", "10", "100", "10", "100", "0", "0", "0", "0", "0", "0"},
}

func TestPredictSubblock(t *testing.T) {
	require.Len(t, subblockSources, int(NumSubblockModes)-2)
	everyWay(t, 400, func(t *testing.T, rnd *rand.Rand, mem memory) {
		e := (*SubblockEdge)(mem(len(SubblockEdge{})))
		randomSamples(rnd, e[:])
		sample := func(name byte) int {
			if name >= 'a' {
				return int(e[name-'a'+10])
			}
			return int(e[name-'0'])
		}
		var all [16 * NumSubblockModes]uint8
		PredictSubblocks(&all, e)
		for mode := range NumSubblockModes {
			dst, stride := plane(rnd, heap, 4, 4)
			want := slices.Clone(dst)
			for y := range 4 {
				for x := range 4 {
					v := 0
					switch mode {
					case BDCPred:
						v = 4
						for i := range 4 {
							v += int(e[i]) + int(e[5+i])
						}
						v >>= 3
					case BTMPred:
						v = min(max(int(e[3-y])+int(e[5+x])-int(e[4]), 0), 255)
					default:
						switch s := subblockSources[mode][4*y+x]; len(s) {
						case 1:
							v = sample(s[0])
						case 2:
							v = (sample(s[0]) + sample(s[1]) + 1) >> 1
						default:
							v = (sample(s[0]) + 2*sample(s[1]) + sample(s[2]) + 2) >> 2
						}
					}
					want[y*stride+x] = uint8(v)
					if got := all[16*int(mode)+4*y+x]; int(got) != v {
						t.Fatalf("mode %d at (%d, %d): want %d, got %d", mode, x, y, v, got)
					}
				}
			}
			PredictSubblock(dst, stride, mode, e)
			sameBlock(t, want, dst, stride, "mode %d", mode)
		}
	})
}

// referenceSixTap filters as RFC 6386, section 18.3, has it: all rows first, then
// columns, both even where there is no fraction.
func referenceSixTap(sample func(x, y int) int, fx, fy, w, h int) []int {
	filters := [8][6]int{
		{0, 0, 128, 0, 0, 0}, {0, -6, 123, 12, -1, 0}, {2, -11, 108, 36, -8, 1}, {0, -9, 93, 50, -6, 0},
		{3, -16, 77, 77, -16, 3}, {0, -6, 50, 93, -9, 0}, {1, -8, 36, 108, -11, 2}, {0, -1, 12, 123, -6, 0},
	}
	filter := func(f [6]int, get func(i int) int) int {
		sum := 64
		for i, c := range f {
			if c != 0 {
				sum += c * get(i-2)
			}
		}
		return min(max(sum>>7, 0), 255)
	}
	out := make([]int, w*h)
	for y := range h {
		for x := range w {
			out[y*w+x] = filter(filters[fy], func(j int) int {
				return filter(filters[fx], func(i int) int { return sample(x+i, y+j) })
			})
		}
	}
	return out
}

func TestSixTap(t *testing.T) {
	sizes := [][2]int{{16, 16}, {8, 8}, {4, 4}, {16, 8}, {8, 16}, {8, 4}, {4, 8}, {16, 4}, {4, 16}}
	everyWay(t, 4, func(t *testing.T, rnd *rand.Rand, mem memory) {
		for _, size := range sizes {
			w, h := size[0], size[1]
			for f := range 64 {
				fx, fy := f%8, f/8
				// Just what is read, and all before and after it forbidden.
				x, y, pw, ph := 0, 0, w, h
				if fx > 0 {
					x, pw = TapsBefore, w+TapsBefore+TapsAfter
				}
				if fy > 0 {
					y, ph = TapsBefore, h+TapsBefore+TapsAfter
				}
				ref, rs := plane(rnd, mem, pw, ph)
				dst, ds := plane(rnd, heap, w, h)
				want := slices.Clone(dst)
				out := referenceSixTap(func(i, j int) int { return int(ref[(y+j)*rs+x+i]) }, fx, fy, w, h)
				for i, v := range out {
					want[i/w*ds+i%w] = uint8(v)
				}
				SixTap(dst, ds, ref, y*rs+x, rs, fx, fy, w, h)
				sameBlock(t, want, dst, ds, "%dx%d, moved by %d and %d eighths", w, h, fx, fy)
			}
		}
	})
}

// TestSixTapExtremes: patterns that make the sums largest and smallest.
func TestSixTapExtremes(t *testing.T) {
	for _, set := range kernelSets() {
		undo := set.use()
		for f := range 64 {
			fx, fy := f%8, f/8
			for signs := range 64 {
				ref := make([]uint8, 32*32)
				for i := range ref {
					// Taps of a certain sign see white.
					if signs>>(i%32%6)&1 != signs>>(i/32%6)&1 {
						ref[i] = 255
					}
				}
				var dst [256]uint8
				SixTap(dst[:], 16, ref, 4*32+4, 32, fx, fy, 16, 16)
				want := referenceSixTap(func(x, y int) int { return int(ref[(4+y)*32+4+x]) }, fx, fy, 16, 16)
				for i, v := range want {
					if int(dst[i]) != v {
						t.Fatalf("%s: eighths %d and %d, pattern %b, sample %d: want %d, got %d", set.name, fx, fy, signs, i, v, dst[i])
					}
				}
			}
		}
		undo()
	}
}

func TestCopy(t *testing.T) {
	everyWay(t, 300, func(t *testing.T, rnd *rand.Rand, mem memory) {
		w, h := 4<<rnd.IntN(3), 1+rnd.IntN(16)
		src, ss := plane(rnd, mem, w, h)
		dst, ds := plane(rnd, heap, w, h)
		if rnd.IntN(2) == 0 {
			src, ss, dst, ds = dst, ds, src, ss
		}
		want := slices.Clone(dst)
		for i := range w * h {
			want[i/w*ds+i%w] = src[i/w*ss+i%w]
		}
		Copy(dst, ds, src, ss, w, h)
		sameBlock(t, want, dst, ds, "%dx%d", w, h)
	})
}
