package rfbtest

import "image"

// ZRLE and TRLE (RFC 6143, sections 7.7.5 and 7.7.6) write the same tiles:
// ZRLE of 64x64 pixels in one zlib stream, TRLE of 16x16 as they are, with two
// types more that take the palette of the tile before.

// Tile types. 2 to 16 are packed palettes of that size, 130 to 255 run-length
// encoded palettes of that size plus 128.
const (
	rleRaw          = 0
	rleSolid        = 1
	rlePackedMost   = 16
	rlePackedReuse  = 127 // TRLE
	rlePlain        = 128
	rlePaletteReuse = 129 // TRLE
	rlePaletteLeast = 130
)

// maxRLETile returns the most bytes a tile can take: its type, a palette and
// a pixel and a length for each pixel.
func maxRLETile(pixel int) int { return 1 + 127*pixel + 64*64*(pixel+1) }

// decodeZRLE inflates a whole rectangle and reads its tiles.
func (c *Client) decodeZRLE(r image.Rectangle) error {
	tiles := ((r.Dx() + 63) / 64) * ((r.Dy() + 63) / 64)
	b, err := c.takeDeflated(&c.zrle, 2*tiles, tiles*maxRLETile(c.px.csize))
	if err != nil {
		return err
	}
	src := &block{b: b}
	t := rleTiles{c: c, src: src}
	if err := eachTile(r, 64, t.tile); err != nil {
		return err
	}
	if len(src.b) > 0 {
		return violation("zlib block has trailing data: %d bytes", len(src.b))
	}
	return nil
}

// decodeTRLE reads tiles from the connection.
func (c *Client) decodeTRLE(r image.Rectangle) error {
	t := rleTiles{c: c, src: c.in, reuse: true}
	return eachTile(r, 16, t.tile)
}

// rleTiles reads the tiles of one rectangle.
type rleTiles struct {
	c       *Client
	src     taker
	reuse   bool        // the types that take the last palette are allowed
	palette [127]uint32 // of the last tile
	colours int         // its size, 0 where that tile had none
}

func (t *rleTiles) tile(r image.Rectangle) error {
	kind, err := takeUint8(t.src)
	if err != nil {
		return err
	}
	switch {
	case kind == rleRaw:
		t.colours = 0
		return t.raw(r)
	case kind == rleSolid:
		t.colours = 0
		v, err := t.c.px.takeCPixel(t.src)
		if err != nil {
			return err
		}
		t.c.fb.fill(r, v)
		return nil
	case kind <= rlePackedMost:
		if err := t.takePalette(int(kind)); err != nil {
			return err
		}
		return t.packed(r)
	case kind == rlePackedReuse && t.reuse && t.colours > 0 && t.colours <= rlePackedMost:
		return t.packed(r)
	case kind == rlePlain:
		t.colours = 0
		return t.runs(r)
	case kind == rlePaletteReuse && t.reuse && t.colours > 0:
		return t.runs(r)
	case kind >= rlePaletteLeast:
		if err := t.takePalette(int(kind) - 128); err != nil {
			return err
		}
		return t.runs(r)
	}
	return violation("tile %v of type %d, after a palette of %d", r, kind, t.colours)
}

func (t *rleTiles) takePalette(n int) error {
	b, err := t.src.take(n * t.c.px.csize)
	if err != nil {
		return err
	}
	t.colours = n
	t.c.px.cpixels(t.palette[:n], b)
	return nil
}

func (t *rleTiles) raw(r image.Rectangle) error {
	row := r.Dx() * t.c.px.csize
	b, err := t.src.take(row * r.Dy())
	if err != nil {
		return err
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		t.c.px.cpixels(t.c.fb.row(r.Min.X, y, r.Dx()), b)
		b = b[row:]
	}
	return nil
}

// packed reads indices of one, two or four bits, rows padded to bytes.
func (t *rleTiles) packed(r image.Rectangle) error {
	width := 4
	switch {
	case t.colours == 2:
		width = 1
	case t.colours <= 4:
		width = 2
	}
	size := (r.Dx()*width + 7) / 8
	b, err := t.src.take(size * r.Dy())
	if err != nil {
		return err
	}
	return unpack(&t.c.fb, r, b, width, t.palette[:t.colours])
}

// unpack fills r from indices of width bits, the leftmost the most
// significant, rows padded to bytes with zeros.
func unpack(fb *framebuffer, r image.Rectangle, b []byte, width int, palette []uint32) error {
	size := (r.Dx()*width + 7) / 8
	mask := byte(1)<<width - 1
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := fb.row(r.Min.X, y, r.Dx())
		line := b[:size]
		shift := 8
		k := 0
		for x := range row {
			shift -= width
			i := line[k] >> shift & mask
			if int(i) >= len(palette) {
				return violation("palette index %d of %d", i, len(palette))
			}
			row[x] = palette[i]
			if shift == 0 {
				shift = 8
				k++
			}
		}
		if shift < 8 && line[k]&(1<<shift-1) != 0 {
			return violation("a row of packed pixels ends with padding %#x", line[k]&(1<<shift-1))
		}
		b = b[size:]
	}
	return nil
}

// runs reads run-length encoded pixels up to the end of the tile, of the
// palette if there is one. In a palette tile a run of one is an index alone.
func (t *rleTiles) runs(r image.Rectangle) error {
	w, left := r.Dx(), r.Dx()*r.Dy()
	x, y := 0, r.Min.Y
	for left > 0 {
		v, n, err := t.run()
		if err != nil {
			return err
		}
		if n > left {
			return violation("run of %d pixels, %d are left", n, left)
		}
		left -= n
		for n > 0 {
			k := min(n, w-x)
			row := t.c.fb.row(r.Min.X+x, y, k)
			for i := range row {
				row[i] = v
			}
			n -= k
			if x += k; x == w {
				x, y = 0, y+1
			}
		}
	}
	return nil
}

// run reads a colour and how often it comes.
func (t *rleTiles) run() (v uint32, n int, err error) {
	if t.colours > 0 {
		i, err := takeUint8(t.src)
		if err != nil {
			return 0, 0, err
		}
		if int(i&0x7f) >= t.colours {
			return 0, 0, violation("palette index %d of %d", i&0x7f, t.colours)
		}
		v = t.palette[i&0x7f]
		if i&0x80 == 0 {
			return v, 1, nil
		}
	} else if v, err = t.c.px.takeCPixel(t.src); err != nil {
		return 0, 0, err
	}
	n = 1
	for {
		k, err := takeUint8(t.src)
		if err != nil {
			return 0, 0, err
		}
		n += int(k)
		if k != 255 {
			return v, n, nil
		}
		if n > 64*64 {
			return 0, 0, violation("run of more than %d pixels", 64*64)
		}
	}
}
