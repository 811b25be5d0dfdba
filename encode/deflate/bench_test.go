package deflate_test

import (
	"image"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/stretchr/testify/require"

	"framebridge/encode/deflate"
	"framebridge/encode/encodetest"
)

// The benchmarks take pieces of screens as Tight sends them: rectangles of 64 Ki
// pixels, three bytes each ("full") or one number of a colour ("indexed").
const (
	pieceWidth  = 480
	pieceHeight = 136
	piecesEach  = 8
)

type piece struct {
	data []byte
	part deflate.Part
}

// benchPieces are pictures of a kind; "detail" is a photograph with more noise than
// encodetest's.
func benchPieces(name string, unit int) (list []piece) {
	r := image.Rect(0, 0, pieceWidth, pieceHeight)
	for seed := range uint64(piecesEach) {
		kind := name
		if name == "detail" {
			kind = "photo"
		}
		m := encodetest.Find(kind).New(r, seed)
		if name == "detail" {
			for i, v := range encodetest.Find("noise").New(r, seed).Pix {
				m.Pix[i] = byte((7*int(m.Pix[i]) + int(v)) / 8)
			}
		}
		p := piece{part: deflate.Part{Unit: unit, Stride: unit * pieceWidth}}
		numbers := map[uint32]byte{}
		for y := range pieceHeight {
			for x := range pieceWidth {
				v := m.At(x, y)
				if unit == 3 {
					p.data = append(p.data, byte(v>>16), byte(v>>8), byte(v))
					continue
				}
				n, ok := numbers[v]
				if !ok {
					n = byte(len(numbers))
					numbers[v] = n
				}
				p.data = append(p.data, n)
			}
		}
		p.part.Size = len(p.data)
		list = append(list, p)
	}
	return list
}

var benchKinds = []struct {
	name string
	unit int
}{{"text", 1}, {"text", 3}, {"ui", 1}, {"ui", 3}, {"photo", 3}, {"detail", 3}, {"noise", 3}}

func benchName(name string, unit int) string {
	if unit == 1 {
		return name + "/indexed"
	}
	return name + "/full"
}

func bench(b *testing.B, compress func(dst []byte, p piece) []byte) {
	for _, k := range benchKinds {
		pieces := benchPieces(k.name, k.unit)
		total := 0
		for _, p := range pieces {
			total += len(p.data)
		}
		b.Run(benchName(k.name, k.unit), func(b *testing.B) {
			b.SetBytes(int64(total))
			b.ReportAllocs()
			var dst []byte
			size := 0
			for b.Loop() {
				size = 0
				for _, p := range pieces {
					dst = compress(dst[:0], p)
					size += len(dst)
				}
			}
			b.ReportMetric(float64(size), "out-B")
		})
	}
}

func BenchmarkFast(b *testing.B)  { benchOurs(b, deflate.Fast) }
func BenchmarkSmall(b *testing.B) { benchOurs(b, deflate.Small) }

func benchOurs(b *testing.B, e deflate.Effort) {
	var c deflate.Compressor
	bench(b, func(dst []byte, p piece) []byte { return c.Append(dst, p.data, []deflate.Part{p.part}, e) })
}

// BenchmarkKlauspost1 and 4 are the same with github.com/klauspost/compress.
func BenchmarkKlauspost1(b *testing.B) { benchOther(b, 1) }
func BenchmarkKlauspost4(b *testing.B) { benchOther(b, 4) }

func benchOther(b *testing.B, level int) {
	w := newOther(b, level)
	bench(b, w.compress)
}

type other struct {
	w   *flate.Writer
	out []byte
}

func newOther(t testing.TB, level int) *other {
	o := new(other)
	var err error
	o.w, err = flate.NewWriter(o, level)
	require.NoError(t, err)
	return o
}

func (o *other) Write(b []byte) (int, error) {
	o.out = append(o.out, b...)
	return len(b), nil
}

func (o *other) compress(dst []byte, p piece) []byte {
	o.out = dst
	o.w.Reset(o)
	if _, err := o.w.Write(p.data); err != nil {
		panic(err)
	}
	if err := o.w.Flush(); err != nil {
		panic(err)
	}
	return o.out
}

// TestSmaller holds the sizes below those of a general compressor that takes longer.
func TestSmaller(t *testing.T) {
	var c deflate.Compressor
	o := newOther(t, 1)
	for _, k := range benchKinds {
		ours, theirs := 0, 0
		for _, p := range benchPieces(k.name, k.unit) {
			ours += len(c.Append(nil, p.data, []deflate.Part{p.part}, deflate.Small))
			theirs += len(o.compress(nil, p))
		}
		t.Logf("%-14s %8d bytes, klauspost level 1: %8d", benchName(k.name, k.unit), ours, theirs)
		require.LessOrEqual(t, ours, theirs+theirs/200, benchName(k.name, k.unit))
	}
}
