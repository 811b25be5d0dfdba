package stream

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// The messages' wire form: Append beside parse for each. ParsePage and ParseServer
// tell them apart by their first byte.

// Types of messages from the server.
const (
	typeHello      = 1
	typeFrame      = 2
	typeCursor     = 3
	typePointerPos = 4
	typeServerClip = 5
	typeBell       = 6
	typeState      = 7
	typeServerPing = 8
	typeServerPong = 9
	typeStats      = 10
	typeBye        = 11
)

// Types of messages from the page.
const (
	typeAck      = 129
	typeKey      = 130
	typePointer  = 131
	typePageClip = 132
	typePagePing = 133
	typePagePong = 134
	typeSettings = 135
	typeRekey    = 136
	typeRelease  = 137
)

// maxSettings bounds Settings: what they hold takes a hundred bytes, and a page of
// a later version may have more to say.
const maxSettings = 4 << 10

var (
	errLength = errors.New("wrong length")
	errUTF8   = errors.New("text is no UTF-8")
)

// A ServerMessage is one that the server sends.
type ServerMessage interface{ Append(b []byte) []byte }

// A PageMessage is one that the page sends.
type PageMessage interface{ Append(b []byte) []byte }

// ParseServer parses a message of the server. What it returns refers to b.
func ParseServer(b []byte) (m ServerMessage, err error) {
	if len(b) == 0 {
		return nil, errors.New("stream: empty message")
	}
	body := b[1:]
	switch b[0] {
	case typeHello:
		m, err = parseJSON[Hello](body)
	case typeFrame:
		m, err = parseFrame(body)
	case typeCursor:
		m, err = parseCursor(body)
	case typePointerPos:
		m, err = parsePointerPos(body)
	case typeServerClip:
		var s string
		s, err = parseText(body)
		m = ServerClip(s)
	case typeBell:
		m, err = Bell{}, parseEmpty(body)
	case typeState:
		m, err = parseJSON[State](body)
	case typeServerPing:
		var n uint32
		n, err = parseNumber(body)
		m = ServerPing(n)
	case typeServerPong:
		var n uint32
		n, err = parseNumber(body)
		m = ServerPong(n)
	case typeStats:
		m, err = parseJSON[Stats](body)
	case typeBye:
		m, err = parseBye(body)
	default:
		err = errors.New("unknown type")
	}
	return result(b[0], m, err)
}

// ParsePage parses a message of the page. Nothing of what it returns refers to b.
func ParsePage(b []byte) (m PageMessage, err error) {
	if len(b) == 0 {
		return nil, errors.New("stream: empty message")
	}
	body := b[1:]
	switch b[0] {
	case typeAck:
		var n uint32
		n, err = parseNumber(body)
		m = Ack(n)
	case typeKey:
		m, err = parseKey(body)
	case typePointer:
		m, err = parsePointer(body)
	case typePageClip:
		var s string
		s, err = parseText(body)
		m = PageClip(s)
	case typePagePing:
		var n uint32
		n, err = parseNumber(body)
		m = PagePing(n)
	case typePagePong:
		var n uint32
		n, err = parseNumber(body)
		m = PagePong(n)
	case typeSettings:
		m, err = parseSettings(body)
	case typeRekey:
		m, err = Rekey{}, parseEmpty(body)
	case typeRelease:
		m, err = Release{}, parseEmpty(body)
	default:
		err = errors.New("unknown type")
	}
	return result(b[0], m, err)
}

func result[M any](kind byte, m M, err error) (M, error) {
	if err != nil {
		var none M
		return none, fmt.Errorf("stream: message %d: %w", kind, err)
	}
	return m, nil
}

func parseEmpty(b []byte) error {
	if len(b) != 0 {
		return errLength
	}
	return nil
}

func parseNumber(b []byte) (uint32, error) {
	if len(b) != 4 {
		return 0, errLength
	}
	return binary.BigEndian.Uint32(b), nil
}

func appendNumber(b []byte, kind byte, n uint32) []byte {
	return binary.BigEndian.AppendUint32(append(b, kind), n)
}

func parseText(b []byte) (string, error) {
	if !utf8.Valid(b) {
		return "", errUTF8
	}
	return string(b), nil
}

func appendText(b []byte, kind byte, s string) []byte { return append(append(b, kind), s...) }

func parseJSON[T any](b []byte) (v T, err error) {
	err = json.Unmarshal(b, &v)
	return v, err
}

func appendJSON(b []byte, kind byte, v any) []byte {
	j, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("stream: %T is no JSON: %v", v, err)) // our own types
	}
	return append(append(b, kind), j...)
}
