package encodetest

import (
	"image"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"framebridge/encode"
	"framebridge/internal/pix"
)

// wordLetters is how long the words are that Words draws.
const wordLetters = 7

// Words draws n words in the colours of a terminal at random places, one after the other,
// and calls f after each with the screen and the rectangle of the word, 49 by 13 pixels.
// The words come from a list of so many; 0: each is made of random letters.
func Words(n, list int, f func(m *pix.Image, r image.Rectangle)) {
	screen := image.Rect(0, 0, 640, 480)
	rnd := rand.New(rand.NewPCG(51, 52))
	m := pix.New(screen)
	m.Fill(screen, 0)
	words := make([]string, list)
	for i := range words {
		words[i] = word(rnd)
	}
	colours := []uint32{0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5}
	face := basicfont.Face7x13
	size := image.Pt(wordLetters*face.Advance, face.Height)
	for range n {
		s := word(rnd)
		if list > 0 {
			s = words[rnd.IntN(list)]
		}
		cell := image.Pt(rnd.IntN((screen.Dx()-size.X)/face.Advance), rnd.IntN(screen.Dy()/size.Y))
		at := image.Pt(cell.X*face.Advance, cell.Y*size.Y)
		r := image.Rectangle{at, at.Add(size)}
		mask := image.NewAlpha(r)
		(&font.Drawer{Dst: mask, Src: image.Opaque, Face: face, Dot: fixed.P(at.X, at.Y+face.Ascent)}).DrawString(s)
		colour := colours[rnd.IntN(len(colours))]
		m.Fill(r, 0)
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				if mask.AlphaAt(x, y).A > 127 {
					m.Set(x, y, colour)
				}
			}
		}
		f(m, r)
	}
}

func word(rnd *rand.Rand) string {
	var b [wordLetters]byte
	for i := range b {
		b[i] = 'a' + byte(rnd.IntN(26))
	}
	return string(b[:])
}

// BoundWords checks that each of 300 of Words takes fewer bytes on average than bounds
// says for a compression level and the size of the list, in 32 bits a pixel.
func BoundWords(t *testing.T, open func(encode.Params) encode.Encoder, bounds map[[2]int]float64) {
	t.Helper()
	const n = 300
	for c, most := range bounds {
		e := open(encode.Params{Format: pix.BGRX, Compress: c[0], Quality: -1})
		total := 0
		Words(n, c[1], func(m *pix.Image, r image.Rectangle) {
			b, err := e.AppendRect(nil, m, r)
			require.NoError(t, err)
			require.NotEmpty(t, b)
			total += len(b)
		})
		require.Less(t, float64(total)/n, most, "compression %d, %d words", c[0], c[1])
	}
}
