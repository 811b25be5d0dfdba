// Package rre is the encodings RRE (RFC 6143, section 7.7.3) and CoRRE (number 4
// in the RFB protocol's community description): a background and rectangles of
// one colour on it. Both are for old viewers; the output may be larger than Raw's,
// in which case the caller had better sent that.
package rre

import (
	"encoding/binary"
	"fmt"
	"image"

	"framebridge/encode"
	"framebridge/internal/pix"
)

// The encodings' numbers in a rectangle's header.
const (
	Encoding      = 2
	EncodingCoRRE = 4
)

// MaxCoRRE is the largest width and height of a CoRRE rectangle: its coordinates
// are bytes.
const MaxCoRRE = 255

// Encoder makes RRE or CoRRE rectangles. It carries nothing from one to the next.
type Encoder struct {
	compact  bool
	conv     *pix.Converter
	palette  encode.Palette
	values   []uint32
	subrects []encode.Subrect
}

// New returns an RRE encoder for p, whose Format must be valid; the levels do not
// matter.
func New(p encode.Params) *Encoder {
	return &Encoder{conv: pix.NewConverter(p.Format)}
}

// NewCoRRE returns a CoRRE encoder for p, whose Format must be valid; the levels
// do not matter.
func NewCoRRE(p encode.Params) *Encoder {
	return &Encoder{conv: pix.NewConverter(p.Format), compact: true}
}

// SetParams makes p apply from the next rectangle on.
func (e *Encoder) SetParams(p encode.Params) {
	if p.Format != e.conv.Format {
		e.conv = pix.NewConverter(p.Format)
	}
}

// AppendRect implements encode.Encoder. An error is a CoRRE rectangle of more
// than MaxCoRRE pixels a side.
func (e *Encoder) AppendRect(dst []byte, m *pix.Image, r image.Rectangle) ([]byte, error) {
	w, h := r.Dx(), r.Dy()
	if e.compact && (w > MaxCoRRE || h > MaxCoRRE) {
		return dst, fmt.Errorf("corre: rectangle %v, want at most %d a side", r, MaxCoRRE)
	}
	if rgb, ok := encode.Solid(m, r); ok {
		return e.conv.AppendValue(append(dst, 0, 0, 0, 0), e.conv.Value(rgb)), nil
	}
	if cap(e.values) < w*h {
		e.values = make([]uint32, w*h)
	}
	values := e.values[:w*h]
	for y := range h {
		e.conv.Values(values[y*w:(y+1)*w], m.Row(r.Min.Y+y, r.Min.X, r.Max.X))
	}
	background := e.background(values)
	e.subrects = encode.AppendSubrects(e.subrects[:0], values, w, h, background)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(e.subrects)))
	dst = e.conv.AppendValue(dst, background)
	for _, s := range e.subrects {
		dst = e.conv.AppendValue(dst, s.Value)
		if e.compact {
			dst = append(dst, byte(s.X), byte(s.Y), byte(s.W), byte(s.H))
			continue
		}
		dst = append(dst, byte(s.X>>8), byte(s.X), byte(s.Y>>8), byte(s.Y),
			byte(s.W>>8), byte(s.W), byte(s.H>>8), byte(s.H))
	}
	return dst, nil
}

// background returns the most common value, counted among the first 256
// different ones.
func (e *Encoder) background(values []uint32) uint32 {
	e.palette.Reset()
	for i := 0; i < len(values); {
		v, j := values[i], i+1
		for j < len(values) && values[j] == v {
			j++
		}
		e.palette.Add(v, j-i, encode.MaxColours)
		i = j
	}
	return e.palette.Values[e.palette.Most()]
}
