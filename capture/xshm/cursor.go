package xshm

import (
	"image"

	"framebridge/capture"
	"framebridge/internal/x11"
)

// captureCursor turns the server's cursor into a frame's.
func captureCursor(c *x11.CursorImage) *capture.Cursor {
	r := image.Rectangle{Max: c.Size}
	if r.Dx() > capture.MaxCursorSide || r.Dy() > capture.MaxCursorSide {
		// Of a giant, keep what is around the point that it points with.
		const half = capture.MaxCursorSide / 2
		r = r.Intersect(image.Rect(-half, -half, half, half).Add(c.Hot))
	}
	visible := false
	out := &capture.Cursor{Size: r.Size(), Hot: c.Hot.Sub(r.Min), Pix: make([]byte, 0, r.Dx()*r.Dy()*4)}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := c.Pix[(y*c.Size.X+r.Min.X)*4 : (y*c.Size.X+r.Max.X)*4]
		for i := 3; i < len(row); i += 4 {
			visible = visible || row[i] != 0
		}
		out.Pix = append(out.Pix, row...)
	}
	if !visible {
		// Programs hide the pointer with a shape of nothing.
		return &capture.Cursor{}
	}
	return out
}
