// Package capture says what a source of pictures is: an X display, a mapped
// framebuffer file, a scene made for a test.
package capture

import (
	"context"
	"image"

	"framebridge/internal/pix"
)

// A Source produces the contents of one screen. Its methods are called from
// one goroutine at a time, but for Close, which may be called at any time and
// makes a blocked Next return.
type Source interface {
	// Next blocks until the screen may differ from the last frame returned, or
	// ctx is done. The first call returns the whole screen at once. The frame is
	// valid until the next call of Next, Sample or Close. Another Size means that
	// the screen was resized; the frame then has the whole new screen. When ctx
	// is done Next returns ctx.Err() and the source stays usable; any other error
	// is final.
	Next(ctx context.Context) (*Frame, error)
	// Close frees everything the source holds, also on the X server.
	Close() error
}

// Sampler is a Source that can be asked for pixels whatever its damage reports
// say. It exists because damage is a hint: some drivers draw without it.
type Sampler interface {
	// Sample fetches the given areas as they are now. pending reports whether the
	// source had, by the time the pixels were read, heard of drawing that no Next
	// has returned: a difference in the sample is then no sign of missed damage.
	Sample(ctx context.Context, areas []image.Rectangle) (f *Frame, pending bool, err error)
}

// Frame is what may have changed on the screen since the frame before.
type Frame struct {
	// Size of the whole screen in pixels.
	Size image.Point
	// Patches are the areas that may have changed, with their pixels: Rect is the
	// place on the screen. They lie inside Size, may overlap only with the same
	// contents, and hold damage, not truth: their pixels may equal the old ones.
	Patches []pix.Image
	// Cursor is the pointer's shape, nil when it is the same as before.
	Cursor *Cursor
	// Pointer is where the pointer's hot spot is; valid when HavePointer is set.
	Pointer     image.Point
	HavePointer bool
}

// Cursor is the shape of the pointer.
type Cursor struct {
	Size image.Point // width and height; zero: the pointer is invisible
	Hot  image.Point // the pixel of the shape that lies on the pointer's position
	// Pix has Size.X*Size.Y pixels, rows from the top without padding, four bytes
	// each: blue, green, red, alpha; colours are premultiplied by alpha.
	Pix []byte
}

// MaxCursorSide bounds a cursor's width and height. X servers allow 32767, but
// nobody points with more than a few icons' size and a viewer must hold it.
const MaxCursorSide = 512
