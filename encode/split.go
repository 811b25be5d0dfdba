package encode

import (
	"image"
	"math"
)

// The usual bounds of AppendSplit: Tight rectangles are at most 2048 pixels
// wide, and 64 Ki pixels are a good unit of work for a core: large enough for a
// compressor to learn, small enough for its tables and the pixels to stay in
// the second-level cache.
const (
	MaxSplitWidth = 2048
	MaxSplitArea  = 65536
)

// A Split says how AppendSplit cuts.
type Split struct {
	// Grid is what each part's width and height is a multiple of, except at the right
	// and the bottom: the side of the blocks in which parts are encoded. Default 1.
	Grid int
	// MaxWidth and MaxArea bound the parts. MaxWidth must be a multiple of Grid and
	// MaxArea at least Grid times MaxWidth.
	MaxWidth, MaxArea int
}

// AppendSplit appends rectangles that cover r exactly, without overlap, within the
// bounds of s, from the top down and from left to right.
//
// The parts are about as wide as they are high, where r is not too low for that:
// what lies close together has fewer colours than what is strewn over the width of a
// screen. Of ten pages of text, those with coloured letters take a third less when
// they are cut into squares than when they are cut into strips, the others the same.
func AppendSplit(dst []image.Rectangle, r image.Rectangle, s Split) []image.Rectangle {
	if r.Empty() {
		return dst
	}
	// In units of the grid. Columns and rows are of about the same size: a last one
	// of a few pixels would pay a whole rectangle's overhead.
	g := max(1, s.Grid)
	w, h := (r.Dx()+g-1)/g, (r.Dy()+g-1)/g
	area := s.MaxArea / (g * g)
	square := max(int(math.Sqrt(float64(area))), area/h)
	widest := min(s.MaxWidth/g, square)
	columns := (w + widest - 1) / widest
	width := (w + columns - 1) / columns
	rows := (h + area/width - 1) / (area / width)
	for j := range rows {
		y0, y1 := r.Min.Y+h*j/rows*g, min(r.Min.Y+h*(j+1)/rows*g, r.Max.Y)
		for i := range columns {
			x0, x1 := r.Min.X+w*i/columns*g, min(r.Min.X+w*(i+1)/columns*g, r.Max.X)
			dst = append(dst, image.Rect(x0, y0, x1, y1))
		}
	}
	return dst
}
