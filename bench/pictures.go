package bench

import (
	"image"
	"math"
	"math/rand/v2"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"framebridge/internal/pix"
)

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 (){};=+-*/<>.,_\"'"

// text draws a line of random letters of the 7x13 font into m with its top left
// at at, n letters long.
func text(m *pix.Image, at image.Point, n int, fg uint32, rnd *rand.Rand) {
	draw(m, at, words(n, rnd), fg)
}

// draw draws s.
func draw(m *pix.Image, at image.Point, s string, fg uint32) {
	face := basicfont.Face7x13
	mask := image.NewAlpha(image.Rect(0, 0, 7*len(s), 13))
	(&font.Drawer{Dst: mask, Src: image.Opaque, Face: face, Dot: fixed.P(0, face.Ascent)}).DrawString(s)
	for y := range 13 {
		for x := range 7 * len(s) {
			if p := at.Add(image.Pt(x, y)); mask.Pix[y*mask.Stride+x] != 0 && p.In(m.Rect) {
				m.Set(p.X, p.Y, fg)
			}
		}
	}
}

// page is a page of text in a window with a title bar and a few coloured boxes.
func page(w, h int, seed uint64) *pix.Image {
	rnd := rand.New(rand.NewPCG(seed, 11))
	m := pix.New(image.Rect(0, 0, w, h))
	m.Fill(m.Rect, 0xf8f8f4)
	m.Fill(image.Rect(0, 0, w, 22), 0x3a4f6e)
	text(m, image.Pt(8, 4), 24, 0xffffff, rnd)
	colours := []uint32{0x202020, 0x202020, 0x202020, 0x0030a0, 0x108030, 0xa02020}
	for y := 30; y < h-13; y += 15 {
		indent := rnd.IntN(5) * 28
		n := rnd.IntN(max(1, (w-16-indent)/7))
		text(m, image.Pt(8+indent, y), n, colours[rnd.IntN(len(colours))], rnd)
	}
	for range max(1, w*h/200000) {
		x, y := rnd.IntN(w), 22+rnd.IntN(max(1, h-22))
		m.Fill(image.Rect(x, y, x+60+rnd.IntN(80), y+20+rnd.IntN(30)), rnd.Uint32())
	}
	return m
}

// photo is a picture without two equal neighbours: smooth shapes and grain.
func photo(w, h int, seed uint64) *pix.Image {
	rnd := rand.New(rand.NewPCG(seed, 12))
	m := pix.New(image.Rect(0, 0, w, h))
	var fx, fy, ph [3]float64
	for i := range 3 {
		fx[i], fy[i], ph[i] = rnd.Float64()*9, rnd.Float64()*9, rnd.Float64()*6
	}
	for y := range h {
		row := m.Row(y, 0, w)
		for x := range w {
			u, v := float64(x)/float64(w), float64(y)/float64(h)
			for i := range 3 {
				c := 128 + 90*math.Sin(fx[i]*u+ph[i]+2*math.Sin(fy[i]*v)) + float64(rnd.IntN(13)) - 6
				row[4*x+i] = byte(max(0, min(255, c)))
			}
		}
	}
	return m
}

// ui is a desktop: windows with gradients in their title bars, buttons and text.
func ui(w, h int, seed uint64) *pix.Image {
	rnd := rand.New(rand.NewPCG(seed, 13))
	m := pix.New(image.Rect(0, 0, w, h))
	m.Fill(m.Rect, 0x2d5a88)
	for range 2 + w*h/120000 {
		x, y := rnd.IntN(w), rnd.IntN(h)
		win := image.Rect(x, y, x+120+rnd.IntN(500), y+80+rnd.IntN(350)).Intersect(m.Rect)
		m.Fill(win, 0x404040)
		in := win.Inset(1)
		m.Fill(in, 0xf0f0f0)
		for i := range 20 {
			shade := uint32(0x60 + 4*i)
			m.Fill(image.Rect(in.Min.X, in.Min.Y+i, in.Max.X, in.Min.Y+i+1).Intersect(in), shade<<16|shade<<8|0xd0)
		}
		for y := in.Min.Y + 26; y < in.Max.Y-16; y += 15 {
			if n := (in.Dx() - 16) / 7; n > 1 {
				text(m, image.Pt(in.Min.X+8, y), rnd.IntN(n), 0x202020, rnd)
			}
		}
		for i := range 3 {
			button := image.Rect(0, 0, 60, 18).Add(image.Pt(in.Min.X+8+70*i, in.Max.Y-24)).Intersect(in)
			m.Fill(button, 0x808080)
			m.Fill(button.Inset(1), 0xd8d8d8)
		}
	}
	return m
}
