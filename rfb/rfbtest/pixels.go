package rfbtest

import (
	"encoding/binary"

	"framebridge/internal/pix"
)

// pixels reads pixel values of one format in the forms that the encodings
// have for them: PIXEL, CPIXEL (RFC 6143, section 7.7.5) and TPIXEL (rfbproto,
// "Tight Encoding"). A value is the number that the format's maxima and
// shifts apply to.
type pixels struct {
	format pix.Format
	size   int  // bytes of a PIXEL
	csize  int  // bytes of a CPIXEL
	cshift uint // what a three-byte CPIXEL is shifted by
	tsize  int  // bytes of a TPIXEL
}

func newPixels(f pix.Format) pixels {
	p := pixels{format: f, size: int(f.BitsPerPixel) / 8}
	p.csize, p.tsize = p.size, p.size
	if !f.TrueColour || f.BitsPerPixel != 32 {
		return p
	}
	// The document asks for a depth of at most 24, too. No known program looks at
	// it: TigerVNC, libvncserver and libvncclient use three bytes with 32 as well.
	used := uint32(f.RedMax)<<f.RedShift | uint32(f.GreenMax)<<f.GreenShift | uint32(f.BlueMax)<<f.BlueShift
	switch {
	case used>>24 == 0: // by convention the low ones where both would do
		p.csize = 3
	case used<<24 == 0:
		p.csize, p.cshift = 3, 8
	}
	if f.Depth == 24 && f.RedMax == 255 && f.GreenMax == 255 && f.BlueMax == 255 {
		p.tsize = 3
	}
	return p
}

// pixels fills dst from len(dst) PIXELs.
func (p *pixels) pixels(dst []uint32, b []byte) {
	switch {
	case p.size == 1:
		for i := range dst {
			dst[i] = uint32(b[i])
		}
	case p.size == 2 && p.format.BigEndian:
		b = b[:2*len(dst)]
		for i := range dst {
			dst[i] = uint32(binary.BigEndian.Uint16(b[2*i:]))
		}
	case p.size == 2:
		b = b[:2*len(dst)]
		for i := range dst {
			dst[i] = uint32(binary.LittleEndian.Uint16(b[2*i:]))
		}
	case p.format.BigEndian:
		b = b[:4*len(dst)]
		for i := range dst {
			dst[i] = binary.BigEndian.Uint32(b[4*i:])
		}
	default:
		b = b[:4*len(dst)]
		for i := range dst {
			dst[i] = binary.LittleEndian.Uint32(b[4*i:])
		}
	}
}

// cpixels fills dst from len(dst) CPIXELs.
func (p *pixels) cpixels(dst []uint32, b []byte) {
	switch {
	case p.csize != 3:
		p.pixels(dst, b)
	case p.format.BigEndian:
		for i := range dst {
			q := b[3*i : 3*i+3 : 3*i+3]
			dst[i] = (uint32(q[0])<<16 | uint32(q[1])<<8 | uint32(q[2])) << p.cshift
		}
	default:
		for i := range dst {
			q := b[3*i : 3*i+3 : 3*i+3]
			dst[i] = (uint32(q[2])<<16 | uint32(q[1])<<8 | uint32(q[0])) << p.cshift
		}
	}
}

// tpixels fills dst from len(dst) TPIXELs.
func (p *pixels) tpixels(dst []uint32, b []byte) {
	if p.tsize != 3 {
		p.pixels(dst, b)
		return
	}
	rs, gs, bs := p.format.RedShift&31, p.format.GreenShift&31, p.format.BlueShift&31
	for i := range dst {
		q := b[3*i : 3*i+3 : 3*i+3]
		dst[i] = uint32(q[0])<<rs | uint32(q[1])<<gs | uint32(q[2])<<bs
	}
}

// takePixel takes one PIXEL.
func (p *pixels) takePixel(t taker) (uint32, error) {
	b, err := t.take(p.size)
	if err != nil {
		return 0, err
	}
	var v [1]uint32
	p.pixels(v[:], b)
	return v[0], nil
}

// takeCPixel takes one CPIXEL.
func (p *pixels) takeCPixel(t taker) (uint32, error) {
	b, err := t.take(p.csize)
	if err != nil {
		return 0, err
	}
	var v [1]uint32
	p.cpixels(v[:], b)
	return v[0], nil
}

// expander turns pixel values into 0x00RRGGBB.
type expander struct {
	format           pix.Format
	plain            bool // the value is it, but for the top byte
	red, green, blue []uint8
	colours          *[256]uint32 // of a colour map
}

func newExpander(f pix.Format, colours *[256]uint32) *expander {
	x := &expander{format: f}
	if !f.TrueColour {
		x.colours = colours
		return x
	}
	x.plain = f.RedMax == 255 && f.GreenMax == 255 && f.BlueMax == 255 &&
		f.RedShift == 16 && f.GreenShift == 8 && f.BlueShift == 0
	table := func(limit uint16) []uint8 {
		t := make([]uint8, int(limit)+1)
		for i := range t {
			t[i] = uint8((i*255 + int(limit)/2) / int(limit))
		}
		return t
	}
	x.red, x.green, x.blue = table(f.RedMax), table(f.GreenMax), table(f.BlueMax)
	return x
}

// rgb returns the colour of a value: components scaled to 0..255, rounded to
// the nearest.
func (x *expander) rgb(v uint32) uint32 {
	switch {
	case x.plain:
		return v & 0xffffff
	case x.colours != nil:
		return x.colours[v&0xff]
	}
	f := &x.format
	return uint32(x.red[v>>f.RedShift&uint32(f.RedMax)])<<16 |
		uint32(x.green[v>>f.GreenShift&uint32(f.GreenMax)])<<8 |
		uint32(x.blue[v>>f.BlueShift&uint32(f.BlueMax)])
}
