package encode

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/klauspost/compress/flate"

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
// Memory: a compressor of klauspost/compress/flate takes (go test -run
// TestWriterMemory -v) 0.8 MiB at level 1, 1.2 MiB at levels 2 and 3, 0.9 to
// 1.0 MiB at 4 to 8 and 1.4 MiB at 9. Streams therefore start without one, take
// it from a pool and can give it back.
//
// The zero value is a stream that has not begun. Do not copy a Stream in use.
type Stream struct {
	w     *flate.Writer // nil: no history
	level int           // of w
	sink  sink
	begun bool // the header has been sent
}

// zlibHeader announces deflate with a window of 32 KiB and no dictionary.
const zlibHeader = "\x78\x01"

// storedMax is the longest stored block (RFC 1951, section 3.2.4).
const storedMax = 65535

// sink collects what a compressor writes.
type sink struct{ buf []byte }

func (s *sink) Write(p []byte) (int, error) {
	s.buf = append(s.buf, p...)
	return len(p), nil
}

// writers holds idle compressors by level, 1 to 9. A pool gives them to the
// garbage collector when nobody uses them.
var writers [10]sync.Pool

func getWriter(level int, out *sink) (*flate.Writer, error) {
	if w, ok := writers[level].Get().(*flate.Writer); ok {
		w.Reset(out)
		return w, nil
	}
	return flate.NewWriter(out, level)
}

func putWriter(level int, w *flate.Writer) {
	w.Reset(nil) // keeps no stream, and with it no viewer, alive
	writers[level].Put(w)
}

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
	if s.w != nil {
		putWriter(s.level, s.w)
		s.w = nil
	}
}

// Append appends data, compressed at level 0 (stored) to 9, as the next bytes of
// the stream up to a sync flush. It keeps neither slice. An error is a level out
// of range.
func (s *Stream) Append(dst, data []byte, level int) ([]byte, error) {
	if level < 0 || level > 9 {
		return dst, fmt.Errorf("deflate level %d, want 0 to 9", level)
	}
	if s.w != nil && s.level != level {
		s.Release()
	}
	dst = s.begin(dst)
	if level == 0 {
		return appendStored(dst, data), nil
	}
	if s.w == nil {
		w, err := getWriter(level, &s.sink)
		if err != nil {
			return dst, fmt.Errorf("deflate: %w", err)
		}
		s.w, s.level = w, level
	}
	return flush(dst, data, s.w, &s.sink)
}

// AppendDeflated appends a piece made by AppendDeflate as the next bytes of the
// stream. The stream's own history ends here: the distances of its compressor
// would no longer be those the viewer sees.
func (s *Stream) AppendDeflated(dst, piece []byte) []byte {
	s.Release()
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

// flush sends data through w, which writes to out, and appends what comes.
func flush(dst, data []byte, w *flate.Writer, out *sink) ([]byte, error) {
	out.buf = dst
	_, err := w.Write(data)
	if err == nil {
		err = w.Flush()
	}
	dst, out.buf = out.buf, nil
	if err != nil {
		return dst, fmt.Errorf("deflate: %w", err)
	}
	return dst, nil
}

// Sinks for AppendDeflate; the compressors keep a pointer to theirs, so it
// cannot live on the stack.
var sinks = sync.Pool{New: func() any { return new(sink) }}

// deflateMax is the highest level for which AppendDeflate takes package deflate: for
// pages in browsers and source code it makes 1 % less than klauspost's level 5 in less
// than half the time, and 1 % more than level 6 in little more than a third.
const deflateMax = 5

// AppendDeflate appends data as raw deflate at level 0 to 9, ended by a sync
// flush and without references to anything before: a piece that may be joined
// into any Stream. parts say what data is, see deflate.Append. It may be called from several goroutines.
func AppendDeflate(dst, data []byte, level int, parts []deflate.Part) ([]byte, error) {
	if level < 0 || level > 9 {
		return dst, fmt.Errorf("deflate level %d, want 0 to 9", level)
	}
	switch level {
	case 0:
		return appendStored(dst, data), nil
	case 1:
		return deflate.Append(dst, data, parts, deflate.Fast), nil
	case 2, 3, 4, deflateMax:
		return deflate.Append(dst, data, parts, deflate.Small), nil
	}
	out := sinks.Get().(*sink)
	defer sinks.Put(out)
	w, err := getWriter(level, out)
	if err != nil {
		return dst, fmt.Errorf("deflate: %w", err)
	}
	defer putWriter(level, w)
	return flush(dst, data, w, out)
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
