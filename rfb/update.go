package rfb

import (
	"encoding/binary"
	"fmt"
	"image"
)

// RectsUntilLast is the rectangle count of an update that ends with a LastRect
// pseudo-rectangle instead (rfbproto, "LastRect Pseudo-encoding").
const RectsUntilLast = 0xffff

// FramebufferUpdate is the header of an update; Rects rectangles follow (RFC
// 6143, section 7.6.1).
type FramebufferUpdate struct {
	Rects uint16 // or RectsUntilLast
}

func parseFramebufferUpdate(b []byte) (m FramebufferUpdate, n int, err error) {
	const size = 4
	if len(b) < size {
		return m, 0, errShort
	}
	return FramebufferUpdate{Rects: binary.BigEndian.Uint16(b[2:])}, size, nil
}

// Append appends the header's four bytes.
func (m FramebufferUpdate) Append(b []byte) []byte {
	b = append(b, byte(ServerFramebufferUpdate), 0)
	return binary.BigEndian.AppendUint16(b, m.Rects)
}

// Rectangle is the header of a rectangle of an update; what follows depends
// on Encoding (RFC 6143, section 7.6.1).
type Rectangle struct {
	X, Y, Width, Height uint16
	Encoding            Encoding
}

// RectangleOf returns the header for r, which must lie in 0..65535.
func RectangleOf(r image.Rectangle, e Encoding) Rectangle {
	if !r.In(image.Rect(0, 0, 0xffff, 0xffff)) {
		panic(fmt.Sprintf("rfb: rectangle %v does not fit 16 bits", r))
	}
	return Rectangle{X: uint16(r.Min.X), Y: uint16(r.Min.Y), Width: uint16(r.Dx()), Height: uint16(r.Dy()), Encoding: e}
}

// Rect returns the area.
func (m Rectangle) Rect() image.Rectangle { return rect(m.X, m.Y, m.Width, m.Height) }

// rectangleSize is the size of a rectangle's header.
const rectangleSize = 12

func parseRectangle(b []byte) (m Rectangle, n int, err error) {
	if len(b) < rectangleSize {
		return m, 0, errShort
	}
	return Rectangle{
		X:        binary.BigEndian.Uint16(b),
		Y:        binary.BigEndian.Uint16(b[2:]),
		Width:    binary.BigEndian.Uint16(b[4:]),
		Height:   binary.BigEndian.Uint16(b[6:]),
		Encoding: Encoding(binary.BigEndian.Uint32(b[8:])),
	}, rectangleSize, nil
}

// Append appends the header's twelve bytes.
func (m Rectangle) Append(b []byte) []byte {
	b = appendRect(b, m.X, m.Y, m.Width, m.Height)
	return binary.BigEndian.AppendUint32(b, uint32(m.Encoding))
}

// CopyRect is a whole rectangle whose pixels the viewer already has, at
// (SrcX, SrcY) (RFC 6143, section 7.7.2).
type CopyRect struct {
	X, Y, Width, Height uint16
	SrcX, SrcY          uint16
}

// CopyRectOf returns the CopyRect that moves the pixels at src to dst, which
// must lie in 0..65535.
func CopyRectOf(dst image.Rectangle, src image.Point) CopyRect {
	d := RectangleOf(dst, EncodingCopyRect)
	s := RectangleOf(image.Rectangle{Min: src, Max: src.Add(dst.Size())}, EncodingCopyRect)
	return CopyRect{d.X, d.Y, d.Width, d.Height, s.X, s.Y}
}

func parseCopyRect(b []byte) (m CopyRect, n int, err error) {
	h, n, err := parseRectangleAs(b, EncodingCopyRect)
	if err != nil {
		return m, 0, err
	}
	if len(b) < n+4 {
		return m, 0, errShort
	}
	m = CopyRect{h.X, h.Y, h.Width, h.Height, binary.BigEndian.Uint16(b[n:]), binary.BigEndian.Uint16(b[n+2:])}
	return m, n + 4, nil
}

// Append appends the rectangle's header and its four bytes.
func (m CopyRect) Append(b []byte) []byte {
	b = Rectangle{m.X, m.Y, m.Width, m.Height, EncodingCopyRect}.Append(b)
	b = binary.BigEndian.AppendUint16(b, m.SrcX)
	return binary.BigEndian.AppendUint16(b, m.SrcY)
}

// parseRectangleAs reads a header that must have the encoding e.
func parseRectangleAs(b []byte, e Encoding) (m Rectangle, n int, err error) {
	m, n, err = parseRectangle(b)
	if err == nil && m.Encoding != e {
		return Rectangle{}, 0, protocolErrorf("rectangle has encoding %s, want %s", m.Encoding, e)
	}
	return m, n, err
}
