package rfbtest

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/flate"
)

// A zlib stream of RFB never ends: it comes in blocks of known length, each
// of which must give all its pixels at once, so the server flushes (Z_SYNC_-
// FLUSH) at the end of each. After such a flush the stream stands at a byte
// boundary between two deflate blocks (RFC 1951, section 3.2.4), and a fresh
// decoder that knows the last 32 KiB can go on from there.
//
// That is what inflater does: one run of the decoder per block, with a
// dictionary, up to the end of the input. Nothing is left in a decoder between
// blocks, so a block that yields too much, too little or that ends in the
// middle of something is noticed at once.

// window is how far back deflate refers, in bytes.
const window = 32 << 10

// flushMarker is an empty stored block. It follows each block of input: where
// that was flushed it does nothing; it makes the decoder give out all it has.
var flushMarker = []byte{0, 0, 0, 0xff, 0xff}

type inflater struct {
	started bool // the zlib header was read
	past    []byte
	in      []byte
	src     bytes.Reader
	r       io.ReadCloser
	out     []byte
}

// reset begins a new stream.
func (z *inflater) reset() {
	z.started = false
	z.past = z.past[:0]
}

// inflate returns what block b stands for: at least least and at most most
// bytes, valid until the next call.
func (z *inflater) inflate(b []byte, least, most int) ([]byte, error) {
	if !z.started {
		if err := checkZlibHeader(b); err != nil {
			return nil, err
		}
		b = b[2:]
		z.started = true
	}
	z.in = append(append(z.in[:0], b...), flushMarker...)
	z.src.Reset(z.in)
	if z.r == nil {
		z.r = flate.NewReaderDict(&z.src, z.past)
	} else if err := z.r.(flate.Resetter).Reset(&z.src, z.past); err != nil {
		return nil, err
	}
	if err := z.drain(least, most); err != nil {
		return nil, err
	}
	z.remember(z.out)
	return z.out, nil
}

// drain reads the decoder's output into z.out up to the end of the input.
func (z *inflater) drain(least, most int) error {
	z.out = z.out[:0]
	for {
		if len(z.out) == cap(z.out) {
			z.out = append(z.out, make([]byte, max(least+1-len(z.out), 4096))...)[:len(z.out)]
		}
		n, err := z.r.Read(z.out[len(z.out):min(cap(z.out), most+1)])
		z.out = z.out[:len(z.out)+n]
		switch {
		case len(z.out) > most:
			return violation("zlib block has trailing data: more than %d bytes", most)
		case errors.Is(err, io.ErrUnexpectedEOF): // no more input
			if len(z.out) < least {
				return violation("zlib block has %d bytes, want %d", len(z.out), least)
			}
			return nil
		case errors.Is(err, io.EOF):
			return violation("zlib stream ends, after %d bytes of a block", len(z.out))
		case err != nil:
			return violation("zlib block: %w", err)
		}
	}
}

// remember keeps the last 32 KiB of the stream.
func (z *inflater) remember(out []byte) {
	if len(out) >= window {
		z.past = append(z.past[:0], out[len(out)-window:]...)
		return
	}
	if over := len(z.past) + len(out) - window; over > 0 {
		z.past = z.past[:copy(z.past, z.past[over:])]
	}
	z.past = append(z.past, out...)
}

// checkZlibHeader reads CMF and FLG (RFC 1950, section 2.2).
func checkZlibHeader(b []byte) error {
	switch {
	case len(b) < 2:
		return violation("zlib stream begins with %d bytes", len(b))
	case b[0]&0x0f != 8 || b[0]>>4 > 7 || (uint(b[0])<<8|uint(b[1]))%31 != 0:
		return violation("zlib header is % x", b[:2])
	case b[1]&0x20 != 0:
		return violation("zlib stream wants a dictionary")
	}
	return nil
}
