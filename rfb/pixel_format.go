package rfb

import (
	"encoding/binary"

	"framebridge/internal/pix"
)

// pixelFormatSize is the size of a PIXEL_FORMAT (RFC 6143, section 7.4).
const pixelFormatSize = 16

// parsePixelFormat reads a PIXEL_FORMAT; flags other than zero mean true. A
// format that no server can serve is the peer's fault.
func parsePixelFormat(b []byte) (f pix.Format, n int, err error) {
	if len(b) < pixelFormatSize {
		return f, 0, errShort
	}
	f = pix.Format{
		BitsPerPixel: b[0],
		Depth:        b[1],
		BigEndian:    b[2] != 0,
		TrueColour:   b[3] != 0,
		RedMax:       binary.BigEndian.Uint16(b[4:]),
		GreenMax:     binary.BigEndian.Uint16(b[6:]),
		BlueMax:      binary.BigEndian.Uint16(b[8:]),
		RedShift:     b[10],
		GreenShift:   b[11],
		BlueShift:    b[12],
	}
	if err := f.Validate(); err != nil {
		return pix.Format{}, 0, &ProtocolError{Err: err}
	}
	return f, pixelFormatSize, nil
}

// AppendPixelFormat appends the 16 bytes of a PIXEL_FORMAT.
func AppendPixelFormat(b []byte, f pix.Format) []byte {
	b = append(b, f.BitsPerPixel, f.Depth, flag(f.BigEndian), flag(f.TrueColour))
	b = binary.BigEndian.AppendUint16(b, f.RedMax)
	b = binary.BigEndian.AppendUint16(b, f.GreenMax)
	b = binary.BigEndian.AppendUint16(b, f.BlueMax)
	return append(b, f.RedShift, f.GreenShift, f.BlueShift, 0, 0, 0)
}

func flag(v bool) byte {
	if v {
		return 1
	}
	return 0
}
