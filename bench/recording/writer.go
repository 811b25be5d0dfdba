package recording

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"io"
	"time"

	"github.com/klauspost/compress/zstd"

	"framebridge/capture"
	"framebridge/internal/pix"
)

// Writer writes a recording. Close must be called to have all of it written.
type Writer struct {
	z    *zstd.Encoder
	buf  *bufio.Writer
	row  []byte
	size image.Point // of the frame before
	last time.Duration
}

// NewWriter begins a recording on w, which stays the caller's.
func NewWriter(w io.Writer) (*Writer, error) {
	if _, err := w.Write(binary.BigEndian.AppendUint16([]byte(magic), version)); err != nil {
		return nil, err
	}
	z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedBestCompression),
		zstd.WithWindowSize(window), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	return &Writer{z: z, buf: bufio.NewWriterSize(z, 64<<10)}, nil
}

// Write adds a frame that was there at the time at since the recording's start.
func (w *Writer) Write(f *capture.Frame, at time.Duration) error {
	if err := checkSize(f.Size); err != nil {
		return err
	}
	if len(f.Patches) > maxPatches {
		return invalid("%d patches in a frame", len(f.Patches))
	}
	if f.Size != w.size && !whole(f) {
		return invalid("a first frame without the whole screen")
	}
	pause := (at - w.last).Microseconds()
	if pause < 0 || pause > maxPause {
		return invalid("a pause of %v", at-w.last)
	}
	var flags byte
	if f.HavePointer {
		flags |= flagPointer
	}
	if f.Cursor != nil {
		flags |= flagCursor
	}
	b := binary.AppendUvarint(w.row[:0], uint64(pause))
	b = append(appendPoint(b, f.Size), flags)
	if f.HavePointer {
		b = appendPoint(b, f.Pointer)
	}
	if c := f.Cursor; c != nil {
		if len(c.Pix) != c.Size.X*c.Size.Y*4 || c.Size.X > capture.MaxCursorSide || c.Size.Y > capture.MaxCursorSide {
			return invalid("a pointer's shape of %v with %d bytes", c.Size, len(c.Pix))
		}
		b = append(appendPoint(appendPoint(b, c.Size), c.Hot), c.Pix...)
	}
	b = binary.AppendUvarint(b, uint64(len(f.Patches)))
	w.row = b
	if _, err := w.buf.Write(b); err != nil {
		return err
	}
	pixels := 0
	for i := range f.Patches {
		m := &f.Patches[i]
		if !m.Rect.In(image.Rectangle{Max: f.Size}) || m.Rect.Empty() {
			return invalid("patch %v on a screen of %v", m.Rect, f.Size)
		}
		if pixels += m.Rect.Dx() * m.Rect.Dy(); pixels > maxPixels {
			return invalid("%d pixels in a frame", pixels)
		}
		if err := w.patch(m); err != nil {
			return err
		}
	}
	w.size, w.last = f.Size, w.last+time.Duration(pause)*time.Microsecond
	return nil
}

func (w *Writer) patch(m *pix.Image) error {
	w.row = appendPoint(appendPoint(w.row[:0], m.Rect.Min), m.Rect.Size())
	if _, err := w.buf.Write(w.row); err != nil {
		return err
	}
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		w.row = w.row[:0]
		for src := m.Row(y, m.Rect.Min.X, m.Rect.Max.X); len(src) > 0; src = src[4:] {
			w.row = append(w.row, src[0], src[1], src[2])
		}
		if _, err := w.buf.Write(w.row); err != nil {
			return err
		}
	}
	return nil
}

// Close writes what is left.
func (w *Writer) Close() error { return errors.Join(w.buf.Flush(), w.z.Close()) }

// appendPoint appends p's coordinates; it clips them to what X can name.
func appendPoint(b []byte, p image.Point) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(min(max(p.X, 0), maxSide)))
	return binary.BigEndian.AppendUint16(b, uint16(min(max(p.Y, 0), maxSide)))
}

// Record writes what src delivers to w until ctx is done, at most fps frames a
// second, and returns how many. What happens between two frames is one frame's
// damage, as for a viewer.
func Record(ctx context.Context, w io.Writer, src capture.Source, fps float64) (frames int, err error) {
	rec, err := NewWriter(w)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rec.Close()) }()
	tick := time.NewTicker(time.Duration(float64(time.Second) / fps))
	defer tick.Stop()
	var start time.Time
	for {
		f, err := src.Next(ctx)
		if ctx.Err() != nil {
			return frames, nil
		}
		if err != nil {
			return frames, err
		}
		now := time.Now()
		if frames == 0 {
			start = now
		}
		if err := rec.Write(f, now.Sub(start)); err != nil {
			return frames, err
		}
		frames++
		select {
		case <-tick.C:
		case <-ctx.Done():
			return frames, nil
		}
	}
}
