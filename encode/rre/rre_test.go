package rre

import (
	"encoding/binary"
	"image"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/encode"
	"framebridge/encode/encodetest"
	"framebridge/internal/pix"
)

// decoder decodes RRE as RFC 6143, section 7.7.3, has it, with coordinates of
// size bytes.
func decoder(size int) encodetest.Decoder {
	return func(t *testing.T, f pix.Format, w, h int, b []byte) []uint32 {
		n := binary.BigEndian.Uint32(b)
		background, b := encodetest.Pixel(f, b[4:])
		out := make([]uint32, w*h)
		for i := range out {
			out[i] = background
		}
		coordinate := func() (v int) {
			for _, c := range b[:size] {
				v = v<<8 | int(c)
			}
			b = b[size:]
			return v
		}
		for range n {
			var v uint32
			v, b = encodetest.Pixel(f, b)
			x, y := coordinate(), coordinate()
			sw, sh := coordinate(), coordinate()
			if sw == 0 || sh == 0 || x+sw > w || y+sh > h {
				t.Fatalf("%dx%d at %d,%d in %dx%d", sw, sh, x, y, w, h)
			}
			for j := range sh {
				for i := range sw {
					out[(y+j)*w+x+i] = v
				}
			}
		}
		require.Empty(t, b)
		return out
	}
}

func TestRRE(t *testing.T) {
	encodetest.Lossless(t, New(encode.Params{Format: pix.BGRX}), decoder(2), nil)
}

func TestCoRRE(t *testing.T) {
	encodetest.Lossless(t, NewCoRRE(encode.Params{Format: pix.BGRX}), decoder(1),
		func(p image.Point) bool { return p.X <= MaxCoRRE && p.Y <= MaxCoRRE })
}

func TestCoRRETooLarge(t *testing.T) {
	e := NewCoRRE(encode.Params{Format: pix.BGRX})
	m := pix.New(image.Rect(0, 0, 256, 256))
	for _, r := range []image.Rectangle{image.Rect(0, 0, 256, 1), image.Rect(0, 0, 1, 256)} {
		_, err := e.AppendRect(nil, m, r)
		require.ErrorContains(t, err, "255")
	}
	_, err := e.AppendRect(nil, m, image.Rect(0, 0, 255, 255))
	require.NoError(t, err)
}

func TestAllocs(t *testing.T) {
	encodetest.NoAllocs(t, New(encode.Params{Format: pix.BGRX}), image.Rect(0, 0, 200, 200))
}

func BenchmarkRRE(b *testing.B) {
	encodetest.Bench(b, New(encode.Params{Format: pix.BGRX}))
}
