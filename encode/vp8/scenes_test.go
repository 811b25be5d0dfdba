package vp8

import (
	"image"
	"math"
	"math/rand/v2"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"framebridge/internal/pix"
)

// text draws a string of the 7x13 font with its top left at at.
func text(m *pix.Image, at image.Point, s string, ink uint32) {
	mask := image.NewAlpha(image.Rect(0, 0, 7*len(s), 13))
	(&font.Drawer{Dst: mask, Src: image.Opaque, Face: basicfont.Face7x13, Dot: fixed.P(0, basicfont.Face7x13.Ascent)}).DrawString(s)
	for y := range 13 {
		for x := range 7 * len(s) {
			if p := at.Add(image.Pt(x, y)); mask.Pix[y*mask.Stride+x] != 0 && p.In(m.Rect) {
				m.Set(p.X, p.Y, ink)
			}
		}
	}
}

// words is random text of n letters.
func words(rng *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(33 + rng.IntN(94))
		if rng.IntN(6) == 0 {
			b[i] = ' '
		}
	}
	return string(b)
}

var inks = []uint32{0x202020, 0x202020, 0x202020, 0x0030a0, 0x108030, 0xa02020}

// line draws a line of a page at the height y of r.
func line(m *pix.Image, rng *rand.Rand, r image.Rectangle, y int) {
	m.Fill(image.Rect(r.Min.X, y, r.Max.X, y+15), 0xf8f8f4)
	indent := rng.IntN(5) * 28
	text(m, image.Pt(r.Min.X+8+indent, y+1), words(rng, rng.IntN(max(1, (r.Dx()-16-indent)/7))), inks[rng.IntN(len(inks))])
}

// page draws a page of text and coloured boxes in r, every second one with a photo.
func page(m *pix.Image, r image.Rectangle, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 11))
	m.Fill(r, 0xf8f8f4)
	m.Fill(image.Rect(r.Min.X, r.Min.Y, r.Max.X, r.Min.Y+22), 0x3a4f6e)
	for y := r.Min.Y + 30; y < r.Max.Y-15; y += 15 {
		line(m, rng, r, y)
	}
	for range max(1, r.Dx()*r.Dy()/200000) {
		x, y := r.Min.X+rng.IntN(r.Dx()), r.Min.Y+rng.IntN(r.Dy())
		m.Fill(image.Rect(x, y, x+60+rng.IntN(80), y+20+rng.IntN(30)).Intersect(r), rng.Uint32())
	}
	if seed%2 == 0 {
		f := newFilm(seed)
		f.draw(m, image.Rect(r.Min.X+r.Dx()/4, r.Min.Y+r.Dy()/4, r.Max.X-r.Dx()/4, r.Max.Y-r.Dy()/4), 0)
	}
}

// A film is a moving picture with what films have: a textured background that
// drifts by parts of pixels, things that move across it, changing light, grain.
type film struct {
	rng   *rand.Rand
	noise [256][256]float32
}

func newFilm(seed uint64) *film {
	f := &film{rng: rand.New(rand.NewPCG(seed, 12))}
	// Several octaves, so that there is detail of all sizes.
	for amp, cell := float32(60), 64; cell >= 2; amp, cell = amp*0.62, cell/2 {
		n := 256 / cell
		grid := make([]float32, n*n)
		for i := range grid {
			grid[i] = amp * (2*f.rng.Float32() - 1)
		}
		for y := range 256 {
			for x := range 256 {
				u, v := float32(x%cell)/float32(cell), float32(y%cell)/float32(cell)
				x0, y0 := x/cell, y/cell
				x1, y1 := (x0+1)%n, (y0+1)%n
				a := grid[y0*n+x0]*(1-u) + grid[y0*n+x1]*u
				b := grid[y1*n+x0]*(1-u) + grid[y1*n+x1]*u
				f.noise[y][x] += a*(1-v) + b*v
			}
		}
	}
	return f
}

// at is the texture at a place between pixels.
func (f *film) at(x, y float64) float32 {
	x0, y0 := math.Floor(x), math.Floor(y)
	u, v := float32(x-x0), float32(y-y0)
	i, j := int(x0)&255, int(y0)&255
	k, l := (i+1)&255, (j+1)&255
	return (f.noise[j][i]*(1-u)+f.noise[j][k]*u)*(1-v) + (f.noise[l][i]*(1-u)+f.noise[l][k]*u)*v
}

// draw draws frame n in r.
func (f *film) draw(m *pix.Image, r image.Rectangle, n int) {
	t := float64(n)
	type ball struct{ x, y, r, dx, dy float64 }
	var balls [4]ball
	for i := range balls {
		a := t*0.05*float64(i+1) + float64(i)
		balls[i] = ball{
			x: float64(r.Dx()) * (0.5 + 0.4*math.Sin(a)), y: float64(r.Dy()) * (0.5 + 0.4*math.Cos(a*0.7)),
			r: 30 + 15*float64(i), dx: 40 * float64(i), dy: 77 * float64(i),
		}
	}
	grain := f.rng.Uint64()
	for y := range r.Dy() {
		for x := range r.Dx() {
			fx, fy := float64(x), float64(y)
			v := f.at(fx*0.8+1.3*t, fy*0.8+0.4*t) + 115
			tint := float32(0)
			for i := range balls {
				b := &balls[i]
				if dx, dy := fx-b.x, fy-b.y; dx*dx+dy*dy < b.r*b.r {
					v = f.at(dx*0.6+b.dx, dy*0.6+b.dy)*0.8 + 90 + 20*float32(i)
					tint = float32(20 * (i - 1))
				}
			}
			grain = grain*6364136223846793005 + 1442695040888963407
			v += float32(grain>>61) - 3.5
			at := image.Pt(r.Min.X+x, r.Min.Y+y)
			if !at.In(m.Rect) {
				continue
			}
			m.Set(at.X, at.Y, level(v+tint)<<16|level(v)<<8|level(v*0.8+20-tint))
		}
	}
}

func level(v float32) uint32 { return uint32(max(0, min(255, v))) }

// psnr compares luma in r of the encoder's picture with that of m.
func psnr(e *Encoder, m *pix.Image, r image.Rectangle) float64 {
	want := newPlanes(&e.geometry)
	c := coder{Encoder: &Encoder{geometry: e.geometry, src: want, picture: m}}
	for y := range e.mbHigh {
		c.convert(0, y, e.mbWide)
	}
	var sum float64
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			d := float64(e.ref.Y[y*e.yStride+x]) - float64(want.Y[y*e.yStride+x])
			sum += d * d
		}
	}
	if sum == 0 {
		return 99
	}
	return 10 * math.Log10(255*255*float64(r.Dx()*r.Dy())/sum)
}
