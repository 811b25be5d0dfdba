package rfb

import "framebridge/internal/pix"

// SetPixelFormat asks for all later pixels in Format, which is valid (RFC
// 6143, section 7.5.1).
type SetPixelFormat struct {
	Format pix.Format
}

// Type returns ClientSetPixelFormat.
func (SetPixelFormat) Type() ClientMessageType { return ClientSetPixelFormat }

func parseSetPixelFormat(b []byte) (m SetPixelFormat, n int, err error) {
	const header = 4 // type, three bytes of padding
	if len(b) < header {
		return m, 0, errShort
	}
	m.Format, n, err = parsePixelFormat(b[header:])
	if err != nil {
		return m, 0, err
	}
	return m, header + n, nil
}

// Append appends the message's 20 bytes.
func (m SetPixelFormat) Append(b []byte) []byte {
	b = append(b, byte(ClientSetPixelFormat), 0, 0, 0)
	return AppendPixelFormat(b, m.Format)
}
