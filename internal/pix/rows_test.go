package pix

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRows compares the kernels with their plain twins over all lengths up to 100
// pixels, all alignments to a byte, differences everywhere or nowhere, in colours
// or in the fourth byte alone; bytes beside the rows are garbage.
func TestRows(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	found, equal := 0, 0
	for n := range 101 {
		for off := range 36 {
			a := make([]byte, off+4*n+40)
			for i := range a {
				a[i] = byte(rnd.Uint32())
			}
			b := append(make([]byte, n%5), a[off:]...)[n%5:]
			for i := range n {
				b[4*i+3] = byte(rnd.Uint32())
			}
			for i := 4 * n; i < len(b); i++ {
				b[i] ^= 0xff
			}
			ra, rb := a[off:][:4*n], b[:4*n]
			for range rnd.IntN(3) {
				if n > 0 {
					rb[4*rnd.IntN(n)+rnd.IntN(3)] ^= 1 << rnd.IntN(8)
				}
			}
			first, last := -1, -1
			for i := range n {
				if (binary.LittleEndian.Uint32(ra[4*i:])^binary.LittleEndian.Uint32(rb[4*i:]))&RGBMask != 0 {
					if last = i; first < 0 {
						first = i
					}
				}
			}
			if first < 0 {
				equal++
			} else {
				found++
			}
			if got := firstDiff(ra, rb); got != first {
				t.Fatalf("%d pixels at %d: first %d, want %d", n, off, got, first)
			}
			if got := lastDiff(ra, rb); got != last {
				t.Fatalf("%d pixels at %d: last %d, want %d", n, off, got, last)
			}
			require.Equal(t, first, firstDiffGeneric(ra, rb))
			require.Equal(t, last, lastDiffGeneric(ra, rb))

			dst := bytes.Repeat([]byte{0xa5}, 4*n+16)
			want := bytes.Clone(dst)
			values := make([]uint32, n)
			for i := range n {
				copy(want[8+4*i:], ra[4*i:][:3])
				want[8+4*i+3] = 0
			}
			maskRow(dst[8:8+4*n], ra)
			require.True(t, bytes.Equal(want, dst), "%d pixels at %d", n, off)
			maskValues(values, ra)
			for i, v := range values {
				if v != binary.LittleEndian.Uint32(ra[4*i:])&RGBMask {
					t.Fatalf("value %d of %d", i, n)
				}
			}
		}
	}
	require.Greater(t, found, 1000)
	require.Greater(t, equal, 1000)
}

func BenchmarkRows(b *testing.B) {
	src, other := make([]byte, 4*1920), make([]byte, 4*1920)
	for i := 3; i < len(src); i += 4 {
		src[i] = 0xff // as many X servers leave it
	}
	dst, values := make([]byte, len(src)), make([]uint32, 1920)
	for _, c := range []struct {
		name string
		f    func()
	}{
		{"first", func() { firstDiff(src, other) }},
		{"first/plain", func() { firstDiffGeneric(src, other) }},
		{"last", func() { lastDiff(src, other) }},
		{"last/plain", func() { lastDiffGeneric(src, other) }},
		{"mask", func() { maskRow(dst, src) }},
		{"mask/plain", func() { maskRowGeneric(dst, src) }},
		{"values", func() { maskValues(values, src) }},
		{"first of 16", func() { firstDiff(src[:64], other) }},
		{"first of 16/plain", func() { firstDiffGeneric(src[:64], other) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				c.f()
			}
		})
	}
	if firstDiff(src, other) != -1 || bytes.Contains(dst, []byte{0xff}) {
		b.Fatal("wrong")
	}
}
