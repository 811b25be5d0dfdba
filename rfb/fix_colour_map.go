package rfb

import "encoding/binary"

// FixColourMapEntries is a message of the first protocol versions: the viewer
// proposes colours. RFC 6143 no longer has it; it is read so that it can be
// ignored.
type FixColourMapEntries struct {
	First   uint16
	Colours []byte // six bytes each: red, green and blue, 16 bits big-endian
}

// Type returns ClientFixColourMapEntries.
func (FixColourMapEntries) Type() ClientMessageType { return ClientFixColourMapEntries }

// colourSize is the size of a colour: red, green and blue of 16 bits.
const colourSize = 6

// parseFixColourMapEntries bounds the colours by the 16 bits of their number:
// at most 384 KiB. Colours is part of b.
func parseFixColourMapEntries(b []byte) (m FixColourMapEntries, n int, err error) {
	const header = 6
	if len(b) < header {
		return m, 0, errShort
	}
	n = header + colourSize*int(binary.BigEndian.Uint16(b[4:]))
	if len(b) < n {
		return m, 0, errShort
	}
	return FixColourMapEntries{First: binary.BigEndian.Uint16(b[2:]), Colours: b[header:n]}, n, nil
}

// Append appends the message. Colours must hold at most 65535 whole colours.
func (m FixColourMapEntries) Append(b []byte) []byte {
	b = append(b, byte(ClientFixColourMapEntries), 0)
	b = binary.BigEndian.AppendUint16(b, m.First)
	b = binary.BigEndian.AppendUint16(b, uint16(len(m.Colours)/colourSize))
	return append(b, m.Colours...)
}
