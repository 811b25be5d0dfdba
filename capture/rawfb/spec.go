// Package rawfb shows pixels that lie in a file, a device or System V shared
// memory. There is no X server then; changes are found by looking.
package rawfb

import (
	"errors"
	"fmt"
	"math/bits"
	"os"
	"strconv"
	"strings"
)

// Spec says where pixels are and what they look like. x11vnc's notation for it is
// what Parse reads.
type Spec struct {
	// File has the pixels; empty: shared memory.
	File string
	// Shm is the identifier of a System V segment.
	Shm int
	// Width and Height are in pixels.
	Width, Height int
	// BitsPerPixel is 8, 16, 24 or 32. Pixels are little-endian numbers.
	BitsPerPixel int
	// Red, Green and Blue select the bits of a pixel; all zero: the usual ones.
	Red, Green, Blue uint32
	// Offset is where the first pixel is, in bytes.
	Offset int64
	// Stride is how many bytes there are from row to row; 0: as many as the pixels
	// of a row have.
	Stride int
}

const (
	// maxSide and maxBytes bound the picture as RFB's 16 bits and a large screen do.
	maxSide   = 1<<15 - 1
	maxBytes  = 1 << 29
	maxOffset = 1 << 50
)

// usual are the masks of pixels that come without.
var usual = map[int][3]uint32{
	8:  {0x07, 0x38, 0xc0},
	16: {0xf800, 0x07e0, 0x001f},
	24: {0xff0000, 0xff00, 0xff},
	32: {0xff0000, 0xff00, 0xff},
}

// Parse reads MODE:NAME@WxHxBITS, and after it, each once and in any order,
// :R/G/B (masks in hexadecimal), +OFFSET and -STRIDE. MODE is file, map, mmap or
// snap, which are the same here, or shm; without it NAME is a file. The words
// rand, a test picture of noise, and none, null and zero, a black one, stand
// alone.
func Parse(s string) (Spec, error) {
	switch s {
	case "rand":
		s = "file:/dev/urandom@128x128x16"
	case "none", "null", "zero":
		s = "file:/dev/zero@640x480x32"
	}
	var p Spec
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return p, errors.New("want FILE@WIDTHxHEIGHTxBITS")
	}
	name, layout := s[:i], s[i+1:]
	mode, rest, ok := strings.Cut(name, ":")
	switch {
	case ok && mode == "shm":
		n, err := strconv.ParseInt(rest, 10, 32)
		if err != nil || n < 0 {
			return p, fmt.Errorf("%.40q is no number of shared memory", rest)
		}
		p.Shm = int(n)
	case ok && (mode == "file" || mode == "map" || mode == "mmap" || mode == "snap"):
		p.File = rest
	case ok && !strings.Contains(mode, "/"):
		return p, fmt.Errorf("%.40q is not supported: want file, map or shm", mode)
	default:
		p.File = name
	}
	if mode != "shm" && p.File == "" {
		return p, errors.New("no file is named")
	}
	if err := p.layout(layout); err != nil {
		return p, err
	}
	return p, p.check()
}

// layout reads what follows the @.
func (p *Spec) layout(s string) error {
	next := func() (head string) {
		i := strings.IndexAny(s[min(1, len(s)):], ":+-")
		if i < 0 {
			head, s = s, ""
			return head
		}
		head, s = s[:i+1], s[i+1:]
		return head
	}
	sides := strings.Split(next(), "x")
	if len(sides) != 3 {
		return errors.New("want WIDTHxHEIGHTxBITS after the @")
	}
	for i, to := range []*int{&p.Width, &p.Height, &p.BitsPerPixel} {
		n, err := strconv.ParseUint(sides[i], 10, 16)
		if err != nil {
			return fmt.Errorf("%.20q is no size", sides[i])
		}
		*to = int(n)
	}
	seen := map[byte]bool{}
	for s != "" {
		part := next()
		kind, value := part[0], part[1:]
		if seen[kind] {
			return fmt.Errorf("%.40q: given twice", part)
		}
		seen[kind] = true
		switch kind {
		case ':':
			masks := strings.Split(value, "/")
			if len(masks) != 3 {
				return errors.New("want masks RED/GREEN/BLUE, such as ff0000/ff00/ff")
			}
			for i, to := range []*uint32{&p.Red, &p.Green, &p.Blue} {
				n, err := strconv.ParseUint(strings.TrimPrefix(masks[i], "0x"), 16, 32)
				if err != nil {
					return fmt.Errorf("%.20q is no hexadecimal mask", masks[i])
				}
				*to = uint32(n)
			}
			if p.Red|p.Green|p.Blue == 0 {
				return errors.New("the masks are empty")
			}
		default:
			n, err := strconv.ParseUint(value, 10, 62)
			if err != nil || n > maxOffset {
				return fmt.Errorf("%.40q is no number of bytes", part)
			}
			if kind == '+' {
				p.Offset = int64(n)
			} else {
				p.Stride = int(n)
			}
		}
	}
	return nil
}

// check finds what is wrong with a Spec, and fills in what is left to us.
func (p *Spec) check() error {
	if p.Width < 1 || p.Height < 1 || p.Width > maxSide || p.Height > maxSide {
		return fmt.Errorf("%dx%d: want sides of 1 to %d", p.Width, p.Height, maxSide)
	}
	masks, ok := usual[p.BitsPerPixel]
	if !ok {
		return fmt.Errorf("%d bits per pixel: want 8, 16, 24 or 32", p.BitsPerPixel)
	}
	if p.Red|p.Green|p.Blue == 0 {
		p.Red, p.Green, p.Blue = masks[0], masks[1], masks[2]
	}
	for _, m := range []uint32{p.Red, p.Green, p.Blue} {
		n := bits.OnesCount32(m)
		if n == 0 || n > 16 || bits.Len32(m)-bits.TrailingZeros32(m) != n || bits.Len32(m) > p.BitsPerPixel {
			return fmt.Errorf("mask %x: want 1 to 16 bits side by side, of the %d that a pixel has", m, p.BitsPerPixel)
		}
	}
	row := p.Width * p.BitsPerPixel / 8
	if p.Stride == 0 {
		p.Stride = row
	}
	if p.Stride < row || p.Stride > maxBytes || p.Stride*p.Height > maxBytes {
		return fmt.Errorf("rows of %d bytes: want %d at least, and at most %d altogether", p.Stride, row, maxBytes)
	}
	if p.Offset < 0 || p.Offset > maxOffset {
		return fmt.Errorf("an offset of %d bytes: want at most %d", p.Offset, int64(maxOffset))
	}
	return nil
}

// bytes returns how many bytes the picture has.
func (p *Spec) bytes() int { return (p.Height-1)*p.Stride + p.Width*p.BitsPerPixel/8 }

// openFile opens the file, which must be one that can be read from any place.
func (p *Spec) openFile() (*os.File, error) {
	st, err := os.Stat(p.File)
	if err != nil {
		return nil, err
	}
	if st.Mode()&(os.ModeNamedPipe|os.ModeSocket|os.ModeDir) != 0 {
		return nil, fmt.Errorf("%s cannot be read from any place", p.File)
	}
	return os.Open(p.File)
}
