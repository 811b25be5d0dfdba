package zrle

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"image"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/encode"
	"framebridge/encode/encodetest"
	"framebridge/internal/pix"
)

// tiles decodes tiles as RFC 6143, section 7.7.5, has them.
type tiles struct {
	subs map[byte]int // sub-encodings seen
}

func (d *tiles) decode(t *testing.T, f pix.Format, w, h, size int, in io.ByteReader) []uint32 {
	next := func() byte {
		b, err := in.ReadByte()
		require.NoError(t, err)
		return b
	}
	pixel := func() uint32 {
		one, high := f.CPixel()
		b := make([]byte, one, 4)
		for i := range b {
			b[i] = next()
		}
		if one == 3 {
			// The missing byte: the low one of a pixel whose high ones are used,
			// and the other way round.
			if high == f.BigEndian {
				b = append(b, 0)
			} else {
				b = append([]byte{0}, b...)
			}
		}
		v, _ := encodetest.Pixel(f, b)
		return v
	}
	length := func() int {
		n := 1
		for {
			b := next()
			n += int(b)
			if b != 255 {
				return n
			}
		}
	}
	out := make([]uint32, w*h)
	for ty := 0; ty < h; ty += size {
		for tx := 0; tx < w; tx += size {
			tw, th := min(size, w-tx), min(size, h-ty)
			set := func(i int, v uint32) { out[(ty+i/tw)*w+tx+i%tw] = v }
			sub := next()
			d.subs[sub]++
			var palette []uint32
			if n := sub & 127; n > 0 {
				for range n {
					palette = append(palette, pixel())
				}
			}
			switch {
			case sub == 0:
				for i := range tw * th {
					set(i, pixel())
				}
			case sub == 1:
				for i := range tw * th {
					set(i, palette[0])
				}
			case sub <= 16:
				bits := map[bool]int{true: 1}[sub == 2]
				if bits == 0 {
					bits = map[bool]int{true: 2, false: 4}[sub <= 4]
				}
				for y := range th {
					var b byte
					left := 0
					for x := range tw {
						if left == 0 {
							b, left = next(), 8
						}
						left -= bits
						set(y*tw+x, palette[b>>left&(1<<bits-1)])
					}
				}
			case sub == 128:
				for i := 0; i < tw*th; {
					v := pixel()
					for range length() {
						set(i, v)
						i++
					}
				}
			case sub >= 130:
				for i := 0; i < tw*th; {
					b := next()
					n := 1
					if b&128 != 0 {
						n = length()
					}
					for range n {
						set(i, palette[b&127])
						i++
					}
				}
			default:
				t.Fatalf("sub-encoding %d", sub)
			}
		}
	}
	return out
}

func (d *tiles) require(t *testing.T) {
	for _, sub := range []byte{0, 1, 2, 3, 4, 5, 16, 128, 130, 131, 144} {
		require.NotZero(t, d.subs[sub], sub)
	}
}

type viewer struct {
	tiles
	in  bytes.Buffer
	out io.Reader
}

func (v *viewer) decode(t *testing.T, f pix.Format, w, h int, b []byte) []uint32 {
	require.Equal(t, len(b)-4, int(binary.BigEndian.Uint32(b)))
	v.in.Write(b[4:])
	if v.out == nil {
		z, err := zlib.NewReader(&v.in)
		require.NoError(t, err)
		v.out = z
	}
	out := v.tiles.decode(t, f, w, h, 64, oneByte{v.out})
	require.LessOrEqual(t, v.in.Len(), 5, "only an empty block may remain")
	return out
}

type oneByte struct{ io.Reader }

func (o oneByte) ReadByte() (byte, error) {
	var b [1]byte
	_, err := io.ReadFull(o.Reader, b[:])
	return b[0], err
}

func TestZRLE(t *testing.T) {
	v := viewer{tiles: tiles{map[byte]int{}}}
	e := New(encode.Params{Format: pix.BGRX})
	encodetest.Lossless(t, e, v.decode, nil)
	v.require(t)
	e.Release() // the stream goes on without its compressor
	encodetest.Lossless(t, e, v.decode, func(p image.Point) bool { return p.X < 20 })
}

// TestPieces compresses without the viewer, as for many viewers or on many cores.
func TestPieces(t *testing.T) {
	v := viewer{tiles: tiles{map[byte]int{}}}
	p := encode.Params{Format: pix.BGRX}
	encodetest.Lossless(t, &pieces{Packer: NewPacker(p), viewer: New(p)}, v.decode, nil)
}

type pieces struct {
	*Packer
	viewer *Encoder
	n      int
}

func (s *pieces) AppendRect(dst []byte, m *pix.Image, r image.Rectangle) ([]byte, error) {
	var p Prepared
	if err := s.Prepare(&p, m, r); err != nil {
		return dst, err
	}
	if s.n++; s.n%3 > 0 {
		if err := s.Compress(&p); err != nil {
			return dst, err
		}
	}
	return s.viewer.Append(dst, &p)
}

func TestTRLE(t *testing.T) {
	d := tiles{map[byte]int{}}
	encodetest.Lossless(t, NewTRLE(encode.Params{Format: pix.BGRX}),
		func(t *testing.T, f pix.Format, w, h int, b []byte) []uint32 {
			in := bytes.NewReader(b)
			out := d.decode(t, f, w, h, 16, in)
			require.Zero(t, in.Len())
			return out
		}, nil)
	d.require(t)
}

func TestErrors(t *testing.T) {
	e := New(encode.Params{Format: pix.BGRX, Compress: 10})
	_, err := e.AppendRect(nil, pix.New(image.Rect(0, 0, 1, 1)), image.Rect(0, 0, 1, 1))
	require.ErrorContains(t, err, "level 10")
}

func TestAllocs(t *testing.T) {
	p := encode.Params{Format: pix.BGRX, Compress: -1}
	encodetest.NoAllocs(t, New(p), image.Rect(0, 0, 256, 256))
	encodetest.NoAllocs(t, NewTRLE(p), image.Rect(0, 0, 256, 256))
}

func BenchmarkZRLE(b *testing.B) {
	encodetest.Bench(b, New(encode.Params{Format: pix.BGRX, Compress: -1}))
}

func BenchmarkZRLELevel1(b *testing.B) {
	encodetest.Bench(b, New(encode.Params{Format: pix.BGRX, Compress: 1}))
}

func BenchmarkZRLELevel6(b *testing.B) {
	encodetest.Bench(b, New(encode.Params{Format: pix.BGRX, Compress: 6}))
}

func BenchmarkTRLE(b *testing.B) {
	encodetest.Bench(b, NewTRLE(encode.Params{Format: pix.BGRX}))
}

// TestWords bounds what words cost that programs write here and there, with a tenth to
// spare.
func TestWords(t *testing.T) {
	encodetest.BoundWords(t, func(p encode.Params) encode.Encoder { return New(p) }, map[[2]int]float64{
		{-1, 30}: 22, {1, 30}: 22, {9, 30}: 22,
		{-1, 0}: 68, {1, 0}: 68, {9, 0}: 68,
	})
}
