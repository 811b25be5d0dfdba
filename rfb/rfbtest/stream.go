package rfbtest

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"framebridge/rfb"
)

// streamBuffer is the size of the read buffer: a few rows of a wide screen in
// a few system calls.
const streamBuffer = 256 << 10

// maxBlock bounds what a length on the wire may ask for, in bytes: an update
// of 4096x4096 pixels.
const maxBlock = 64 << 20

// taker is where decoders take their bytes from: the connection, or an
// inflated block.
type taker interface {
	// take returns the next n bytes, valid until the next call.
	take(n int) ([]byte, error)
}

// stream takes bytes from a connection and counts them.
type stream struct {
	r       *bufio.Reader
	scratch []byte
	n       int64 // bytes taken
	dirty   bool  // padding may hold anything
}

func newStream(r io.Reader) *stream { return &stream{r: bufio.NewReaderSize(r, streamBuffer)} }

func (s *stream) take(n int) ([]byte, error) {
	if n < 0 || n > maxBlock {
		return nil, violation("block of %d bytes, limit %d", n, maxBlock)
	}
	if n <= streamBuffer {
		b, err := s.r.Peek(n)
		if err != nil {
			return nil, unexpected(err)
		}
		_, _ = s.r.Discard(n) // cannot fail: n bytes are buffered
		s.n += int64(n)
		return b, nil
	}
	// Memory grows with what arrives, not with what was announced.
	s.scratch = s.scratch[:0]
	for len(s.scratch) < n {
		have := len(s.scratch)
		s.scratch = append(s.scratch, make([]byte, min(n-have, max(have, streamBuffer)))...)
		k, err := io.ReadFull(s.r, s.scratch[have:])
		s.n += int64(k)
		if err != nil {
			return nil, unexpected(err)
		}
	}
	return s.scratch, nil
}

// block takes bytes from memory.
type block struct{ b []byte }

func (s *block) take(n int) ([]byte, error) {
	if n > len(s.b) {
		return nil, violation("block ends %d bytes early", n-len(s.b))
	}
	b := s.b[:n]
	s.b = s.b[n:]
	return b, nil
}

func takeUint8(t taker) (uint8, error) {
	b, err := t.take(1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

func takeUint16(t taker) (uint16, error) {
	b, err := t.take(2)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint16(b), nil
}

func takeUint32(t taker) (uint32, error) {
	b, err := t.take(4)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint32(b), nil
}

// takePadding takes n bytes that must be zero: other bytes there were once
// pieces of a server's memory (CVE-2019-15681).
func takePadding(t taker, n int) error {
	b, err := t.take(n)
	if err != nil {
		return err
	}
	if s, ok := t.(*stream); ok && s.dirty {
		return nil
	}
	for _, v := range b {
		if v != 0 {
			return violation("padding is % x, want zeros", b)
		}
	}
	return nil
}

// violation is the server's breach of the protocol.
func violation(format string, args ...any) error {
	return &rfb.ProtocolError{Err: fmt.Errorf(format, args...)}
}

// unexpected is the end of the connection where something had to come.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
