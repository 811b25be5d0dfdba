package rfbtest

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"

	"framebridge/internal/pix"
)

// drawJPEG decodes a picture of r's size. Its pixels are converted to the
// viewer's format, so they are exact up to what the decoder rounds.
func (c *Client) drawJPEG(r image.Rectangle, b []byte) error {
	size, err := jpeg.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return violation("JPEG: %w", err)
	}
	if size.Width != r.Dx() || size.Height != r.Dy() { // before memory is made for it
		return violation("JPEG of %dx%d pixels for a rectangle of %dx%d", size.Width, size.Height, r.Dx(), r.Dy())
	}
	src := bytes.NewReader(b)
	m, err := jpeg.Decode(src)
	if err != nil {
		return violation("JPEG: %w", err)
	}
	if src.Len() > 0 && !bytes.HasSuffix(b, []byte{0xff, 0xd9}) {
		return violation("JPEG has trailing data: %d bytes", src.Len())
	}
	conv := pix.NewConverter(c.px.format)
	origin := m.Bounds().Min
	for y := range r.Dy() {
		row := c.fb.row(r.Min.X, r.Min.Y+y, r.Dx())
		switch m := m.(type) {
		case *image.YCbCr:
			for x := range row {
				i, j := m.YOffset(origin.X+x, origin.Y+y), m.COffset(origin.X+x, origin.Y+y)
				red, green, blue := color.YCbCrToRGB(m.Y[i], m.Cb[j], m.Cr[j])
				row[x] = conv.Value(uint32(red)<<16 | uint32(green)<<8 | uint32(blue))
			}
		case *image.Gray:
			for x := range row {
				row[x] = conv.Value(uint32(m.Pix[m.PixOffset(origin.X+x, origin.Y+y)]) * 0x010101)
			}
		default:
			return violation("JPEG with colours of %T", m)
		}
	}
	return nil
}

// JPEG markers (ITU-T T.81, table B.1).
const (
	jpegPrefix = 0xff
	jpegRST0   = 0xd0
	jpegRST7   = 0xd7
	jpegSOI    = 0xd8
	jpegEOI    = 0xd9
	jpegSOS    = 0xda
	jpegDQT    = 0xdb
	jpegDHT    = 0xc4
)

// decodeJPEG reads a JPEG rectangle (rfbproto, "JPEG Encoding"). There is no
// length: the picture ends with its end marker. A picture without tables uses
// those of the last one that had some.
func (c *Client) decodeJPEG(r image.Rectangle) error {
	head, err := c.in.take(2)
	if err != nil {
		return err
	}
	if head[0] != jpegPrefix || head[1] != jpegSOI {
		return violation("JPEG begins with % x", head)
	}
	var body, quant, huffman []byte
	for {
		b, err := c.in.take(2)
		if err != nil {
			return err
		}
		marker := b[1]
		if b[0] != jpegPrefix || marker < 0xc0 || marker == jpegPrefix {
			return violation("JPEG has % x for a marker", b)
		}
		if marker == jpegEOI {
			break
		}
		n, err := takeUint16(c.in)
		if err != nil {
			return err
		}
		if n < 2 {
			return violation("JPEG segment of %d bytes", n)
		}
		if b, err = c.in.take(int(n) - 2); err != nil {
			return err
		}
		segment := append([]byte{jpegPrefix, marker, byte(n >> 8), byte(n)}, b...)
		switch marker {
		case jpegDQT:
			quant = append(quant, segment...)
		case jpegDHT:
			huffman = append(huffman, segment...)
		default:
			body = append(body, segment...)
		}
		if marker != jpegSOS {
			continue
		}
		if body, marker, err = c.takeScan(body); err != nil {
			return err
		}
		if marker == jpegEOI {
			break
		}
		return violation("JPEG of several scans")
	}
	if quant != nil {
		c.jpegQuant = quant
	}
	if huffman != nil {
		c.jpegHuffman = huffman
	}
	whole := []byte{jpegPrefix, jpegSOI}
	whole = append(whole, c.jpegQuant...)
	whole = append(whole, c.jpegHuffman...)
	whole = append(whole, body...)
	return c.drawJPEG(r, append(whole, jpegPrefix, jpegEOI))
}

// takeScan appends entropy-coded data up to the next marker, which it returns
// and does not append.
func (c *Client) takeScan(body []byte) (scan []byte, marker byte, err error) {
	for len(body) <= maxBlock {
		v, err := takeUint8(c.in)
		if err != nil {
			return nil, 0, err
		}
		if v != jpegPrefix {
			body = append(body, v)
			continue
		}
		if v, err = takeUint8(c.in); err != nil {
			return nil, 0, err
		}
		if v != 0 && (v < jpegRST0 || v > jpegRST7) {
			return body, v, nil
		}
		body = append(body, jpegPrefix, v)
	}
	return nil, 0, violation("JPEG of more than %d bytes", maxBlock)
}
