package encode

import (
	"image"

	"framebridge/internal/pix"
)

// smallStep is the largest difference of a component between neighbours that
// counts as shading rather than as an edge.
const smallStep = 24

// PhotoLike guesses from at most about 2000 samples whether r, which lies in m,
// looks like a photograph, a film or noise, for which a lossy transform code
// fits, and not like text, drawings or plain gradients, which a lossless code
// keeps small and a lossy one would smear.
//
// Three kinds of neighbours are told apart: equal to the pixel on the right or
// below (flat parts and straight edges, which are most of any drawn content),
// different by a little, and different by much (the edges of letters).
func PhotoLike(m *pix.Image, r image.Rectangle) bool {
	if r.Dx() < 2 || r.Dy() < 2 {
		return false
	}
	// Odd steps, so as not to beat with the widths that drawn content prefers.
	dx := max(1, (r.Dx()-1)/48) | 1
	dy := max(1, (r.Dy()-1)/40) | 1
	equal, small, large := 0, 0, 0
	for y := r.Min.Y; y < r.Max.Y-1; y += dy {
		// Each row starts at another column: vertical structure must not hide.
		for x := r.Min.X + y*7%dx; x < r.Max.X-1; x += dx {
			a, b := m.At(x, y), m.At(x+1, y)
			switch {
			case a == b || a == m.At(x, y+1):
				equal++
			case step(a, b) <= smallStep:
				small++
			default:
				large++
			}
		}
	}
	total := equal + small + large
	return equal*10 < total || equal*10 < total*8 && small >= 2*large
}

// step returns the largest difference of a component between two colours.
func step(a, b uint32) int {
	return max(abs(int(a>>16&255)-int(b>>16&255)), abs(int(a>>8&255)-int(b>>8&255)), abs(int(a&255)-int(b&255)))
}

func abs(v int) int { return max(v, -v) }
