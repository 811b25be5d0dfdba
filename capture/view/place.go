package view

import (
	"fmt"
	"image"
	"slices"

	"framebridge/capture"
	"framebridge/internal/pix"
)

// placement says where each pixel of a source of one size goes. It does not
// change once made.
type placement struct {
	source  image.Point     // size of the source
	clip    image.Rectangle // what of it is shown
	nothing bool            // nothing of it: the picture is black
	black   []image.Rectangle
	keepOut bool
	x, y    *axis // from the clip to the scaled picture

	scaled   image.Point // size before the rotation
	rotation Rotation
	size     image.Point // of the picture

	cursorScale    Scale
	cursorRotation Rotation
}

// Placement says where what of the source is.
type Placement struct {
	Source image.Point     // size of the source
	Clip   image.Rectangle // the part of it that is shown
	Scaled image.Point     // its size in the picture, before the rotation
	Size   image.Point     // of the picture
}

// Placement returns how things are now; zero before the first frame.
func (v *View) Placement() Placement {
	p := v.placed.Load()
	if p == nil {
		return Placement{}
	}
	return Placement{p.source, p.clip, p.scaled, p.size}
}

// place works out the placement for a source of a size.
func (o *Options) place(source image.Point) (*placement, error) {
	p := &placement{source: source, rotation: o.Rotation, keepOut: o.KeepOut}
	screen := image.Rectangle{Max: source}
	p.clip = screen
	if o.Clip != (Geometry{}) {
		if p.clip = o.Clip.In(source).Intersect(screen); p.clip.Empty() {
			p.nothing = true
			p.clip = image.Rectangle{Max: image.Pt(min(o.Clip.Width, source.X), min(o.Clip.Height, source.Y))}
		}
	}
	for _, g := range o.Blackout {
		if r := g.In(source).Intersect(p.clip); !r.Empty() {
			p.black = append(p.black, r)
		}
	}
	p.scaled = o.Scale.of(p.clip.Size())
	if p.scaled.X > MaxSide || p.scaled.Y > MaxSide || p.scaled.X*p.scaled.Y > maxPixels {
		return nil, fmt.Errorf("view: Scale makes a picture of %dx%d, want at most %d a side and %d pixels",
			p.scaled.X, p.scaled.Y, MaxSide, maxPixels)
	}
	p.x = newAxis(p.clip.Dx(), p.scaled.X, &o.Scale)
	p.y = newAxis(p.clip.Dy(), p.scaled.Y, &o.Scale)
	p.size = o.Rotation.size(p.scaled)
	p.cursorScale = Scale{
		X: float64(p.scaled.X) / float64(p.clip.Dx()), Y: float64(p.scaled.Y) / float64(p.clip.Dy()),
		AnyWidth: true, Nearest: o.Scale.Nearest,
	}
	if o.ScaleCursor != nil {
		p.cursorScale = *o.ScaleCursor
		p.cursorScale.AnyWidth = true
	}
	if !o.KeepCursor {
		p.cursorRotation = o.Rotation
	}
	return p, nil
}

// depends returns the part of the picture that is made of any pixel of r, a
// rectangle of the source inside the clip.
func (p *placement) depends(r image.Rectangle) image.Rectangle {
	r = r.Sub(p.clip.Min)
	var q image.Rectangle
	q.Min.X, q.Max.X = p.x.depends(r.Min.X, r.Max.X)
	q.Min.Y, q.Max.Y = p.y.depends(r.Min.Y, r.Max.Y)
	if q.Empty() {
		return image.Rectangle{}
	}
	return p.rotation.rect(q, p.scaled)
}

// needs returns the part of the source that r, not empty, is made of.
func (p *placement) needs(r image.Rectangle) image.Rectangle {
	q := p.rotation.back(r, p.scaled)
	var s image.Rectangle
	s.Min.X, s.Max.X = p.x.needs(q.Min.X, q.Max.X)
	s.Min.Y, s.Max.Y = p.y.needs(q.Min.Y, q.Max.Y)
	return s.Add(p.clip.Min)
}

// forward returns where in the picture a place of the source is; for one outside
// the clip the nearest place.
func (p *placement) forward(at image.Point) image.Point {
	q := image.Pt(
		along(at.X-p.clip.Min.X, p.clip.Dx(), p.scaled.X),
		along(at.Y-p.clip.Min.Y, p.clip.Dy(), p.scaled.Y),
	)
	return p.rotation.point(q, p.scaled)
}

// backward returns the place of the source that is seen at a place of the
// picture; for one outside the picture that of the nearest place.
func (p *placement) backward(at image.Point) image.Point {
	at = image.Pt(min(max(at.X, 0), p.size.X-1), min(max(at.Y, 0), p.size.Y-1))
	q := p.rotation.pointBack(at, p.scaled)
	return p.clip.Min.Add(image.Pt(
		along(q.X, p.scaled.X, p.clip.Dx()),
		along(q.Y, p.scaled.Y, p.clip.Dy()),
	))
}

// along returns where on a side of m pixels pixel i of a side of n lies. The ends
// go to the ends: panels and hot corners are there.
func along(i, n, m int) int {
	switch {
	case i <= 0:
		return 0
	case i >= n-1:
		return m - 1
	}
	return (2*i + 1) * m / (2 * n)
}

// blackAt reports whether a place of the source is blacked out.
func (p *placement) blackAt(at image.Point) bool {
	return slices.ContainsFunc(p.black, func(r image.Rectangle) bool { return at.In(r) })
}

// shape returns the pointer's shape as the view shows it.
func (p *placement) shape(c *capture.Cursor) *capture.Cursor {
	if c.Size.X <= 0 || c.Size.Y <= 0 || len(c.Pix) < c.Size.X*c.Size.Y*4 {
		return c
	}
	size := p.cursorScale.of(c.Size)
	size = image.Pt(min(size.X, capture.MaxCursorSide), min(size.Y, capture.MaxCursorSide))
	if size == c.Size && p.cursorRotation == 0 {
		return c
	}
	// Colours are premultiplied, so that each of the four bytes is averaged alone.
	// The resampler leaves the fourth out: colours and alpha go through it apart.
	from := &pix.Image{Pix: c.Pix, Stride: c.Size.X * 4, Rect: image.Rectangle{Max: c.Size}}
	alpha := pix.New(from.Rect)
	for i := 0; i < len(alpha.Pix); i += 4 {
		alpha.Pix[i] = c.Pix[i+3]
	}
	q := &placement{
		x: newAxis(c.Size.X, size.X, &p.cursorScale), y: newAxis(c.Size.Y, size.Y, &p.cursorScale),
		scaled: size, rotation: p.cursorRotation,
	}
	all := image.Rectangle{Max: q.rotation.size(size)}
	out, outAlpha := pix.New(all), pix.New(all)
	var s resampler
	s.make(out, all, from, q)
	s.make(outAlpha, all, alpha, q)
	for i := 0; i < len(out.Pix); i += 4 {
		out.Pix[i+3] = outAlpha.Pix[i]
	}
	hot := image.Pt(along(c.Hot.X, c.Size.X, size.X), along(c.Hot.Y, c.Size.Y, size.Y))
	if size == c.Size {
		hot = c.Hot
	}
	return &capture.Cursor{Size: all.Max, Hot: q.rotation.point(hot, size), Pix: out.Pix}
}
