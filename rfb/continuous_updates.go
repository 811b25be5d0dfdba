package rfb

import (
	"encoding/binary"
	"image"
)

// EnableContinuousUpdates switches updates without requests on for an area,
// or off (rfbproto, "EnableContinuousUpdates").
type EnableContinuousUpdates struct {
	Enable              bool
	X, Y, Width, Height uint16
}

// Type returns ClientEnableContinuousUpdates.
func (EnableContinuousUpdates) Type() ClientMessageType { return ClientEnableContinuousUpdates }

// Rect returns the area, which may lie outside the framebuffer.
func (m EnableContinuousUpdates) Rect() image.Rectangle { return rect(m.X, m.Y, m.Width, m.Height) }

func parseEnableContinuousUpdates(b []byte) (m EnableContinuousUpdates, n int, err error) {
	const size = 10
	if len(b) < size {
		return m, 0, errShort
	}
	m.Enable = b[1] != 0
	m.X = binary.BigEndian.Uint16(b[2:])
	m.Y = binary.BigEndian.Uint16(b[4:])
	m.Width = binary.BigEndian.Uint16(b[6:])
	m.Height = binary.BigEndian.Uint16(b[8:])
	return m, size, nil
}

// Append appends the message's ten bytes.
func (m EnableContinuousUpdates) Append(b []byte) []byte {
	b = append(b, byte(ClientEnableContinuousUpdates), flag(m.Enable))
	return appendRect(b, m.X, m.Y, m.Width, m.Height)
}

// EndOfContinuousUpdates tells the viewer that continuous updates are
// supported, and later that they have ended (rfbproto,
// "EndOfContinuousUpdates").
type EndOfContinuousUpdates struct{}

func parseEndOfContinuousUpdates(b []byte) (m EndOfContinuousUpdates, n int, err error) {
	if len(b) < 1 {
		return m, 0, errShort
	}
	return m, 1, nil
}

// Append appends the message's one byte.
func (EndOfContinuousUpdates) Append(b []byte) []byte {
	return append(b, byte(ServerEndOfContinuousUpdates))
}
