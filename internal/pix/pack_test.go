package pix

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPack compares both orders with the plain twins and with the definition, over
// all lengths up to 150 pixels and all alignments to a dword.
func TestPack(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for n := range 150 {
		for off := range 5 {
			src := make([]byte, off+4*n)
			for i := range src {
				src[i] = byte(rnd.Uint32())
			}
			src = src[off:]
			var rgb, bgr []byte
			for p := src; len(p) > 0; p = p[4:] {
				rgb = append(rgb, p[2], p[1], p[0])
				bgr = append(bgr, p[0], p[1], p[2])
			}
			for _, f := range []struct {
				pack func(dst, src []byte)
				want []byte
			}{{PackRGB, rgb}, {packRGBGeneric, rgb}, {PackBGR, bgr}, {packBGRGeneric, bgr}} {
				got := make([]byte, off+3*n+1)
				got[off+3*n] = 0xa5
				f.pack(got[off:off+3*n], src)
				require.Equal(t, string(f.want)+"\xa5", string(got[off:]), "%d pixels at %d", n, off)
			}
		}
	}
}

func BenchmarkPack(b *testing.B) {
	src, dst := make([]byte, 4*1920), make([]byte, 3*1920)
	for _, f := range []struct {
		name string
		pack func(dst, src []byte)
	}{{"rgb", PackRGB}, {"rgb/plain", packRGBGeneric}, {"bgr", PackBGR}, {"bgr/plain", packBGRGeneric}} {
		b.Run(f.name, func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				f.pack(dst, src)
			}
		})
	}
}
