package stream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"time"
)

// Append appends the message.
func (m Hello) Append(b []byte) []byte { return appendJSON(b, typeHello, m) }

// Append appends the message.
func (m State) Append(b []byte) []byte { return appendJSON(b, typeState, m) }

// Append appends the message.
func (m Stats) Append(b []byte) []byte { return appendJSON(b, typeStats, m) }

// FrameMessage is a coded picture.
type FrameMessage struct {
	Key           bool
	Seq           uint32
	Width, Height int           // of the picture in pixels, below 1<<16
	Age           time.Duration // from capture to sending, in whole microseconds
	Encode        time.Duration // what coding it took, likewise
	Data          []byte        // VP8 frame
}

const (
	frameHeader = 17 // after the type
	flagKey     = 1
)

func parseFrame(b []byte) (m FrameMessage, err error) {
	if len(b) < frameHeader {
		return m, errLength
	}
	m.Key = b[0]&flagKey != 0
	m.Seq = binary.BigEndian.Uint32(b[1:])
	m.Width, m.Height = int(binary.BigEndian.Uint16(b[5:])), int(binary.BigEndian.Uint16(b[7:]))
	m.Age = time.Duration(binary.BigEndian.Uint32(b[9:])) * time.Microsecond
	m.Encode = time.Duration(binary.BigEndian.Uint32(b[13:])) * time.Microsecond
	m.Data = b[frameHeader:]
	return m, nil
}

// Append appends the message. Times that 32 bits do not hold (71 minutes) become
// the longest that they do.
func (m FrameMessage) Append(b []byte) []byte {
	flags := byte(0)
	if m.Key {
		flags |= flagKey
	}
	b = append(b, typeFrame, flags)
	b = binary.BigEndian.AppendUint32(b, m.Seq)
	b = binary.BigEndian.AppendUint16(b, uint16(m.Width))
	b = binary.BigEndian.AppendUint16(b, uint16(m.Height))
	b = binary.BigEndian.AppendUint32(b, microseconds(m.Age))
	b = binary.BigEndian.AppendUint32(b, microseconds(m.Encode))
	return append(b, m.Data...)
}

func microseconds(d time.Duration) uint32 {
	return uint32(max(0, min(d.Microseconds(), 1<<32-1)))
}

// Cursor is the pointer's shape.
type Cursor struct {
	Hot  image.Point
	Size image.Point // zero: no pointer is shown
	RGBA []byte      // Size.X*Size.Y pixels, not premultiplied
}

const cursorHeader = 8

func parseCursor(b []byte) (m Cursor, err error) {
	if len(b) < cursorHeader {
		return m, errLength
	}
	at := func(i int) image.Point {
		return image.Pt(int(binary.BigEndian.Uint16(b[i:])), int(binary.BigEndian.Uint16(b[i+2:])))
	}
	m.Hot, m.Size, m.RGBA = at(0), at(4), b[cursorHeader:]
	if len(m.RGBA) != m.Size.X*m.Size.Y*4 {
		return Cursor{}, errors.New("pixels do not match the size")
	}
	return m, nil
}

// Append appends the message.
func (m Cursor) Append(b []byte) []byte {
	b = append(b, typeCursor)
	for _, n := range []int{m.Hot.X, m.Hot.Y, m.Size.X, m.Size.Y} {
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	}
	return append(b, m.RGBA...)
}

// PointerPos is where a program, or another viewer, put the pointer.
type PointerPos struct{ X, Y int }

func parsePointerPos(b []byte) (m PointerPos, err error) {
	if len(b) != 4 {
		return m, errLength
	}
	return PointerPos{int(binary.BigEndian.Uint16(b)), int(binary.BigEndian.Uint16(b[2:]))}, nil
}

// Append appends the message.
func (m PointerPos) Append(b []byte) []byte {
	b = append(b, typePointerPos)
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, uint16(m.X)), uint16(m.Y))
}

// ServerClip is text that a program copied.
type ServerClip string

// Append appends the message.
func (m ServerClip) Append(b []byte) []byte { return appendText(b, typeServerClip, string(m)) }

// Bell rings.
type Bell struct{}

// Append appends the message.
func (Bell) Append(b []byte) []byte { return append(b, typeBell) }

// ServerPing is to be answered by PagePong with the same number.
type ServerPing uint32

// Append appends the message.
func (m ServerPing) Append(b []byte) []byte { return appendNumber(b, typeServerPing, uint32(m)) }

// ServerPong answers PagePing.
type ServerPong uint32

// Append appends the message.
func (m ServerPong) Append(b []byte) []byte { return appendNumber(b, typeServerPong, uint32(m)) }

// Bye says why the server ends the connection.
type Bye struct {
	// Final asks the page not to come back by itself: it would undo what somebody
	// wanted.
	Final bool
	Text  string
}

func parseBye(b []byte) (m Bye, err error) {
	if len(b) < 1 {
		return m, errLength
	}
	if b[0] > 1 {
		return m, fmt.Errorf("a bye is final (1) or not (0), not %d", b[0])
	}
	m.Final = b[0] == 1
	m.Text, err = parseText(b[1:])
	return m, err
}

// Append appends the message.
func (m Bye) Append(b []byte) []byte {
	final := byte(0)
	if m.Final {
		final = 1
	}
	return append(append(b, typeBye, final), m.Text...)
}
