package rfb

import "encoding/binary"

// SetEncodings lists what the viewer understands, the best liked first (RFC
// 6143, section 7.5.2). Encodings may hold unknown numbers and duplicates.
type SetEncodings struct {
	Encodings []Encoding
}

// Type returns ClientSetEncodings.
func (SetEncodings) Type() ClientMessageType { return ClientSetEncodings }

// parseSetEncodings appends the list to list[:0]. The list is bounded by the
// 16 bits of its length, and it is made only once all its bytes are there.
func parseSetEncodings(b []byte, list []Encoding) (m SetEncodings, n int, err error) {
	const header = 4
	if len(b) < header {
		return m, 0, errShort
	}
	n = header + 4*int(binary.BigEndian.Uint16(b[2:]))
	if len(b) < n {
		return m, 0, errShort
	}
	list = list[:0]
	for p := b[header:n]; len(p) > 0; p = p[4:] {
		list = append(list, Encoding(binary.BigEndian.Uint32(p)))
	}
	return SetEncodings{Encodings: list}, n, nil
}

// Append appends the message, which must have at most 65535 encodings.
func (m SetEncodings) Append(b []byte) []byte {
	b = append(b, byte(ClientSetEncodings), 0)
	b = binary.BigEndian.AppendUint16(b, uint16(len(m.Encodings)))
	for _, e := range m.Encodings {
		b = binary.BigEndian.AppendUint32(b, uint32(e))
	}
	return b
}
