package hextile

import (
	"image"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/encode"
	"framebridge/encode/encodetest"
	"framebridge/internal/pix"
)

// viewer decodes Hextile as RFC 6143, section 7.7.4, has it. Colours that are not
// defined, by the strictest reading of viewers, fail the test.
type viewer struct {
	flags map[byte]int
}

func (v *viewer) decode(t *testing.T, f pix.Format, w, h int, b []byte) []uint32 {
	out := make([]uint32, w*h)
	var background, foreground uint32
	hasBackground, hasForeground := false, false
	pixel := func() (p uint32) {
		p, b = encodetest.Pixel(f, b)
		return p
	}
	for ty := 0; ty < h; ty += 16 {
		for tx := 0; tx < w; tx += 16 {
			tw, th := min(16, w-tx), min(16, h-ty)
			flags := b[0]
			b = b[1:]
			v.flags[flags]++
			if flags&1 != 0 {
				for y := range th {
					for x := range tw {
						out[(ty+y)*w+tx+x] = pixel()
					}
				}
				hasBackground, hasForeground = false, false
				continue
			}
			if flags&2 != 0 {
				background, hasBackground = pixel(), true
			}
			require.True(t, hasBackground)
			if flags&4 != 0 {
				foreground, hasForeground = pixel(), true
			}
			for y := range th {
				for x := range tw {
					out[(ty+y)*w+tx+x] = background
				}
			}
			if flags&8 == 0 {
				continue
			}
			n := b[0]
			b = b[1:]
			require.NotZero(t, n)
			for range n {
				if flags&16 != 0 {
					require.Zero(t, flags&4)
					foreground, hasForeground = pixel(), false
				} else {
					require.True(t, hasForeground)
				}
				x, y := int(b[0]>>4), int(b[0]&15)
				sw, sh := int(b[1]>>4)+1, int(b[1]&15)+1
				b = b[2:]
				require.LessOrEqual(t, x+sw, tw)
				for j := range sh {
					for i := range sw {
						out[(ty+y+j)*w+tx+x+i] = foreground
					}
				}
			}
		}
	}
	require.Empty(t, b)
	return out
}

func TestHextile(t *testing.T) {
	v := viewer{map[byte]int{}}
	encodetest.Lossless(t, New(encode.Params{Format: pix.BGRX}), v.decode, nil)
	// The same foreground on another background, which the contents lack.
	m := pix.New(image.Rect(0, 0, 32, 16))
	m.Fill(image.Rect(0, 0, 16, 16), 0xffffff)
	m.Fill(image.Rect(16, 0, 32, 16), 0x808080)
	m.Fill(image.Rect(12, 4, 20, 8), 0x123456)
	out, err := New(encode.Params{Format: pix.BGRX}).AppendRect(nil, m, m.Rect)
	require.NoError(t, err)
	require.Equal(t, encodetest.Values(pix.BGRX, m, m.Rect), v.decode(t, pix.BGRX, 32, 16, out))
	for _, flags := range []byte{0, 1, 2, 8, 10, 12, 14, 24, 26} {
		require.NotZero(t, v.flags[flags], flags)
	}
}

// TestNeverMuchLargerThanRaw: a tile costs at most its flags more.
func TestNeverMuchLargerThanRaw(t *testing.T) {
	r := image.Rect(0, 0, 160, 160)
	for _, f := range encodetest.Formats {
		e := New(encode.Params{Format: f.Format})
		for _, c := range encodetest.Contents {
			out, err := e.AppendRect(nil, c.New(r, 1), r)
			require.NoError(t, err)
			require.LessOrEqual(t, len(out), 160*160*f.Bytes()+100, "%s %s", f.Name, c.Name)
		}
	}
}

func TestAllocs(t *testing.T) {
	encodetest.NoAllocs(t, New(encode.Params{Format: pix.BGRX}), image.Rect(0, 0, 256, 256))
}

func BenchmarkHextile(b *testing.B) {
	encodetest.Bench(b, New(encode.Params{Format: pix.BGRX}))
}
