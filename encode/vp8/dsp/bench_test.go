package dsp

import (
	"fmt"
	"image"
	"math/rand/v2"
	"testing"

	"framebridge/internal/pix"
)

// everySet runs a benchmark with each set of kernels.
func everySet(b *testing.B, run func(b *testing.B)) {
	for _, set := range kernelSets() {
		b.Run(set.name, func(b *testing.B) {
			defer set.use()()
			b.ReportAllocs()
			run(b)
		})
	}
}

const benchStride = 1920

// benchPlanes are two pictures whose samples differ by a little noise.
func benchPlanes() (a, b []uint8) {
	rnd := rand.New(rand.NewPCG(1, 1))
	a, b = make([]uint8, benchStride*64), make([]uint8, benchStride*64)
	for i := range a {
		a[i] = uint8(64 + i%97 + rnd.IntN(20))
		b[i] = a[i] + uint8(rnd.IntN(30))
	}
	return a, b
}

func BenchmarkConvert(b *testing.B) {
	m := pix.New(image.Rect(0, 0, 1920, 1080))
	rnd := rand.New(rand.NewPCG(1, 1))
	for i := range m.Pix {
		m.Pix[i] = uint8(rnd.Uint32())
	}
	y, u, v := make([]uint8, 1920*1088), make([]uint8, 960*544), make([]uint8, 960*544)
	everySet(b, func(b *testing.B) {
		b.SetBytes(int64(len(m.Pix)))
		for b.Loop() {
			Convert(y, u, v, 1920, 960, m, image.Rect(0, 0, 1920, 1088))
		}
	})
}

func BenchmarkMeasure(b *testing.B) {
	p, q := benchPlanes()
	offsets := [4]int{0, 1, benchStride, 100}
	for name, f := range map[string]func() int{
		"SAD16x16": func() int { return SAD16x16(p[17:], benchStride, q[5:], benchStride) },
		"SAD8x8":   func() int { return SAD8x8(p[17:], benchStride, q[5:], benchStride) },
		"SAD4x4":   func() int { return SAD4x4(p[17:], benchStride, q[5:], benchStride) },
		"BestSubblock": func() int {
			_, sum := BestSubblock(p, benchStride, (*[16 * NumSubblockModes]uint8)(q), &Penalties{10: 65535, 65535, 65535, 65535, 65535, 65535})
			return sum
		},
		"SAD16x16x4":   func() int { return SAD16x16x4(p[17:], benchStride, q[5:], benchStride, &offsets)[3] },
		"SSE16x16":     func() int { return SSE16x16(p[17:], benchStride, q[5:], benchStride) },
		"SSE8x8":       func() int { return SSE8x8(p[17:], benchStride, q[5:], benchStride) },
		"Moments16x16": func() int { s, _ := Moments16x16(p[17:], benchStride); return s },
		"Equal16x16": func() int {
			if Equal16x16(p[17:], benchStride, p[17:], benchStride) {
				return 1
			}
			return 0
		},
		"Hash": func() int { return int(Hash(p, q, q[8:], benchStride, benchStride)) },
	} {
		b.Run(name, func(b *testing.B) {
			everySet(b, func(b *testing.B) {
				for b.Loop() {
					if f() == 0 {
						b.Fatal("nothing measured")
					}
				}
			})
		})
	}
}

// BenchmarkMacroblock is all that happens to the residual of a macroblock: 24
// blocks and Y2.
func BenchmarkMacroblock(b *testing.B) {
	p, q := benchPlanes()
	var quant Quant
	quant.Set(20, 24, &[16]uint8{100, 100, 90, 90, 90, 90, 90, 90, 80, 80, 80, 80, 80, 80, 80, 80})
	var coef, levels [25 * 16]int16
	var end [25]uint8
	dst := make([]uint8, benchStride*16)
	luma := func() uint32 {
		ForwardDCT(coef[:256], p, benchStride, q, benchStride, 4, 4)
		return Quantise(levels[:256], coef[:256], end[:16], &quant, 0)
	}
	b.Run("Luma", func(b *testing.B) { // without the inverse
		everySet(b, func(b *testing.B) {
			for b.Loop() {
				if luma() == 0 {
					b.Fatal("no levels")
				}
			}
		})
	})
	b.Run("All", func(b *testing.B) {
		everySet(b, func(b *testing.B) {
			for b.Loop() {
				ForwardDCT(coef[:], p, benchStride, q, benchStride, 4, 4)
				ForwardDCT(coef[256:], p[100:], benchStride, q[100:], benchStride, 2, 2)
				ForwardDCT(coef[320:], p[200:], benchStride, q[200:], benchStride, 2, 2)
				y2 := (*[16]int16)(coef[384:])
				ForwardWHT(y2, coef[:])
				ac := Quantise(levels[:], coef[:], end[:16], &quant, 1)
				acc := Quantise(levels[256:], coef[256:], end[16:24], &quant, 0)
				Quantise(levels[384:], y2[:], end[24:], &quant, 0)
				InverseWHT(coef[:], y2)
				InverseDCTAdd(dst, benchStride, q, benchStride, coef[:], ac, 4, 4)
				InverseDCTAdd(dst[100:], benchStride, q[100:], benchStride, coef[256:], acc, 2, 2)
				InverseDCTAdd(dst[200:], benchStride, q[200:], benchStride, coef[320:], acc>>4, 2, 2)
				if ac == 0 {
					b.Fatal("no levels")
				}
			}
		})
	})
	b.Run("Forward4x4", func(b *testing.B) {
		everySet(b, func(b *testing.B) {
			for b.Loop() {
				ForwardDCT(coef[:16], p, benchStride, q, benchStride, 1, 1)
			}
		})
	})
	b.Run("Inverse", func(b *testing.B) {
		luma()
		for _, ac := range []uint32{0xffff, 0} {
			b.Run(fmt.Sprintf("%x", ac), func(b *testing.B) {
				everySet(b, func(b *testing.B) {
					for b.Loop() {
						InverseDCTAdd(dst, benchStride, q, benchStride, coef[:], ac, 4, 4)
					}
				})
			})
		}
	})
	b.Run("WHT", func(b *testing.B) {
		var y2 [16]int16
		for b.Loop() {
			ForwardWHT(&y2, coef[:])
			InverseWHT(coef[:], &y2)
		}
	})
}

func BenchmarkPredict(b *testing.B) {
	p, _ := benchPlanes()
	dst := make([]uint8, benchStride*16)
	var e Edge
	e.Load(p, benchStride, 16, 16, 16)
	for mode, name := range []string{"DC", "V", "H", "TM"} {
		b.Run(name, func(b *testing.B) {
			everySet(b, func(b *testing.B) {
				for b.Loop() {
					Predict16x16(dst, benchStride, Mode(mode), &e)
				}
			})
		})
	}
	b.Run("Edge", func(b *testing.B) {
		for b.Loop() {
			e.Load(p, benchStride, 16, 16, 16)
		}
	})
	b.Run("Subblocks", func(b *testing.B) {
		var all [16 * NumSubblockModes]uint8
		everySet(b, func(b *testing.B) {
			for b.Loop() {
				PredictSubblocks(&all, (*SubblockEdge)(p))
			}
		})
	})
	for _, size := range []int{16, 8, 4} {
		for _, f := range [][2]int{{0, 0}, {2, 0}, {0, 2}, {2, 6}} {
			b.Run(fmt.Sprintf("SixTap%d/%d,%d", size, f[0], f[1]), func(b *testing.B) {
				everySet(b, func(b *testing.B) {
					for b.Loop() {
						SixTap(dst, benchStride, p, 16*benchStride+16, benchStride, f[0], f[1], size, size)
					}
				})
			})
		}
	}
}

func BenchmarkLoopFilter(b *testing.B) {
	big, _ := benchPlanes()
	const stride = 32 // little to restore each time
	p := append([]uint8(nil), big[:32*stride]...)
	was := append([]uint8(nil), p...)
	var l LoopLimits
	l.Set(20, 0, false)
	everySet(b, func(b *testing.B) {
		for b.Loop() {
			copy(p, was)
			LoopFilterLuma(p, 16*stride+16, stride, &l, true, true, true)
		}
	})
}
