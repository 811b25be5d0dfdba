package x11

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/BurntSushi/xgb/xproto"
)

// PixelFormat says how an image's pixels are laid out.
type PixelFormat struct {
	Depth        int  // bits that count, for messages
	BitsPerPixel int  // 8, 16, 24 or 32
	RowPad       int  // bits that rows are padded to: 8, 16 or 32
	BigEndian    bool // the most significant byte comes first
	// Class is the visual's (xproto.VisualClass...): with TrueColor and
	// DirectColor the masks select the colours, else pixels are indices into a
	// colour map of Entries colours.
	Class            byte
	Red, Green, Blue uint32
	Entries          int
}

// Direct reports whether pixels hold their colour.
func (f PixelFormat) Direct() bool {
	return f.Class == xproto.VisualClassTrueColor || f.Class == xproto.VisualClassDirectColor
}

// Stride returns the bytes of a row of w pixels.
func (f PixelFormat) Stride(w int) int {
	return (w*f.BitsPerPixel + f.RowPad - 1) / f.RowPad * f.RowPad / 8
}

// PixelFormat returns the format of the root window's images.
func (c *Conn) PixelFormat() (PixelFormat, error) {
	setup, screen := c.Setup(), c.Screen()
	f := PixelFormat{Depth: int(screen.RootDepth), BigEndian: setup.ImageByteOrder == xproto.ImageOrderMSBFirst}
	for _, p := range setup.PixmapFormats {
		if p.Depth == screen.RootDepth {
			f.BitsPerPixel, f.RowPad = int(p.BitsPerPixel), int(p.ScanlinePad)
		}
	}
	for _, d := range screen.AllowedDepths {
		for _, v := range d.Visuals {
			if v.VisualId == screen.RootVisual {
				f.Class, f.Entries = v.Class, int(v.ColormapEntries)
				f.Red, f.Green, f.Blue = v.RedMask, v.GreenMask, v.BlueMask
				return f, nil
			}
		}
	}
	return f, fmt.Errorf("the X server does not describe its visual %#x", screen.RootVisual)
}

// Converter turns pixels into BGRX: four bytes blue, green, red and one without
// meaning.
type Converter struct {
	Format   PixelFormat
	Identity bool // the pixels are BGRX already

	// Pixels of up to 16 bits are looked up whole: BGRX as a number. Wider ones
	// are looked up by component.
	whole []uint32
	parts [3]component // red, green, blue
}

// component of a pixel that holds its colour.
type component struct {
	shift, mask uint32
	table       []uint32 // by value: its place in BGRX
}

func newComponent(mask uint32, to int) component {
	shift := bits.TrailingZeros32(mask)
	c := component{shift: uint32(shift), mask: mask >> shift}
	c.table = make([]uint32, c.mask+1)
	for v := range c.table {
		// Rounded to the nearest; the product of 16 and 8 bits fits.
		c.table[v] = (uint32(v)*255 + c.mask/2) / c.mask << to
	}
	return c
}

func (c *component) value(pixel uint32) uint32 { return c.table[pixel>>c.shift&c.mask] }

// NewConverter returns the converter from f. With a colour map all colours are
// black until SetColour.
func NewConverter(f PixelFormat) (*Converter, error) {
	switch f.BitsPerPixel {
	case 8, 16, 24, 32:
	default:
		return nil, fmt.Errorf("screens of depth %d (%d bits per pixel) are not supported; 8 to 30 are", f.Depth, f.BitsPerPixel)
	}
	switch f.RowPad {
	case 8, 16, 32:
	default:
		return nil, fmt.Errorf("rows padded to %d bits, want 8, 16 or 32", f.RowPad)
	}
	c := &Converter{Format: f}
	if !f.Direct() {
		if f.BitsPerPixel != 8 || f.Entries < 0 || f.Entries > 256 {
			return nil, fmt.Errorf("a colour map of %d entries with %d bits per pixel is not supported", f.Entries, f.BitsPerPixel)
		}
		c.whole = make([]uint32, 256)
		return c, nil
	}
	for _, m := range []uint32{f.Red, f.Green, f.Blue} {
		// Of 16 bits at most, for the tables' sake, and in one piece.
		if n := bits.OnesCount32(m); n == 0 || n > 16 || bits.Len32(m)-bits.TrailingZeros32(m) != n {
			return nil, fmt.Errorf("odd colour masks: %#x %#x %#x", f.Red, f.Green, f.Blue)
		}
	}
	c.Identity = f.BitsPerPixel == 32 && !f.BigEndian && f.Red == 0xff0000 && f.Green == 0xff00 && f.Blue == 0xff
	if c.Identity {
		return c, nil
	}
	c.parts = [3]component{newComponent(f.Red, 16), newComponent(f.Green, 8), newComponent(f.Blue, 0)}
	if f.BitsPerPixel <= 16 {
		c.whole = make([]uint32, 1<<f.BitsPerPixel)
		for p := range c.whole {
			c.whole[p] = c.value(uint32(p))
		}
	}
	return c, nil
}

func (c *Converter) value(pixel uint32) uint32 {
	return c.parts[0].value(pixel) | c.parts[1].value(pixel) | c.parts[2].value(pixel)
}

// SetColour makes entry i of the colour map 0x00RRGGBB and reports whether it
// was another.
func (c *Converter) SetColour(i int, rgb uint32) bool {
	if c.Format.Direct() || i < 0 || i >= len(c.whole) || c.whole[i] == rgb {
		return false
	}
	c.whole[i] = rgb
	return true
}

// QueueColours asks for the contents of the default colour map, which programs
// may change without a word. It returns nil when the format has none.
func (c *Converter) QueueColours(conn *Conn) *Call {
	if c.Format.Direct() {
		return nil
	}
	const queryColors = 91
	n := c.Format.Entries
	b := Request(make([]byte, 0, 8+4*n), queryColors, 0, 8+4*n)
	b = binary.LittleEndian.AppendUint32(b, uint32(conn.Screen().DefaultColormap))
	for i := range n {
		b = binary.LittleEndian.AppendUint32(b, uint32(i))
	}
	return conn.QueueCall(b)
}

// SetColours takes the reply to QueueColours and reports whether a colour has
// changed.
func (c *Converter) SetColours(reply []byte) bool {
	changed := false
	b := reply[packetSize:]
	for i := range min(c.Format.Entries, len(b)/8) {
		// Three components of 16 bits and two bytes without meaning.
		e := b[i*8 : i*8+8]
		if c.SetColour(i, uint32(e[1])<<16|uint32(e[3])<<8|uint32(e[5])) {
			changed = true
		}
	}
	return changed
}

// Convert fills dst, whose rows of w pixels are dense, from the rows of src,
// which are stride bytes apart.
func (c *Converter) Convert(dst, src []byte, w, h, stride int) {
	for y := range h {
		c.row(dst[y*w*4:][:w*4], src[y*stride:][:w*c.Format.BitsPerPixel/8])
	}
}

func (c *Converter) row(dst, src []byte) {
	put := binary.LittleEndian.PutUint32
	big := c.Format.BigEndian
	switch bpp := c.Format.BitsPerPixel; {
	case c.Identity:
		copy(dst, src)
	case bpp == 8:
		for i, p := range src {
			put(dst[i*4:i*4+4], c.whole[p])
		}
	case bpp == 16 && !big:
		for i := range len(src) / 2 {
			put(dst[i*4:i*4+4], c.whole[binary.LittleEndian.Uint16(src[i*2:i*2+2])])
		}
	case bpp == 16:
		for i := range len(src) / 2 {
			put(dst[i*4:i*4+4], c.whole[binary.BigEndian.Uint16(src[i*2:i*2+2])])
		}
	case bpp == 24:
		for i := range len(src) / 3 {
			p := src[i*3 : i*3+3 : i*3+3]
			if big {
				put(dst[i*4:i*4+4], c.value(uint32(p[0])<<16|uint32(p[1])<<8|uint32(p[2])))
			} else {
				put(dst[i*4:i*4+4], c.value(uint32(p[2])<<16|uint32(p[1])<<8|uint32(p[0])))
			}
		}
	case big:
		for i := range len(src) / 4 {
			put(dst[i*4:i*4+4], c.value(binary.BigEndian.Uint32(src[i*4:i*4+4])))
		}
	default:
		// Depth 30, mostly. Locals let the compiler keep all in registers.
		r, g, b := c.parts[0], c.parts[1], c.parts[2]
		for i := range len(src) / 4 {
			p := binary.LittleEndian.Uint32(src[i*4 : i*4+4])
			put(dst[i*4:i*4+4], r.table[p>>(r.shift&31)&r.mask]|g.table[p>>(g.shift&31)&g.mask]|b.table[p>>(b.shift&31)&b.mask])
		}
	}
}
