package rfbtest

import (
	"image"

	"framebridge/rfb"
)

// decodeRaw reads PIXELs row by row (RFC 6143, section 7.7.1).
func (c *Client) decodeRaw(r image.Rectangle) error {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		b, err := c.in.take(r.Dx() * c.px.size)
		if err != nil {
			return err
		}
		c.px.pixels(c.fb.row(r.Min.X, y, r.Dx()), b)
	}
	return nil
}

// decodeCopyRect reads where the pixels are now (RFC 6143, section 7.7.2).
func (c *Client) decodeCopyRect(r image.Rectangle) error {
	x, err := takeUint16(c.in)
	if err != nil {
		return err
	}
	y, err := takeUint16(c.in)
	if err != nil {
		return err
	}
	src := image.Pt(int(x), int(y))
	if from := (image.Rectangle{Min: src, Max: src.Add(r.Size())}); !from.In(c.fb.bounds()) {
		return violation("source %v is not in the framebuffer %v", from, c.fb.bounds())
	}
	c.fb.move(r, src)
	return nil
}

// decodeZlib reads Raw in one zlib stream of the connection (rfbproto, "Zlib
// Encoding").
func (c *Client) decodeZlib(r image.Rectangle) error {
	size := r.Dx() * r.Dy() * c.px.size
	b, err := c.takeDeflated(&c.zlib, size, size)
	if err != nil {
		return err
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		c.px.pixels(c.fb.row(r.Min.X, y, r.Dx()), b)
		b = b[r.Dx()*c.px.size:]
	}
	return nil
}

// takeDeflated takes a block with 32 bits of length and inflates it.
func (c *Client) takeDeflated(z *inflater, least, most int) ([]byte, error) {
	n, err := takeUint32(c.in)
	if err != nil {
		return nil, err
	}
	if n > maxBlock {
		return nil, violation("zlib block of %d bytes, limit %d", n, maxBlock)
	}
	b, err := c.in.take(int(n))
	if err != nil {
		return nil, err
	}
	return z.inflate(b, least, most)
}

// decodeRRE reads a background and rectangles on it, whose places have 16 bits
// (RFC 6143, section 7.7.3) or, for CoRRE, eight (rfbproto, "CoRRE Encoding").
func (c *Client) decodeRRE(r image.Rectangle, e rfb.Encoding) error {
	compact := e == rfb.EncodingCoRRE
	if compact && (r.Dx() > 255 || r.Dy() > 255) {
		return violation("%dx%d pixels, limit 255x255", r.Dx(), r.Dy())
	}
	n, err := takeUint32(c.in)
	if err != nil {
		return err
	}
	v, err := c.px.takePixel(c.in)
	if err != nil {
		return err
	}
	c.fb.fill(r, v)
	for range n {
		if v, err = c.px.takePixel(c.in); err != nil {
			return err
		}
		var p [4]int // x, y, width, height
		if compact {
			b, err := c.in.take(4)
			if err != nil {
				return err
			}
			p = [4]int{int(b[0]), int(b[1]), int(b[2]), int(b[3])}
		} else {
			b, err := c.in.take(8)
			if err != nil {
				return err
			}
			for i := range p {
				p[i] = int(b[2*i])<<8 | int(b[2*i+1])
			}
		}
		if err := c.subrect(r, v, p[0], p[1], p[2], p[3]); err != nil {
			return err
		}
	}
	return nil
}

// subrect fills a rectangle whose place is relative to r.
func (c *Client) subrect(r image.Rectangle, v uint32, x, y, w, h int) error {
	s := image.Rect(x, y, x+w, y+h).Add(r.Min)
	if s.Empty() || !s.In(r) {
		return violation("subrectangle %v in %v", s, r)
	}
	if w*h == 1 {
		c.fb.values[s.Min.Y*c.fb.w+s.Min.X] = v
		return nil
	}
	c.fb.fill(s, v)
	return nil
}

// Bits of a Hextile tile (RFC 6143, section 7.7.4).
const (
	hextileRaw        = 1
	hextileBackground = 2
	hextileForeground = 4
	hextileSubrects   = 8
	hextileColoured   = 16
	hextileAll        = 31
)

// hextile is what a tile may leave to the next one. Neither colour survives a
// raw tile, and the foreground no tile with coloured subrectangles.
type hextile struct {
	bg, fg           uint32
	bgKnown, fgKnown bool
}

// decodeHextile reads tiles of 16x16 pixels (RFC 6143, section 7.7.4).
func (c *Client) decodeHextile(r image.Rectangle) error {
	var h hextile
	return eachTile(r, 16, func(t image.Rectangle) error { return c.hextile(&h, t) })
}

func (c *Client) hextile(h *hextile, t image.Rectangle) error {
	mask, err := takeUint8(c.in)
	if err != nil {
		return err
	}
	switch {
	case mask&^hextileAll != 0:
		return violation("Hextile tile of type %#x", mask)
	case mask&hextileRaw != 0:
		h.bgKnown, h.fgKnown = false, false
		return c.decodeRaw(t)
	case mask&hextileForeground != 0 && mask&hextileColoured != 0:
		return violation("Hextile tile of type %#x: foreground and coloured", mask)
	}
	if mask&hextileBackground != 0 {
		if h.bg, err = c.px.takePixel(c.in); err != nil {
			return err
		}
		h.bgKnown = true
	}
	if !h.bgKnown {
		return violation("Hextile tile %v has no background", t)
	}
	c.fb.fill(t, h.bg)
	if mask&hextileForeground != 0 {
		if h.fg, err = c.px.takePixel(c.in); err != nil {
			return err
		}
		h.fgKnown = true
	}
	coloured := mask&hextileColoured != 0
	if coloured {
		h.fgKnown = false
	}
	if mask&hextileSubrects == 0 {
		return nil
	}
	if !coloured && !h.fgKnown {
		return violation("Hextile tile %v has no foreground", t)
	}
	n, err := takeUint8(c.in)
	if err != nil {
		return err
	}
	for range n {
		v := h.fg
		if coloured {
			if v, err = c.px.takePixel(c.in); err != nil {
				return err
			}
		}
		b, err := c.in.take(2)
		if err != nil {
			return err
		}
		if err := c.subrect(t, v, int(b[0]>>4), int(b[0]&15), int(b[1]>>4)+1, int(b[1]&15)+1); err != nil {
			return err
		}
	}
	return nil
}

// eachTile calls f for the tiles of r in rows; those at the right and at the
// bottom may be smaller.
func eachTile(r image.Rectangle, side int, f func(image.Rectangle) error) error {
	for y := r.Min.Y; y < r.Max.Y; y += side {
		for x := r.Min.X; x < r.Max.X; x += side {
			if err := f(image.Rect(x, y, min(x+side, r.Max.X), min(y+side, r.Max.Y))); err != nil {
				return err
			}
		}
	}
	return nil
}
