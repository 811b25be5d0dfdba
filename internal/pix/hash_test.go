package pix

import (
	"image"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// hashLine is the definition of a line's hash.
func hashLine(p []uint32) (h uint64) {
	if len(p)%2 != 0 {
		p = append(p, 0)
	}
	for i := 0; i < len(p); i += 2 {
		h += uint64(p[i]+hashKeys[i]) * uint64(p[i+1]+hashKeys[i+1])
	}
	return h
}

// TestHashes compares the hashes of rows and columns with their definition, over all
// lengths of lines and many numbers of them.
func TestHashes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	n := 0
	for length := range MaxHashed + 1 {
		for lines := range 53 {
			for _, sideways := range []bool{false, true} {
				r := image.Rect(0, 0, length, lines)
				if sideways {
					r = image.Rect(0, 0, lines, length)
				}
				r = r.Add(image.Pt(rnd.IntN(9), rnd.IntN(9)))
				m := noisy(rnd, r.Inset(-rnd.IntN(2)))
				if !r.Empty() {
					require.True(t, r.In(m.Rect))
				}
				want := make([]uint64, lines)
				for i := range want {
					p := make([]uint32, 0, MaxHashed)
					for k := range length {
						if sideways {
							p = append(p, m.At(r.Min.X+i, r.Min.Y+k))
						} else {
							p = append(p, m.At(r.Min.X+k, r.Min.Y+i))
						}
					}
					want[i] = hashLine(p)
					n++
				}
				got, plain := make([]uint64, lines), make([]uint64, lines)
				if sideways {
					HashColumns(got, m, r)
					hashColumnsGeneric(plain, m, r)
				} else {
					HashRows(got, m, r)
					hashRowsGeneric(plain, m, r)
				}
				require.Equal(t, want, got, "%v", r)
				require.Equal(t, want, plain, "%v", r)
			}
		}
	}
	require.Greater(t, n, 80000)
	m := New(image.Rect(0, 0, 40, 40))
	require.Panics(t, func() { HashRows(make([]uint64, 40), m, m.Rect) })
	require.Panics(t, func() { HashColumns(make([]uint64, 39), m, m.Rect) })
}

// TestHashesSpread hashes lines of two colours that differ little: none of them
// collide.
func TestHashesSpread(t *testing.T) {
	for _, colours := range [][2]uint32{{0, 0xffffff}, {0xf8f8f4, 0x202020}, {0, 1}, {0, 0x800000}, {0x808080, 0x808081}} {
		seen := map[uint64]bool{}
		const lines = 1 << 14
		m := New(image.Rect(0, 0, MaxHashed, lines))
		for y := range lines {
			for x := range MaxHashed {
				m.Set(x, y, colours[y>>(x%14)&1])
			}
		}
		dst := make([]uint64, lines)
		HashRows(dst, m, m.Rect)
		for _, h := range dst {
			seen[h] = true
		}
		require.Len(t, seen, lines, "%x", colours)
	}
}

func BenchmarkHash(b *testing.B) {
	m := New(image.Rect(0, 0, 1920, 1080))
	rows, columns := make([]uint64, 320), make([]uint64, 480)
	r, c := image.Rect(100, 100, 132, 420), image.Rect(100, 100, 580, 116)
	for _, k := range []struct {
		name string
		n    int
		f    func()
	}{
		{"rows", 320 * 32, func() { HashRows(rows, m, r) }},
		{"rows/plain", 320 * 32, func() { hashRowsGeneric(rows, m, r) }},
		{"columns", 480 * 16, func() { HashColumns(columns, m, c) }},
		{"columns/plain", 480 * 16, func() { hashColumnsGeneric(columns, m, c) }},
	} {
		b.Run(k.name, func(b *testing.B) {
			b.SetBytes(int64(k.n * BytesPerPixel))
			for b.Loop() {
				k.f()
			}
		})
	}
	if rows[0] != rows[1] || columns[0] != columns[1] {
		b.Fatal("wrong")
	}
}
