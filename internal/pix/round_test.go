package pix

import (
	"image"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRound(t *testing.T) {
	m := New(image.Rect(2, 3, 258, 5))
	for x := range 256 {
		m.Set(2+x, 3, uint32(x)*0x010101)
		m.Set(2+x, 4, uint32(x)<<16|uint32(255-x)<<8|7)
	}
	before := append([]byte(nil), m.Pix...)
	m.Round(image.Rect(2, 3, 258, 4))
	levels := map[uint32]bool{}
	for x := range 256 {
		v := m.At(2+x, 3)
		levels[v] = true
		for s := 0; s < 24; s += 8 {
			require.InDelta(t, x, int(v>>s&255), 4)
		}
	}
	require.Len(t, levels, 1<<roundBits)
	require.True(t, levels[0] && levels[0xffffff], "black and white stay")
	require.Equal(t, before[m.Stride:], m.Pix[m.Stride:], "what lies outside")
	again := append([]byte(nil), m.Pix...)
	m.Round(m.Rect.Intersect(image.Rect(2, 3, 258, 4)))
	require.Equal(t, again, m.Pix, "what is rounded stays")
}
