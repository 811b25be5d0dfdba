package rfb

import "encoding/binary"

// MaxDesktopName bounds the desktop's name, in bytes; a window title has less.
const MaxDesktopName = 64 << 10

// DesktopSize is a whole pseudo-rectangle: the framebuffer has a new size (RFC
// 6143, section 7.8.2). It is the last rectangle of its update.
type DesktopSize struct {
	Width, Height uint16
}

func parseDesktopSize(b []byte) (m DesktopSize, n int, err error) {
	h, n, err := parseRectangleAs(b, PseudoDesktopSize)
	if err != nil {
		return m, 0, err
	}
	return DesktopSize{h.Width, h.Height}, n, nil
}

// Append appends the pseudo-rectangle.
func (m DesktopSize) Append(b []byte) []byte {
	return Rectangle{Width: m.Width, Height: m.Height, Encoding: PseudoDesktopSize}.Append(b)
}

// ResizeReason says who changed the framebuffer's size.
type ResizeReason uint16

// Reasons (rfbproto, "ExtendedDesktopSize": x-position).
const (
	ResizeByServer      ResizeReason = 0 // also: the state was asked for
	ResizeByClient      ResizeReason = 1 // the viewer that gets the message asked
	ResizeByOtherClient ResizeReason = 2
)

// ResizeStatus says what became of a SetDesktopSize.
type ResizeStatus uint16

// Statuses (rfbproto, "ExtendedDesktopSize": y-position).
const (
	ResizeOK             ResizeStatus = 0
	ResizeProhibited     ResizeStatus = 1
	ResizeOutOfResources ResizeStatus = 2
	ResizeInvalidLayout  ResizeStatus = 3
	ResizeForwarded      ResizeStatus = 4
)

// ExtendedDesktopSize is a whole pseudo-rectangle: the framebuffer's size and
// its screens, and why they are told (rfbproto, "ExtendedDesktopSize
// Pseudo-encoding"). Its update has no pixels.
type ExtendedDesktopSize struct {
	Reason        ResizeReason
	Status        ResizeStatus
	Width, Height uint16
	Screens       []Screen // at most 255
}

func parseExtendedDesktopSize(b []byte) (m ExtendedDesktopSize, n int, err error) {
	h, n, err := parseRectangleAs(b, PseudoExtendedDesktopSize)
	if err != nil {
		return m, 0, err
	}
	if len(b) < n+4 {
		return m, 0, errShort
	}
	end := n + 4 + screenSize*int(b[n])
	if len(b) < end {
		return m, 0, errShort
	}
	return ExtendedDesktopSize{
		ResizeReason(h.X), ResizeStatus(h.Y), h.Width, h.Height, parseScreens(nil, b[n+4:end]),
	}, end, nil
}

// Append appends the pseudo-rectangle.
func (m ExtendedDesktopSize) Append(b []byte) []byte {
	if len(m.Screens) > 255 {
		panic("rfb: more than 255 screens")
	}
	b = Rectangle{uint16(m.Reason), uint16(m.Status), m.Width, m.Height, PseudoExtendedDesktopSize}.Append(b)
	b = append(b, byte(len(m.Screens)), 0, 0, 0)
	for _, s := range m.Screens {
		b = s.append(b)
	}
	return b
}

// DesktopName is a whole pseudo-rectangle: the desktop has a new name
// (rfbproto, "DesktopName Pseudo-encoding").
type DesktopName struct {
	Name string // UTF-8, at most MaxDesktopName bytes
}

func parseDesktopName(b []byte) (m DesktopName, n int, err error) {
	_, n, err = parseRectangleAs(b, PseudoDesktopName)
	if err != nil {
		return m, 0, err
	}
	m.Name, n, err = parseName(b, n)
	return m, n, err
}

// Append appends the pseudo-rectangle. A longer name is cut.
func (m DesktopName) Append(b []byte) []byte {
	b = Rectangle{Encoding: PseudoDesktopName}.Append(b)
	return appendName(b, m.Name)
}

// parseName reads a name that is b's rest from n: 32 bits of length, then
// that many bytes.
func parseName(b []byte, n int) (name string, end int, err error) {
	if len(b) < n+4 {
		return "", 0, errShort
	}
	size := binary.BigEndian.Uint32(b[n:])
	if size > MaxDesktopName {
		return "", 0, protocolErrorf("desktop name of %d bytes, limit %d", size, MaxDesktopName)
	}
	n += 4
	end = n + int(size)
	if len(b) < end {
		return "", 0, errShort
	}
	return string(b[n:end]), end, nil
}

func appendName(b []byte, name string) []byte {
	name = name[:min(len(name), MaxDesktopName)]
	b = binary.BigEndian.AppendUint32(b, uint32(len(name)))
	return append(b, name...)
}
