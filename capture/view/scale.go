package view

import (
	"errors"
	"fmt"
	"image"
	"math"
	"sort"

	"framebridge/internal/pix"
)

// Scale says how large the picture is. The zero value leaves it as it is.
type Scale struct {
	// X and Y multiply width and height; 0: 1.
	X, Y float64
	// Width and Height are the size in pixels in place of X and Y; 0: those.
	Width, Height int
	// Nearest takes one pixel for each instead of the average of all.
	Nearest bool
	// AnyWidth leaves the width as it comes out; else it is made a multiple of 4,
	// which some viewers need.
	AnyWidth bool
	// Interpolate makes each pixel of the four nearest also when the picture gets
	// smaller. When it gets larger that is always so.
	Interpolate bool
	// Pad makes width and height multiples of this; 0: of nothing.
	Pad int
}

// MaxSide bounds the picture's width and height, which are 16 bits in RFB.
const MaxSide = 1<<16 - 1

// maxPixels bounds the picture: 16 screens of 4K have less, and it is 512 MB.
const maxPixels = 1 << 27

func (s *Scale) check() error {
	switch {
	case math.IsNaN(s.X) || math.IsNaN(s.Y) || s.X < 0 || s.Y < 0 || s.X > MaxSide || s.Y > MaxSide:
		return errors.New("factors must be positive")
	case s.Width < 0 || s.Height < 0 || s.Width > MaxSide || s.Height > MaxSide:
		return fmt.Errorf("a side must be 1 to %d", MaxSide)
	case (s.Width == 0) != (s.Height == 0):
		return errors.New("width and height must both be given")
	case s.Pad < 0 || s.Pad > MaxSide:
		return fmt.Errorf("padding must be at most %d", MaxSide)
	}
	return nil
}

// of returns the size that a picture of the given size gets.
func (s *Scale) of(size image.Point) image.Point {
	if *s == (Scale{}) {
		return size
	}
	side := func(n, fixed int, factor float64) int {
		switch {
		case fixed > 0:
			n = fixed
		case factor > 0:
			// A little more, so that 2/3 of 3 is not 1.99.
			n = int(min(float64(n)*factor+1e-6, 1<<20))
		}
		n = max(n, 1)
		if s.Pad > 1 {
			n = (n + s.Pad - 1) / s.Pad * s.Pad
		}
		return n
	}
	out := image.Pt(side(size.X, s.Width, s.X), side(size.Y, s.Height, s.Y))
	if !s.AnyWidth {
		out.X = max((out.X+2)/4*4, 4)
	}
	return out
}

// axis says for each pixel along one side of the picture of which pixels of the
// source it is made, and how much of each. They are neighbours, their weights
// add up to total, and their first and last never go back.
type axis struct {
	first   []int32 // of the source
	at      []int32 // where its weights begin; one more than there are pixels
	weights []uint32
	total   uint64
	from    int // length of the source's side
}

func (a *axis) len() int { return len(a.first) }

func (a *axis) add(first int, weights ...uint32) {
	if len(a.at) == 0 {
		a.at = append(a.at, 0)
	}
	a.first = append(a.first, int32(first))
	a.weights = append(a.weights, weights...)
	a.at = append(a.at, int32(len(a.weights)))
}

// taps returns the pixels of the source that pixel i is made of: [lo, hi).
func (a *axis) taps(i int) (lo, hi int) {
	return int(a.first[i]), int(a.first[i]) + int(a.at[i+1]-a.at[i])
}

// depends returns the pixels that are made of any of [lo, hi) of the source.
func (a *axis) depends(lo, hi int) (int, int) {
	n := a.len()
	i := sort.Search(n, func(i int) bool { _, end := a.taps(i); return end > lo })
	j := sort.Search(n, func(i int) bool { start, _ := a.taps(i); return start >= hi })
	return i, max(i, j)
}

// needs returns the pixels of the source that any of [lo, hi) is made of.
func (a *axis) needs(lo, hi int) (int, int) {
	first, _ := a.taps(lo)
	_, last := a.taps(hi - 1)
	return first, last
}

// newAxis returns the table for a side of n pixels that becomes one of m.
func newAxis(n, m int, s *Scale) *axis {
	a := &axis{from: n}
	switch {
	case n == m:
		a.total = 1
		for i := range m {
			a.add(i, 1)
		}
	case s.Nearest:
		a.total = 1
		for i := range m {
			a.add((2*i+1)*n/(2*m), 1) // the one under its middle
		}
	case m > n || s.Interpolate:
		// Between the two whose middles its middle lies between. In units of 1/2m
		// of a pixel of the source.
		a.total = uint64(2 * m)
		for i := range m {
			c := (2*i+1)*n - m
			switch {
			case c <= 0:
				a.add(0, uint32(2*m))
			case c/(2*m) >= n-1:
				a.add(n-1, uint32(2*m))
			case c%(2*m) == 0:
				a.add(c/(2*m), uint32(2*m))
			default:
				a.add(c/(2*m), uint32(2*m-c%(2*m)), uint32(c%(2*m)))
			}
		}
	default:
		// The average of what it covers. In units of 1/m of a pixel of the source,
		// pixel i covers i*n to (i+1)*n.
		a.total = uint64(n)
		var w []uint32
		for i := range m {
			lo, hi := i*n, (i+1)*n
			w = w[:0]
			for j := lo / m; j*m < hi; j++ {
				w = append(w, uint32(min(hi, (j+1)*m)-max(lo, j*m)))
			}
			a.add(lo/m, w...)
		}
	}
	return a
}

// resampler makes pixels of a picture. It keeps its memory between calls.
type resampler struct {
	row []uint64
	sum []uint64
	one *pix.Image // the scaled picture, before its rotation
}

// make makes the pixels of r, in the picture's coordinates, from the kept part
// of the source.
func (s *resampler) make(out *pix.Image, r image.Rectangle, src *pix.Image, p *placement) {
	if p.rotation == 0 {
		s.scale(out, r, src, p)
		return
	}
	// The scaled picture, as far as it is needed, then turned.
	part := p.rotation.back(r, p.scaled)
	if s.one == nil {
		s.one = &pix.Image{}
	}
	s.one.Reset(part)
	s.scale(s.one, part, src, p)
	p.rotation.turn(out, s.one, p.scaled)
}

// scale makes the pixels of r of the scaled picture.
func (s *resampler) scale(out *pix.Image, r image.Rectangle, src *pix.Image, p *placement) {
	ax, ay := p.x, p.y
	o := src.Rect.Min
	if len(ax.weights) == ax.len() && len(ay.weights) == ay.len() {
		s.pick(out, r, src, ax, ay)
		return
	}
	n := r.Dx() * 3
	if cap(s.row) < n {
		s.row, s.sum = make([]uint64, n), make([]uint64, n)
	}
	row, sum := s.row[:n], s.sum[:n]
	total := ax.total * ay.total
	half := total / 2
	have := -1 // the source's row that row has
	lo, hi := ax.needs(r.Min.X, r.Max.X)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		clear(sum)
		first, last := ay.taps(y)
		for k, w := range ay.weights[ay.at[y]:ay.at[y+1]] {
			if have != first+k {
				have = first + k
				line(row, src.Row(o.Y+have, o.X+lo, o.X+hi), ax, r.Min.X, r.Max.X, lo)
			}
			if last-first == 1 {
				for i, v := range row {
					sum[i] = v * uint64(w)
				}
				continue
			}
			for i, v := range row {
				sum[i] += v * uint64(w)
			}
		}
		dst := out.Row(y, r.Min.X, r.Max.X)
		for i, j := 0, 0; i < n; i, j = i+3, j+4 {
			dst[j] = byte((sum[i] + half) / total)
			dst[j+1] = byte((sum[i+1] + half) / total)
			dst[j+2] = byte((sum[i+2] + half) / total)
			dst[j+3] = 0
		}
	}
}

// line adds up a row of the source for the pixels x0 to x1. src begins at the
// source's pixel lo.
func line(dst []uint64, src []byte, a *axis, x0, x1, lo int) {
	for x := x0; x < x1; x++ {
		var b, g, r uint64
		j := (int(a.first[x]) - lo) * pix.BytesPerPixel
		for _, w := range a.weights[a.at[x]:a.at[x+1]] {
			q := src[j : j+4 : j+4]
			b += uint64(q[0]) * uint64(w)
			g += uint64(q[1]) * uint64(w)
			r += uint64(q[2]) * uint64(w)
			j += pix.BytesPerPixel
		}
		i := (x - x0) * 3
		dst[i], dst[i+1], dst[i+2] = b, g, r
	}
}

// pick is scale where each pixel is made of one.
func (s *resampler) pick(out *pix.Image, r image.Rectangle, src *pix.Image, ax, ay *axis) {
	o := src.Rect.Min
	same := ax.from == ax.len()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		dst := out.Row(y, r.Min.X, r.Max.X)
		sy := o.Y + int(ay.first[y])
		if same {
			copy(dst, src.Row(sy, o.X+r.Min.X, o.X+r.Max.X))
			continue
		}
		from := src.Row(sy, src.Rect.Min.X, src.Rect.Max.X)
		for x := r.Min.X; x < r.Max.X; x++ {
			i, j := (x-r.Min.X)*4, int(ax.first[x])*4
			copy(dst[i:i+4], from[j:j+4])
		}
	}
}
