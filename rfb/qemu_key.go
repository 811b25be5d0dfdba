package rfb

import "encoding/binary"

// QEMUKeyEvent is the press or release of a key, by its meaning and by its
// place on the keyboard (rfbproto, "QEMU Extended Key Event Message").
type QEMUKeyEvent struct {
	Down    bool
	Keysym  uint32 // X11 keysym, 0 where the viewer knows none
	Keycode uint32 // XT scan code; prefix 0xe0 is bit 7
}

// Type returns ClientQEMU.
func (QEMUKeyEvent) Type() ClientMessageType { return ClientQEMU }

// qemuKey is the sub-type of the key event, the only one that is spoken here:
// audio (1) may only be sent to servers that announce it.
const qemuKey = 0

func parseQEMUKeyEvent(b []byte) (m QEMUKeyEvent, n int, err error) {
	const size = 12
	if len(b) < 2 {
		return m, 0, errShort
	}
	if b[1] != qemuKey {
		return m, 0, protocolErrorf("QEMU message with sub-type %d", b[1])
	}
	if len(b) < size {
		return m, 0, errShort
	}
	return QEMUKeyEvent{
		Down:    binary.BigEndian.Uint16(b[2:]) != 0,
		Keysym:  binary.BigEndian.Uint32(b[4:]),
		Keycode: binary.BigEndian.Uint32(b[8:]),
	}, size, nil
}

// Append appends the message's twelve bytes.
func (m QEMUKeyEvent) Append(b []byte) []byte {
	b = append(b, byte(ClientQEMU), qemuKey, 0, flag(m.Down))
	b = binary.BigEndian.AppendUint32(b, m.Keysym)
	return binary.BigEndian.AppendUint32(b, m.Keycode)
}
