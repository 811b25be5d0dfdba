package view

import (
	"image"

	"framebridge/internal/pix"
)

// Rotation is one of the eight ways to lay a rectangle onto itself: mirrored
// left to right, then top to bottom, then along its diagonal.
type Rotation uint8

const (
	flipX    Rotation = 1 << iota // left and right change places
	flipY                         // top and bottom
	diagonal                      // then rows become columns
	rotations
)

// The rotations by their usual names.
const (
	FlipX     = flipX
	FlipY     = flipY
	Half      = flipX | flipY            // 180 degrees
	Right     = flipY | diagonal         // 90 degrees clockwise
	Left      = flipX | diagonal         // 90 degrees counter-clockwise
	RightFlip = diagonal                 // clockwise, then left and right change places
	LeftFlip  = flipX | flipY | diagonal // clockwise, then top and bottom do
)

// size returns the size of a picture of the given size when it is turned.
func (r Rotation) size(s image.Point) image.Point {
	if r&diagonal != 0 {
		return image.Pt(s.Y, s.X)
	}
	return s
}

// point returns where a pixel of a picture of size s goes.
func (r Rotation) point(p, s image.Point) image.Point {
	if r&flipX != 0 {
		p.X = s.X - 1 - p.X
	}
	if r&flipY != 0 {
		p.Y = s.Y - 1 - p.Y
	}
	if r&diagonal != 0 {
		p.X, p.Y = p.Y, p.X
	}
	return p
}

// pointBack returns where a pixel of the turned picture comes from; s is the
// size before.
func (r Rotation) pointBack(p, s image.Point) image.Point {
	if r&diagonal != 0 {
		p.X, p.Y = p.Y, p.X
	}
	return (r &^ diagonal).point(p, s)
}

// rect returns where the pixels of q, not empty, go.
func (r Rotation) rect(q image.Rectangle, s image.Point) image.Rectangle {
	return box(r.point(q.Min, s), r.point(q.Max.Sub(image.Pt(1, 1)), s))
}

// back returns where the pixels of q, not empty, come from.
func (r Rotation) back(q image.Rectangle, s image.Point) image.Rectangle {
	return box(r.pointBack(q.Min, s), r.pointBack(q.Max.Sub(image.Pt(1, 1)), s))
}

// box returns the rectangle that has two pixels in opposite corners.
func box(p, q image.Point) image.Rectangle {
	r := image.Rectangle{Min: p, Max: q}.Canon()
	r.Max = r.Max.Add(image.Pt(1, 1))
	return r
}

// turn writes all pixels of src, a part of a picture of size s, to their places
// in dst.
func (r Rotation) turn(dst, src *pix.Image, s image.Point) {
	if src.Rect.Empty() {
		return
	}
	// Along a row of src the place in dst moves by a constant number of bytes.
	step := pix.BytesPerPixel
	if r&diagonal != 0 {
		step = dst.Stride
	}
	if r&flipX != 0 {
		step = -step
	}
	for y := src.Rect.Min.Y; y < src.Rect.Max.Y; y++ {
		row := src.Row(y, src.Rect.Min.X, src.Rect.Max.X)
		p := r.point(image.Pt(src.Rect.Min.X, y), s)
		o := dst.Offset(p.X, p.Y)
		for i := 0; i < len(row); i += pix.BytesPerPixel {
			copy(dst.Pix[o:o+4], row[i:i+4])
			o += step
		}
	}
}
