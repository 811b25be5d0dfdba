package pix

import (
	"encoding/binary"
	"fmt"
)

// Format is RFB's PIXEL_FORMAT (RFC 6143, section 7.4): how a viewer wants a
// pixel's colour laid out in BitsPerPixel bits.
type Format struct {
	BitsPerPixel uint8 // 8, 16 or 32
	Depth        uint8 // useful bits, at most BitsPerPixel
	BigEndian    bool
	TrueColour   bool // false: 8-bit indices into a colour map that the server sets
	RedMax       uint16
	GreenMax     uint16
	BlueMax      uint16
	RedShift     uint8
	GreenShift   uint8
	BlueShift    uint8
}

// BGRX is the format of framebridge's own pixels: 32 bits, depth 24,
// little-endian, 0x00RRGGBB.
var BGRX = Format{
	BitsPerPixel: 32, Depth: 24, TrueColour: true,
	RedMax: 255, GreenMax: 255, BlueMax: 255,
	RedShift: 16, GreenShift: 8, BlueShift: 0,
}

// Bytes returns the size of a pixel: 1, 2 or 4.
func (f Format) Bytes() int { return int(f.BitsPerPixel) / 8 }

// Validate reports what in f no server can serve: a pixel size other than 8,
// 16 or 32 bits, a colour mask that is not 2^n-1, that overlaps another or that
// does not fit the pixel, a colour map in pixels of more than 8 bits.
func (f Format) Validate() error {
	switch f.BitsPerPixel {
	case 8, 16, 32:
	default:
		return fmt.Errorf("pixel format: %d bits per pixel, want 8, 16 or 32", f.BitsPerPixel)
	}
	if !f.TrueColour {
		if f.BitsPerPixel != 8 {
			return fmt.Errorf("pixel format: colour map with %d bits per pixel, want 8", f.BitsPerPixel)
		}
		return nil
	}
	var used uint64
	for _, c := range []struct {
		name  string
		max   uint16
		shift uint8
	}{{"red", f.RedMax, f.RedShift}, {"green", f.GreenMax, f.GreenShift}, {"blue", f.BlueMax, f.BlueShift}} {
		if c.max == 0 || c.max&(c.max+1) != 0 {
			return fmt.Errorf("pixel format: %s maximum %d is not 2^n-1", c.name, c.max)
		}
		if c.shift >= f.BitsPerPixel {
			return fmt.Errorf("pixel format: %s shift %d in %d bits", c.name, c.shift, f.BitsPerPixel)
		}
		mask := uint64(c.max) << c.shift
		if mask >= 1<<f.BitsPerPixel {
			return fmt.Errorf("pixel format: %s does not fit %d bits", c.name, f.BitsPerPixel)
		}
		if used&mask != 0 {
			return fmt.Errorf("pixel format: %s overlaps another colour", c.name)
		}
		used |= mask
	}
	return nil
}

// mask returns the bits of a true-colour pixel that carry colour.
func (f Format) mask() uint32 {
	return uint32(f.RedMax)<<f.RedShift | uint32(f.GreenMax)<<f.GreenShift | uint32(f.BlueMax)<<f.BlueShift
}

// CPixel tells how ZRLE and TRLE write a pixel of this format (RFC 6143,
// section 7.7.5, CPIXEL): size is 3 where the colours of a 32-bit true-colour
// pixel all lie in its low or all in its high three bytes, else Bytes(). high
// says that the unused byte is the low one.
//
// The RFC also asks for a depth of 24 or less. TigerVNC, libvncserver and
// libvncclient look at the colours alone, so a viewer that says depth 32 and
// means 24 expects three bytes.
func (f Format) CPixel() (size int, high bool) {
	if !f.TrueColour || f.BitsPerPixel != 32 {
		return f.Bytes(), false
	}
	switch m := f.mask(); {
	case m&0xff000000 == 0:
		return 3, false
	case m&0x000000ff == 0:
		return 3, true
	}
	return 4, false
}

// TPixel reports whether Tight writes a pixel of this format as three bytes
// red, green, blue: 32 bits, depth 24, each colour 8 bits.
func (f Format) TPixel() bool {
	return f.TrueColour && f.BitsPerPixel == 32 && f.Depth == 24 &&
		f.RedMax == 255 && f.GreenMax == 255 && f.BlueMax == 255
}

// Converter turns BGRX pixels into pixels of a Format. It has no state that
// changes, so several goroutines may share one.
type Converter struct {
	Format           Format
	identity         bool // 32 bits, 0x00RRGGBB
	swap             bool // big-endian wire order
	size             int
	red, green, blue [256]uint32 // each component scaled and shifted
}

// NewConverter returns the converter to f, which must be valid.
func NewConverter(f Format) *Converter {
	c := &Converter{Format: f, size: f.Bytes(), swap: f.BigEndian && f.BitsPerPixel > 8}
	if !f.TrueColour {
		// Colour-mapped viewers get the fixed map of ColourMap: indices are
		// three bits red, three green, two blue.
		f.RedMax, f.GreenMax, f.BlueMax = 7, 7, 3
		f.RedShift, f.GreenShift, f.BlueShift = 5, 2, 0
	}
	for i := range uint32(256) {
		c.red[i] = scale(i, f.RedMax) << f.RedShift
		c.green[i] = scale(i, f.GreenMax) << f.GreenShift
		c.blue[i] = scale(i, f.BlueMax) << f.BlueShift
	}
	c.identity = f.TrueColour && f.BitsPerPixel == 32 && f.mask() == RGBMask &&
		f.RedShift == 16 && f.GreenShift == 8 && f.BlueShift == 0 && f.RedMax == 255 && f.GreenMax == 255
	return c
}

// scale maps a component 0..255 to 0..max, rounding to the nearest.
func scale(v uint32, max uint16) uint32 { return (v*uint32(max) + 127) / 255 }

// Identity reports whether a pixel's value is its BGRX value 0x00RRGGBB. The
// byte order on the wire may still differ.
func (c *Converter) Identity() bool { return c.identity }

// Value returns the pixel value for rgb, 0x00RRGGBB (the top byte is ignored):
// the number before it is laid out in the format's byte order.
func (c *Converter) Value(rgb uint32) uint32 {
	if c.identity {
		return rgb & RGBMask
	}
	return c.red[rgb>>16&0xff] | c.green[rgb>>8&0xff] | c.blue[rgb&0xff]
}

// Values converts the BGRX pixels of src, len(src)/4 of them, into dst, which
// must be at least as long.
func (c *Converter) Values(dst []uint32, src []byte) {
	n := len(src) / BytesPerPixel
	dst = dst[:n]
	if c.identity {
		maskValues(dst, src[:n*BytesPerPixel])
		return
	}
	for i := range dst {
		p := src[i*4 : i*4+4 : i*4+4]
		dst[i] = c.red[p[2]] | c.green[p[1]] | c.blue[p[0]]
	}
}

// AppendValue appends a pixel value as the format lays it out on the wire.
func (c *Converter) AppendValue(dst []byte, v uint32) []byte {
	switch c.size {
	case 1:
		return append(dst, byte(v))
	case 2:
		if c.swap {
			return append(dst, byte(v>>8), byte(v))
		}
		return append(dst, byte(v), byte(v>>8))
	}
	if c.swap {
		return append(dst, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	}
	return append(dst, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
}

// Append appends the BGRX pixels of src in the format's wire form.
func (c *Converter) Append(dst, src []byte) []byte {
	n := len(src) / BytesPerPixel
	o := len(dst)
	dst = grow(dst, n*c.size)
	out := dst[o:]
	switch {
	case c.identity && !c.swap:
		maskRow(out[:n*4], src[:n*4])
	case c.size == 4 && c.swap:
		for i := range n {
			p := src[i*4 : i*4+4 : i*4+4]
			binary.BigEndian.PutUint32(out[i*4:i*4+4], c.red[p[2]]|c.green[p[1]]|c.blue[p[0]])
		}
	case c.size == 4:
		for i := range n {
			p := src[i*4 : i*4+4 : i*4+4]
			binary.LittleEndian.PutUint32(out[i*4:i*4+4], c.red[p[2]]|c.green[p[1]]|c.blue[p[0]])
		}
	case c.size == 2 && c.swap:
		for i := range n {
			p := src[i*4 : i*4+4 : i*4+4]
			binary.BigEndian.PutUint16(out[i*2:i*2+2], uint16(c.red[p[2]]|c.green[p[1]]|c.blue[p[0]]))
		}
	case c.size == 2:
		for i := range n {
			p := src[i*4 : i*4+4 : i*4+4]
			binary.LittleEndian.PutUint16(out[i*2:i*2+2], uint16(c.red[p[2]]|c.green[p[1]]|c.blue[p[0]]))
		}
	default:
		for i := range n {
			p := src[i*4 : i*4+4 : i*4+4]
			out[i] = byte(c.red[p[2]] | c.green[p[1]] | c.blue[p[0]])
		}
	}
	return dst
}

// grow extends b by n bytes of undefined contents.
func grow(b []byte, n int) []byte {
	if cap(b)-len(b) < n {
		b = append(make([]byte, 0, max(2*cap(b), len(b)+n)), b...)
	}
	return b[:len(b)+n]
}

// ColourMap is the colour map of viewers that asked for one: entry i is the
// colour 0x00RRGGBB of index i, three bits red, three green, two blue.
var ColourMap = func() (m [256]uint32) {
	for i := range m {
		r, g, b := uint32(i>>5&7), uint32(i>>2&7), uint32(i&3)
		m[i] = (r*255+3)/7<<16 | (g*255+3)/7<<8 | b*85
	}
	return m
}()
