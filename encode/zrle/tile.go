package zrle

import (
	"encoding/binary"
	"image"

	"framebridge/encode"
	"framebridge/encode/deflate"
	"framebridge/internal/pix"
)

// A coder turns tiles into the form that TRLE and ZRLE share (RFC 6143, sections
// 7.7.5 and 7.7.6). The pixels are looked at once, as runs of equal values in
// reading order: a run costs one palette look-up however long it is, and the
// sizes of all sub-encodings follow from the runs and the palette.
type coder struct {
	conv    *pix.Converter
	cpixel  int      // bytes of a CPIXEL
	shifts  [3]uint8 // where its bytes lie in a value, if there are three
	palette encode.Palette
	values  [maxTile * maxTile]uint32
	runs    [maxTile * maxTile]run
	index   [maxTile * maxTile]byte
	parts   []deflate.Part // of the tiles that appendTiles made
}

// A run is n pixels of the value with the given number in the palette, which
// means nothing once the palette has overflowed.
type run struct {
	n      uint16
	number uint8
}

const (
	maxTile = 64
	// maxPalette is the largest palette of palette RLE, maxPacked that of packed
	// pixels.
	maxPalette = 127
	maxPacked  = 16

	subRaw        = 0
	subSolid      = 1
	subPlainRLE   = 128
	subPaletteRLE = 128 // plus the size of the palette
)

func (c *coder) setFormat(f pix.Format) {
	if c.conv != nil && c.conv.Format == f {
		return
	}
	c.conv = pix.NewConverter(f)
	var high bool
	c.cpixel, high = f.CPixel()
	c.shifts = [3]uint8{0, 8, 16}
	if f.BigEndian {
		c.shifts = [3]uint8{16, 8, 0}
	}
	if high {
		for i := range c.shifts {
			c.shifts[i] += 8
		}
	}
}

func (c *coder) appendPixel(dst []byte, v uint32) []byte {
	if c.cpixel == 3 {
		return append(dst, byte(v>>(c.shifts[0]&31)), byte(v>>(c.shifts[1]&31)), byte(v>>(c.shifts[2]&31)))
	}
	return c.conv.AppendValue(dst, v)
}

// appendTiles appends r's tiles of size by size pixels, row by row, and leaves in
// c.parts what they consist of: pixels where they are raw, and bytes.
func (c *coder) appendTiles(dst []byte, m *pix.Image, r image.Rectangle, size int) []byte {
	c.parts = append(c.parts[:0], deflate.Part{})
	for y := r.Min.Y; y < r.Max.Y; y += size {
		for x := r.Min.X; x < r.Max.X; x += size {
			at, w := len(dst), min(size, r.Max.X-x)
			dst = c.appendTile(dst, m, image.Rect(x, y, x+w, min(y+size, r.Max.Y)))
			last := &c.parts[len(c.parts)-1]
			if dst[at] != subRaw {
				last.Size += len(dst) - at
				continue
			}
			last.Size++
			c.parts = append(c.parts, deflate.Part{Size: len(dst) - at - 1, Unit: c.cpixel, Stride: c.cpixel * w}, deflate.Part{})
		}
	}
	return dst
}

func (c *coder) appendTile(dst []byte, m *pix.Image, r image.Rectangle) []byte {
	if rgb, ok := encode.Solid(m, r); ok {
		return c.appendPixel(append(dst, subSolid), c.conv.Value(rgb))
	}
	w, h := r.Dx(), r.Dy()
	n := w * h
	values := c.values[:n]
	for y := range h {
		c.conv.Values(values[y*w:(y+1)*w], m.Row(r.Min.Y+y, r.Min.X, r.Max.X))
	}
	runs, plain, indexed := c.scan(values)
	if len(runs) == 1 {
		return c.appendPixel(append(dst, subSolid), values[0])
	}

	// The smallest before compression; on a tie the one that is less work for
	// the viewer.
	colours := c.palette.N
	best, sub := n*c.cpixel, subRaw
	if plain < best {
		best, sub = plain, subPlainRLE
	}
	if colours <= maxPalette {
		if indexed += colours * c.cpixel; indexed < best {
			best, sub = indexed, subPaletteRLE+colours
		}
		if colours <= maxPacked {
			if size := (w*depth(colours) + 7) / 8 * h; size+colours*c.cpixel <= best {
				sub = colours
			}
		}
	}

	dst = append(dst, byte(sub))
	switch {
	case sub == subRaw:
		return c.appendRaw(dst, values)
	case sub == subPlainRLE:
		at := 0
		for _, r := range runs {
			dst = c.appendPixel(dst, values[at])
			dst = appendRunLength(dst, int(r.n))
			at += int(r.n)
		}
		return dst
	}
	for _, v := range c.palette.Values[:colours] {
		dst = c.appendPixel(dst, v)
	}
	if sub > subPaletteRLE {
		for _, r := range runs {
			if r.n == 1 {
				dst = append(dst, r.number)
			} else {
				dst = appendRunLength(append(dst, r.number|0x80), int(r.n))
			}
		}
		return dst
	}
	index := c.index[:n]
	at := 0
	for _, r := range runs {
		part := index[at : at+int(r.n)]
		for i := range part {
			part[i] = r.number
		}
		at += int(r.n)
	}
	return appendPacked(dst, index, w, depth(colours))
}

// scan finds the runs of values and fills the palette; with more than maxPalette
// values, palette.N becomes larger than that. plain and indexed are the bytes the
// runs take in plain RLE and, without the palette, in palette RLE.
func (c *coder) scan(values []uint32) (runs []run, plain, indexed int) {
	c.palette.Reset()
	k, extra, singles := 0, 0, 0
	for i := 0; i < len(values); k++ {
		v := values[i]
		j := i + 1
		for j < len(values) && values[j] == v {
			j++
		}
		n := j - i
		i = j
		if n == 1 {
			singles++
		} else {
			extra += (n - 1) / 255
		}
		number := 0
		if c.palette.N <= maxPalette {
			number = c.palette.Add(v, n, maxPalette+1)
		}
		c.runs[k&(maxTile*maxTile-1)] = run{uint16(n), uint8(number)}
	}
	return c.runs[:k], k*(c.cpixel+1) + extra, 2*k - singles + extra
}

// appendRunLength appends n-1 as bytes to be added up, the last of them below
// 255.
func appendRunLength(dst []byte, n int) []byte {
	n--
	for n >= 255 {
		dst = append(dst, 255)
		n -= 255
	}
	return append(dst, byte(n))
}

// appendRaw appends values as CPIXELs.
func (c *coder) appendRaw(dst []byte, values []uint32) []byte {
	if c.cpixel != 3 {
		for _, v := range values {
			dst = c.conv.AppendValue(dst, v)
		}
		return dst
	}
	at, n := len(dst), 3*len(values)
	dst = grow(dst, n+1)
	// A store of four bytes; the next, or the cut at the end, takes one back.
	out := dst[at:]
	if c.shifts == [3]uint8{0, 8, 16} {
		for _, v := range values {
			binary.LittleEndian.PutUint32(out, v)
			out = out[3:]
		}
		return dst[:at+n]
	}
	s0, s1, s2 := c.shifts[0]&31, c.shifts[1]&31, c.shifts[2]&31
	for _, v := range values {
		binary.LittleEndian.PutUint32(out, v>>s0&255|v>>s1&255<<8|v>>s2&255<<16)
		out = out[3:]
	}
	return dst[:at+n]
}

// depth returns the bits of a packed pixel for a palette of 2 to 16.
func depth(colours int) int {
	switch {
	case colours <= 2:
		return 1
	case colours <= 4:
		return 2
	}
	return 4
}

// appendPacked appends rows of w numbers of the given depth: the first pixel in
// the top bits, each row begins a byte.
func appendPacked(dst, index []byte, w, depth int) []byte {
	for ; len(index) >= w; index = index[w:] {
		row := index[:w]
		for len(row) >= 8 {
			// Each product gathers the numbers of 8, 4 or 2 bytes in one byte at
			// the top; no two of the terms that matter meet.
			v := binary.LittleEndian.Uint64(row)
			row = row[8:]
			switch depth {
			case 1:
				dst = append(dst, byte(v*0x8040201008040201>>56))
			case 2:
				lo, hi := uint32(v), uint32(v>>32)
				dst = append(dst, byte(lo*0x40100401>>24), byte(hi*0x40100401>>24))
			default:
				v = v<<4 | v>>8
				dst = append(dst, byte(v), byte(v>>16), byte(v>>32), byte(v>>48))
			}
		}
		var v byte
		used := 0
		for _, n := range row {
			used += depth
			v |= n << (8 - used)
			if used == 8 {
				dst = append(dst, v)
				v, used = 0, 0
			}
		}
		if used > 0 {
			dst = append(dst, v)
		}
	}
	return dst
}

// grow extends b by n bytes of undefined contents.
func grow(b []byte, n int) []byte {
	if cap(b)-len(b) < n {
		b = append(make([]byte, 0, 2*cap(b)+n), b...)
	}
	return b[:len(b)+n]
}
