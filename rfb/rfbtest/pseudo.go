package rfbtest

import (
	"encoding/binary"
	"image"

	"framebridge/rfb"
)

// pseudo reads a rectangle that is not one; r.Area holds what its fields are
// used for.
func (c *Client) pseudo(r Rect) error {
	switch r.Encoding {
	case rfb.PseudoCursor, rfb.PseudoXCursor, rfb.PseudoCursorWithAlpha, rfb.PseudoVMwareCursor:
		return c.takeCursor(r)
	case rfb.PseudoPointerPos:
		p := r.Area.Min
		if r.Area.Size() != (image.Point{}) || !p.In(c.fb.bounds()) {
			return violation("%v", r.Area)
		}
		c.pointer = p
		return nil
	case rfb.PseudoDesktopSize:
		if c.announced(rfb.PseudoExtendedDesktopSize) {
			return violation("sent to a viewer that announced %s", rfb.PseudoExtendedDesktopSize)
		}
		return c.resize(r.Area)
	case rfb.PseudoExtendedDesktopSize:
		return c.takeLayout(r)
	case rfb.PseudoDesktopName:
		return c.takeName(r)
	case rfb.PseudoLEDState:
		if r.Area != (image.Rectangle{}) {
			return violation("%v is not empty", r.Area)
		}
		v, err := takeUint8(c.in)
		c.leds = rfb.LEDs(v)
		return err
	case rfb.PseudoLastRect, rfb.PseudoQEMUExtendedKey, rfb.PseudoExtendedMouseButtons:
		if r.Area != (image.Rectangle{}) {
			return violation("%v is not empty", r.Area)
		}
		c.qemuKeys = c.qemuKeys || r.Encoding == rfb.PseudoQEMUExtendedKey
		c.buttons = c.buttons || r.Encoding == rfb.PseudoExtendedMouseButtons
		return nil
	}
	return violation("is not a rectangle's encoding")
}

// resize takes the framebuffer's new size.
func (c *Client) resize(r image.Rectangle) error {
	if r.Empty() {
		return violation("framebuffer of %v pixels", r.Size())
	}
	return c.fb.resize(r.Dx(), r.Dy())
}

// takeLayout reads an ExtendedDesktopSize (rfbproto). If a request of ours
// failed, the rest has no meaning.
func (c *Client) takeLayout(r Rect) error {
	n, err := takeUint8(c.in)
	if err != nil {
		return err
	}
	if err := takePadding(c.in, 3); err != nil {
		return err
	}
	var screens []rfb.Screen
	for range n {
		b, err := c.in.take(16)
		if err != nil {
			return err
		}
		screens = append(screens, rfb.Screen{
			ID: binary.BigEndian.Uint32(b), X: binary.BigEndian.Uint16(b[4:]), Y: binary.BigEndian.Uint16(b[6:]),
			Width: binary.BigEndian.Uint16(b[8:]), Height: binary.BigEndian.Uint16(b[10:]), Flags: binary.BigEndian.Uint32(b[12:]),
		})
	}
	reason, status := rfb.ResizeReason(r.Area.Min.X), rfb.ResizeStatus(r.Area.Min.Y)
	switch {
	case reason > rfb.ResizeByOtherClient || status > rfb.ResizeForwarded:
		return violation("reason %d, status %d", reason, status)
	case reason != rfb.ResizeByClient && status != rfb.ResizeOK:
		return violation("status %d of a change that nobody here requested", status)
	case status != rfb.ResizeOK:
		return nil
	}
	// "Screen Model": identifiers are unique, and screens lie within.
	ids := map[uint32]bool{}
	whole := image.Rectangle{Max: r.Area.Size()}
	for _, s := range screens {
		area := image.Rect(int(s.X), int(s.Y), int(s.X)+int(s.Width), int(s.Y)+int(s.Height))
		if ids[s.ID] || area.Empty() || !area.In(whole) {
			return violation("screen %#x at %v of %v", s.ID, area, whole)
		}
		ids[s.ID] = true
	}
	if len(screens) == 0 {
		return violation("no screens")
	}
	c.screens = screens
	return c.resize(r.Area)
}

// takeName reads a DesktopName.
func (c *Client) takeName(r Rect) error {
	if r.Area != (image.Rectangle{}) {
		return violation("%v is not empty", r.Area)
	}
	n, err := takeUint32(c.in)
	if err != nil {
		return err
	}
	if n > rfb.MaxDesktopName {
		return violation("%d bytes, limit %d", n, rfb.MaxDesktopName)
	}
	b, err := c.in.take(int(n))
	if err != nil {
		return err
	}
	c.name = string(b)
	return nil
}

// Cursor is the pointer's shape.
type Cursor struct {
	Encoding rfb.Encoding // how it was sent
	Hot      image.Point  // within the shape
	Size     image.Point  // 0x0 is an invisible pointer
	// Pixels are 0xAARRGGBB, row after row. The colours are multiplied by
	// alpha, but for PseudoVMwareCursor, which sends them as they are.
	Pixels []uint32
}

// takeCursor reads the pointer's shape (RFC 6143, section 7.8.1; rfbproto).
func (c *Client) takeCursor(r Rect) error {
	k := &Cursor{Encoding: r.Encoding, Hot: r.Area.Min, Size: r.Area.Size()}
	if k.Size.X > rfb.MaxCursorSide || k.Size.Y > rfb.MaxCursorSide {
		return violation("%v pixels, limit %d", k.Size, rfb.MaxCursorSide)
	}
	if n := k.Size.X * k.Size.Y; n > 0 {
		if k.Hot.X >= k.Size.X || k.Hot.Y >= k.Size.Y {
			return violation("hot spot %v in %v pixels", k.Hot, k.Size)
		}
		k.Pixels = make([]uint32, n)
	}
	var err error
	switch r.Encoding {
	case rfb.PseudoCursor:
		err = c.takePixelCursor(k)
	case rfb.PseudoXCursor:
		err = c.takeXCursor(k)
	default:
		err = c.takeAlphaCursor(k)
	}
	if err != nil {
		return err
	}
	c.cursor = k
	return nil
}

const opaque = 0xff000000

func (c *Client) takePixelCursor(k *Cursor) error {
	b, err := c.in.take(len(k.Pixels) * c.px.size)
	if err != nil {
		return err
	}
	c.px.pixels(k.Pixels, b)
	x := newExpander(c.px.format, &c.colours)
	for i, v := range k.Pixels {
		k.Pixels[i] = x.rgb(v) | opaque
	}
	return c.takeMask(k, func(i int, set bool) {
		if !set {
			k.Pixels[i] = 0
		}
	})
}

func (c *Client) takeXCursor(k *Cursor) error {
	if len(k.Pixels) == 0 {
		return nil
	}
	b, err := c.in.take(6)
	if err != nil {
		return err
	}
	one := opaque | uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])
	zero := opaque | uint32(b[3])<<16 | uint32(b[4])<<8 | uint32(b[5])
	err = c.takeMask(k, func(i int, set bool) {
		k.Pixels[i] = zero
		if set {
			k.Pixels[i] = one
		}
	})
	if err != nil {
		return err
	}
	return c.takeMask(k, func(i int, set bool) {
		if !set {
			k.Pixels[i] = 0
		}
	})
}

// takeMask takes a bit per pixel, rows padded to bytes with zeros.
func (c *Client) takeMask(k *Cursor, f func(i int, set bool)) error {
	row := (k.Size.X + 7) / 8
	b, err := c.in.take(row * k.Size.Y)
	if err != nil {
		return err
	}
	for y := range k.Size.Y {
		for x := range 8 * row {
			set := b[y*row+x/8]>>(7-x%8)&1 != 0
			if x < k.Size.X {
				f(y*k.Size.X+x, set)
			} else if set {
				return violation("a row of a mask has padding that is not zero")
			}
		}
	}
	return nil
}

// takeAlphaCursor reads the two kinds that have red, green, blue and alpha.
func (c *Client) takeAlphaCursor(k *Cursor) error {
	if k.Encoding == rfb.PseudoVMwareCursor {
		b, err := c.in.take(2)
		if err != nil {
			return err
		}
		if b[0] != 1 || b[1] != 0 {
			return violation("cursor type % x", b)
		}
	} else {
		e, err := takeUint32(c.in)
		if err != nil {
			return err
		}
		if rfb.Encoding(e) != rfb.EncodingRaw {
			return violation("pixels in %s cannot be decoded here", rfb.Encoding(e))
		}
	}
	b, err := c.in.take(4 * len(k.Pixels))
	if err != nil {
		return err
	}
	for i := range k.Pixels {
		p := b[4*i : 4*i+4]
		if k.Encoding == rfb.PseudoCursorWithAlpha && max(p[0], p[1], p[2]) > p[3] {
			return violation("pixel % x is not multiplied by its alpha", p)
		}
		k.Pixels[i] = uint32(p[3])<<24 | uint32(p[0])<<16 | uint32(p[1])<<8 | uint32(p[2])
	}
	return nil
}
