package recording

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"time"

	"github.com/klauspost/compress/zstd"

	"framebridge/capture"
	"framebridge/internal/pix"
)

// Reader reads a recording. It holds no more than a frame and zstd's window,
// whatever the file says.
type Reader struct {
	z     *zstd.Decoder
	in    *bufio.Reader
	at    time.Duration
	frame capture.Frame
	size  image.Point // of the frame before
	pool  [][]byte    // memory of patches
	bgr   []byte
	err   error
}

// NewReader begins to read a recording; r stays the caller's. Close the Reader.
func NewReader(r io.Reader) (*Reader, error) {
	var head [len(magic) + 2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, invalid("no header: %w", err)
	}
	if string(head[:len(magic)]) != magic {
		return nil, invalid("it does not begin with %s", magic)
	}
	if v := binary.BigEndian.Uint16(head[len(magic):]); v != version {
		return nil, invalid("version %d, known is %d", v, version)
	}
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(window),
		zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	return &Reader{z: z, in: bufio.NewReaderSize(z, 64<<10)}, nil
}

// Close frees what the Reader holds.
func (r *Reader) Close() { r.z.Close() }

// Next returns the next frame, valid until the next call, and its time since the
// recording's start. The error is io.EOF at the end; it stays.
func (r *Reader) Next() (*capture.Frame, time.Duration, error) {
	if r.err != nil {
		return nil, 0, r.err
	}
	if _, err := r.in.Peek(1); errors.Is(err, io.EOF) && r.in.Buffered() == 0 {
		r.err = io.EOF
		return nil, 0, r.err
	}
	if err := r.read(); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if !errors.Is(err, ErrFormat) {
			err = fmt.Errorf("%w: %w", ErrFormat, err)
		}
		r.err = err
		return nil, 0, r.err
	}
	return &r.frame, r.at, nil
}

func (r *Reader) read() error {
	pause, err := binary.ReadUvarint(r.in)
	if err != nil {
		return err
	}
	if pause > maxPause {
		return invalid("a pause of %d µs", pause)
	}
	f := &r.frame
	*f = capture.Frame{Patches: f.Patches[:0]}
	if f.Size, err = r.point(); err != nil {
		return err
	}
	if err := checkSize(f.Size); err != nil {
		return err
	}
	flags, err := r.in.ReadByte()
	if err != nil {
		return err
	}
	if flags&^flagsKnown != 0 {
		return invalid("flags %#x", flags)
	}
	if f.HavePointer = flags&flagPointer != 0; f.HavePointer {
		if f.Pointer, err = r.point(); err != nil {
			return err
		}
	}
	if flags&flagCursor != 0 {
		if f.Cursor, err = r.cursor(); err != nil {
			return err
		}
	}
	if err := r.patches(); err != nil {
		return err
	}
	if f.Size != r.size && !whole(f) {
		return invalid("a first frame without the whole screen")
	}
	r.size = f.Size
	r.at += time.Duration(pause) * time.Microsecond
	return nil
}

func (r *Reader) cursor() (*capture.Cursor, error) {
	c := &capture.Cursor{}
	var err error
	if c.Size, err = r.point(); err != nil {
		return nil, err
	}
	if c.Hot, err = r.point(); err != nil {
		return nil, err
	}
	if c.Size.X > capture.MaxCursorSide || c.Size.Y > capture.MaxCursorSide {
		return nil, invalid("a pointer's shape of %v", c.Size)
	}
	c.Pix = make([]byte, c.Size.X*c.Size.Y*4)
	_, err = io.ReadFull(r.in, c.Pix)
	return c, err
}

func (r *Reader) patches() error {
	n, err := binary.ReadUvarint(r.in)
	if err != nil {
		return err
	}
	if n > maxPatches {
		return invalid("%d patches in a frame", n)
	}
	f := &r.frame
	pixels := 0
	for i := range int(n) {
		at, err := r.point()
		if err != nil {
			return err
		}
		size, err := r.point()
		if err != nil {
			return err
		}
		rect := image.Rectangle{Min: at, Max: at.Add(size)}
		if rect.Empty() || !rect.In(image.Rectangle{Max: f.Size}) {
			return invalid("patch %v on a screen of %v", rect, f.Size)
		}
		if pixels += size.X * size.Y; pixels > maxPixels {
			return invalid("%d pixels in a frame", pixels)
		}
		if i == len(r.pool) {
			r.pool = append(r.pool, nil)
		}
		if err := r.pixels(&r.pool[i], rect); err != nil {
			return err
		}
		f.Patches = append(f.Patches, pix.Image{Pix: r.pool[i], Stride: 4 * size.X, Rect: rect})
	}
	return nil
}

// pixels reads a patch. Its memory grows with what was read, not with what the
// file promises.
func (r *Reader) pixels(mem *[]byte, rect image.Rectangle) error {
	b := (*mem)[:0]
	w := rect.Dx()
	if cap(r.bgr) < 3*w {
		r.bgr = make([]byte, 3*w)
	}
	row := r.bgr[:3*w]
	for range rect.Dy() {
		if _, err := io.ReadFull(r.in, row); err != nil {
			return err
		}
		for i := 0; i < len(row); i += 3 {
			b = append(b, row[i], row[i+1], row[i+2], 0)
		}
	}
	*mem = b
	return nil
}

func (r *Reader) point() (image.Point, error) {
	var b [4]byte
	if _, err := io.ReadFull(r.in, b[:]); err != nil {
		return image.Point{}, err
	}
	return image.Pt(int(binary.BigEndian.Uint16(b[:])), int(binary.BigEndian.Uint16(b[2:]))), nil
}
