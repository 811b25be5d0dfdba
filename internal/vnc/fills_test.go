package vnc

import (
	"image"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/encode"
	"framebridge/encode/tight"
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

// TestSmallFirst: words here and there are not made one by one on other cores, with
// tables of their own, though a large picture changes with them; and they come first.
func TestSmallFirst(t *testing.T) {
	for _, encoding := range []rfb.Encoding{rfb.EncodingTight, rfb.EncodingZRLE} {
		r := newRig(t, newCanvas(1000, 800), nil)
		c := r.dial(t, rfbtest.Options{Encodings: []rfb.Encoding{encoding, rfb.PseudoCursor}})
		r.converge(t, c, pix.BGRX)
		var words []image.Rectangle
		for i := range 20 {
			words = append(words, image.Rect(0, 0, 42, 13).Add(image.Pt(70+200*(i%4), 10+150*(i/4))))
		}
		picture := image.Rect(300, 50, 700, 150)
		r.draw(r.img.Rect, func(m *pix.Image) {
			paint(m, picture, 3)
			for _, w := range words {
				m.Fill(w, 0xe0e0ff)
				for i := range 60 { // each the same word
					m.Set(w.Min.X+i*17%42, w.Min.Y+i*29%13, 0x202020)
				}
			}
		})
		require.NoError(t, c.RequestUpdate(true, c.Bounds()))
		u, err := c.ReadUpdate()
		require.NoError(t, err)
		small, bytes := 0, int64(0)
		for i, q := range u.Rects {
			if q.Area.Overlaps(picture) || q.Encoding != encoding {
				continue
			}
			require.Equal(t, small, i, "small ones come first")
			small++
			bytes += q.Bytes
		}
		require.Greater(t, small, 10)
		t.Log(encoding, small, bytes)
		r.converge(t, c, pix.BGRX)
	}
}

// TestParts: a viewer that need not know the number of rectangles before gets those of
// too many colours in parts that have not; another one gets what was planned.
func TestParts(t *testing.T) {
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

// TestRounded: on a slow link, what has too many colours for a palette gets fewer, and
// is known to be an approximation; the rest is exact.
func TestRounded(t *testing.T) {
	r := newRig(t, newCanvas(256, 128), nil)
	r.draw(r.img.Rect, func(m *pix.Image) {
		m.Fill(m.Rect, 0xffffff)
		for i := range 256 * 64 / 8 { // below: letters in greys and in reds
			grey := uint32(i*89) & 0xff
			m.Set(i*8%256+i%5, 64+i*8/256, grey<<16|(grey/2)<<8|uint32(i%2)*grey)
		}
		for i := range 256 * 64 / 16 { // above: a few colours
			m.Set(i*16%256+i%7, i*16/256, uint32(i%9)*0x1f3b11)
		}
	})
	c := r.dial(t, rfbtest.Options{Encodings: []rfb.Encoding{rfb.EncodingTight, rfb.PseudoLastRect, rfb.PseudoJPEGQuality0 + 6}})
	require.NoError(t, c.RequestUpdate(false, c.Bounds()))
	_, err := c.ReadUpdate()
	require.NoError(t, err)

	how := recipe{encoding: rfb.EncodingTight, params: encode.Params{Format: pix.BGRX, Compress: 1, Quality: 6}}
	made := func(rect image.Rectangle, rounded bool) *product {
		how.rounded = rounded
		p := r.srv.shop.wait(r.srv.shop.make(how, rect, false), 0)
		require.NoError(t, p.err)
		return p
	}
	low, high := image.Rect(0, 64, 256, 128), image.Rect(0, 0, 256, 64)
	exact, fewer := made(low, false), made(low, true)
	require.Equal(t, tight.Full, exact.tight[0].Class)
	require.False(t, exact.inexact)
	require.Equal(t, tight.Indexed, fewer.tight[0].Class)
	require.True(t, fewer.inexact)
	require.Less(t, len(fewer.tight[0].Piece)*3, len(exact.tight[0].Piece)*2)
	require.False(t, made(high, true).inexact, "there is room in a palette")

	// Only a link known to be slow has it, and only for a large update.
	se := new(session)
	se.recipe = how
	se.recipe.rounded = false
	screenful := []image.Rectangle{image.Rect(0, 0, 1920, 1080)}
	require.False(t, se.recipeFor(screenful).rounded)
	se.link.rate = 1e6
	require.True(t, se.recipeFor(screenful).rounded)
	require.False(t, se.recipeFor([]image.Rectangle{image.Rect(0, 0, 100, 20)}).rounded)
	se.recipe.params.Quality = -1
	require.False(t, se.recipeFor(screenful).rounded, "the viewer allows no approximation")
}
