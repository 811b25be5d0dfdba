package rfbtest

import (
	"image"

	"framebridge/rfb"
)

// Tight (rfbproto, "Tight Encoding").

const (
	tightMaxWidth = 2048
	tightStreams  = 4
	// tightPlain is the size below which data is not compressed, in bytes.
	tightPlain = 12
)

// Compression methods: the high four bits of the first byte. Those below 8
// are BasicCompression: bits 0 and 1 the stream, bit 2 "a filter follows".
const (
	tightFill           = 8
	tightJPEG           = 9
	tightNoZlib         = 10
	tightNoZlibFiltered = 14
)

// Filters.
const (
	tightCopy     = 0
	tightPalette  = 1
	tightGradient = 2
)

func (c *Client) decodeTight(r image.Rectangle) error {
	control, err := takeUint8(c.in)
	if err != nil {
		return err
	}
	if r.Dx() > tightMaxWidth && (!c.wideFills || control>>4 != tightFill) {
		return violation("%d pixels wide, limit %d", r.Dx(), tightMaxWidth)
	}
	// Resets come first, whatever the method.
	for i := range tightStreams {
		if control>>i&1 != 0 {
			c.tight[i].reset()
		}
	}
	switch method := control >> 4; {
	case method == tightFill:
		b, err := c.in.take(c.px.tsize)
		if err != nil {
			return err
		}
		var v [1]uint32
		c.px.tpixels(v[:], b)
		c.fb.fill(r, v[0])
		return nil
	case method == tightJPEG:
		return c.tightJPEG(r)
	case method == tightNoZlib || method == tightNoZlibFiltered:
		if !c.announced(rfb.PseudoTightNoZlib) {
			return violation("method %d, but %s was not announced", method, rfb.PseudoTightNoZlib)
		}
		return c.tightBasic(r, nil, method == tightNoZlibFiltered)
	case method < tightFill:
		return c.tightBasic(r, &c.tight[method&3], method&4 != 0)
	default:
		return violation("compression control is %#x", control)
	}
}

// tightJPEG reads a JFIF picture. A viewer must have asked for a quality.
func (c *Client) tightJPEG(r image.Rectangle) error {
	if c.px.size == 1 {
		return violation("JPEG with 8 bits per pixel")
	}
	if !c.wantsJPEG() {
		return violation("JPEG, but no quality was announced")
	}
	n, err := c.takeCompact()
	if err != nil {
		return err
	}
	b, err := c.in.take(n)
	if err != nil {
		return err
	}
	return c.drawJPEG(r, b)
}

// takeCompact takes a length of one to three bytes, in its shortest form.
func (c *Client) takeCompact() (int, error) {
	n := 0
	for i := range 3 {
		b, err := takeUint8(c.in)
		if err != nil {
			return 0, err
		}
		if i > 0 && b == 0 {
			return 0, violation("compact length of %d has a byte too many", n)
		}
		if i == 2 {
			return n | int(b)<<14, nil
		}
		n |= int(b&0x7f) << (7 * i)
		if b&0x80 == 0 {
			break
		}
	}
	return n, nil
}

// tightBasic reads filtered pixels; z is nil where nothing is compressed.
func (c *Client) tightBasic(r image.Rectangle, z *inflater, filtered bool) error {
	filter := uint8(tightCopy)
	if filtered {
		var err error
		if filter, err = takeUint8(c.in); err != nil {
			return err
		}
	}
	row := r.Dx() * c.px.tsize
	switch filter {
	case tightCopy:
		b, err := c.tightData(z, row*r.Dy())
		if err != nil {
			return err
		}
		for y := r.Min.Y; y < r.Max.Y; y++ {
			c.px.tpixels(c.fb.row(r.Min.X, y, r.Dx()), b)
			b = b[row:]
		}
		return nil
	case tightPalette:
		return c.tightPalette(r, z)
	case tightGradient:
		if c.px.size == 1 {
			return violation("gradient filter with 8 bits per pixel")
		}
		b, err := c.tightData(z, row*r.Dy())
		if err != nil {
			return err
		}
		c.ungradient(r, b)
		return nil
	}
	return violation("filter %d", filter)
}

// tightData takes size bytes of filtered data: as they are where they are few,
// else compressed.
func (c *Client) tightData(z *inflater, size int) ([]byte, error) {
	if size < tightPlain || z == nil {
		return c.in.take(size)
	}
	n, err := c.takeCompact()
	if err != nil {
		return nil, err
	}
	b, err := c.in.take(n)
	if err != nil {
		return nil, err
	}
	return z.inflate(b, size, size)
}

// tightPalette reads a palette and indices: of one bit for two colours, else
// of eight.
func (c *Client) tightPalette(r image.Rectangle, z *inflater) error {
	last, err := takeUint8(c.in)
	if err != nil {
		return err
	}
	if last == 0 {
		return violation("palette of one colour")
	}
	b, err := c.in.take((int(last) + 1) * c.px.tsize)
	if err != nil {
		return err
	}
	var colours [256]uint32
	palette := colours[:int(last)+1]
	c.px.tpixels(palette, b)
	width := 8
	if len(palette) == 2 {
		width = 1
	}
	b, err = c.tightData(z, (r.Dx()*width+7)/8*r.Dy())
	if err != nil {
		return err
	}
	if width == 1 {
		return unpack(&c.fb, r, b, width, palette)
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := c.fb.row(r.Min.X, y, r.Dx())
		for x, i := range b[:len(row)] {
			if int(i) >= len(palette) {
				return violation("palette index %d of %d", i, len(palette))
			}
			row[x] = colours[i]
		}
		b = b[len(row):]
	}
	return nil
}

// ungradient adds to each component what its neighbours to the left, above
// and above left predict. The sum wraps at the component's size.
func (c *Client) ungradient(r image.Rectangle, b []byte) {
	f := c.px.format
	limits := [3]int{int(f.RedMax), int(f.GreenMax), int(f.BlueMax)}
	shifts := [3]uint8{f.RedShift, f.GreenShift, f.BlueShift}
	w := r.Dx()
	above := make([][3]int, w+1) // one pixel of zeros to the left
	here := make([][3]int, w+1)
	diffs := make([]uint32, w)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		c.px.tpixels(diffs, b)
		b = b[w*c.px.tsize:]
		row := c.fb.row(r.Min.X, y, w)
		for x, d := range diffs {
			var v uint32
			for k := range 3 {
				p := here[x][k] + above[x+1][k] - above[x][k]
				p = max(0, min(limits[k], p))
				q := (p + int(d>>shifts[k])) & limits[k]
				here[x+1][k] = q
				v |= uint32(q) << shifts[k]
			}
			row[x] = v
		}
		above, here = here, above
	}
}
