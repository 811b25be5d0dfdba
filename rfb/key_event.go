package rfb

import "encoding/binary"

// KeyEvent is the press or release of a key, by what it means (RFC 6143,
// section 7.5.4).
type KeyEvent struct {
	Down   bool
	Keysym uint32 // X11 keysym
}

// Type returns ClientKeyEvent.
func (KeyEvent) Type() ClientMessageType { return ClientKeyEvent }

func parseKeyEvent(b []byte) (m KeyEvent, n int, err error) {
	const size = 8
	if len(b) < size {
		return m, 0, errShort
	}
	return KeyEvent{Down: b[1] != 0, Keysym: binary.BigEndian.Uint32(b[4:])}, size, nil
}

// Append appends the message's eight bytes.
func (m KeyEvent) Append(b []byte) []byte {
	b = append(b, byte(ClientKeyEvent), flag(m.Down), 0, 0)
	return binary.BigEndian.AppendUint32(b, m.Keysym)
}
