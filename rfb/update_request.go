package rfb

import (
	"encoding/binary"
	"image"
)

// UpdateRequest asks for the contents of an area (RFC 6143, section 7.5.3).
// The area is as the viewer sent it: it may lie outside the framebuffer.
type UpdateRequest struct {
	Incremental         bool // only what changed since the last update
	X, Y, Width, Height uint16
}

// Type returns ClientUpdateRequest.
func (UpdateRequest) Type() ClientMessageType { return ClientUpdateRequest }

// Rect returns the area.
func (m UpdateRequest) Rect() image.Rectangle { return rect(m.X, m.Y, m.Width, m.Height) }

func parseUpdateRequest(b []byte) (m UpdateRequest, n int, err error) {
	const size = 10
	if len(b) < size {
		return m, 0, errShort
	}
	m.Incremental = b[1] != 0
	m.X = binary.BigEndian.Uint16(b[2:])
	m.Y = binary.BigEndian.Uint16(b[4:])
	m.Width = binary.BigEndian.Uint16(b[6:])
	m.Height = binary.BigEndian.Uint16(b[8:])
	return m, size, nil
}

// Append appends the message's ten bytes.
func (m UpdateRequest) Append(b []byte) []byte {
	b = append(b, byte(ClientUpdateRequest), flag(m.Incremental))
	return appendRect(b, m.X, m.Y, m.Width, m.Height)
}

func rect(x, y, w, h uint16) image.Rectangle {
	return image.Rect(int(x), int(y), int(x)+int(w), int(y)+int(h))
}

func appendRect(b []byte, x, y, w, h uint16) []byte {
	b = binary.BigEndian.AppendUint16(b, x)
	b = binary.BigEndian.AppendUint16(b, y)
	b = binary.BigEndian.AppendUint16(b, w)
	return binary.BigEndian.AppendUint16(b, h)
}
