package vnc

import (
	"image"
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
