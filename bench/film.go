package bench

import (
	"image"
	"math"
	"math/rand/v2"

	"framebridge/internal/pix"
)

// A film is a moving picture with what films have and drawn tests lack: a textured
// background that drifts by parts of pixels, things that move across it, light that
// changes, grain. It is the same in every run.
type film struct {
	seed    uint64
	texture [textureSide][textureSide]float32
}

// textureSide is the texture's period in pixels.
const textureSide = 256

func newFilm(seed uint64) *film {
	f := &film{seed: seed}
	rnd := rand.New(rand.NewPCG(seed, 14))
	// Octaves of smooth noise, so that there is detail of all sizes.
	for amp, cell := float32(56), textureSide/4; cell >= 2; amp, cell = amp*0.68, cell/2 {
		n := textureSide / cell
		grid := make([]float32, n*n)
		for i := range grid {
			grid[i] = amp * (2*rnd.Float32() - 1)
		}
		for y := range textureSide {
			v, j, l := float32(y%cell)/float32(cell), y/cell, (y/cell+1)%n
			for x := range textureSide {
				u, i, k := float32(x%cell)/float32(cell), x/cell, (x/cell+1)%n
				f.texture[y][x] += (grid[j*n+i]*(1-u)+grid[j*n+k]*u)*(1-v) + (grid[l*n+i]*(1-u)+grid[l*n+k]*u)*v
			}
		}
	}
	return f
}

// at is the texture between its pixels.
func (f *film) at(x, y float32) float32 {
	x0, y0 := int(math.Floor(float64(x))), int(math.Floor(float64(y)))
	u, v := x-float32(x0), y-float32(y0)
	const mask = textureSide - 1
	a, b := &f.texture[y0&mask], &f.texture[(y0+1)&mask]
	i, k := x0&mask, (x0+1)&mask
	return (a[i]*(1-u)+a[k]*u)*(1-v) + (b[i]*(1-u)+b[k]*u)*v
}

// frame is picture n of the film.
func (f *film) frame(size image.Point, n int) *pix.Image {
	m := pix.New(image.Rectangle{Max: size})
	t := float64(n)
	type ball struct{ x, y, r, tint float32 }
	var balls [3]ball
	for i := range balls {
		a := t*0.06*float64(i+1) + 2*float64(i)
		balls[i] = ball{
			x: float32(float64(size.X) * (0.5 + 0.42*math.Sin(a))), y: float32(float64(size.Y) * (0.5 + 0.4*math.Cos(0.7*a))),
			r: float32(28 + 16*i), tint: float32(24 * (i - 1)),
		}
	}
	light := float32(6 * math.Sin(t/9))
	grain := rand.NewPCG(f.seed, uint64(n))
	for y := range size.Y {
		row := m.Row(y, 0, size.X)
		var noise uint64
		for x := range size.X {
			if x%16 == 0 {
				noise = grain.Uint64()
			}
			fx, fy := float32(x), float32(y)
			v, tint := f.at(fx*0.8+1.3*float32(n), fy*0.8+0.4*float32(n))+118+light, float32(0)
			for i := range balls {
				b := &balls[i]
				if dx, dy := fx-b.x, fy-b.y; dx*dx+dy*dy < b.r*b.r {
					v, tint = f.at(dx*0.6+50*float32(i), dy*0.6+91*float32(i))*0.8+100+b.tint, b.tint
				}
			}
			v += float32(noise&7) - 3.5
			noise >>= 4
			row[4*x], row[4*x+1], row[4*x+2] = level(v*0.8+24-tint), level(v), level(v+tint)
		}
	}
	return m
}

func level(v float32) byte { return byte(max(0, min(255, v))) }
