// Package encode says what an encoder of rectangles is and holds what the
// encoders share: parameters, content analysis, the splitting of rectangles.
// Each format has a package of its own below this one.
package encode

import (
	"fmt"
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
	// Fast puts speed before size for what hardly compresses: photographs without
	// loss are stored.
	Fast bool
	// Quality is the JPEG quality level 0 to 9; negative: lossless.
	Quality int
}

// deflateLevels maps compression levels to levels of klauspost/compress/flate. Of these
// AppendDeflate takes those above deflateMax as they are; package deflate stands for the
// others, and for all in Streams.
// Measured on screens of text as Tight and ZRLE send them: level 4 takes the time
// of 2 and 3, yields an eighth less and needs the least memory but for 1; up to 6
// each level costs a little more; 7 takes three times as long as 6 for nothing, 8
// seven times for a quarter less, and 9 forty times, which no viewer can want.
var deflateLevels = [10]int{0, 1, 4, 4, 5, 5, 6, 6, 7, 8}

// defaultCompress applies where the viewer names no compression level.
const defaultCompress = 2

// DeflateLevel returns the level for Stream.Append that fits p's compression
// level. An error is a compression level above 9.
func (p Params) DeflateLevel() (int, error) {
	level := p.Compress
	if level < 0 {
		level = defaultCompress
	}
	if level >= len(deflateLevels) {
		return 0, fmt.Errorf("compression level %d, want at most 9", level)
	}
	return deflateLevels[level], nil
}
