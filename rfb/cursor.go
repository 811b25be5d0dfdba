package rfb

import "encoding/binary"

// MaxCursorSide bounds a cursor's width and height, in pixels. X themes stop
// at 256; CVE-2019-15690 was a cursor whose size nobody looked at.
const MaxCursorSide = 1024

// Cursor is a whole pseudo-rectangle with the pointer's shape in the viewer's
// pixel format (RFC 6143, section 7.8.1). Without pixels (0x0) the pointer is
// invisible.
type Cursor struct {
	HotX, HotY    uint16
	Width, Height uint16
	Pixels        []byte // Width*Height pixels in the viewer's format
	Mask          []byte // one bit per pixel, rows padded to bytes, 1 is opaque
}

// maskSize returns the size of a bit mask whose rows are padded to bytes.
func maskSize(w, h uint16) int { return (int(w) + 7) / 8 * int(h) }

// parseCursor reads a Cursor with pixels of pixelSize bytes; the slices are
// parts of b.
func parseCursor(b []byte, pixelSize int) (m Cursor, n int, err error) {
	h, n, err := parseCursorHeader(b, PseudoCursor)
	if err != nil {
		return m, 0, err
	}
	pixels := int(h.Width) * int(h.Height) * pixelSize
	end := n + pixels + maskSize(h.Width, h.Height)
	if len(b) < end {
		return m, 0, errShort
	}
	return Cursor{h.X, h.Y, h.Width, h.Height, b[n : n+pixels], b[n+pixels : end]}, end, nil
}

func parseCursorHeader(b []byte, e Encoding) (h Rectangle, n int, err error) {
	h, n, err = parseRectangleAs(b, e)
	if err == nil && (h.Width > MaxCursorSide || h.Height > MaxCursorSide) {
		return Rectangle{}, 0, protocolErrorf("cursor of %dx%d pixels, limit %d", h.Width, h.Height, MaxCursorSide)
	}
	return h, n, err
}

// Append appends the pseudo-rectangle.
func (m Cursor) Append(b []byte) []byte {
	if len(m.Mask) != maskSize(m.Width, m.Height) {
		panic("rfb: cursor mask does not fit its size")
	}
	b = Rectangle{m.HotX, m.HotY, m.Width, m.Height, PseudoCursor}.Append(b)
	b = append(b, m.Pixels...)
	return append(b, m.Mask...)
}

// XCursor is a whole pseudo-rectangle with a pointer of two colours
// (rfbproto, "X Cursor Pseudo-encoding").
type XCursor struct {
	HotX, HotY         uint16
	Width, Height      uint16
	Primary, Secondary [3]byte // red, green, blue
	Bitmap             []byte  // rows padded to bytes, 1 is the primary colour
	Mask               []byte  // rows padded to bytes, 1 is opaque
}

// parseXCursor leaves the slices parts of b.
func parseXCursor(b []byte) (m XCursor, n int, err error) {
	h, n, err := parseCursorHeader(b, PseudoXCursor)
	if err != nil {
		return m, 0, err
	}
	m = XCursor{HotX: h.X, HotY: h.Y, Width: h.Width, Height: h.Height}
	if h.Width == 0 || h.Height == 0 {
		return m, n, nil
	}
	size := maskSize(h.Width, h.Height)
	end := n + 6 + 2*size
	if len(b) < end {
		return XCursor{}, 0, errShort
	}
	copy(m.Primary[:], b[n:])
	copy(m.Secondary[:], b[n+3:])
	m.Bitmap, m.Mask = b[n+6:n+6+size], b[n+6+size:end]
	return m, end, nil
}

// Append appends the pseudo-rectangle.
func (m XCursor) Append(b []byte) []byte {
	size := maskSize(m.Width, m.Height)
	if len(m.Mask) != size || len(m.Bitmap) != size {
		panic("rfb: cursor mask does not fit its size")
	}
	b = Rectangle{m.HotX, m.HotY, m.Width, m.Height, PseudoXCursor}.Append(b)
	if m.Width == 0 || m.Height == 0 {
		return b // not even the colours
	}
	b = append(b, m.Primary[:]...)
	b = append(b, m.Secondary[:]...)
	b = append(b, m.Bitmap...)
	return append(b, m.Mask...)
}

// CursorWithAlpha is a whole pseudo-rectangle with the pointer's shape in
// RGBA, whatever the viewer's pixel format (rfbproto, "Cursor With Alpha
// Pseudo-encoding"). Inside it is Raw.
type CursorWithAlpha struct {
	HotX, HotY    uint16
	Width, Height uint16
	Pixels        []byte // red, green, blue, alpha; the colours multiplied by alpha
}

// parseCursorWithAlpha leaves Pixels a part of b.
func parseCursorWithAlpha(b []byte) (m CursorWithAlpha, n int, err error) {
	h, n, err := parseCursorHeader(b, PseudoCursorWithAlpha)
	if err != nil {
		return m, 0, err
	}
	if len(b) < n+4 {
		return m, 0, errShort
	}
	if e := Encoding(binary.BigEndian.Uint32(b[n:])); e != EncodingRaw {
		return m, 0, protocolErrorf("cursor with alpha in encoding %s", e)
	}
	n += 4
	end := n + 4*int(h.Width)*int(h.Height)
	if len(b) < end {
		return m, 0, errShort
	}
	return CursorWithAlpha{h.X, h.Y, h.Width, h.Height, b[n:end]}, end, nil
}

// Append appends the pseudo-rectangle.
func (m CursorWithAlpha) Append(b []byte) []byte {
	if len(m.Pixels) != 4*int(m.Width)*int(m.Height) {
		panic("rfb: cursor pixels do not fit its size")
	}
	b = Rectangle{m.HotX, m.HotY, m.Width, m.Height, PseudoCursorWithAlpha}.Append(b)
	b = binary.BigEndian.AppendUint32(b, uint32(EncodingRaw))
	return append(b, m.Pixels...)
}

// VMwareCursor is a whole pseudo-rectangle with the pointer's shape in RGBA,
// the alpha form of rfbproto's "VMware Cursor Pseudo-encoding".
type VMwareCursor struct {
	HotX, HotY    uint16
	Width, Height uint16
	Pixels        []byte // red, green, blue, alpha; not multiplied
}

// vmwareAlpha is the type of the RGBA form; 0 is one of two masks.
const vmwareAlpha = 1

// parseVMwareCursor leaves Pixels a part of b.
func parseVMwareCursor(b []byte) (m VMwareCursor, n int, err error) {
	h, n, err := parseCursorHeader(b, PseudoVMwareCursor)
	if err != nil {
		return m, 0, err
	}
	if len(b) < n+2 {
		return m, 0, errShort
	}
	if b[n] != vmwareAlpha {
		return m, 0, protocolErrorf("VMware cursor of type %d", b[n])
	}
	n += 2
	end := n + 4*int(h.Width)*int(h.Height)
	if len(b) < end {
		return m, 0, errShort
	}
	return VMwareCursor{h.X, h.Y, h.Width, h.Height, b[n:end]}, end, nil
}

// Append appends the pseudo-rectangle.
func (m VMwareCursor) Append(b []byte) []byte {
	if len(m.Pixels) != 4*int(m.Width)*int(m.Height) {
		panic("rfb: cursor pixels do not fit its size")
	}
	b = Rectangle{m.HotX, m.HotY, m.Width, m.Height, PseudoVMwareCursor}.Append(b)
	b = append(b, vmwareAlpha, 0)
	return append(b, m.Pixels...)
}

// PointerPos is a whole pseudo-rectangle: the pointer was moved by something
// else than this viewer (rfbproto lists it as -232).
type PointerPos struct {
	X, Y uint16
}

func parsePointerPos(b []byte) (m PointerPos, n int, err error) {
	h, n, err := parseRectangleAs(b, PseudoPointerPos)
	if err != nil {
		return m, 0, err
	}
	return PointerPos{h.X, h.Y}, n, nil
}

// Append appends the pseudo-rectangle.
func (m PointerPos) Append(b []byte) []byte {
	return Rectangle{X: m.X, Y: m.Y, Encoding: PseudoPointerPos}.Append(b)
}
