package xshm

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/BurntSushi/xgb/xproto"

	"framebridge/internal/pix"
	"framebridge/internal/x11"
)

// converter turns the server's pixels into BGRX.
type converter struct {
	identity bool // they are BGRX
	bits     int  // per pixel: 8, 16, 24 or 32
	pad      int  // bits that rows are padded to
	big      bool // the most significant byte comes first

	// Pixels of up to 16 bits are looked up whole: BGRX as a number. Wider ones
	// are looked up by component.
	whole []uint32
	parts [3]component // red, green, blue

	colormap xproto.Colormap // whole is read from it, 0 when colours are direct
	entries  int             // of the colormap
}

// component of a pixel of direct colour.
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

// newConverter returns the converter for the root window's pixels.
func newConverter(conn *x11.Conn) (*converter, error) {
	setup, screen := conn.Setup(), conn.Screen()
	c := &converter{big: setup.ImageByteOrder == xproto.ImageOrderMSBFirst}
	for _, f := range setup.PixmapFormats {
		if f.Depth == screen.RootDepth {
			c.bits, c.pad = int(f.BitsPerPixel), int(f.ScanlinePad)
		}
	}
	switch c.bits {
	case 8, 16, 24, 32:
	default:
		return nil, fmt.Errorf("screens of depth %d (%d bits per pixel) are not supported; 8 to 30 are", screen.RootDepth, c.bits)
	}
	switch c.pad {
	case 8, 16, 32:
	default:
		return nil, fmt.Errorf("the X server pads rows to %d bits, want 8, 16 or 32", c.pad)
	}
	visual, err := findVisual(screen)
	if err != nil {
		return nil, err
	}
	switch visual.Class {
	case xproto.VisualClassTrueColor, xproto.VisualClassDirectColor:
		return c, c.direct(visual)
	}
	if c.bits != 8 {
		return nil, fmt.Errorf("a colour map with %d bits per pixel is not supported", c.bits)
	}
	c.colormap = screen.DefaultColormap
	c.entries = min(int(visual.ColormapEntries), 1<<c.bits)
	c.whole = make([]uint32, 1<<c.bits)
	return c, nil
}

func findVisual(screen *xproto.ScreenInfo) (xproto.VisualInfo, error) {
	for _, d := range screen.AllowedDepths {
		for _, v := range d.Visuals {
			if v.VisualId == screen.RootVisual {
				return v, nil
			}
		}
	}
	return xproto.VisualInfo{}, fmt.Errorf("the X server does not describe its visual %#x", screen.RootVisual)
}

// direct sets the converter up for pixels that hold their colour.
func (c *converter) direct(v xproto.VisualInfo) error {
	for _, m := range []uint32{v.RedMask, v.GreenMask, v.BlueMask} {
		// Of 16 bits at most, for the tables' sake, and in one piece.
		if n := bits.OnesCount32(m); n == 0 || n > 16 || bits.Len32(m)-bits.TrailingZeros32(m) != n {
			return fmt.Errorf("the X server has odd colour masks: %#x %#x %#x", v.RedMask, v.GreenMask, v.BlueMask)
		}
	}
	c.identity = c.bits == 32 && !c.big && v.RedMask == 0xff0000 && v.GreenMask == 0xff00 && v.BlueMask == 0xff
	if c.identity {
		return nil
	}
	c.parts = [3]component{newComponent(v.RedMask, 16), newComponent(v.GreenMask, 8), newComponent(v.BlueMask, 0)}
	if c.bits > 16 {
		return nil
	}
	c.whole = make([]uint32, 1<<c.bits)
	for p := range c.whole {
		c.whole[p] = c.value(uint32(p))
	}
	return nil
}

func (c *converter) value(pixel uint32) uint32 {
	return c.parts[0].value(pixel) | c.parts[1].value(pixel) | c.parts[2].value(pixel)
}

// queueColours asks for the colour map's contents, which programs may change
// without a word. It returns nil when there is no colour map.
func (c *converter) queueColours(conn *x11.Conn) *x11.Call {
	if c.colormap == 0 {
		return nil
	}
	const queryColors = 91
	b := x11.Request(make([]byte, 0, 8+4*c.entries), queryColors, 0, 8+4*c.entries)
	b = binary.LittleEndian.AppendUint32(b, uint32(c.colormap))
	for i := range c.entries {
		b = binary.LittleEndian.AppendUint32(b, uint32(i))
	}
	return conn.QueueCall(b)
}

// setColours takes the reply and reports whether a colour has changed.
func (c *converter) setColours(reply []byte) bool {
	changed := false
	b := reply[32:]
	for i := range min(c.entries, len(b)/8) {
		// Three components of 16 bits and two bytes without meaning.
		e := b[i*8 : i*8+8]
		v := uint32(e[1])<<16 | uint32(e[3])<<8 | uint32(e[5])
		if c.whole[i] != v {
			c.whole[i], changed = v, true
		}
	}
	return changed
}

// convert fills dst from the server's pixels, of rows stride bytes long.
func (c *converter) convert(dst *pix.Image, src []byte, stride int) {
	w := dst.Rect.Dx()
	for y := range dst.Rect.Dy() {
		c.convertRow(dst.Pix[y*dst.Stride:][:w*pix.BytesPerPixel], src[y*stride:][:w*c.bits/8])
	}
}

func (c *converter) convertRow(dst, src []byte) {
	put := binary.LittleEndian.PutUint32
	switch {
	case c.bits == 8:
		for i, p := range src {
			put(dst[i*4:i*4+4], c.whole[p])
		}
	case c.bits == 16 && !c.big:
		for i := range len(src) / 2 {
			put(dst[i*4:i*4+4], c.whole[binary.LittleEndian.Uint16(src[i*2:i*2+2])])
		}
	case c.bits == 16:
		for i := range len(src) / 2 {
			put(dst[i*4:i*4+4], c.whole[binary.BigEndian.Uint16(src[i*2:i*2+2])])
		}
	case c.bits == 24:
		for i := range len(src) / 3 {
			p := src[i*3 : i*3+3 : i*3+3]
			if c.big {
				put(dst[i*4:i*4+4], c.value(uint32(p[0])<<16|uint32(p[1])<<8|uint32(p[2])))
			} else {
				put(dst[i*4:i*4+4], c.value(uint32(p[2])<<16|uint32(p[1])<<8|uint32(p[0])))
			}
		}
	case c.big:
		for i := range len(src) / 4 {
			put(dst[i*4:i*4+4], c.value(binary.BigEndian.Uint32(src[i*4:i*4+4])))
		}
	default:
		for i := range len(src) / 4 {
			put(dst[i*4:i*4+4], c.value(binary.LittleEndian.Uint32(src[i*4:i*4+4])))
		}
	}
}
