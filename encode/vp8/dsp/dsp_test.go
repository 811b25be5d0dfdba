package dsp

import (
	"image"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
)

// randomSamples fills b with one of several kinds of noise: any, extremes, small
// steps, one value.
func randomSamples(rnd *rand.Rand, b []uint8) {
	kind, first := rnd.IntN(4), uint8(rnd.Uint32())
	for i := range b {
		switch kind {
		case 0:
			b[i] = uint8(rnd.Uint32())
		case 1:
			b[i] = uint8(rnd.IntN(2)) * 255
		case 2:
			b[i] = first + uint8(rnd.IntN(9))
		default:
			b[i] = first
		}
	}
}

// TestGrey: grey has no chroma, and black and white are the ends of the range.
func TestGrey(t *testing.T) {
	m := pix.New(image.Rect(0, 0, 256, 2))
	for x := range 256 {
		for y := range 2 {
			m.Set(x, y, uint32(x/2*2*0x010101))
		}
	}
	m.Set(255, 0, 0xffffff)
	m.Set(255, 1, 0xffffff)
	m.Set(254, 0, 0xffffff)
	m.Set(254, 1, 0xffffff)
	y, u, v := make([]uint8, 256*16), make([]uint8, 128*8), make([]uint8, 128*8)
	Convert(y, u, v, 256, 128, m, image.Rect(0, 0, 256, 16))
	require.EqualValues(t, 16, y[0])
	require.EqualValues(t, 235, y[255])
	for i := range u {
		require.EqualValues(t, 128, u[i])
		require.EqualValues(t, 128, v[i])
	}
}

// TestTransformRoundTrip: the inverse transform undoes the forward one.
func TestTransformRoundTrip(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		src, pred, dst := make([]uint8, 256), make([]uint8, 256), make([]uint8, 256)
		randomSamples(rnd, src)
		randomSamples(rnd, pred)
		coef := make([]int16, 256)
		ForwardDCT(coef, src, 16, pred, 16, 4, 4)
		var y2 [16]int16
		ForwardWHT(&y2, coef)
		InverseWHT(coef, &y2)
		InverseDCTAdd(dst, 16, pred, 16, coef, 0xffff, 4, 4)
		for i := range dst {
			require.InDelta(t, src[i], dst[i], 1)
		}
	}
}
