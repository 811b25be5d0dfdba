package raw

import (
	"image"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/encode"
	"framebridge/encode/encodetest"
	"framebridge/internal/pix"
)

// decode decodes Raw as RFC 6143, section 7.7.1, has it.
func decode(t *testing.T, f pix.Format, w, h int, b []byte) []uint32 {
	out := make([]uint32, w*h)
	for i := range out {
		out[i], b = encodetest.Pixel(f, b)
	}
	require.Empty(t, b)
	return out
}

func TestRaw(t *testing.T) {
	encodetest.Lossless(t, New(encode.Params{Format: pix.BGRX}), decode, nil)
}

func TestAllocs(t *testing.T) {
	encodetest.NoAllocs(t, New(encode.Params{Format: pix.BGRX}), image.Rect(0, 0, 256, 256))
}

func BenchmarkRaw(b *testing.B) {
	encodetest.Bench(b, New(encode.Params{Format: pix.BGRX}))
}
