// Package raw is the Raw encoding (RFC 6143, section 7.7.1): pixels in the
// viewer's format, row by row.
package raw

import (
	"image"

	"framebridge/encode"
	"framebridge/internal/pix"
)

// Encoding is the encoding's number in a rectangle's header.
const Encoding = 0

// Encoder makes Raw rectangles. It carries nothing from one to the next.
type Encoder struct {
	conv *pix.Converter
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
	if w := r.Dx() * pix.BytesPerPixel; w == m.Stride {
		// Whole rows lie side by side: one call for all.
		o := m.Offset(r.Min.X, r.Min.Y)
		return e.conv.Append(dst, m.Pix[o:o+w*r.Dy()]), nil
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		dst = e.conv.Append(dst, m.Row(y, r.Min.X, r.Max.X))
	}
	return dst, nil
}
