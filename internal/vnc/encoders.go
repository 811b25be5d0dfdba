package vnc

import (
	"framebridge/encode"
	"framebridge/encode/rre"
	"framebridge/encode/tight"
	"framebridge/encode/zlib"
	"framebridge/encode/zrle"
	"framebridge/internal/pix"
	"framebridge/rfb"
)

// encoders holds a viewer's encoders, made when first used. They live as long
// as the connection, as their zlib streams must.
type encoders struct {
	params encode.Params
	byType map[rfb.Encoding]encoder
}

// encoder is an Encoder whose parameters the viewer may change.
type encoder interface {
	encode.Encoder
	SetParams(encode.Params)
}

func newEncoder(e rfb.Encoding, p encode.Params) encoder {
	switch e {
	case rfb.EncodingZlib:
		return zlib.New(p)
	case rfb.EncodingTight:
		return tight.New(p)
	case rfb.EncodingZRLE:
		return zrle.New(p)
	}
	return newStateless(e, p)
}

func (s *encoders) setParams(p encode.Params) {
	s.params = p
	for _, e := range s.byType {
		e.SetParams(p)
	}
}

// get returns the encoder for e.
func (s *encoders) get(e rfb.Encoding) (rfb.Encoding, encoder) {
	if s.byType == nil {
		s.byType = make(map[rfb.Encoding]encoder)
		if s.params.Format.BitsPerPixel == 0 {
			s.params = encode.Params{Format: pix.BGRX, Compress: -1, Quality: -1}
		}
	}
	enc := s.byType[e]
	if enc == nil {
		enc = newEncoder(e, s.params)
		s.byType[e] = enc
	}
	return e, enc
}

// limits returns the largest width, height and area in pixels of a rectangle in
// e.
func limits(e rfb.Encoding) (width, height, area int) {
	switch e {
	case rfb.EncodingCoRRE:
		return rre.MaxCoRRE, rre.MaxCoRRE, rre.MaxCoRRE * rre.MaxCoRRE
	case rfb.EncodingZRLE, rfb.EncodingTRLE, rfb.EncodingHextile:
		return 1024, rfbMax, 64 << 10 // whole rows of 64x64 tiles
	}
	return 2048, rfbMax, 64 << 10 // Tight's widest; small enough to be streamed and cached
}

// stateless reports whether a rectangle encoded in e may be thrown away.
func stateless(e rfb.Encoding) bool {
	return e == rfb.EncodingRRE || e == rfb.EncodingCoRRE || e == rfb.EncodingHextile
}

// appendProduct appends the beginning of a product's payload for this viewer, in all
// encodings but Tight, and returns the rest, a part of the product.
func (s *encoders) appendProduct(dst []byte, p *product) (head, rest []byte) {
	if p.encoding == rfb.EncodingZRLE {
		_, e := s.get(p.encoding)
		return e.(*zrle.Encoder).AppendHead(dst, &p.zrle)
	}
	return dst, p.bytes
}
