package rfb

import (
	"encoding/binary"

	"framebridge/internal/pix"
)

// ClientInit ends the viewer's side of the handshake (RFC 6143, section
// 7.3.1).
type ClientInit struct {
	Shared bool // leave other viewers connected
}

func parseClientInit(b []byte) (m ClientInit, n int, err error) {
	if len(b) < 1 {
		return m, 0, errShort
	}
	// Not only 1: UltraVNC has more flags in the same byte.
	return ClientInit{Shared: b[0] != 0}, 1, nil
}

// Append appends the message's one byte.
func (m ClientInit) Append(b []byte) []byte { return append(b, flag(m.Shared)) }

// ServerInit ends the server's side of the handshake: the framebuffer (RFC
// 6143, section 7.3.2).
type ServerInit struct {
	Width, Height uint16
	Format        pix.Format // what pixels come in until a SetPixelFormat
	Name          string     // of the desktop: UTF-8, at most MaxDesktopName bytes
}

// serverInitHeader is what comes before the name's length.
const serverInitHeader = 4 + pixelFormatSize

func parseServerInit(b []byte) (m ServerInit, n int, err error) {
	if len(b) < serverInitHeader {
		return m, 0, errShort
	}
	m.Width = binary.BigEndian.Uint16(b)
	m.Height = binary.BigEndian.Uint16(b[2:])
	if m.Format, _, err = parsePixelFormat(b[4:]); err != nil {
		return ServerInit{}, 0, err
	}
	if m.Name, n, err = parseName(b, serverInitHeader); err != nil {
		return ServerInit{}, 0, err
	}
	return m, n, nil
}

// Append appends the message. A longer name is cut.
func (m ServerInit) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, m.Width)
	b = binary.BigEndian.AppendUint16(b, m.Height)
	b = AppendPixelFormat(b, m.Format)
	return appendName(b, m.Name)
}
