package rfbtest

import (
	"fmt"
	"image"

	"framebridge/rfb"
)

// Update is one FramebufferUpdate.
type Update struct {
	Rects []Rect
	Bytes int64 // with all headers
}

// Rect is one rectangle of an update, or a pseudo-rectangle.
type Rect struct {
	Encoding rfb.Encoding
	// Area is where the pixels are. Pseudo-rectangles have other things in
	// its place, see rfbproto.
	Area  image.Rectangle
	Bytes int64 // with the header
}

// Pixels returns the number of pixels that the update sets.
func (u *Update) Pixels() (n int) {
	for _, r := range u.Rects {
		if hasPixels(r.Encoding) {
			n += r.Area.Dx() * r.Area.Dy()
		}
	}
	return n
}

// hasPixels reports whether e is an encoding and not a pseudo-encoding.
func hasPixels(e rfb.Encoding) bool { return e >= 0 && e <= 0xff }

// update reads an update (RFC 6143, section 7.6.1) after its first byte.
func (c *Client) update() (*Update, error) {
	start := c.in.n - 1
	if err := takePadding(c.in, 1); err != nil {
		return nil, err
	}
	count, err := takeUint16(c.in)
	if err != nil {
		return nil, err
	}
	open := count == rfb.RectsUntilLast
	if count == 0 {
		return nil, violation("no rectangles")
	}
	if open && !c.announced(rfb.PseudoLastRect) {
		return nil, violation("%d rectangles, but %s was not announced", count, rfb.PseudoLastRect)
	}
	if c.begun != nil {
		c.begun()
	}
	u := &Update{}
	var s sequence
	for i := range int(count) {
		r, err := c.rect(&s)
		if err != nil {
			return nil, fmt.Errorf("rectangle %d of %d: %w", i, count, err)
		}
		u.Rects = append(u.Rects, r)
		if r.Encoding != rfb.PseudoLastRect {
			continue
		}
		if !open {
			return nil, violation("%s is rectangle %d of %d", r.Encoding, i, count)
		}
		break
	}
	if err := c.account(u); err != nil {
		return nil, err
	}
	u.Bytes = c.in.n - start
	return u, nil
}

// account counts an update. Pixels come only to those who asked.
func (c *Client) account(u *Update) error {
	if c.stats.Rects == nil {
		c.stats.Rects = map[rfb.Encoding]int{}
	}
	for _, r := range u.Rects {
		c.stats.Rects[r.Encoding]++
	}
	pixels := u.Pixels()
	c.stats.Updates++
	c.stats.Pixels += int64(pixels)
	c.mu.Lock()
	defer c.mu.Unlock()
	// One update may answer several requests, and how many it did cannot be
	// told; but there are never more updates with pixels than requests.
	switch {
	case pixels == 0 || c.continuous:
	case c.requests == 0:
		return violation("%d pixels that were not requested", pixels)
	default:
		c.requests--
	}
	return nil
}

// sequence is what the rectangles of an update so far allow to follow.
type sequence struct {
	pixels   bool // there were some
	resized  bool // nothing but the end may follow a DesktopSize
	extended bool // no pixels before or after an ExtendedDesktopSize
}

func (s *sequence) add(e rfb.Encoding) error {
	if e == rfb.PseudoLastRect {
		return nil
	}
	if s.resized {
		return violation("%s after %s, which is the last in an update", e, rfb.PseudoDesktopSize)
	}
	s.pixels = s.pixels || hasPixels(e)
	s.resized = e == rfb.PseudoDesktopSize
	s.extended = s.extended || e == rfb.PseudoExtendedDesktopSize
	if s.pixels && s.extended {
		return violation("%s together with pixels", rfb.PseudoExtendedDesktopSize)
	}
	return nil
}

// rect reads one rectangle and does what it says.
func (c *Client) rect(s *sequence) (r Rect, err error) {
	start := c.in.n
	b, err := c.in.take(12)
	if err != nil {
		return r, err
	}
	u16 := func(i int) int { return int(b[i])<<8 | int(b[i+1]) }
	r.Area = image.Rect(u16(0), u16(2), u16(0)+u16(4), u16(2)+u16(6))
	r.Encoding = rfb.Encoding(uint32(u16(8))<<16 | uint32(u16(10)))
	if !c.announced(r.Encoding) {
		return r, violation("%s was not announced", r.Encoding)
	}
	if err := s.add(r.Encoding); err != nil {
		return r, err
	}
	if hasPixels(r.Encoding) {
		if r.Area.Empty() || !r.Area.In(c.fb.bounds()) {
			return r, violation("%s: %v is not in the framebuffer %v", r.Encoding, r.Area, c.fb.bounds())
		}
		err = c.decode(r)
	} else {
		err = c.pseudo(r)
	}
	if err != nil {
		return r, fmt.Errorf("%s: %w", r.Encoding, err)
	}
	r.Bytes = c.in.n - start
	return r, nil
}

func (c *Client) decode(r Rect) error {
	switch r.Encoding {
	case rfb.EncodingRaw:
		return c.decodeRaw(r.Area)
	case rfb.EncodingCopyRect:
		return c.decodeCopyRect(r.Area)
	case rfb.EncodingRRE, rfb.EncodingCoRRE:
		return c.decodeRRE(r.Area, r.Encoding)
	case rfb.EncodingHextile:
		return c.decodeHextile(r.Area)
	case rfb.EncodingZlib:
		return c.decodeZlib(r.Area)
	case rfb.EncodingTight:
		return c.decodeTight(r.Area)
	case rfb.EncodingTRLE:
		return c.decodeTRLE(r.Area)
	case rfb.EncodingZRLE:
		return c.decodeZRLE(r.Area)
	case rfb.EncodingJPEG:
		return c.decodeJPEG(r.Area)
	}
	return violation("cannot be decoded here")
}
