package encode

import (
	"encoding/binary"
	"fmt"

	"framebridge/encode/deflate"
)

// A Stream is one zlib stream (RFC 1950) that lives as long as a viewer's
// connection. It never ends: each Append stops at a sync flush (an empty stored
// block), so that the viewer can decode what it has, and the checksum that would
// close the stream is never sent.
//
// The two header bytes are written here and the rest is raw deflate (RFC 1951).
// That buys three things. After a sync flush the stream is at a byte boundary,
// and a compressor with an empty history may go on from there, because nothing
// obliges it to refer back: so the level can change at any time; a compressor
// can be taken away from an idle viewer and given to another; and a piece that
// was compressed elsewhere (AppendDeflated), on another core or once for many
// viewers, can be joined in.
//
// The compressor is a deflate.Window, which takes 150 KiB. Streams start without one,
// take it from a pool and can give it back.
//
// The zero value is a stream that has not begun. Do not copy a Stream in use.
type Stream struct {
	window *deflate.Window // nil: no history
	begun  bool            // the header has been sent
}

// zlibHeader announces deflate with a window of 32 KiB and no dictionary.
const zlibHeader = "\x78\x01"

// storedMax is the longest stored block (RFC 1951, section 3.2.4).
const storedMax = 65535

// Begun reports whether the stream's header has been sent: whether the viewer
// has a stream that could be reset.
func (s *Stream) Begun() bool { return s.begun }

// Restart makes the next Append begin a new zlib stream; the viewer must be told
// by the means of the encoding.
func (s *Stream) Restart() {
	s.Release()
	s.begun = false
}

// Release gives the compressor back. The stream goes on, without history; call
// it when the viewer has been idle for a while.
func (s *Stream) Release() {
	if s.window != nil {
		deflate.PutWindow(s.window)
		s.window = nil
	}
}

// Append appends data, compressed at level 0 (stored) to 9, as the next bytes of
// the stream up to a sync flush. parts say what data is, see deflate.Append. It keeps
// none of the slices. An error is a level out of range.
func (s *Stream) Append(dst, data []byte, level int, parts []deflate.Part) ([]byte, error) {
	if err := checkLevel(level); err != nil {
		return dst, err
	}
	dst = s.begin(dst)
	if level == 0 {
		s.forget()
		return appendStored(dst, data), nil
	}
	if s.window == nil {
		s.window = deflate.GetWindow()
	}
	return s.window.Append(dst, data, parts, level), nil
}

func checkLevel(level int) error {
	if level < 0 || level > 9 {
		return fmt.Errorf("deflate level %d, want 0 to 9", level)
	}
	return nil
}

// forget ends the history: what comes next is unknown to the compressor.
func (s *Stream) forget() {
	if s.window != nil {
		s.window.Reset()
	}
}

// AppendDeflated appends a piece made by AppendDeflate as the next bytes of the
// stream. The stream's own history ends here: the distances of its compressor
// would no longer be those the viewer sees.
func (s *Stream) AppendDeflated(dst, piece []byte) []byte {
	s.forget()
	return append(s.begin(dst), piece...)
}

// DeflatedSize returns how many bytes AppendDeflated would append for piece.
func (s *Stream) DeflatedSize(piece []byte) int {
	if s.begun {
		return len(piece)
	}
	return len(zlibHeader) + len(piece)
}

func (s *Stream) begin(dst []byte) []byte {
	if s.begun {
		return dst
	}
	s.begun = true
	return append(dst, zlibHeader...)
}

// appendStored appends data as stored blocks. They end at byte boundaries, but an
// empty one follows as after any other flush: some decoders, Go's among them, hand
// out what they have only then.
func appendStored(dst, data []byte) []byte {
	for len(data) > 0 {
		n := min(len(data), storedMax)
		dst = append(dst, 0) // not final, type 00
		dst = binary.LittleEndian.AppendUint16(dst, uint16(n))
		dst = binary.LittleEndian.AppendUint16(dst, ^uint16(n))
		dst = append(dst, data[:n]...)
		data = data[n:]
	}
	return append(dst, 0, 0, 0, 0xff, 0xff)
}
