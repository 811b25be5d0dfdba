package zrle

import (
	"encoding/binary"
	"image"

	"framebridge/encode"
	"framebridge/encode/deflate"
	"framebridge/internal/pix"
)

// A coder turns tiles into the form that TRLE and ZRLE share (RFC 6143, sections
// 7.7.5 and 7.7.6). The pixels become numbers in a palette, the numbers runs in
// reading order; the sizes of all sub-encodings follow from the runs and the palette.
type coder struct {
	conv   *pix.Converter
	direct bool     // each colour has a value of its own
	cpixel int      // bytes of a CPIXEL
	shifts [3]uint8 // where its bytes lie in a value, if there are three

	indexer encode.Indexer // of colours, if direct
	palette encode.Palette // of values, if not
	values  [maxTile * maxTile]uint32
	index   [maxTile * maxTile]byte
	starts  [2 * maxTile * maxTile]uint16 // of the runs, and their end
	runs    [maxTile * maxTile]run
	parts   []deflate.Part // of the tiles that appendTiles made
}

// A run is n pixels of the value with the given number in the palette.
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
	c.direct = f.TrueColour && min(f.RedMax, f.GreenMax, f.BlueMax) >= 255
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
	index := c.index[:n]
	colours := c.number(index, m, r)
	if colours > maxPalette {
		return c.appendMany(dst, m, r)
	}
	if colours == 1 {
		return c.appendPixel(append(dst, subSolid), c.values[0])
	}

	// The smallest before compression; on a tie the one that is less work for
	// the viewer.
	runs, plain, indexed := c.scan(index)
	best, sub := n*c.cpixel, subRaw
	if plain < best {
		best, sub = plain, subPlainRLE
	}
	if indexed += colours * c.cpixel; indexed < best {
		best, sub = indexed, subPaletteRLE+colours
	}
	if colours <= maxPacked {
		if size := (w*depth(colours) + 7) / 8 * h; size+colours*c.cpixel <= best {
			sub = colours
		}
	}

	dst = append(dst, byte(sub))
	switch {
	case sub == subRaw:
		return c.appendRaw(dst, m, r)
	case sub == subPlainRLE:
		for _, r := range runs {
			dst = appendRunLength(c.appendPixel(dst, c.values[r.number]), int(r.n))
		}
		return dst
	}
	for _, v := range c.values[:colours] {
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
	return appendPacked(dst, index, w, depth(colours))
}

// number writes the number of each pixel's value in the tile to index and the values
// to c.values. It returns how many values there are, or maxPalette+1 for more than
// maxPalette; index and values mean nothing then.
func (c *coder) number(index []byte, m *pix.Image, r image.Rectangle) int {
	w := r.Dx()
	if c.direct {
		c.indexer.Reset()
		for y := r.Min.Y; y < r.Max.Y; y++ {
			if c.indexer.Row(index[:w], m.Row(y, r.Min.X, r.Max.X), maxPalette) < w {
				return maxPalette + 1
			}
			index = index[w:]
		}
		for i, v := range c.indexer.Palette.Values[:c.indexer.Palette.N] {
			c.values[i] = c.conv.Value(v)
		}
		return c.indexer.Palette.N
	}
	c.palette.Reset()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := c.values[:w]
		c.conv.Values(row, m.Row(y, r.Min.X, r.Max.X))
		last := c.palette.Add(row[0], 1, maxPalette)
		for i, v := range row {
			if last < 0 || v != c.palette.Values[last] {
				if last = c.palette.Add(v, 1, maxPalette); last < 0 {
					return maxPalette + 1
				}
			}
			index[i] = byte(last)
		}
		index = index[w:]
	}
	copy(c.values[:], c.palette.Values[:c.palette.N])
	return c.palette.N
}

// scan finds the runs of numbers. plain and indexed are the bytes they take in plain
// RLE and, without the palette, in palette RLE.
func (c *coder) scan(index []byte) (runs []run, plain, indexed int) {
	// First where runs begin: each place is written, and kept where it is one, which
	// in text no branch could guess.
	starts := &c.starts
	starts[0] = 0
	k, i := 1, 1
	for ; i+8 <= len(index); i += 8 {
		d := binary.LittleEndian.Uint64(index[i:]) ^ binary.LittleEndian.Uint64(index[i-1:])
		if d == 0 {
			continue
		}
		// Bit 7 of each byte: whether the number differs from the one before. Numbers
		// are below 128.
		d += 0x7f7f7f7f7f7f7f7f
		for j := range 8 {
			starts[k&(len(starts)-1)] = uint16(i + j)
			k += int(d >> 7 & 1)
			d >>= 8
		}
	}
	for ; i < len(index); i++ {
		if index[i] != index[i-1] {
			starts[k&(len(starts)-1)] = uint16(i)
			k++
		}
	}
	starts[k&(len(starts)-1)] = uint16(len(index))

	runs = c.runs[:k]
	extra, singles := 0, 0
	for i := range runs {
		from := starts[i&(len(starts)-1)]
		n := starts[(i+1)&(len(starts)-1)] - from
		runs[i] = run{n, index[from]}
		if n > 255 {
			extra += int(n-1) / 255
		}
		singles += int((n - 2) >> 15) // 1 if n is
	}
	return runs, k*(c.cpixel+1) + extra, 2*k - singles + extra
}

// appendMany appends a tile of more than maxPalette values.
func (c *coder) appendMany(dst []byte, m *pix.Image, r image.Rectangle) []byte {
	w, n := r.Dx(), r.Dx()*r.Dy()
	values := c.values[:n]
	for y := range r.Dy() {
		c.conv.Values(values[y*w:(y+1)*w], m.Row(r.Min.Y+y, r.Min.X, r.Max.X))
	}
	// With runs this short it is raw, whatever their lengths.
	k, last := 1, values[0]
	for _, v := range values {
		if v != last {
			k++
		}
		last = v
	}
	if k*(c.cpixel+1) >= n*c.cpixel {
		return c.appendRaw(append(dst, subRaw), m, r)
	}
	at := len(dst)
	dst = append(dst, subPlainRLE)
	for i := 0; i < n; {
		j := i + 1
		for j < n && values[j] == values[i] {
			j++
		}
		dst = appendRunLength(c.appendPixel(dst, values[i]), j-i)
		i = j
	}
	if len(dst)-at > n*c.cpixel {
		return c.appendRaw(append(dst[:at], subRaw), m, r)
	}
	return dst
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

// appendRaw appends the pixels of r as CPIXELs.
func (c *coder) appendRaw(dst []byte, m *pix.Image, r image.Rectangle) []byte {
	w := r.Dx()
	if c.cpixel != 3 {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			dst = c.conv.Append(dst, m.Row(y, r.Min.X, r.Max.X))
		}
		return dst
	}
	at, n := len(dst), 3*w*r.Dy()
	dst = grow(dst, n+1)
	out := dst[at:]
	if c.conv.Identity() && c.shifts == [3]uint8{0, 8, 16} {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			pix.PackBGR(out[:3*w], m.Row(y, r.Min.X, r.Max.X))
			out = out[3*w:]
		}
		return dst[:at+n]
	}
	// A store of four bytes; the next, or the cut at the end, takes one back.
	s0, s1, s2 := c.shifts[0]&31, c.shifts[1]&31, c.shifts[2]&31
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := c.values[:w]
		c.conv.Values(row, m.Row(y, r.Min.X, r.Max.X))
		for _, v := range row {
			binary.LittleEndian.PutUint32(out, v>>s0&255|v>>s1&255<<8|v>>s2&255<<16)
			out = out[3:]
		}
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
