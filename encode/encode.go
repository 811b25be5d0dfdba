// Package encode says what an encoder of rectangles is and holds what the
// encoders share: parameters, content analysis, the splitting of rectangles.
// Each format has a package of its own below this one.
package encode

import (
	"image"

	"framebridge/internal/pix"
)

// An Encoder turns rectangles of an image into the payload of one RFB encoding
// for one viewer: what follows the rectangle's header (RFC 6143, section 7.6.1).
// It may carry state from one rectangle to the next (a zlib stream), so use it
// from one goroutine and send what it made in order, all of it.
type Encoder interface {
	// AppendRect appends the payload for the pixels of m in r, which lies in m and
	// is not empty, and returns the extended slice. It keeps neither m nor dst.
	AppendRect(dst []byte, m *pix.Image, r image.Rectangle) ([]byte, error)
}

// Params is what a viewer asked for.
type Params struct {
	Format pix.Format
	// Compress is the compression level 0 to 9; negative: the viewer named none
	// and the encoder's default applies.
	Compress int
	// Quality is the JPEG quality level 0 to 9; negative: lossless.
	Quality int
}
