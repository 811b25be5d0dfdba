package encode

import (
	"encoding/binary"
	"image"
	"math/bits"

	"framebridge/internal/pix"
)

// smallStep is the largest difference of a component between neighbours that
// counts as shading rather than as an edge.
const smallStep = 24

const (
	photoPiece   = 8  // pixels that lie side by side in a row
	photoColumns = 6  // about so many pieces are looked at in a row
	photoRows    = 40 // of about so many rows
)

// PhotoLike guesses from at most about 2000 pixels whether r, which lies in m,
// looks like a photograph, a film or noise, for which a lossy transform code
// fits, and not like text, drawings or plain gradients, which a lossless code
// keeps small and a lossy one would smear.
//
// Three kinds of neighbours are told apart: equal to the pixel on the right or
// below (flat parts and straight edges, which are most of any drawn content),
// different by a little, and different by much (the edges of letters). The pixels
// are taken in short pieces of rows: what they cost is mostly their way from the
// memory.
func PhotoLike(m *pix.Image, r image.Rectangle) bool {
	if r.Dx() < 2 || r.Dy() < 2 {
		return false
	}
	// Odd steps, so as not to beat with the widths that drawn content prefers.
	dx := max(photoPiece, (r.Dx()-1)/photoColumns) | 1
	dy := max(1, (r.Dy()-1)/photoRows) | 1
	total, equal, small := 0, 0, 0
	for y := r.Min.Y; y < r.Max.Y-1; y += dy {
		// Each row starts at another column: vertical structure must not hide.
		for x := r.Min.X + y*7%dx; x < r.Max.X-1; x += dx {
			n := min(photoPiece, r.Max.X-1-x)
			e, s := photoSteps(m.Row(y, x, x+n+1), m.Row(y+1, x, x+n))
			total += n
			equal += bits.OnesCount8(e)
			small += bits.OnesCount8(s &^ e)
		}
	}
	large := total - equal - small
	return equal*10 < total || equal*10 < total*8 && small >= 2*large
}

// photoStepsGeneric tells of each of up to photoPiece pixels whether it equals the
// one to the right, in row too, or the one in below, and whether its components differ
// from those to the right by at most smallStep. Bit i is pixel i.
func photoStepsGeneric(row, below []byte) (equal, small uint8) {
	b := binary.LittleEndian.Uint32(row) & pix.RGBMask
	for i := range len(below) / pix.BytesPerPixel {
		a := b
		b = binary.LittleEndian.Uint32(row[4*i+4:]) & pix.RGBMask
		if a == b || a == binary.LittleEndian.Uint32(below[4*i:])&pix.RGBMask {
			equal |= 1 << i
		}
		if step(a, b) <= smallStep {
			small |= 1 << i
		}
	}
	return equal, small
}

// step returns the largest difference of a component between two colours.
func step(a, b uint32) int {
	return max(abs(int(a>>16&255)-int(b>>16&255)), abs(int(a>>8&255)-int(b>>8&255)), abs(int(a&255)-int(b&255)))
}

func abs(v int) int { return max(v, -v) }
