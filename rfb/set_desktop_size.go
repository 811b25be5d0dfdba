package rfb

import "encoding/binary"

// SetDesktopSize asks for another framebuffer size and layout (rfbproto,
// "SetDesktopSize"). Nothing in it is checked: 65535 x 65535 and screens
// outside the framebuffer are the session's to refuse.
type SetDesktopSize struct {
	Width, Height uint16
	Screens       []Screen // at most 255
}

// Type returns ClientSetDesktopSize.
func (SetDesktopSize) Type() ClientMessageType { return ClientSetDesktopSize }

// parseSetDesktopSize appends the screens to list[:0].
func parseSetDesktopSize(b []byte, list []Screen) (m SetDesktopSize, n int, err error) {
	const header = 8
	if len(b) < header {
		return m, 0, errShort
	}
	n = header + screenSize*int(b[6])
	if len(b) < n {
		return m, 0, errShort
	}
	return SetDesktopSize{
		Width:   binary.BigEndian.Uint16(b[2:]),
		Height:  binary.BigEndian.Uint16(b[4:]),
		Screens: parseScreens(list[:0], b[header:n]),
	}, n, nil
}

// Append appends the message.
func (m SetDesktopSize) Append(b []byte) []byte {
	b = append(b, byte(ClientSetDesktopSize), 0)
	b = binary.BigEndian.AppendUint16(b, m.Width)
	b = binary.BigEndian.AppendUint16(b, m.Height)
	b = append(b, byte(len(m.Screens)), 0)
	for _, s := range m.Screens {
		b = s.append(b)
	}
	return b
}
