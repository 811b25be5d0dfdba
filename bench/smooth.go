package bench

import (
	"image"
	"math/rand/v2"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/font/inconsolata"
	"golang.org/x/image/math/fixed"

	"framebridge/internal/pix"
)

// The works of bench live draw text with smooth edges, as browsers and editors do:
// some hundred colours in a page, where that of a bitmap font has ten. Servers that
// choose by the number of colours do quite different things with the two.

var regular, bold = inconsolata.Regular8x16, inconsolata.Bold8x16

// letterWidth and letterHeight are the size of both fonts' letters in pixels.
const letterWidth, letterHeight = 8, 16

// drawSmooth draws s over m with its top left at at.
func drawSmooth(m *pix.Image, at image.Point, s string, face *basicfont.Face, fg uint32) {
	mask := image.NewAlpha(image.Rect(0, 0, letterWidth*len(s), letterHeight))
	(&font.Drawer{Dst: mask, Src: image.Opaque, Face: face, Dot: fixed.P(0, face.Ascent)}).DrawString(s)
	for y := range letterHeight {
		for x := range mask.Stride {
			p := at.Add(image.Pt(x, y))
			if alpha := mask.Pix[y*mask.Stride+x]; alpha != 0 && p.In(m.Rect) {
				m.Set(p.X, p.Y, blend(m.At(p.X, p.Y), fg, alpha))
			}
		}
	}
}

// blend returns the colour b over a.
func blend(a, b uint32, alpha uint8) (out uint32) {
	for s := 0; s < 24; s += 8 {
		v := (a>>s&255)*(255-uint32(alpha)) + (b>>s&255)*uint32(alpha)
		out |= (v + 127) / 255 << s
	}
	return out
}

// words is a line of n random letters.
func words(n int, rnd *rand.Rand) string {
	s := make([]byte, n)
	for i := range s {
		if s[i] = ' '; rnd.IntN(6) != 0 {
			s[i] = letters[rnd.IntN(len(letters))]
		}
	}
	return string(s)
}

// theme is the colours of a text.
type theme struct {
	back, bar, title uint32
	text             [6]uint32
}

var themes = []theme{
	{0xf8f8f4, 0x3a4f6e, 0xffffff, [6]uint32{0x202020, 0x202020, 0x202020, 0x0030a0, 0x108030, 0xa02020}},
	{0x1e1e2e, 0x11111b, 0xcdd6f4, [6]uint32{0xcdd6f4, 0xcdd6f4, 0x89b4fa, 0xa6e3a1, 0xf38ba8, 0xfab387}},
}

// article is a page of an editor or a browser: a title, lines of text in several
// colours, a few boxes. Each third one is dark.
func article(w, h int, seed uint64) *pix.Image {
	rnd := rand.New(rand.NewPCG(seed, 14))
	t := themes[0]
	if seed%3 == 2 {
		t = themes[1]
	}
	m := pix.New(image.Rect(0, 0, w, h))
	m.Fill(m.Rect, t.back)
	m.Fill(image.Rect(0, 0, w, 22), t.bar)
	drawSmooth(m, image.Pt(8, 3), words(24, rnd), bold, t.title)
	for y := 30; y < h-letterHeight; y += 18 {
		indent := rnd.IntN(5) * 4 * letterWidth
		left := rnd.IntN(max(1, (w-16-indent)/letterWidth))
		for x := 8 + indent; left > 0; { // a few words of a colour
			n := min(left, 4+rnd.IntN(20))
			drawSmooth(m, image.Pt(x, y), words(n, rnd), regular, t.text[rnd.IntN(len(t.text))])
			x, left = x+n*letterWidth, left-n
		}
	}
	for range max(1, w*h/200000) {
		x, y := rnd.IntN(w), 22+rnd.IntN(max(1, h-22))
		m.Fill(image.Rect(x, y, x+60+rnd.IntN(80), y+20+rnd.IntN(30)), rnd.Uint32())
	}
	return m
}

// articleLine is a line of an article as high as a step of a scroll.
func articleLine(width int, rnd *rand.Rand) *pix.Image {
	m := pix.New(image.Rect(0, 0, width, scrollStep))
	m.Fill(m.Rect, themes[0].back)
	drawSmooth(m, image.Pt(8, -1), words(20+rnd.IntN(max(1, width/letterWidth-30)), rnd), regular, themes[0].text[0])
	return m
}

// smoothGlyph is character i of those that are typed.
func smoothGlyph(i int) *pix.Image {
	m := pix.New(image.Rectangle{Max: glyphSize})
	m.Fill(m.Rect, 0xffffff)
	drawSmooth(m, image.Pt(0, 1), string(letters[i*3]), regular, 0x101010)
	return m
}
