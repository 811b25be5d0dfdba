// Package zlib is the Zlib encoding (number 6 in the RFB protocol's community
// description): what Raw would send, through one zlib stream that lives as long
// as the connection.
package zlib

import (
	"encoding/binary"
	"fmt"
	"image"

	"framebridge/encode"
	"framebridge/encode/deflate"
	"framebridge/internal/pix"
)

// Encoding is the encoding's number in a rectangle's header.
const Encoding = 6

// Encoder makes Zlib rectangles; its stream goes on across SetParams.
type Encoder struct {
	conv   *pix.Converter
	params encode.Params
	stream encode.Stream
	buf    []byte
}

// New returns an encoder for p, whose Format must be valid. Compress
// chooses the deflate level.
func New(p encode.Params) *Encoder {
	e := new(Encoder)
	e.SetParams(p)
	return e
}

// SetParams makes p apply from the next rectangle on.
func (e *Encoder) SetParams(p encode.Params) {
	if e.conv == nil || p.Format != e.conv.Format {
		e.conv = pix.NewConverter(p.Format)
	}
	e.params = p
}

// Release gives the compressor and the scratch memory back; the encoder stays
// usable. Call it when the viewer has been idle for a while.
func (e *Encoder) Release() {
	e.stream.Release()
	e.buf = nil
}

// AppendRect implements encode.Encoder. It fails only for a compression level
// above 9.
func (e *Encoder) AppendRect(dst []byte, m *pix.Image, r image.Rectangle) ([]byte, error) {
	level, err := e.params.DeflateLevel()
	if err != nil {
		return dst, fmt.Errorf("zlib: %w", err)
	}
	e.buf = e.buf[:0]
	unit := e.params.Format.Bytes()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		e.buf = e.conv.Append(e.buf, m.Row(y, r.Min.X, r.Max.X))
	}
	at := len(dst)
	dst, err = e.stream.Append(append(dst, 0, 0, 0, 0), e.buf, level, []deflate.Part{{Size: len(e.buf), Unit: unit, Stride: unit * r.Dx()}})
	if err != nil {
		return dst, fmt.Errorf("zlib: %w", err)
	}
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst, nil
}
