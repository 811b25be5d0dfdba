// Package hextile is the Hextile encoding (RFC 6143, section 7.7.4): tiles of
// 16x16 pixels, each raw or a background with rectangles of one colour on it.
package hextile

import (
	"image"

	"framebridge/encode"
	"framebridge/internal/pix"
)

// Encoding is the encoding's number in a rectangle's header.
const Encoding = 5

const (
	tileSize = 16

	raw                 = 1
	backgroundSpecified = 2
	foregroundSpecified = 4
	anySubrects         = 8
	subrectsColoured    = 16
)

// Encoder makes Hextile rectangles. It carries nothing from one to the next.
type Encoder struct {
	conv     *pix.Converter
	palette  encode.Palette
	values   [tileSize * tileSize]uint32
	subrects []encode.Subrect

	// What the viewer has as background and foreground, within a rectangle.
	background, foreground       uint32
	hasBackground, hasForeground bool
}

// New returns an encoder for p, whose Format must be valid; the levels do not
// matter.
func New(p encode.Params) *Encoder {
	return &Encoder{conv: pix.NewConverter(p.Format)}
}

// SetParams makes p apply from the next rectangle on.
func (e *Encoder) SetParams(p encode.Params) {
	if p.Format != e.conv.Format {
		e.conv = pix.NewConverter(p.Format)
	}
}

// AppendRect implements encode.Encoder; it never fails.
func (e *Encoder) AppendRect(dst []byte, m *pix.Image, r image.Rectangle) ([]byte, error) {
	e.hasBackground, e.hasForeground = false, false
	for y := r.Min.Y; y < r.Max.Y; y += tileSize {
		for x := r.Min.X; x < r.Max.X; x += tileSize {
			dst = e.appendTile(dst, m, image.Rect(x, y, min(x+tileSize, r.Max.X), min(y+tileSize, r.Max.Y)))
		}
	}
	return dst, nil
}

func (e *Encoder) appendTile(dst []byte, m *pix.Image, r image.Rectangle) []byte {
	if rgb, ok := encode.Solid(m, r); ok {
		return e.appendBackground(dst, e.conv.Value(rgb), 0)
	}
	w, h := r.Dx(), r.Dy()
	values := e.values[:w*h]
	for y := range h {
		e.conv.Values(values[y*w:(y+1)*w], m.Row(r.Min.Y+y, r.Min.X, r.Max.X))
	}
	e.palette.Reset()
	for i := 0; i < len(values); {
		v, j := values[i], i+1
		for j < len(values) && values[j] == v {
			j++
		}
		e.palette.Add(v, j-i, encode.MaxColours)
		i = j
	}
	background := e.palette.Values[e.palette.Most()]
	size := e.conv.Format.Bytes()
	start := len(dst)
	if (e.palette.N-1)*(size+2) >= w*h*size {
		// At least one rectangle of size+2 bytes for each other colour: raw is
		// smaller for certain.
		return e.appendRaw(dst, m, r)
	}
	e.subrects = encode.AppendSubrects(e.subrects[:0], values, w, h, background)
	switch {
	case e.palette.N == 1:
		return e.appendBackground(dst, background, 0)
	case e.palette.N == 2:
		foreground := e.subrects[0].Value
		flags := byte(anySubrects)
		if !e.hasForeground || foreground != e.foreground {
			flags |= foregroundSpecified
		}
		dst = e.appendBackground(dst, background, flags)
		if flags&foregroundSpecified != 0 {
			dst = e.conv.AppendValue(dst, foreground)
			e.foreground, e.hasForeground = foreground, true
		}
		dst = append(dst, byte(len(e.subrects)))
		for _, s := range e.subrects {
			dst = appendPlace(dst, s)
		}
	default:
		// The number of rectangles is a byte; 256 of one pixel do not fit, but
		// raw is smaller then.
		if len(e.subrects)*(size+2) >= w*h*size {
			return e.appendRaw(dst, m, r)
		}
		dst = e.appendBackground(dst, background, anySubrects|subrectsColoured)
		dst = append(dst, byte(len(e.subrects)))
		for _, s := range e.subrects {
			dst = appendPlace(e.conv.AppendValue(dst, s.Value), s)
		}
		// Viewers differ in what the foreground is after such a tile.
		e.hasForeground = false
	}
	if len(dst)-start > 1+w*h*size {
		return e.appendRaw(dst[:start], m, r)
	}
	return dst
}

// appendBackground appends the tile's flags and its background where the viewer
// does not have it.
func (e *Encoder) appendBackground(dst []byte, v uint32, flags byte) []byte {
	if e.hasBackground && v == e.background {
		return append(dst, flags)
	}
	e.background, e.hasBackground = v, true
	return e.conv.AppendValue(append(dst, flags|backgroundSpecified), v)
}

// appendRaw appends the tile as pixels. It leaves no background and no foreground
// behind: viewers differ in whether the ones before survive.
func (e *Encoder) appendRaw(dst []byte, m *pix.Image, r image.Rectangle) []byte {
	e.hasBackground, e.hasForeground = false, false
	dst = append(dst, raw)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		dst = e.conv.Append(dst, m.Row(y, r.Min.X, r.Max.X))
	}
	return dst
}

// appendPlace appends a rectangle's place and size, four bits each.
func appendPlace(dst []byte, s encode.Subrect) []byte {
	return append(dst, byte(s.X<<4|s.Y), byte((s.W-1)<<4|(s.H-1)))
}
