package encode

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
)

// pixels returns n pixels of as many colours at random, in runs, and garbage in the
// fourth bytes. Colours in one slot of the table are among them when collide is set.
func pixels(rnd *rand.Rand, n, colours int, collide bool) []byte {
	all := make([]uint32, colours)
	for i := range all {
		all[i] = rnd.Uint32() & pix.RGBMask
		if collide && i%4 > 0 {
			for v := all[i-1] + 1; ; v++ {
				if v &= pix.RGBMask; indexSlot(v) == indexSlot(all[i-1]) {
					all[i] = v
					break
				}
			}
		}
	}
	all[0] = 0 // the slot that is special
	b := make([]byte, 4*n)
	for i := 0; i < n; {
		v := all[rnd.IntN(colours)]
		run := 1
		if rnd.IntN(3) == 0 {
			run = 1 + rnd.IntN(70)
		}
		for ; run > 0 && i < n; run, i = run-1, i+1 {
			binary.LittleEndian.PutUint32(b[4*i:], v|rnd.Uint32()<<24)
		}
	}
	return b
}

// numberer numbers colours with a map.
type numberer map[uint32]int

func (m numberer) row(src []byte, limit int) (out []byte) {
	for i := 0; i < len(src); i += 4 {
		v := binary.LittleEndian.Uint32(src[i:]) & pix.RGBMask
		n, ok := m[v]
		if !ok {
			if len(m) == limit {
				return out
			}
			n = len(m)
			m[v] = n
		}
		out = append(out, byte(n))
	}
	return out
}

// TestIndexer compares rows of all lengths and alignments with numbers from a map:
// few colours and many, with and without collisions, limits that are exceeded, going
// on with a greater one.
func TestIndexer(t *testing.T) {
	both(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(1, 2))
		var x Indexer
		stopped := 0
		for n := range 140 {
			for k, colours := range []int{1, 2, 3, 8, 40, 255, 256, 257, 300} {
				x.Reset()
				want := numberer{}
				limit := 1 + rnd.IntN(MaxColours)
				for range 4 + k {
					off := rnd.IntN(4)
					src := append(make([]byte, off), pixels(rnd, n, colours, k%2 > 0)...)[off:]
					dst := make([]byte, n+1)
					dst[n] = 0xa5
					exp := want.row(src, limit)
					got := x.Row(dst[:n], src, limit)
					require.Equal(t, len(exp), got)
					if got < n {
						stopped++
						limit = MaxColours
						exp = append(exp, want.row(src[4*got:], limit)...)
						got += x.Row(dst[got:n], src[4*got:], limit)
						require.Equal(t, len(exp), got)
					}
					require.Equal(t, string(exp), string(dst[:got]), "%d pixels, %d colours", n, colours)
					require.Equal(t, byte(0xa5), dst[n])
					require.Equal(t, len(want), x.Palette.N)
				}
				for v, i := range want {
					require.Equal(t, v, x.Palette.Values[i])
				}
			}
		}
		require.Greater(t, stopped, 100)
		x.Reset()
		empty := Indexer{ready: true}
		empty.table[0] = 1
		require.Equal(t, empty.table, x.table, "Reset leaves nothing in the table")
	})
}

func BenchmarkIndexer(b *testing.B) {
	for _, c := range []struct {
		name    string
		colours int
		collide bool
	}{{"1", 1, false}, {"2", 2, false}, {"16", 16, false}, {"150", 150, false}, {"256", 256, false}, {"collisions", 16, true}} {
		const rows = 34
		src := pixels(rand.New(rand.NewPCG(3, 4)), 1920*rows, c.colours, c.collide)
		dst := make([]byte, 1920*rows)
		b.Run(c.name, func(b *testing.B) {
			both(b, func(b *testing.B) {
				var x Indexer
				b.SetBytes(int64(len(src)))
				for b.Loop() {
					x.Reset()
					for at := 0; at < len(dst); at += 1920 {
						if x.Row(dst[at:at+1920], src[4*at:], MaxColours) != 1920 {
							b.Fatal("too many")
						}
					}
				}
			})
		})
	}
}

// BenchmarkIndexerStops bounds what is lost on a picture that no palette fits.
func BenchmarkIndexerStops(b *testing.B) {
	src := make([]byte, 4*1920)
	for i := range 1920 {
		binary.LittleEndian.PutUint32(src[4*i:], uint32(i)*0x10305)
	}
	dst := make([]byte, 1920)
	var x Indexer
	for b.Loop() {
		x.Reset()
		if x.Row(dst, src, MaxColours) != MaxColours {
			b.Fatal("did not stop")
		}
	}
}
