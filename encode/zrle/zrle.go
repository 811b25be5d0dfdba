// Package zrle is the encodings ZRLE (RFC 6143, section 7.7.6) and TRLE (section
// 7.7.5): tiles that are solid, packed palettes, runs or raw, the one with and the
// other without a zlib stream.
//
// As in package tight the work has two parts: a Packer codes the tiles and knows
// no viewer; an Encoder pushes the result through the viewer's one zlib stream,
// which lives as long as the connection. Packer.Compress makes pieces that can be
// joined into any viewer's stream (see encode.Stream), so that a rectangle can be
// compressed once for many viewers, or several at once on as many cores.
package zrle

import (
	"encoding/binary"
	"fmt"
	"image"

	"framebridge/encode"
	"framebridge/encode/deflate"
	"framebridge/internal/pix"
)

// The encodings' numbers in a rectangle's header.
const (
	Encoding     = 16
	EncodingTRLE = 15
)

const (
	tileSize     = 64
	tileSizeTRLE = 16
)

// A Prepared is a rectangle's tiles before the zlib stream. It may be kept, and
// sent to every viewer whose parameters are those it was made with.
// Packer.Prepare reuses its memory; nothing else writes to it.
type Prepared struct {
	Level int    // deflate level
	Data  []byte // the tiles
	Piece []byte // when not empty: Data compressed by Packer.Compress

	parts []deflate.Part // of Data, for Piece
}

// A Packer codes tiles. Use it from one goroutine; several may work side by side.
type Packer struct {
	coder  coder
	params encode.Params
}

// NewPacker returns a packer for p, whose Format must be valid.
func NewPacker(p encode.Params) *Packer {
	k := new(Packer)
	k.SetParams(p)
	return k
}

// SetParams makes p apply from the next rectangle on.
func (k *Packer) SetParams(p encode.Params) {
	k.coder.setFormat(p.Format)
	k.params = p
}

// Prepare fills out with the pixels of m in r, which lies in m and is not empty.
// An error is a compression level above 9.
func (k *Packer) Prepare(out *Prepared, m *pix.Image, r image.Rectangle) error {
	level, err := k.params.DeflateLevel()
	if err != nil {
		return fmt.Errorf("zrle: %w", err)
	}
	out.Level = level
	out.Data = k.coder.appendTiles(out.Data[:0], m, r, tileSize)
	out.parts = append(out.parts[:0], k.coder.parts...)
	out.Piece = out.Piece[:0]
	return nil
}

// Compress makes out's data independent of any stream's history.
func (k *Packer) Compress(out *Prepared) error {
	piece, err := encode.AppendDeflate(out.Piece[:0], out.Data, out.Level, out.parts)
	if err != nil {
		return fmt.Errorf("zrle: %w", err)
	}
	out.Piece = piece
	return nil
}

// Encoder makes ZRLE rectangles for one viewer; its stream goes on across
// SetParams.
type Encoder struct {
	packer   *Packer
	stream   encode.Stream
	prepared Prepared
}

// New returns an encoder for p, whose Format must be valid. Compress
// chooses the deflate level.
func New(p encode.Params) *Encoder { return &Encoder{packer: NewPacker(p)} }

// SetParams makes p apply from the next rectangle on.
func (e *Encoder) SetParams(p encode.Params) { e.packer.SetParams(p) }

// Release gives the compressor and the scratch memory back; the encoder stays
// usable. Call it when the viewer has been idle for a while.
func (e *Encoder) Release() {
	e.stream.Release()
	e.prepared = Prepared{}
}

// AppendRect implements encode.Encoder. It fails only for a compression level
// above 9.
func (e *Encoder) AppendRect(dst []byte, m *pix.Image, r image.Rectangle) ([]byte, error) {
	if err := e.packer.Prepare(&e.prepared, m, r); err != nil {
		return dst, err
	}
	return e.Append(dst, &e.prepared)
}

// Append appends the payload of a prepared rectangle for this encoder's viewer,
// who must have asked for the parameters it was made with.
func (e *Encoder) Append(dst []byte, p *Prepared) ([]byte, error) {
	if len(p.Piece) > 0 {
		dst, rest := e.AppendHead(dst, p)
		return append(dst, rest...), nil
	}
	at := len(dst)
	dst, err := e.stream.Append(append(dst, 0, 0, 0, 0), p.Data, p.Level, p.parts)
	if err != nil {
		return dst, fmt.Errorf("zrle: %w", err)
	}
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst, nil
}

// AppendHead appends the beginning of what Append appends for a p that
// Packer.Compress has compressed, and returns the rest, a part of p: a caller that
// writes both in one go need not copy it.
func (e *Encoder) AppendHead(dst []byte, p *Prepared) (head, rest []byte) {
	dst = binary.BigEndian.AppendUint32(dst, uint32(e.stream.DeflatedSize(p.Piece)))
	return e.stream.AppendDeflated(dst, nil), p.Piece
}

// TRLE makes TRLE rectangles. It carries nothing from one to the next.
type TRLE struct {
	coder coder
}

// NewTRLE returns an encoder for p, whose Format must be valid; the levels do not
// matter.
func NewTRLE(p encode.Params) *TRLE {
	e := new(TRLE)
	e.SetParams(p)
	return e
}

// SetParams makes p apply from the next rectangle on.
func (e *TRLE) SetParams(p encode.Params) { e.coder.setFormat(p.Format) }

// AppendRect implements encode.Encoder; it never fails.
func (e *TRLE) AppendRect(dst []byte, m *pix.Image, r image.Rectangle) ([]byte, error) {
	return e.coder.appendTiles(dst, m, r, tileSizeTRLE), nil
}
