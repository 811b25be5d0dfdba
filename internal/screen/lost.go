package screen

import (
	"image"
	"image/color"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"framebridge/capture"
	"framebridge/internal/pix"
)

// MarkLost shows the viewers that the source has gone: the last picture, or an
// empty one of the given size if there never was any, at half its brightness
// with message across it. It must not run concurrently with Run. The next Run
// ends the state.
func (s *Screen) MarkLost(message string, size image.Point) {
	dim := &pix.Image{}
	if s.store == nil {
		dim = pix.New(image.Rectangle{Max: size})
	} else {
		if s.Lost() {
			return
		}
		dim = pix.New(s.store.Rect)
		for i, b := range s.store.Pix {
			dim.Pix[i] = b / 2
		}
	}
	drawMessage(dim, message)
	s.mu.Lock()
	s.lost = true
	s.mu.Unlock()
	s.commit(&capture.Frame{Size: dim.Rect.Size(), Patches: []pix.Image{*dim}})
}

// drawMessage writes one line in the middle of m, white on a dark bar.
func drawMessage(m *pix.Image, message string) {
	const (
		scale   = 2
		padding = 8
	)
	face := basicfont.Face7x13
	w := font.MeasureString(face, message).Ceil()
	h := face.Height
	mask := image.NewAlpha(image.Rect(0, 0, w, h))
	(&font.Drawer{Dst: mask, Src: image.Opaque, Face: face, Dot: fixed.P(0, face.Ascent)}).DrawString(message)

	at := image.Pt((m.Rect.Dx()-w*scale)/2, (m.Rect.Dy()-h*scale)/2)
	text := image.Rectangle{Max: image.Pt(w*scale, h*scale)}.Add(at)
	m.Fill(text.Inset(-padding), 0x202020)
	for y := range h {
		for x := range w {
			if mask.AlphaAt(x, y) != (color.Alpha{}) {
				m.Fill(image.Rect(0, 0, scale, scale).Add(at).Add(image.Pt(x*scale, y*scale)), 0xffffff)
			}
		}
	}
}
