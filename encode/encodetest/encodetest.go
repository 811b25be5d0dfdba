// Package encodetest has what the tests of all encoders share: pixel formats,
// sizes, contents, and the walk through all of them.
package encodetest

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/encode"
	"framebridge/internal/pix"
)

// Formats are pixel formats that viewers ask for, by name.
var Formats = []struct {
	Name string
	pix.Format
}{
	{"bgrx", pix.BGRX},
	{"bgrx big-endian", rgb(32, 24, true, 255, 16, 8, 0)},
	{"rgbx", rgb(32, 24, false, 255, 0, 8, 16)},
	{"rgbx big-endian", rgb(32, 24, true, 255, 0, 8, 16)},
	{"high", rgb(32, 24, false, 255, 24, 16, 8)},
	{"high big-endian", rgb(32, 24, true, 255, 24, 16, 8)},
	{"depth 32", rgb(32, 32, false, 255, 16, 8, 0)},
	{"depth 30", rgb(32, 30, false, 1023, 20, 10, 0)},
	{"depth 18 in 32", rgb(32, 18, false, 63, 12, 6, 0)},
	{"565", pix.Format{BitsPerPixel: 16, Depth: 16, TrueColour: true, RedMax: 31, GreenMax: 63, BlueMax: 31, RedShift: 11, GreenShift: 5}},
	{"565 big-endian", pix.Format{BitsPerPixel: 16, Depth: 16, BigEndian: true, TrueColour: true, RedMax: 31, GreenMax: 63, BlueMax: 31, RedShift: 11, GreenShift: 5}},
	{"555", rgb(16, 15, false, 31, 10, 5, 0)},
	{"bgr233", pix.Format{BitsPerPixel: 8, Depth: 8, TrueColour: true, RedMax: 7, GreenMax: 7, BlueMax: 3, GreenShift: 3, BlueShift: 6}},
	{"colour map", pix.Format{BitsPerPixel: 8, Depth: 8}},
}

func rgb(bpp, depth uint8, big bool, most uint16, r, g, b uint8) pix.Format {
	return pix.Format{
		BitsPerPixel: bpp, Depth: depth, BigEndian: big, TrueColour: true,
		RedMax: most, GreenMax: most, BlueMax: most, RedShift: r, GreenShift: g, BlueShift: b,
	}
}

// Sizes are the sizes tried: around those of tiles, thin, wide.
var Sizes = []image.Point{
	{1, 1}, {2, 1}, {1, 7}, {3, 5}, {15, 16}, {16, 17}, {17, 15}, {63, 64}, {64, 65}, {65, 63},
	{100, 33}, {300, 7}, {7, 300}, {2048, 2},
}

// Contents are kinds of pictures by name; Draw fills an image.
var Contents = func() (list []Content) {
	list = []Content{
		{"solid", func(m *pix.Image, _ *rand.Rand) { m.Fill(m.Rect, 0x336699) }},
		{"text", drawText}, {"ui", drawUI}, {"photo", drawPhoto},
		{"gradient", func(m *pix.Image, _ *rand.Rand) {
			each(m, func(x, y int) uint32 { return uint32(x&255)<<16 | uint32(y&255)<<8 | uint32(x+y)&255 })
		}},
		{"noise", func(m *pix.Image, r *rand.Rand) { each(m, func(int, int) uint32 { return r.Uint32() }) }},
		{"sparse", func(m *pix.Image, r *rand.Rand) {
			m.Fill(m.Rect, 0xffffff)
			for range m.Rect.Dx() * m.Rect.Dy() / 40 {
				m.Set(m.Rect.Min.X+r.IntN(m.Rect.Dx()), m.Rect.Min.Y+r.IntN(m.Rect.Dy()), r.Uint32())
			}
		}},
	}
	for _, n := range []int{2, 3, 4, 5, 16, 17, 127, 128, 256, 257} {
		list = append(list, Content{fmt.Sprintf("%d colours", n), func(m *pix.Image, r *rand.Rand) {
			i := -1 // every colour occurs once, then at random, in short runs
			each(m, func(int, int) uint32 {
				if i++; i >= n && r.IntN(3) == 0 {
					i = n + r.IntN(n)
				}
				return uint32(i%n) * 0x1f3b57
			})
		}})
	}
	return list
}()

// Content is a kind of picture.
type Content struct {
	Name string
	Draw func(m *pix.Image, r *rand.Rand)
}

// New returns a picture of the kind, with garbage in each pixel's fourth byte.
func (c Content) New(r image.Rectangle, seed uint64) *pix.Image {
	m := pix.New(r)
	rnd := rand.New(rand.NewPCG(seed, 7))
	c.Draw(m, rnd)
	for i := 3; i < len(m.Pix); i += 4 {
		m.Pix[i] = byte(rnd.Uint32())
	}
	return m
}

// Find returns the content of a name; an unknown name is a mistake in the test.
func Find(name string) Content {
	for _, c := range Contents {
		if c.Name == name {
			return c
		}
	}
	panic("no content " + name)
}

func each(m *pix.Image, f func(x, y int) uint32) {
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		for x := m.Rect.Min.X; x < m.Rect.Max.X; x++ {
			m.Set(x, y, f(x, y))
		}
	}
}

// drawText imitates lines of anti-aliased letters on white: stems, bars and
// blends between them.
func drawText(m *pix.Image, r *rand.Rand) {
	m.Fill(m.Rect, 0xffffff)
	shades := []uint32{0x000000, 0x404040, 0x8c8c8c, 0xd0d0d0}
	for y := m.Rect.Min.Y + 2; y < m.Rect.Max.Y; y += 18 {
		for x := m.Rect.Min.X + 4; x < m.Rect.Max.X; x += 8 {
			if r.IntN(6) == 0 {
				continue // a space
			}
			stem, bar := r.IntN(5), r.IntN(10)
			m.Fill(image.Rect(x+stem, y, x+stem+1, y+11), shades[0])
			m.Fill(image.Rect(x+stem+1, y, x+stem+2, y+11), shades[1+r.IntN(3)])
			m.Fill(image.Rect(x, y+bar, x+6, y+bar+1), shades[r.IntN(2)])
			m.Fill(image.Rect(x+1, y+bar+1, x+5, y+bar+2), shades[3])
		}
	}
}

// drawUI imitates a desktop: windows with borders, title bars with gradients,
// buttons and lines of text.
func drawUI(m *pix.Image, r *rand.Rand) {
	m.Fill(m.Rect, 0x2d5a88)
	w, h := m.Rect.Dx(), m.Rect.Dy()
	for range 1 + w*h/60000 {
		x, y := m.Rect.Min.X+r.IntN(w), m.Rect.Min.Y+r.IntN(h)
		win := image.Rect(x, y, x+20+r.IntN(500), y+20+r.IntN(350)).Intersect(m.Rect)
		m.Fill(win, 0xf0f0f0)
		for i := range 20 {
			shade := uint32(0x60 + 4*i)
			m.Fill(image.Rect(win.Min.X, win.Min.Y+i, win.Max.X, win.Min.Y+i+1).Intersect(win), shade<<16|shade<<8|0xd0)
		}
		body := win
		body.Min.Y += 20
		body = body.Inset(8)
		if !body.Empty() {
			sub := m.Sub(body)
			drawText(&sub, r)
		}
		m.Fill(image.Rect(win.Min.X, win.Min.Y, win.Min.X+1, win.Max.Y), 0x404040)
		m.Fill(image.Rect(win.Max.X-1, win.Min.Y, win.Max.X, win.Max.Y), 0x404040)
	}
}

// drawPhoto adds waves of several lengths and a little noise, which is what a
// photograph is to a compressor.
func drawPhoto(m *pix.Image, r *rand.Rand) {
	var phase [3][4]float64
	for i := range phase {
		for j := range phase[i] {
			phase[i][j] = r.Float64() * 7
		}
	}
	each(m, func(x, y int) uint32 {
		var v uint32
		fx, fy := float64(x), float64(y)
		for _, p := range phase {
			s := 128 + 50*math.Sin(fx/97+p[0])*math.Cos(fy/71+p[1]) + 30*math.Sin((fx+fy)/23+p[2]) +
				12*math.Sin(fx/5+p[3])*math.Sin(fy/7) + 3*r.NormFloat64()
			v = v<<8 | uint32(min(max(s, 0), 255))
		}
		return v
	})
}

// Encoder is what all encoders of this program can do.
type Encoder interface {
	encode.Encoder
	SetParams(encode.Params)
}

// A Decoder is a viewer's side: it decodes one payload into pixel values, row by
// row, and fails the test unless it consumes all of it.
type Decoder func(t *testing.T, f pix.Format, w, h int, payload []byte) []uint32

// Lossless sends contents in all sizes and formats through one encoder, at
// changing compression levels from -1 to 9, and requires of every rectangle that
// the decoder gets the values that the format has for the pixels. fits tells
// which sizes the encoding can carry; nil: all.
func Lossless(t *testing.T, e Encoder, decode Decoder, fits func(image.Point) bool) {
	t.Helper()
	n := 0
	buf := []byte("before")
	for i, f := range Formats {
		require.NoError(t, f.Validate(), f.Name)
		for k, size := range Sizes {
			if fits != nil && !fits(size) {
				continue
			}
			for j, c := range Contents {
				if (i+k+j)%3 != 0 {
					continue // every content in every size, in a third of the formats
				}
				n++
				e.SetParams(encode.Params{Format: f.Format, Compress: n%11 - 1, Quality: -1})
				// A part of a larger image, so that rows do not lie side by side.
				r := image.Rectangle{Max: size}.Add(image.Pt(3, 5))
				whole := r
				if n%2 == 0 {
					whole = image.Rect(1, 2, r.Max.X+n%3, r.Max.Y+1)
				}
				m := c.New(whole, uint64(n))
				out, err := e.AppendRect(buf[:6], m, r)
				name := fmt.Sprintf("%s, %s, %v, level %d", f.Name, c.Name, size, n%11-1)
				require.NoError(t, err, name)
				require.Equal(t, "before", string(out[:6]), name)
				got := decode(t, f.Format, size.X, size.Y, out[6:])
				want := Values(f.Format, m, r)
				require.Len(t, got, len(want), name)
				for i := range want {
					if want[i] != got[i] {
						t.Fatalf("%s: pixel %d: want %#x, got %#x", name, i, want[i], got[i])
					}
				}
				buf = out
			}
		}
	}
	require.Greater(t, n, 100)
}

// Values returns the pixel values in f of r's pixels, row by row, computed
// without package pix's tables.
func Values(f pix.Format, m *pix.Image, r image.Rectangle) []uint32 {
	var out []uint32
	if !f.TrueColour {
		f.RedMax, f.GreenMax, f.BlueMax, f.RedShift, f.GreenShift = 7, 7, 3, 5, 2
	}
	part := func(v uint32, most uint16, shift uint8) uint32 {
		return uint32(math.Round(float64(v&255)*float64(most)/255)) << shift
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			c := m.At(x, y)
			out = append(out, part(c>>16, f.RedMax, f.RedShift)|part(c>>8, f.GreenMax, f.GreenShift)|part(c, f.BlueMax, f.BlueShift))
		}
	}
	return out
}

// Pixel reads one pixel as PIXEL_FORMAT lays it out (RFC 6143, section 7.4) and
// returns what follows it.
func Pixel(f pix.Format, b []byte) (uint32, []byte) {
	n := int(f.BitsPerPixel) / 8
	var v uint32
	for i := range n {
		if f.BigEndian {
			v = v<<8 | uint32(b[i])
		} else {
			v |= uint32(b[i]) << (8 * i)
		}
	}
	return v, b[n:]
}
