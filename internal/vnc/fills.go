package vnc

import (
	"image"

	"framebridge/encode"
	"framebridge/encode/tight"
	"framebridge/internal/pix"
	"framebridge/rfb"
)

// fills finds what of a large update is of one colour before it is cut into
// rectangles: a page's margins, an empty window, a desktop's background. Tight sends
// each as a rectangle of four bytes, whatever its size, and its pixels are read once
// instead of three times. The zero value is ready.
type fills struct {
	solid encode.SolidAreas
	areas []encode.Area
	found []fill
	gen   uint64 // of the picture they were found in
}

type fill struct {
	image.Rectangle
	rgb uint32
}

const (
	// fillDamage is from how many pixels of damage on solid areas are looked for: it
	// takes a look at the first pixels of each block, for every viewer.
	fillDamage = 1 << 18
	// fillArea is the least area of one that is worth cutting what is around it into
	// more rectangles.
	fillArea = 32 << 10
	// fillWidth is the widest rectangle of Tight.
	fillWidth = 2048
)

// find looks for areas of one colour in damage and returns the rest.
func (f *fills) find(se *session, damage pix.Region) (rest pix.Region) {
	f.found = f.found[:0]
	if se.caps.encoding != rfb.EncodingTight || se.size != se.source || damage.Area() < fillDamage {
		return damage
	}
	var taken []image.Rectangle
	se.srv.cfg.Screen.Inspect(func(m *pix.Image, gen uint64) {
		f.gen = gen
		if m.Rect.Size() != se.source {
			return // the next update tells of the new size
		}
		for _, r := range damage.Rects() {
			if r.Dx()*r.Dy() < fillArea {
				continue
			}
			f.areas = f.solid.Append(f.areas[:0], m, r, fillArea)
			for _, a := range f.areas {
				if !a.Solid || a.Dx()*a.Dy() < fillArea || se.painted.enabled && se.painted.at.Overlaps(a.Rectangle) {
					continue
				}
				taken = append(taken, a.Rectangle)
				for x := a.Min.X; x < a.Max.X; x += fillWidth {
					f.found = append(f.found, fill{image.Rect(x, a.Min.Y, min(x+fillWidth, a.Max.X), a.Max.Y), a.RGB})
				}
			}
		}
	})
	if len(taken) == 0 {
		return damage
	}
	return damage.Subtract(pix.RegionOf(taken...))
}

// appendFills appends the rectangles that find found.
func (se *session) appendFills() {
	if len(se.fills.found) == 0 {
		return
	}
	_, enc := se.enc.get(rfb.EncodingTight)
	e := enc.(*tight.Encoder)
	for _, f := range se.fills.found {
		se.out.buf = rfb.RectangleOf(f.Rectangle, rfb.EncodingTight).Append(se.out.buf)
		se.out.buf = e.AppendFill(se.out.buf, f.rgb)
		se.view.Took(f.Rectangle, se.fills.gen)
		se.lossy.sent(f.Rectangle, false)
	}
}
