package view_test

import (
	"image"

	"framebridge/capture/view"
	"framebridge/internal/pix"
)

// slow makes the picture of a source pixel by pixel, straight from what the
// options say, with sums over all pixels of the source.
func slow(src *pix.Image, o view.Options) *pix.Image {
	size := src.Rect.Max
	clip := src.Rect
	if o.Clip != (view.Geometry{}) {
		clip = o.Clip.In(size).Intersect(src.Rect)
		if clip.Empty() {
			clip = image.Rectangle{Max: image.Pt(min(o.Clip.Width, size.X), min(o.Clip.Height, size.Y))}
			o.Blank = true
		}
	}
	at := func(x, y int) (rgb [3]int) {
		p := image.Pt(x, y).Add(clip.Min)
		for _, g := range o.Blackout {
			if p.In(g.In(size)) {
				return rgb
			}
		}
		v := src.At(p.X, p.Y)
		return [3]int{int(v >> 16), int(v >> 8 & 255), int(v & 255)}
	}
	n, m := clip.Size(), slowSize(clip.Size(), o.Scale)
	scaled := pix.New(image.Rectangle{Max: m})
	across := make([][][2]int, m.X)
	for x := range across {
		across[x] = slowTaps(x, n.X, m.X, o.Scale)
	}
	for y := range m.Y {
		down := slowTaps(y, n.Y, m.Y, o.Scale)
		for x := range m.X {
			var sum [3]int
			total := 0
			for _, ty := range down {
				for _, tx := range across[x] {
					c := at(tx[0], ty[0])
					for i := range sum {
						sum[i] += c[i] * tx[1] * ty[1]
					}
					total += tx[1] * ty[1]
				}
			}
			var rgb uint32
			for _, v := range sum {
				rgb = rgb<<8 | uint32((v+total/2)/total)
			}
			if !o.Blank {
				scaled.Set(x, y, rgb)
			}
		}
	}
	return slowTurn(scaled, o.Rotation)
}

func slowSize(n image.Point, s view.Scale) image.Point {
	m := n
	if s == (view.Scale{}) {
		return n
	}
	if s.Width > 0 {
		m = image.Pt(s.Width, s.Height)
	} else {
		m = image.Pt(max(1, int(float64(n.X)*s.X+1e-6)), max(1, int(float64(n.Y)*s.Y+1e-6)))
	}
	if s.Pad > 1 {
		for m.X%s.Pad != 0 {
			m.X++
		}
		for m.Y%s.Pad != 0 {
			m.Y++
		}
	}
	switch {
	case s.AnyWidth:
	case m.X < 4:
		m.X = 4
	case m.X%4 == 1:
		m.X--
	case m.X%4 >= 2:
		m.X += 4 - m.X%4
	}
	return m
}

// slowTaps returns pairs of a pixel of the source and its weight.
func slowTaps(i, n, m int, s view.Scale) (taps [][2]int) {
	switch {
	case n == m:
		return [][2]int{{i, 1}}
	case s.Nearest:
		return [][2]int{{(2*i + 1) * n / (2 * m), 1}}
	case m > n || s.Interpolate:
		// Its middle, in units of 1/2m of a pixel of the source; a pixel of the source
		// counts by how near its own middle, (2j+1)m, is: not at all 2m away.
		c := (2*i + 1) * n
		c = min(max(c, m), (2*n-1)*m)
		for j := range n {
			if d := max(c-(2*j+1)*m, (2*j+1)*m-c); d < 2*m {
				taps = append(taps, [2]int{j, 2*m - d})
			}
		}
	default:
		for j := range n {
			if w := min((i+1)*n, (j+1)*m) - max(i*n, j*m); w > 0 {
				taps = append(taps, [2]int{j, w})
			}
		}
	}
	return taps
}

func slowTurn(src *pix.Image, r view.Rotation) *pix.Image {
	w, h := src.Rect.Dx(), src.Rect.Dy()
	out := pix.New(src.Rect)
	if r == view.Left || r == view.Right || r == view.RightFlip || r == view.LeftFlip {
		out = pix.New(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			v := src.At(x, y)
			switch r {
			case 0:
				out.Set(x, y, v)
			case view.FlipX:
				out.Set(w-1-x, y, v)
			case view.FlipY:
				out.Set(x, h-1-y, v)
			case view.Half:
				out.Set(w-1-x, h-1-y, v)
			case view.Right:
				out.Set(h-1-y, x, v)
			case view.Left:
				out.Set(y, w-1-x, v)
			case view.RightFlip:
				out.Set(y, x, v)
			case view.LeftFlip:
				out.Set(h-1-y, w-1-x, v)
			}
		}
	}
	return out
}
