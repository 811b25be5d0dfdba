package fbdir

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"

	"framebridge/internal/x11"
)

// The file is an X window dump (XWDFile.h): a header of 32-bit numbers, a name,
// a colour map, the pixels. Xvfb writes header and colour map big-endian and
// keeps the latter up to date.
const (
	xwdHeaderSize = 100 // the numbers; header_size also counts the name
	xwdVersion    = 7
	xwdColourSize = 12
	xwdZPixmap    = 2
)

// Bounds of what we believe: X's coordinates are 16 bits with a sign, a window
// name has no use here and Xvfb's takes 60 bytes, a colour map has one entry
// per value of a component, which has 16 bits at most.
const (
	maxSide    = 32767
	maxHeader  = 64 << 10
	maxColours = 1 << 16
)

// xwd describes the file.
type xwd struct {
	size    image.Point // of the largest screen that it can hold
	stride  int         // bytes between rows
	format  x11.PixelFormat
	colours int // where the colour map starts
	ncolour int
	pixels  int // where the pixels start
}

// parseXWD reads the header of a file and checks that all that it describes
// lies inside.
func parseXWD(b []byte) (xwd, error) {
	if len(b) < xwdHeaderSize {
		return xwd{}, errors.New("shorter than an XWD header")
	}
	field := func(i int) uint32 { return binary.BigEndian.Uint32(b[i*4:]) }
	headerSize, version, pixmapFormat, depth := field(0), field(1), field(2), field(3)
	width, height, byteOrder := field(4), field(5), field(7)
	rowPad, bitsPerPixel, bytesPerLine, class := field(10), field(11), field(12), field(13)
	entries, colours := field(18), field(19)
	switch {
	case version != xwdVersion:
		return xwd{}, fmt.Errorf("version %d, want %d", version, xwdVersion)
	case headerSize < xwdHeaderSize || headerSize > maxHeader:
		return xwd{}, fmt.Errorf("header of %d bytes", headerSize)
	case pixmapFormat != xwdZPixmap:
		return xwd{}, fmt.Errorf("pixmap format %d, want %d", pixmapFormat, xwdZPixmap)
	case width == 0 || width > maxSide || height == 0 || height > maxSide:
		return xwd{}, fmt.Errorf("size %dx%d", width, height)
	case depth == 0 || depth > 32 || bitsPerPixel > 32 || bitsPerPixel < depth:
		return xwd{}, fmt.Errorf("depth %d in %d bits", depth, bitsPerPixel)
	case rowPad != 8 && rowPad != 16 && rowPad != 32:
		return xwd{}, fmt.Errorf("rows padded to %d bits", rowPad)
	case byteOrder > 1:
		return xwd{}, fmt.Errorf("byte order %d", byteOrder)
	case class > 5:
		return xwd{}, fmt.Errorf("visual class %d", class)
	case entries > maxColours || colours > maxColours:
		return xwd{}, fmt.Errorf("%d colours", max(entries, colours))
	}
	x := xwd{
		size:   image.Pt(int(width), int(height)),
		stride: int(bytesPerLine),
		format: x11.PixelFormat{
			Depth: int(depth), BitsPerPixel: int(bitsPerPixel), RowPad: int(rowPad), BigEndian: byteOrder == 1,
			Class: byte(class), Red: field(14), Green: field(15), Blue: field(16), Entries: int(entries),
		},
		colours: int(headerSize),
		ncolour: int(colours),
	}
	x.pixels = x.colours + x.ncolour*xwdColourSize
	if x.stride < x.format.Stride(x.size.X) || x.stride > maxSide*8 {
		return xwd{}, fmt.Errorf("rows of %d bytes for %d pixels of %d bits", x.stride, width, bitsPerPixel)
	}
	if need := x.pixels + x.stride*x.size.Y; need > len(b) {
		return xwd{}, fmt.Errorf("%d bytes, want %d", len(b), need)
	}
	return x, nil
}

// colour returns entry i of the colour map: the pixel value and 0x00RRGGBB.
func (x *xwd) colour(b []byte, i int) (pixel, rgb uint32) {
	e := b[x.colours+i*xwdColourSize:][:xwdColourSize]
	return binary.BigEndian.Uint32(e), uint32(e[4])<<16 | uint32(e[6])<<8 | uint32(e[8])
}
