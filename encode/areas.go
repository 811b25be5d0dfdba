package encode

import (
	"image"

	"framebridge/internal/pix"
)

// An Area is a part of a rectangle found by SolidAreas.
type Area struct {
	image.Rectangle
	Solid bool
	RGB   uint32 // 0x00RRGGBB of a solid area
}

// solidBlock is the grid on which solid areas are looked for.
const solidBlock = 16

// MinSolidArea is a sensible minArea for SolidAreas: below it a rectangle of its
// own saves less than its header and the cut through its surroundings cost.
const MinSolidArea = 4096

// SolidAreas finds large areas of one colour. It holds scratch memory; the zero
// value is ready. Use it from one goroutine.
//
// It works on a grid of 16x16 blocks, the last column and row being smaller. Each
// block is solid in some colour or not, which for most blocks that are not takes
// a look at a few pixels. From each block that belongs to nothing yet it grows
// rectangles of blocks of the same colour and takes the largest. What is in no
// solid area is then put together again from the blocks: to the right as far as
// it goes, then down over rows that have it in the same columns.
type SolidAreas struct {
	blocks        []uint32 // the colour of each solid block, else one of the marks
	columns, rows int
}

// Marks in SolidAreas.blocks; colours are below 1<<24.
const (
	markMixed = 1 << 24 // not solid, or not in a solid area large enough
	markTaken = 1 << 25 // in an area already
)

// Append appends areas that cover r, which lies in m, exactly and without
// overlap: solid ones of at least minArea pixels, and the rest. If all of r has
// one colour, it is one solid area, however small.
func (s *SolidAreas) Append(dst []Area, m *pix.Image, r image.Rectangle, minArea int) []Area {
	if r.Empty() {
		return dst
	}
	s.scan(m, r)
	for y := range s.rows {
		for x := range s.columns {
			rgb := s.blocks[y*s.columns+x]
			if rgb >= markMixed {
				continue
			}
			b := s.grow(x, y, rgb)
			if a := s.pixels(b, r); a.Dx()*a.Dy() >= minArea || a == r {
				dst = append(dst, Area{a, true, rgb})
				s.mark(b, markTaken)
			} else {
				s.blocks[y*s.columns+x] = markMixed
			}
		}
	}
	for y := range s.rows {
		for x := 0; x < s.columns; x++ {
			if s.blocks[y*s.columns+x] == markTaken {
				continue
			}
			b := s.rest(x, y)
			s.mark(b, markTaken)
			dst = append(dst, Area{Rectangle: s.pixels(b, r)})
			x = b.Max.X - 1
		}
	}
	return dst
}

// scan fills s.blocks.
func (s *SolidAreas) scan(m *pix.Image, r image.Rectangle) {
	s.columns = (r.Dx() + solidBlock - 1) / solidBlock
	s.rows = (r.Dy() + solidBlock - 1) / solidBlock
	if n := s.columns * s.rows; cap(s.blocks) < n {
		s.blocks = make([]uint32, n)
	}
	s.blocks = s.blocks[:s.columns*s.rows]
	blocks := s.blocks
	for y := r.Min.Y; y < r.Max.Y; y += solidBlock {
		b := image.Rectangle{image.Pt(0, y), image.Pt(0, min(y+solidBlock, r.Max.Y))}
		for i := range blocks[:s.columns] {
			b.Min.X = r.Min.X + i*solidBlock
			b.Max.X = min(b.Min.X+solidBlock, r.Max.X)
			rgb, ok := Solid(m, b)
			if !ok {
				rgb = markMixed
			}
			blocks[i] = rgb
		}
		blocks = blocks[s.columns:]
	}
}

// grow returns the largest rectangle of blocks of the colour rgb whose first is
// (x, y): for each height the width can only shrink.
func (s *SolidAreas) grow(x, y int, rgb uint32) image.Rectangle {
	best, most := image.Rectangle{}, 0
	width := s.columns - x
	for h := 1; y+h <= s.rows; h++ {
		row := s.blocks[(y+h-1)*s.columns+x:][:width]
		n := 0
		for n < len(row) && row[n] == rgb {
			n++
		}
		if n == 0 {
			break
		}
		width = n
		if n*h > most {
			best, most = image.Rect(x, y, x+n, y+h), n*h
		}
	}
	return best
}

// rest returns the rectangle of blocks not taken that begins at (x, y), the first
// such block of its row: as wide as it gets, and as high as the rows below are
// free in these columns and not beside them.
func (s *SolidAreas) rest(x, y int) image.Rectangle {
	b := image.Rect(x, y, x, y+1)
	for b.Max.X < s.columns && s.blocks[y*s.columns+b.Max.X] != markTaken {
		b.Max.X++
	}
	for ; b.Max.Y < s.rows; b.Max.Y++ {
		row := s.blocks[b.Max.Y*s.columns:][:s.columns]
		if b.Min.X > 0 && row[b.Min.X-1] != markTaken || b.Max.X < s.columns && row[b.Max.X] != markTaken {
			return b
		}
		for _, v := range row[b.Min.X:b.Max.X] {
			if v == markTaken {
				return b
			}
		}
	}
	return b
}

func (s *SolidAreas) mark(b image.Rectangle, v uint32) {
	for y := b.Min.Y; y < b.Max.Y; y++ {
		row := s.blocks[y*s.columns:]
		for x := b.Min.X; x < b.Max.X; x++ {
			row[x] = v
		}
	}
}

// pixels turns blocks into pixels of r.
func (s *SolidAreas) pixels(b, r image.Rectangle) image.Rectangle {
	b.Min, b.Max = b.Min.Mul(solidBlock), b.Max.Mul(solidBlock)
	return b.Add(r.Min).Intersect(r)
}
