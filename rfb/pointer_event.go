package rfb

import "encoding/binary"

// PointerEvent is where the pointer is and which buttons are held (RFC 6143,
// section 7.5.5). The extended form of rfbproto has one byte more for seven
// more buttons; bit 7 of the first mask marks it.
type PointerEvent struct {
	Buttons  uint16 // bit i is button i+1; 15 bits in the extended form, else 8
	X, Y     uint16
	Extended bool // which of the two forms it has
}

// Type returns ClientPointerEvent.
func (PointerEvent) Type() ClientMessageType { return ClientPointerEvent }

// extendedMarker is bit 7 of the button mask: one more byte follows. In the
// plain form it is button 8, so extended must say what was negotiated.
const extendedMarker = 0x80

func parsePointerEvent(b []byte, extended bool) (m PointerEvent, n int, err error) {
	const size = 6
	if len(b) < size {
		return m, 0, errShort
	}
	m.Buttons = uint16(b[1])
	m.X = binary.BigEndian.Uint16(b[2:])
	m.Y = binary.BigEndian.Uint16(b[4:])
	if !extended || b[1]&extendedMarker == 0 {
		return m, size, nil
	}
	if len(b) < size+1 {
		return PointerEvent{}, 0, errShort
	}
	m.Extended = true
	m.Buttons = uint16(b[1]&^extendedMarker) | uint16(b[size])<<7
	return m, size + 1, nil
}

// Append appends the message: seven bytes in the extended form, else six.
func (m PointerEvent) Append(b []byte) []byte {
	mask := byte(m.Buttons)
	if m.Extended {
		mask |= extendedMarker
	}
	b = append(b, byte(ClientPointerEvent), mask)
	b = binary.BigEndian.AppendUint16(b, m.X)
	b = binary.BigEndian.AppendUint16(b, m.Y)
	if m.Extended {
		b = append(b, byte(m.Buttons>>7))
	}
	return b
}
