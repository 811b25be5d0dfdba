// Package recording keeps what a capture.Source delivered in a compact file, and
// plays it again as a Source.
//
// A file is a header of ten bytes, the magic and a version, and one zstd stream of
// frames up to its end. A frame has, numbers big-endian unless they are varints
// (package encoding/binary):
//
//	uvarint  microseconds since the frame before
//	2+2      the screen's width and height
//	1        flags: bit 0 the pointer's place follows, bit 1 a pointer's shape
//	2+2      place                               where flagged
//	2+2+2+2  shape: width, height, hot spot      where flagged
//	         width*height*4 bytes of it          where flagged
//	uvarint  number of patches
//	2+2+2+2  per patch: x, y, width, height
//	         width*height*3 bytes: blue, green, red
//
// The first frame, and each whose screen has another size than the one before, has
// the whole screen. Pixels are not coded as differences: zstd's window reaches back
// over several frames, so what did not change, and what was only moved, is a match.
package recording

import (
	"errors"
	"fmt"
	"image"

	"framebridge/capture"
	"framebridge/internal/pix"
)

// magic begins every file; the version follows.
const (
	magic   = "FBRDGREC"
	version = 1
)

// Bounds of what is written and read.
const (
	// maxSide is X's.
	maxSide = 32767
	// maxPixels of a screen and of a frame's patches: 8K has 33 million.
	maxPixels = 40 << 20
	// maxPatches of a frame: package x11 delivers 64 at most.
	maxPatches = 1024
	// maxPause between two frames, in microseconds: a day.
	maxPause = 24 * 3600 * 1e6
	// window of zstd: two frames of 1080p; also what a reader must hold.
	window = 16 << 20
)

// flags of a frame.
const (
	flagPointer = 1 << iota
	flagCursor
	flagsKnown = 1<<iota - 1
)

// ErrFormat is wrapped by errors of files that are no recordings, or broken ones.
var ErrFormat = errors.New("not a valid recording")

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrFormat}, args...)...)
}

// checkSize reports whether a screen can have this size.
func checkSize(s image.Point) error {
	if s.X < 1 || s.Y < 1 || s.X > maxSide || s.Y > maxSide || s.X*s.Y > maxPixels {
		return invalid("screen of %dx%d", s.X, s.Y)
	}
	return nil
}

// whole reports whether f's patches cover the screen.
func whole(f *capture.Frame) bool {
	rects := make([]image.Rectangle, len(f.Patches))
	for i := range f.Patches {
		rects[i] = f.Patches[i].Rect
	}
	return pix.RegionOf(rects...).Area() == f.Size.X*f.Size.Y
}
