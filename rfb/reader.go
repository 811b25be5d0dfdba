package rfb

import (
	"errors"
	"io"
)

// Sizes of the Reader's buffer.
const (
	readerStart = 4 << 10  // more than any client message but clipboard and lists
	readerKeep  = 64 << 10 // what a large message leaves behind is given back
)

// maxEmptyReads is how often in a row a Read may return nothing at all before
// the Reader takes the connection for broken (as bufio does).
const maxEmptyReads = 100

// Reader reads what a viewer sends after the handshake. Use it from one
// goroutine; the fields may be set between messages.
//
// It holds what has arrived and no more: the buffer grows as bytes come in,
// not as lengths announce them, so a viewer pays in bytes for what it makes
// us hold.
type Reader struct {
	// MaxCutText bounds the clipboard, in bytes; a longer one is a
	// ProtocolError. Zero means DefaultMaxCutText.
	MaxCutText int
	// ExtendedMouseButtons says that the pseudo-encoding of that name was
	// announced by the viewer: bit 7 of a button mask marks a longer
	// PointerEvent.
	ExtendedMouseButtons bool

	src        io.Reader
	buf        []byte // buf[start:end] has been read and not yet parsed
	start, end int
	encodings  []Encoding // reused by SetEncodings
	screens    []Screen   // reused by SetDesktopSize
	err        error      // sticky
}

// NewReader returns a Reader of src.
func NewReader(src io.Reader) *Reader { return &Reader{src: src} }

// ReadMessage returns the next message. Slices in it are valid until the next
// call. The error is io.EOF where src ends between messages,
// io.ErrUnexpectedEOF where it ends within one, a *ProtocolError where the
// viewer broke the protocol (an unknown message type, a length over its
// bound, a pixel format that cannot be served), else what src returned. After
// an error that is not a timeout every call returns the same error; after a
// timeout it may be called again and loses nothing.
func (r *Reader) ReadMessage() (ClientMessage, error) {
	if r.err != nil {
		return nil, r.err
	}
	for {
		if r.start < r.end {
			m, n, err := r.parse(r.buf[r.start:r.end])
			if err == nil {
				r.start += n
				return m, nil
			}
			if !errors.Is(err, errShort) {
				r.err = err
				return nil, err
			}
		}
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
}

// Buffered returns the number of bytes that were read from the source and are
// not part of a returned message.
func (r *Reader) Buffered() int { return r.end - r.start }

// fill makes room and reads once.
func (r *Reader) fill() error {
	switch {
	case r.start == r.end:
		r.start, r.end = 0, 0
		if len(r.buf) > readerKeep || r.buf == nil {
			r.buf = make([]byte, readerStart)
		}
	case r.end == len(r.buf) && r.start > 0:
		r.end = copy(r.buf, r.buf[r.start:r.end])
		r.start = 0
	}
	if r.end == len(r.buf) {
		// Full of bytes that did arrive: twice that many is the most held.
		r.buf = append(r.buf, make([]byte, len(r.buf))...)
	}
	for range maxEmptyReads {
		n, err := r.src.Read(r.buf[r.end:])
		r.end += n
		if n > 0 {
			return nil // the error, if any, comes again
		}
		if err != nil {
			return r.fail(err)
		}
	}
	return r.fail(io.ErrNoProgress)
}

// fail notes an error of the source, unless reading may go on after it.
func (r *Reader) fail(err error) error {
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return err
	}
	if errors.Is(err, io.EOF) && r.start < r.end {
		err = io.ErrUnexpectedEOF
	}
	r.err = err
	return err
}

// parse reads the message that b, which is not empty, begins with.
func (r *Reader) parse(b []byte) (m ClientMessage, n int, err error) {
	switch t := ClientMessageType(b[0]); t {
	case ClientSetPixelFormat:
		return message(parseSetPixelFormat(b))
	case ClientFixColourMapEntries:
		return message(parseFixColourMapEntries(b))
	case ClientSetEncodings:
		s, n, err := parseSetEncodings(b, r.encodings)
		if err == nil {
			r.encodings = s.Encodings
		}
		return message(s, n, err)
	case ClientUpdateRequest:
		return message(parseUpdateRequest(b))
	case ClientKeyEvent:
		return message(parseKeyEvent(b))
	case ClientPointerEvent:
		return message(parsePointerEvent(b, r.ExtendedMouseButtons))
	case ClientCutTextType:
		limit := r.MaxCutText
		if limit == 0 {
			limit = DefaultMaxCutText
		}
		return message(parseClientCutText(b, limit))
	case ClientEnableContinuousUpdates:
		return message(parseEnableContinuousUpdates(b))
	case ClientFence:
		return message(parseFence(b))
	case ClientXvp:
		return message(parseXvp(b))
	case ClientSetDesktopSize:
		s, n, err := parseSetDesktopSize(b, r.screens)
		if err == nil {
			r.screens = s.Screens
		}
		return message(s, n, err)
	case ClientQEMU:
		return message(parseQEMUKeyEvent(b))
	default:
		return nil, 0, protocolErrorf("unknown message type %d", uint8(t))
	}
}

// message turns a parse function's typed results into the interface's, with
// the name of the message in the peer's errors.
func message[M ClientMessage](m M, n int, err error) (ClientMessage, int, error) {
	if err == nil {
		return m, n, nil
	}
	var p *ProtocolError
	if errors.As(err, &p) {
		return nil, 0, protocolErrorf("%s: %w", m.Type(), p.Err)
	}
	return nil, 0, err
}
