package rfb

import "encoding/binary"

// Colour is an entry of a colour map, 16 bits per component.
type Colour struct {
	Red, Green, Blue uint16
}

// ColourOf widens 0x00RRGGBB: 255 becomes 65535.
func ColourOf(rgb uint32) Colour {
	return Colour{uint16(rgb>>16&0xff) * 0x101, uint16(rgb>>8&0xff) * 0x101, uint16(rgb&0xff) * 0x101}
}

// SetColourMapEntries gives colours to pixel values from First on, for viewers
// whose pixel format has a colour map (RFC 6143, section 7.6.2).
type SetColourMapEntries struct {
	First   uint16
	Colours []Colour // at most 65535
}

func parseSetColourMapEntries(b []byte) (m SetColourMapEntries, n int, err error) {
	const header = 6
	if len(b) < header {
		return m, 0, errShort
	}
	n = header + colourSize*int(binary.BigEndian.Uint16(b[4:]))
	if len(b) < n {
		return m, 0, errShort
	}
	m.First = binary.BigEndian.Uint16(b[2:])
	for p := b[header:n]; len(p) > 0; p = p[colourSize:] {
		m.Colours = append(m.Colours, Colour{
			binary.BigEndian.Uint16(p), binary.BigEndian.Uint16(p[2:]), binary.BigEndian.Uint16(p[4:]),
		})
	}
	return m, n, nil
}

// Append appends the message.
func (m SetColourMapEntries) Append(b []byte) []byte {
	b = append(b, byte(ServerSetColourMapEntries), 0)
	b = binary.BigEndian.AppendUint16(b, m.First)
	b = binary.BigEndian.AppendUint16(b, uint16(len(m.Colours)))
	for _, c := range m.Colours {
		b = binary.BigEndian.AppendUint16(b, c.Red)
		b = binary.BigEndian.AppendUint16(b, c.Green)
		b = binary.BigEndian.AppendUint16(b, c.Blue)
	}
	return b
}
