package vnc

import (
	"image"

	"framebridge/capture"
	"framebridge/internal/pix"
	"framebridge/internal/screen"
)

// paintedCursor is the pointer as part of the picture, for viewers that know no
// cursor pseudo-encoding.
type paintedCursor struct {
	enabled bool
	shape   *capture.Cursor
	serial  uint64
	origin  image.Point     // of the shape's top left pixel, perhaps off the screen
	at      image.Rectangle // what of it is on the screen
}

// follow notes where the pointer is now; the places it left and reached are
// lacking at the viewer.
func (p *paintedCursor) follow(se *session) {
	scr := se.srv.cfg.Screen
	shape, serial := scr.Cursor()
	pos, known := scr.Pointer()
	var at image.Rectangle
	var origin image.Point
	if shape != nil && known {
		origin = pos.Sub(shape.Hot)
		at = image.Rectangle{Max: shape.Size}.Add(origin).Intersect(image.Rectangle{Max: se.source})
	}
	if serial == p.serial && at == p.at {
		return
	}
	se.view.Add(p.at)
	se.view.Add(at)
	p.shape, p.serial, p.origin, p.at = shape, serial, origin, at
}

// draw paints the pointer over m.
func (p *paintedCursor) draw(m *pix.Image) {
	if p.shape == nil || p.at.Empty() {
		return
	}
	blendCursor(m, p.shape, p.origin)
}

// smeared returns where a pointer painted at the rectangle at is seen after the
// viewer has made the moves.
func smeared(at image.Rectangle, moves []screen.Move) pix.Region {
	g := pix.RegionOf(at)
	for _, m := range moves {
		copied := g.Clip(m.Src).Translate(m.Dst.Sub(m.Src.Min))
		g = g.Subtract(pix.RegionOf(m.To())).Union(copied)
	}
	return g
}
