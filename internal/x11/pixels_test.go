package x11

import (
	"math/rand/v2"
	"testing"

	"github.com/BurntSushi/xgb/xproto"
	"github.com/stretchr/testify/require"
)

// TestConvert compares with arithmetic on single pixels, for all layouts, those
// of servers on big-endian machines among them.
func TestConvert(t *testing.T) {
	const direct = xproto.VisualClassTrueColor
	for _, f := range []PixelFormat{
		{Depth: 24, BitsPerPixel: 32, RowPad: 32, Class: direct, Red: 0xff0000, Green: 0xff00, Blue: 0xff},
		{Depth: 24, BitsPerPixel: 32, RowPad: 32, Class: direct, Red: 0xff, Green: 0xff00, Blue: 0xff0000},
		{Depth: 30, BitsPerPixel: 32, RowPad: 32, Class: direct, Red: 0x3ff00000, Green: 0xffc00, Blue: 0x3ff},
		{Depth: 24, BitsPerPixel: 24, RowPad: 32, Class: direct, Red: 0xff0000, Green: 0xff00, Blue: 0xff},
		{Depth: 16, BitsPerPixel: 16, RowPad: 32, Class: direct, Red: 0xf800, Green: 0x7e0, Blue: 0x1f},
		{Depth: 15, BitsPerPixel: 16, RowPad: 16, Class: direct, Red: 0x7c00, Green: 0x3e0, Blue: 0x1f},
		{Depth: 8, BitsPerPixel: 8, RowPad: 32, Class: direct, Red: 0xe0, Green: 0x1c, Blue: 0x3},
		{Depth: 8, BitsPerPixel: 8, RowPad: 8, Class: xproto.VisualClassPseudoColor, Entries: 256},
	} {
		for _, big := range []bool{false, true} {
			f.BigEndian = big
			c, err := NewConverter(f)
			require.NoError(t, err)
			if !f.Direct() {
				for i := range 256 {
					require.True(t, c.SetColour(i, uint32(i)*0x010307+1))
				}
			}
			const w, h = 13, 7
			stride := f.Stride(w)
			src, dst := make([]byte, stride*h), make([]byte, w*h*4)
			for i := range src {
				src[i] = byte(rand.Uint32())
			}
			c.Convert(dst, src, w, h, stride)
			n := f.BitsPerPixel / 8
			for i := range w * h {
				p := src[i/w*stride+i%w*n:][:n]
				var pixel uint32
				for k := range n {
					if big {
						pixel = pixel<<8 | uint32(p[k])
					} else {
						pixel |= uint32(p[k]) << (8 * k)
					}
				}
				scale := func(mask uint32) byte {
					v := pixel & mask
					for mask&1 == 0 {
						v, mask = v>>1, mask>>1
					}
					return byte(float64(v)*255/float64(mask) + 0.5)
				}
				want := []byte{byte(pixel*0x010307 + 1), byte((pixel*0x010307 + 1) >> 8), byte((pixel*0x010307 + 1) >> 16)}
				if f.Direct() {
					want = []byte{scale(f.Blue), scale(f.Green), scale(f.Red)}
				}
				require.Equal(t, want, dst[i*4:i*4+3], "%+v", f)
			}
		}
	}
	for _, f := range []PixelFormat{
		{BitsPerPixel: 1, RowPad: 32, Class: direct},
		{BitsPerPixel: 32, RowPad: 64, Class: direct},
		{BitsPerPixel: 32, RowPad: 32, Class: direct, Red: 0xff0000, Green: 0xff00},
		{BitsPerPixel: 32, RowPad: 32, Class: direct, Red: 0xf0f, Green: 0xff00, Blue: 0xff},
		{BitsPerPixel: 32, RowPad: 32, Class: direct, Red: 0x3ffff000, Green: 0xff, Blue: 0xff},
		{BitsPerPixel: 16, RowPad: 32, Class: xproto.VisualClassPseudoColor, Entries: 4096},
	} {
		_, err := NewConverter(f)
		require.Error(t, err, "%+v", f)
	}
}

func TestClampCursor(t *testing.T) {
	make := func(w, h, hotX, hotY int) *CursorImage {
		c := &CursorImage{Pix: make([]byte, w*h*4)}
		c.Size.X, c.Size.Y, c.Hot.X, c.Hot.Y = w, h, hotX, hotY
		for i := range w * h {
			c.Pix[i*4], c.Pix[i*4+1], c.Pix[i*4+3] = byte(i%w), byte(i/w), 255
		}
		return c
	}
	small := make(8, 8, 1, 2)
	require.Same(t, small, small.Clamp(8))
	for _, hot := range [][2]int{{0, 0}, {50, 50}, {99, 39}, {99, 0}} {
		c := make(100, 40, hot[0], hot[1]).Clamp(16)
		require.LessOrEqual(t, max(c.Size.X, c.Size.Y), 16)
		require.Len(t, c.Pix, c.Size.X*c.Size.Y*4)
		if hot[1] < 40 {
			// The pixel under the hot spot is the same as before.
			p := c.Pix[(c.Hot.Y*c.Size.X+c.Hot.X)*4:]
			require.Equal(t, []byte{byte(hot[0]), byte(hot[1])}, p[:2])
		}
	}
	empty := make(4, 4, 0, 0)
	clear(empty.Pix)
	require.Zero(t, empty.Clamp(16).Size)
}
