package stream

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// Ack says that the frame of this number, and all before it, are shown.
type Ack uint32

// Append appends the message.
func (m Ack) Append(b []byte) []byte { return appendNumber(b, typeAck, uint32(m)) }

// Key presses or releases a key.
type Key struct {
	Down         bool
	Keysym, Code uint32 // X keysym; XT scancode or 0
}

func parseKey(b []byte) (m Key, err error) {
	if len(b) != 9 {
		return m, errLength
	}
	if b[0] > 1 {
		return m, fmt.Errorf("a key is down (1) or up (0), not %d", b[0])
	}
	return Key{b[0] == 1, binary.BigEndian.Uint32(b[1:]), binary.BigEndian.Uint32(b[5:])}, nil
}

// Append appends the message.
func (m Key) Append(b []byte) []byte {
	down := byte(0)
	if m.Down {
		down = 1
	}
	b = append(b, typeKey, down)
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, m.Keysym), m.Code)
}

// Pointer moves the pointer and sets the state of its buttons.
type Pointer struct {
	X, Y    int // pixels of the picture
	Buttons uint16
}

func parsePointer(b []byte) (m Pointer, err error) {
	if len(b) != 6 {
		return m, errLength
	}
	return Pointer{int(binary.BigEndian.Uint16(b)), int(binary.BigEndian.Uint16(b[2:])), binary.BigEndian.Uint16(b[4:])}, nil
}

// Append appends the message.
func (m Pointer) Append(b []byte) []byte {
	b = append(b, typePointer)
	for _, n := range []uint16{uint16(m.X), uint16(m.Y), m.Buttons} {
		b = binary.BigEndian.AppendUint16(b, n)
	}
	return b
}

// PageClip is text for the X server's clipboard.
type PageClip string

// Append appends the message.
func (m PageClip) Append(b []byte) []byte { return appendText(b, typePageClip, string(m)) }

// PagePing is to be answered by ServerPong with the same number.
type PagePing uint32

// Append appends the message.
func (m PagePing) Append(b []byte) []byte { return appendNumber(b, typePagePing, uint32(m)) }

// PagePong answers ServerPing.
type PagePong uint32

// Append appends the message.
func (m PagePong) Append(b []byte) []byte { return appendNumber(b, typePagePong, uint32(m)) }

// maxSide bounds the size of the screen that a page can ask for; it is the
// largest side of a VP8 frame (RFC 6386, section 9.1).
const maxSide = 16383

func parseSettings(b []byte) (m Settings, err error) {
	if len(b) > maxSettings {
		return m, errLength
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return Settings{}, err
	}
	switch m.Quality {
	case "", "auto", "sharp", "fast":
	default:
		return Settings{}, fmt.Errorf("quality %.20q: want auto, sharp or fast", m.Quality)
	}
	if m.Width < 0 || m.Height < 0 || m.Width > maxSide || m.Height > maxSide || (m.Width == 0) != (m.Height == 0) {
		return Settings{}, errors.New("width and height out of range")
	}
	return m, nil
}

// Append appends the message.
func (m Settings) Append(b []byte) []byte { return appendJSON(b, typeSettings, m) }

// Rekey says that the page cannot decode any more.
type Rekey struct{}

// Append appends the message.
func (Rekey) Append(b []byte) []byte { return append(b, typeRekey) }

// Release lets go of all keys and buttons.
type Release struct{}

// Append appends the message.
func (Release) Append(b []byte) []byte { return append(b, typeRelease) }
