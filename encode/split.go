package encode

import "image"

// The usual bounds of AppendSplit: Tight rectangles are at most 2048 pixels
// wide, and 64 Ki pixels are a good unit of work for a core: large enough for a
// compressor to learn, small enough for its tables and the pixels to stay in
// the second-level cache.
const (
	MaxSplitWidth = 2048
	MaxSplitArea  = 65536
)

// AppendSplit appends rectangles that cover r exactly, without overlap, each at
// most maxWidth pixels wide and of at most maxArea pixels, from the top down and
// from left to right. Both bounds must be positive and maxArea at least
// maxWidth.
func AppendSplit(dst []image.Rectangle, r image.Rectangle, maxWidth, maxArea int) []image.Rectangle {
	if r.Empty() {
		return dst
	}
	// Columns and rows of about the same size: a last one of a few pixels would
	// pay a whole rectangle's overhead.
	columns := (r.Dx() + maxWidth - 1) / maxWidth
	width := (r.Dx() + columns - 1) / columns
	rows := (r.Dy() + maxArea/width - 1) / (maxArea / width)
	for j := range rows {
		y0, y1 := r.Min.Y+r.Dy()*j/rows, r.Min.Y+r.Dy()*(j+1)/rows
		for i := range columns {
			x0, x1 := r.Min.X+r.Dx()*i/columns, r.Min.X+r.Dx()*(i+1)/columns
			dst = append(dst, image.Rect(x0, y0, x1, y1))
		}
	}
	return dst
}
