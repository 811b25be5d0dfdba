package vp8

import (
	"image"
	"math/bits"

	"framebridge/encode/vp8/dsp"
)

// geometry is the size of a picture and what follows from it. Macroblocks are
// counted from 0; their infos have a column more at the left and a row more on
// top, which say that nothing is there.
type geometry struct {
	width, height     int // samples of luma
	mbWide, mbHigh    int // macroblocks
	infoStride        int
	yStride, uvStride int
	mapWords          int // of a row of a macroblockMap
}

func newGeometry(width, height int) geometry {
	g := geometry{width: width, height: height, mbWide: (width + 15) / 16, mbHigh: (height + 15) / 16}
	g.infoStride = g.mbWide + 1
	g.yStride, g.uvStride = 16*g.mbWide, 8*g.mbWide
	g.mapWords = (g.mbWide + 63) / 64
	return g
}

func (g *geometry) macroblocks() int { return g.mbWide * g.mbHigh }

// index is where the info of the macroblock at column x and row y is.
func (g *geometry) index(x, y int) int { return (y+1)*g.infoStride + x + 1 }

// number is the macroblock's in the order in which they are coded.
func (g *geometry) number(x, y int) int { return y*g.mbWide + x }

// cover is the rectangle of macroblocks that r touches.
func (g *geometry) cover(r image.Rectangle) image.Rectangle {
	r = r.Intersect(image.Rect(0, 0, g.width, g.height))
	if r.Empty() {
		return image.Rectangle{}
	}
	return image.Rect(r.Min.X/16, r.Min.Y/16, (r.Max.X+15)/16, (r.Max.Y+15)/16)
}

// Planes are the samples of a picture in I420, of whole macroblocks: U and V have
// half of Y's width and height.
type Planes struct {
	Y, U, V           []uint8
	YStride, UVStride int
}

func newPlanes(g *geometry) Planes {
	n := g.macroblocks()
	mem := make([]uint8, n*(256+64+64))
	return Planes{
		Y: mem[: n*256 : n*256], U: mem[n*256 : n*320 : n*320], V: mem[n*320:],
		YStride: g.yStride, UVStride: g.uvStride,
	}
}

func (p *Planes) clone() Planes {
	mem := make([]uint8, 0, len(p.Y)+len(p.U)+len(p.V))
	mem = append(append(append(mem, p.Y...), p.U...), p.V...)
	a, b := len(p.Y), len(p.Y)+len(p.U)
	return Planes{Y: mem[:a:a], U: mem[a:b:b], V: mem[b:], YStride: p.YStride, UVStride: p.UVStride}
}

// copyMacroblock copies the macroblock at column x and row y from another picture
// of the same size.
func (p *Planes) copyMacroblock(from *Planes, x, y int) {
	o := 16 * (y*p.YStride + x)
	dsp.Copy(p.Y[o:], p.YStride, from.Y[o:], p.YStride, 16, 16)
	o = 8 * (y*p.UVStride + x)
	dsp.Copy(p.U[o:], p.UVStride, from.U[o:], p.UVStride, 8, 8)
	dsp.Copy(p.V[o:], p.UVStride, from.V[o:], p.UVStride, 8, 8)
}

// macroblockMap is a set of macroblocks, a bit each, mapWords words per row.
type macroblockMap []uint64

func newMap(g *geometry) macroblockMap { return make(macroblockMap, g.mapWords*g.mbHigh) }

func (s macroblockMap) add(g *geometry, x, y int) { s[y*g.mapWords+x>>6] |= 1 << (x & 63) }

func (s macroblockMap) has(g *geometry, x, y int) bool {
	return s[y*g.mapWords+x>>6]>>(x&63)&1 != 0
}

// addRect adds the macroblocks of r, in macroblocks.
func (s macroblockMap) addRect(g *geometry, r image.Rectangle) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			s.add(g, x, y)
		}
	}
}

func (s macroblockMap) remove(g *geometry, x, y int) { s[y*g.mapWords+x>>6] &^= 1 << (x & 63) }

func (s macroblockMap) empty() bool {
	for _, w := range s {
		if w != 0 {
			return false
		}
	}
	return true
}

// count is how many there are.
func (s macroblockMap) count() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// each calls do for all macroblocks of s.
func (s macroblockMap) each(g *geometry, do func(x, y int)) {
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			do(i%g.mapWords*64+bits.TrailingZeros64(w), i/g.mapWords)
		}
	}
}
