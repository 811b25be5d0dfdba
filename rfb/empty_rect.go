package rfb

// EmptyRect is a whole pseudo-rectangle that consists of its encoding alone:
// the end of an update (PseudoLastRect), or the answer to a viewer that
// announced an extension of the input messages (PseudoQEMUExtendedKey,
// PseudoExtendedMouseButtons), sent once.
type EmptyRect struct {
	Encoding Encoding
}

func parseEmptyRect(b []byte) (m EmptyRect, n int, err error) {
	h, n, err := parseRectangle(b)
	if err != nil {
		return m, 0, err
	}
	if h.X != 0 || h.Y != 0 || h.Width != 0 || h.Height != 0 {
		return m, 0, protocolErrorf("rectangle %v of encoding %s, want an empty one", h.Rect(), h.Encoding)
	}
	return EmptyRect{h.Encoding}, n, nil
}

// Append appends the pseudo-rectangle's twelve bytes.
func (m EmptyRect) Append(b []byte) []byte {
	return Rectangle{Encoding: m.Encoding}.Append(b)
}

// The empty pseudo-rectangles.
var (
	LastRect                = EmptyRect{PseudoLastRect}
	QEMUExtendedKeyAck      = EmptyRect{PseudoQEMUExtendedKey}
	ExtendedMouseButtonsAck = EmptyRect{PseudoExtendedMouseButtons}
)

// LEDs are the lock lights of a keyboard.
type LEDs uint8

// Bits of LEDs (rfbproto, "QEMU LED State Pseudo-encoding").
const (
	LEDScrollLock LEDs = 1 << 0
	LEDNumLock    LEDs = 1 << 1
	LEDCapsLock   LEDs = 1 << 2
)

// LEDState is a whole pseudo-rectangle with the lights of the server's
// keyboard (rfbproto, "QEMU LED State Pseudo-encoding").
type LEDState struct {
	LEDs LEDs
}

func parseLEDState(b []byte) (m LEDState, n int, err error) {
	_, n, err = parseRectangleAs(b, PseudoLEDState)
	if err != nil {
		return m, 0, err
	}
	if len(b) < n+1 {
		return m, 0, errShort
	}
	return LEDState{LEDs(b[n])}, n + 1, nil
}

// Append appends the pseudo-rectangle.
func (m LEDState) Append(b []byte) []byte {
	b = Rectangle{Encoding: PseudoLEDState}.Append(b)
	return append(b, byte(m.LEDs))
}
