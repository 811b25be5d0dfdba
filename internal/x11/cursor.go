package x11

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"

	"github.com/BurntSushi/xgb"
)

// CursorImage is the shape of the pointer. It is empty when nothing of it can
// be seen. Its fields are those of capture.Cursor, so that one converts to the
// other.
type CursorImage struct {
	Size, Hot image.Point
	Pix       []byte // four bytes per pixel: blue, green, red, alpha; premultiplied
}

// parseCursor reads a GetCursorImage reply. A server that has no cursor yet
// answers with an error.
func parseCursor(r []byte, err error) (*CursorImage, error) {
	var xerr xgb.Error
	if errors.As(err, &xerr) {
		return &CursorImage{}, nil
	}
	if err != nil {
		return nil, err
	}
	w, h := int(binary.LittleEndian.Uint16(r[12:])), int(binary.LittleEndian.Uint16(r[14:]))
	if len(r)-packetSize < w*h*4 {
		return nil, fmt.Errorf("x11: cursor of %dx%d in %d bytes", w, h, len(r)-packetSize)
	}
	// The protocol's 32-bit ARGB numbers, little-endian, are blue, green, red,
	// alpha in this order.
	return &CursorImage{
		Size: image.Pt(w, h),
		Hot:  image.Pt(int(binary.LittleEndian.Uint16(r[16:])), int(binary.LittleEndian.Uint16(r[18:]))),
		Pix:  r[packetSize : packetSize+w*h*4],
	}, nil
}

// Clamp returns the cursor with no side longer than side, and empty when it is
// invisible: programs hide the pointer with a shape of nothing.
func (c *CursorImage) Clamp(side int) *CursorImage {
	visible := false
	for i := 3; i < len(c.Pix); i += 4 {
		visible = visible || c.Pix[i] != 0
	}
	if !visible {
		return &CursorImage{}
	}
	r := image.Rectangle{Max: c.Size}
	if r.Dx() <= side && r.Dy() <= side {
		return c
	}
	// Of a giant, keep what is around the point that it points with.
	r = image.Rect(0, 0, side, side).Add(c.Hot.Sub(image.Pt(side/2, side/2))).Intersect(r)
	out := &CursorImage{Size: r.Size(), Hot: c.Hot.Sub(r.Min), Pix: make([]byte, 0, r.Dx()*r.Dy()*4)}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		out.Pix = append(out.Pix, c.Pix[(y*c.Size.X+r.Min.X)*4:(y*c.Size.X+r.Max.X)*4]...)
	}
	return out
}
