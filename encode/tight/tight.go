// Package tight is the Tight encoding (number 7 in the RFB protocol's community
// description) without its gradient filter: rectangles of one colour, of two, of
// a palette, full-colour ones and JPEG pictures.
//
// The work has two parts. A Packer looks at the pixels and packs them; it knows
// no viewer, so it may run on any core and serve all viewers with the same
// parameters. An Encoder belongs to one viewer and pushes what was packed
// through the viewer's zlib streams, which live as long as the connection. With
// many viewers the compression too can be shared: Packer.Compress makes a piece of
// deflate without history, which Encoder.Append joins into the viewer's stream
// (see encode.Stream). No reset bit is needed, with which some old viewers fail in
// the very first rectangle (vnc2video).
package tight

import (
	"fmt"
	"image"

	"framebridge/encode"
	"framebridge/internal/pix"
)

// Encoding is the encoding's number in a rectangle's header.
const Encoding = 7

// Encoder makes Tight rectangles for one viewer; its streams go on across
// SetParams.
type Encoder struct {
	packer   *Packer
	streams  [3]encode.Stream // full colour, mono, indexed; the fourth is never used
	prepared Prepared
}

// New returns an encoder for p, whose Format must be valid. Compress 0 to 9
// chooses the deflate levels and how large palettes may grow; Quality 0 to 9
// allows JPEG for rectangles that look like photographs.
func New(p encode.Params) *Encoder {
	return &Encoder{packer: NewPacker(p)}
}

// SetParams makes p apply from the next rectangle on.
func (e *Encoder) SetParams(p encode.Params) { e.packer.SetParams(p) }

// Release gives the compressors and the scratch memory back; the encoder stays
// usable. Call it when the viewer has been idle for a while.
func (e *Encoder) Release() {
	for i := range e.streams {
		e.streams[i].Release()
	}
	e.prepared = Prepared{}
}

// AppendRect implements encode.Encoder. Errors are those of Packer.Prepare.
func (e *Encoder) AppendRect(dst []byte, m *pix.Image, r image.Rectangle) ([]byte, error) {
	if err := e.packer.Prepare(&e.prepared, m, r); err != nil {
		return dst, err
	}
	return e.Append(dst, &e.prepared)
}

// Class returns how AppendRect sent its last rectangle. After JPEG the viewer has
// an approximation that may want to be refreshed.
func (e *Encoder) Class() Class { return e.prepared.Class }

// Append appends the payload of a prepared rectangle for this encoder's viewer,
// who must have asked for the parameters it was made with.
func (e *Encoder) Append(dst []byte, p *Prepared) ([]byte, error) {
	if p.Stream >= 0 && len(p.Piece) == 0 {
		dst = append(dst, p.Head...)
		at := len(dst)
		dst, err := e.streams[p.Stream].Append(append(dst, 0, 0, 0), p.Data, p.Level, p.parts[:])
		if err != nil {
			return dst, fmt.Errorf("tight: %w", err)
		}
		return closeLength(dst, at), nil
	}
	dst, rest := e.AppendHead(dst, p)
	return append(dst, rest...), nil
}

// AppendHead appends the beginning of what Append appends for a p that
// Packer.Compress has compressed, and returns the rest, a part of p: a caller that
// writes both in one go need not copy it.
func (e *Encoder) AppendHead(dst []byte, p *Prepared) (head, rest []byte) {
	dst = append(dst, p.Head...)
	if p.Stream < 0 {
		return dst, p.Data
	}
	s := &e.streams[p.Stream]
	dst = appendLength(dst, s.DeflatedSize(p.Piece))
	return s.AppendDeflated(dst, nil), p.Piece
}

// AppendFill appends the payload of a rectangle that is all of the colour rgb,
// 0x00RRGGBB.
func (e *Encoder) AppendFill(dst []byte, rgb uint32) []byte {
	return e.packer.appendPixel(append(dst, controlFill), e.packer.value(rgb))
}

func appendLength(dst []byte, n int) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0)
	putLength(dst[at:], n)
	return dst[:at+lengthSize(n)]
}
