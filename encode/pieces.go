package encode

import (
	"fmt"
	"sync"

	"github.com/klauspost/compress/flate"

	"framebridge/encode/deflate"
)

// deflateMax is the highest level for which AppendDeflate takes package deflate: for
// pages in browsers and source code it makes 1 % less than klauspost's level 5 in less
// than half the time, and 1 % more than level 6 in little more than a third.
const deflateMax = 5

// smallPiece is below which size pieces are made by a deflate.Window, without history: it
// looks at bytes, not pixels, and makes a sixth less of text and menus in about the same
// time.
const smallPiece = 1 << 10

// AppendDeflate appends data as raw deflate at level 0 to 9, ended by a sync
// flush and without references to anything before: a piece that may be joined
// into any Stream. parts say what data is, see deflate.Append. It may be called from several
// goroutines.
func AppendDeflate(dst, data []byte, level int, parts []deflate.Part) ([]byte, error) {
	if err := checkLevel(level); err != nil {
		return dst, err
	}
	if level > 0 && len(data) < smallPiece {
		w := deflate.GetWindow()
		defer deflate.PutWindow(w)
		return w.Append(dst, data, parts, level), nil
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

// Sinks for AppendDeflate; the compressors keep a pointer to theirs, so it
// cannot live on the stack.
var sinks = sync.Pool{New: func() any { return new(sink) }}

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
