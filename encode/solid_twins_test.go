package encode

import (
	"image"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
)

// TestSolidRows looks at rectangles of all widths up to 80 pixels with no pixel of
// another colour, or one anywhere, which may lie just outside; the fourth bytes are
// garbage.
func TestSolidRows(t *testing.T) {
	both(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(9, 10))
		solid, not := 0, 0
		for w := 1; w <= 80; w++ {
			for _, h := range []int{1, 2, 3, 4, 5, 8, 16, 17} {
				r := image.Rect(3, 2, 3+w, 2+h)
				m := pix.New(image.Rect(0, 0, w+5, h+4))
				rgb := rnd.Uint32() & pix.RGBMask
				for i := 0; i < 8; i++ {
					m.Fill(m.Rect, rgb)
					for j := 3; j < len(m.Pix); j += 4 {
						m.Pix[j] = byte(rnd.Uint32())
					}
					p := image.Pt(rnd.IntN(w+5), rnd.IntN(h+4))
					m.Set(p.X, p.Y, rgb^1<<rnd.IntN(24))
					got, ok := Solid(m, r)
					require.Equal(t, !p.In(r) || w*h == 1, ok, "%v in %v", p, r)
					if ok {
						solid++
						require.Equal(t, m.At(3, 2), got)
					} else {
						not++
					}
				}
			}
		}
		require.Greater(t, solid, 100)
		require.Greater(t, not, 100)
	})
}
