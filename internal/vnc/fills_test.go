package vnc

import (
	"image"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
	"framebridge/rfb"
	"framebridge/rfb/rfbtest"
)

// TestFills: what is of one colour in a large update is one rectangle of a few
// bytes, before what is beside it; a painted pointer stays outside.
func TestFills(t *testing.T) {
	for _, painted := range []bool{false, true} {
		r := newRig(t, newCanvas(1000, 800), nil)
		text := image.Rect(300, 200, 700, 600)
		r.draw(r.img.Rect, func(m *pix.Image) {
			m.Fill(m.Rect, 0xf0f0ff)
			paint(m, text, 7)
		})
		encodings := []rfb.Encoding{rfb.EncodingTight, rfb.PseudoDesktopSize}
		if !painted {
			encodings = append(encodings, rfb.PseudoCursor)
		}
		c := r.dial(t, rfbtest.Options{Encodings: encodings})
		require.NoError(t, c.RequestUpdate(false, c.Bounds()))
		u, err := c.ReadUpdate()
		require.NoError(t, err)
		fills, pixels := 0, 0
		for _, q := range u.Rects {
			if q.Encoding == rfb.EncodingTight && q.Bytes == 12+4 && q.Area.Dx()*q.Area.Dy() >= fillArea {
				fills++
				pixels += q.Area.Dx() * q.Area.Dy()
				require.Less(t, fills, 9, "large areas, not many")
			}
		}
		require.Greater(t, pixels, (1000*800-400*400)*8/10)
		r.converge(t, c, pix.BGRX)
	}
}

// TestParts: a viewer that need not know the number of rectangles before gets those of
// too many colours in parts that have not; another one gets what was planned.
func TestParts(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(max(2, runtime.GOMAXPROCS(0)))) // one core makes no products
	for _, lastRect := range []bool{false, true} {
		r := newRig(t, newCanvas(256, 256), nil)
		r.draw(r.img.Rect, func(m *pix.Image) {
			m.Fill(m.Rect, 0xffffff)
			for i := range 256 * 256 / 16 { // 120 colours above, others below
				y := i * 16 / 256
				m.Set(i*16%256+i%5, y, uint32(i%120)*0x1f3b+uint32(y/64)*0x300000)
			}
		})
		encodings := []rfb.Encoding{rfb.EncodingTight, rfb.PseudoCursor}
		if lastRect {
			encodings = append(encodings, rfb.PseudoLastRect)
		}
		c := r.dial(t, rfbtest.Options{Encodings: encodings})
		require.NoError(t, c.RequestUpdate(false, c.Bounds()))
		u, err := c.ReadUpdate()
		require.NoError(t, err)
		n := 0
		for _, q := range u.Rects {
			if q.Encoding == rfb.EncodingTight {
				n++
			}
		}
		if lastRect {
			require.Greater(t, n, 1)
		} else {
			require.Equal(t, 1, n)
		}
		r.converge(t, c, pix.BGRX)
	}
}
