package deflate_test

import (
	"image"
	"math/rand/v2"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"framebridge/encode/deflate"
	"framebridge/encode/encodetest"
)

// vocabulary are what programs write and menus offer.
var vocabulary = []string{
	"package", "returns", "nothing", "between", "without", "another", "session", "viewers",
	"pointer", "window:", "Options", "Default", "history", "screens", "display", "letters",
	"maximum", "minimum", "Preview", "Comment", "changed", "stopped", "running", "started",
}

// drawWord draws s at p into dst, of which a row has stride bytes, with the value ink.
func drawWord(dst []byte, stride int, p image.Point, s string, ink byte) {
	mask := image.NewAlpha(image.Rect(0, 0, stride, len(dst)/stride))
	face := basicfont.Face7x13
	(&font.Drawer{Dst: mask, Src: image.Opaque, Face: face, Dot: fixed.P(p.X, p.Y+face.Ascent)}).DrawString(s)
	for i, a := range mask.Pix {
		if a > 127 {
			dst[i] = ink
		}
	}
}

// benchWords are words of seven letters as Tight's Mono has them: bits, rows of bytes.
// Nine rows have all but what is below the line.
func benchWords() (list []piece) {
	const w, h, n = 48, 9, 1000
	rnd := rand.New(rand.NewPCG(41, 42))
	for range n {
		var pixels [h * w]byte
		drawWord(pixels[:], w, image.Pt(0, -2), vocabulary[rnd.IntN(len(vocabulary))], 1)
		p := piece{part: deflate.Part{Size: h * w / 8, Unit: 1, Stride: w / 8}}
		for at := 0; at < h*w; at += 8 {
			var v byte
			for _, bit := range pixels[at : at+8] {
				v = v<<1 | bit
			}
			p.data = append(p.data, v)
		}
		list = append(list, p)
	}
	return list
}

// benchMenus are entries of menus, in numbers of colours: a frame, text, a shortcut.
func benchMenus() (list []piece) {
	const w, h, n = 128, 16, 64
	rnd := rand.New(rand.NewPCG(43, 44))
	for range n {
		p := piece{data: make([]byte, w*h), part: deflate.Part{Size: w * h, Unit: 1, Stride: w}}
		for y := range h {
			p.data[y*w], p.data[y*w+w-1] = 1, 1
		}
		drawWord(p.data, w, image.Pt(8, 1), vocabulary[rnd.IntN(len(vocabulary))], 2)
		drawWord(p.data, w, image.Pt(80, 1), "Ctrl+"+string(rune('A'+rnd.IntN(26))), 3)
		list = append(list, p)
	}
	return list
}

// benchFull are 128 by 128 pixels of three bytes: of anti-aliased text or of grain.
func benchFull(name string) (list []piece) {
	for seed := range uint64(8) {
		m := encodetest.Find(name).New(image.Rect(0, 0, 128, 128), seed)
		p := piece{part: deflate.Part{Size: 128 * 128 * 3, Unit: 3, Stride: 128 * 3}}
		for y := range 128 {
			for x := range 128 {
				v := m.At(x, y)
				p.data = append(p.data, byte(v>>16), byte(v>>8), byte(v))
			}
		}
		list = append(list, p)
	}
	return list
}

var windowCases = []struct {
	name   string
	pieces func() []piece
}{
	{"words", benchWords},
	{"menus", benchMenus},
	{"text", func() []piece { return benchFull("text") }},
	{"grain", func() []piece { return benchFull("photo") }},
}

// benchStream measures a piece: its size in a stream in which it was not before, and the
// time. The pieces take more than the window, so that in the next round they are new.
func benchStream(b *testing.B, compress func(dst []byte, p piece) []byte) {
	for _, k := range windowCases {
		pieces := k.pieces()
		b.Run(k.name, func(b *testing.B) {
			var dst []byte
			size, n := 0, 0
			b.SetBytes(int64(len(pieces[0].data)))
			b.ReportAllocs()
			for b.Loop() {
				dst = compress(dst[:0], pieces[n%len(pieces)])
				size += len(dst)
				n++
			}
			b.ReportMetric(float64(size)/float64(n), "out-B")
		})
	}
}

func BenchmarkWindow1(b *testing.B) { benchWindow(b, 1) }
func BenchmarkWindow4(b *testing.B) { benchWindow(b, 4) }
func BenchmarkWindow6(b *testing.B) { benchWindow(b, 6) }

func benchWindow(b *testing.B, level int) {
	var w deflate.Window
	benchStream(b, func(dst []byte, p piece) []byte { return w.Append(dst, p.data, []deflate.Part{p.part}, level) })
}

func BenchmarkStreamKlauspost1(b *testing.B) { benchOtherStream(b, 1) }
func BenchmarkStreamKlauspost4(b *testing.B) { benchOtherStream(b, 4) }
func BenchmarkStreamKlauspost6(b *testing.B) { benchOtherStream(b, 6) }

func benchOtherStream(b *testing.B, level int) {
	o := newOther(b, level)
	o.w.Reset(o)
	benchStream(b, o.goOn)
}

// goOn is compress in a stream that goes on.
func (o *other) goOn(dst []byte, p piece) []byte {
	o.out = dst
	if _, err := o.w.Write(p.data); err != nil {
		panic(err)
	}
	if err := o.w.Flush(); err != nil {
		panic(err)
	}
	return o.out
}
