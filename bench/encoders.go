package bench

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"net"

	"framebridge/encode"
	"framebridge/encode/hextile"
	"framebridge/encode/jpeg"
	"framebridge/encode/raw"
	"framebridge/encode/rre"
	"framebridge/encode/tight"
	"framebridge/encode/zlib"
	"framebridge/encode/zrle"
	"framebridge/internal/pix"
	"framebridge/rfb"
	"framebridge/rfb/rfbtest"
)

// coder is one way to encode rectangles, with its decoder.
type coder struct {
	name  string
	lossy bool
	// limit is the largest width and area of a rectangle.
	width, area int
	open        func(screen image.Point) (coding, error)
}

// coding is a coder in use: it may have state from frame to frame.
type coding interface {
	// encode encodes the parts of m and returns the number of bytes. What it made
	// is valid until its next call.
	encode(m *pix.Image, parts []image.Rectangle) (int, error)
	// decode decodes what was encoded and calls got for every part, in order, with
	// the decoded pixels 0x00RRGGBB, stride pixels from row to row.
	decode(got func(i int, values []uint32, stride int)) error
	close()
}

// coders are all encoders that bench encode measures.
func coders() []coder {
	list := []coder{
		rfbCoder("raw", rfb.EncodingRaw, -1, -1, func(p encode.Params) encode.Encoder { return raw.New(p) }),
		rfbCoder("rre", rfb.EncodingRRE, -1, -1, func(p encode.Params) encode.Encoder { return rre.New(p) }),
		rfbCoder("hextile", rfb.EncodingHextile, -1, -1, func(p encode.Params) encode.Encoder { return hextile.New(p) }),
		rfbCoder("trle", rfb.EncodingTRLE, -1, -1, func(p encode.Params) encode.Encoder { return zrle.NewTRLE(p) }),
	}
	for _, level := range []int{1, 6} {
		list = append(list,
			rfbCoder(fmt.Sprintf("zlib %d", level), rfb.EncodingZlib, level, -1, func(p encode.Params) encode.Encoder { return zlib.New(p) }),
			rfbCoder(fmt.Sprintf("zrle %d", level), rfb.EncodingZRLE, level, -1, func(p encode.Params) encode.Encoder { return zrle.New(p) }))
	}
	newTight := func(p encode.Params) encode.Encoder { return tight.New(p) }
	for _, level := range []int{1, 2, 6, 9} {
		list = append(list, rfbCoder(fmt.Sprintf("tight %d", level), rfb.EncodingTight, level, -1, newTight))
	}
	for _, q := range []int{1, 4, 6, 9} {
		list = append(list, rfbCoder(fmt.Sprintf("tight 1 q%d", q), rfb.EncodingTight, 1, q, newTight))
	}
	for _, j := range []struct {
		name    string
		quality int
		sub     jpeg.Subsampling
	}{{"jpeg 42 420", 42, jpeg.S420}, {"jpeg 75 420", 75, jpeg.S420}, {"jpeg 75 444", 75, jpeg.S444}, {"jpeg 92 444", 92, jpeg.S444}} {
		list = append(list, coder{name: j.name, lossy: true, width: 2048, area: 1 << 16, open: func(image.Point) (coding, error) {
			return &jpegCoding{quality: j.quality, sub: j.sub}, nil
		}})
	}
	return list
}

func rfbCoder(name string, e rfb.Encoding, level, quality int, make func(encode.Params) encode.Encoder) coder {
	c := coder{name: name, lossy: quality >= 0, width: 2048, area: encode.MaxSplitArea}
	if e == rfb.EncodingZRLE || e == rfb.EncodingTRLE || e == rfb.EncodingHextile {
		c.width = 1024 // as internal/vnc does: whole rows of tiles
	}
	c.open = func(screen image.Point) (coding, error) {
		p := encode.Params{Format: pix.BGRX, Compress: level, Quality: quality}
		return openRFB(make(p), e, quality, screen)
	}
	return c
}

// rfbCoding encodes for an RFB viewer, which decodes: a strict client at the other
// end of a pipe.
type rfbCoding struct {
	enc     encode.Encoder
	as      rfb.Encoding
	parts   []image.Rectangle
	ends    []int // of the parts' payloads in buf
	buf     []byte
	update  []byte
	server  net.Conn
	drained chan struct{}
	client  *rfbtest.Client
}

func openRFB(enc encode.Encoder, as rfb.Encoding, quality int, screen image.Point) (_ *rfbCoding, err error) {
	c := &rfbCoding{enc: enc, as: as, drained: make(chan struct{})}
	var viewer net.Conn
	c.server, viewer = net.Pipe()
	greeted := make(chan error, 1)
	go func() {
		defer close(c.drained)
		_, err := rfb.Accept(c.server, rfb.ServerConfig{AllowNone: true})
		if err == nil {
			init := rfb.ServerInit{Width: uint16(screen.X), Height: uint16(screen.Y), Format: pix.BGRX, Name: "bench"}
			_, err = c.server.Write(init.Append(nil))
		}
		greeted <- err
		b := make([]byte, 4096)
		for err == nil { // what the viewer says does not matter
			_, err = c.server.Read(b)
		}
	}()
	list := []rfb.Encoding{as}
	if quality >= 0 {
		list = append(list, rfb.PseudoJPEGQuality0+rfb.Encoding(quality))
	}
	c.client, err = rfbtest.Open(context.Background(), viewer, rfbtest.Options{Encodings: list})
	if err != nil {
		c.server.Close()
		<-c.drained
		return nil, err
	}
	return c, <-greeted
}

func (c *rfbCoding) encode(m *pix.Image, parts []image.Rectangle) (int, error) {
	c.parts, c.ends, c.buf = parts, c.ends[:0], c.buf[:0]
	for _, r := range parts {
		var err error
		if c.buf, err = c.enc.AppendRect(c.buf, m, r); err != nil {
			return 0, err
		}
		c.ends = append(c.ends, len(c.buf))
	}
	const header = 12 // of a rectangle
	return len(c.buf) + header*len(parts), nil
}

func (c *rfbCoding) decode(got func(i int, values []uint32, stride int)) error {
	c.update = rfb.FramebufferUpdate{Rects: uint16(len(c.parts))}.Append(c.update[:0])
	start := 0
	for i, r := range c.parts {
		c.update = rfb.RectangleOf(r, c.as).Append(c.update)
		c.update = append(c.update, c.buf[start:c.ends[i]]...)
		start = c.ends[i]
	}
	if err := c.client.RequestUpdate(true, c.client.Bounds()); err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() {
		_, err := c.server.Write(c.update)
		sent <- err
	}()
	if _, err := c.client.ReadUpdate(); err != nil {
		c.client.Close() // so that the writer ends
		<-sent
		return err
	}
	if err := <-sent; err != nil {
		return err
	}
	values, stride := c.client.Values(), c.client.Bounds().Dx()
	for i, r := range c.parts {
		got(i, values[r.Min.Y*stride+r.Min.X:], stride)
	}
	return nil
}

func (c *rfbCoding) close() {
	c.client.Close()
	c.server.Close()
	<-c.drained
}

// jpegCoding is the JPEG encoder alone, every part a picture.
type jpegCoding struct {
	enc     jpeg.Encoder
	quality int
	sub     jpeg.Subsampling
	parts   []image.Rectangle
	ends    []int
	buf     []byte
	values  []uint32
}

func (c *jpegCoding) encode(m *pix.Image, parts []image.Rectangle) (int, error) {
	c.parts, c.ends, c.buf = parts, c.ends[:0], c.buf[:0]
	for _, r := range parts {
		c.buf = c.enc.AppendEncode(c.buf, m, r, c.quality, c.sub)
		c.ends = append(c.ends, len(c.buf))
	}
	return len(c.buf), nil
}

func (c *jpegCoding) decode(got func(i int, values []uint32, stride int)) error {
	start := 0
	for i, r := range c.parts {
		m, err := stdjpeg.Decode(bytes.NewReader(c.buf[start:c.ends[i]]))
		if err != nil {
			return err
		}
		start = c.ends[i]
		p, ok := m.(*image.YCbCr)
		if !ok || p.Rect.Size() != r.Size() {
			return fmt.Errorf("a picture of %v as %T, want %v in colour", m.Bounds().Size(), m, r.Size())
		}
		c.values = c.values[:0]
		for y := range r.Dy() {
			for x := range r.Dx() {
				k, l := p.YOffset(x, y), p.COffset(x, y)
				red, green, blue := color.YCbCrToRGB(p.Y[k], p.Cb[l], p.Cr[l])
				c.values = append(c.values, uint32(red)<<16|uint32(green)<<8|uint32(blue))
			}
		}
		got(i, c.values, r.Dx())
	}
	return nil
}

func (c *jpegCoding) close() {}
