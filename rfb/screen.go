package rfb

import "encoding/binary"

// Screen is a monitor within the framebuffer (rfbproto,
// "ExtendedDesktopSize": SCREEN).
type Screen struct {
	ID                  uint32
	X, Y, Width, Height uint16
	Flags               uint32 // must be kept, has no meaning yet
}

// screenSize is the size of a SCREEN.
const screenSize = 16

func parseScreen(b []byte) Screen {
	return Screen{
		ID:     binary.BigEndian.Uint32(b),
		X:      binary.BigEndian.Uint16(b[4:]),
		Y:      binary.BigEndian.Uint16(b[6:]),
		Width:  binary.BigEndian.Uint16(b[8:]),
		Height: binary.BigEndian.Uint16(b[10:]),
		Flags:  binary.BigEndian.Uint32(b[12:]),
	}
}

func (s Screen) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, s.ID)
	b = appendRect(b, s.X, s.Y, s.Width, s.Height)
	return binary.BigEndian.AppendUint32(b, s.Flags)
}

// parseScreens appends the SCREENs of b, a multiple of 16 bytes, to list.
func parseScreens(list []Screen, b []byte) []Screen {
	for ; len(b) > 0; b = b[screenSize:] {
		list = append(list, parseScreen(b))
	}
	return list
}
