package encode

import (
	"encoding/binary"

	"framebridge/internal/pix"
)

// An Indexer numbers the colours of a rectangle's pixels. Call Reset before the
// first pixels of each rectangle.
//
// Nearly every pixel has a colour that was there before, so the way to its number is
// short: a table with one slot per hash, whose entries hold a colour and its number
// in one word. A colour's slot may be taken by another one; then the palette knows,
// and the slot changes hands. The kernels need the table alone, which makes them free
// of branches for pixels whose colours are there, whatever these are; runs of one
// colour, the background, they copy. They stop where the table does not help.
type Indexer struct {
	Palette Palette
	table   indexTable
	ready   bool // the table is initialised
}

const (
	indexBits  = 12
	indexHash  = 0x9e3779b1 // 2^32 divided by the golden ratio, odd
	indexGroup = 8          // pixels that the kernels take or leave
)

// indexTable maps a colour's hash to the colour, 0x00RRGGBB, with its number in the
// top byte. A slot that is not in use holds a colour that has another slot: 0 in all
// but slot 0, which is colour 0's, there 1.
type indexTable [1 << indexBits]uint32

func indexSlot(rgb uint32) uint32 { return rgb * indexHash >> (32 - indexBits) }

// Reset empties the palette.
func (x *Indexer) Reset() {
	if !x.ready {
		x.ready = true
		x.table[0] = 1
	}
	for _, v := range x.Palette.Values[:x.Palette.N] {
		s := indexSlot(v)
		x.table[s] = 0
		if s == 0 {
			x.table[0] = 1
		}
	}
	x.Palette.Reset()
}

// Row writes the number of each pixel's colour to dst. src holds as many BGRX pixels
// as dst has bytes. Colours that are new are added to the palette, up to limit, which
// is at most MaxColours. It returns how many pixels it did: less than all where one
// more colour would exceed the limit; the caller may go on from there with a greater
// one. It does not count the pixels of each colour.
func (x *Indexer) Row(dst, src []byte, limit int) int {
	src = src[:pix.BytesPerPixel*len(dst)]
	for at := 0; at < len(dst); {
		at += indexRow(dst[at:], src[pix.BytesPerPixel*at:], &x.table)
		for end := min(at+indexGroup, len(dst)); at < end; at++ {
			v := binary.LittleEndian.Uint32(src[pix.BytesPerPixel*at:]) & pix.RGBMask
			e := &x.table[indexSlot(v)]
			if (*e^v)&pix.RGBMask != 0 {
				n := x.Palette.Add(v, 1, limit)
				if n < 0 {
					return at
				}
				*e = v | uint32(n)<<24
			}
			dst[at] = byte(*e >> 24)
		}
	}
	return len(dst)
}

// indexRowGeneric writes the numbers of pixels, a group at a time, up to the first
// group in which one's colour is not in its slot of t. It returns how many pixels it
// did. src has at least as many as dst.
func indexRowGeneric(dst, src []byte, t *indexTable) int {
	const two = uint64(pix.RGBMask)<<32 | pix.RGBMask
	src = src[:pix.BytesPerPixel*len(dst)]
	n := len(dst)
	last, numbers := uint64(1)<<63, uint64(0) // no colour
	for len(dst) >= 8 && len(src) >= 32 {
		a, b := binary.LittleEndian.Uint64(src)&two, binary.LittleEndian.Uint64(src[8:])&two
		c, d := binary.LittleEndian.Uint64(src[16:])&two, binary.LittleEndian.Uint64(src[24:])&two
		if (a^last)|(b^last)|(c^last)|(d^last) != 0 {
			a0, a1, b0, b1 := uint32(a), uint32(a>>32), uint32(b), uint32(b>>32)
			c0, c1, d0, d1 := uint32(c), uint32(c>>32), uint32(d), uint32(d>>32)
			// What is left of each entry is the number, if the colour is right.
			a0 ^= t[indexSlot(a0)]
			a1 ^= t[indexSlot(a1)]
			b0 ^= t[indexSlot(b0)]
			b1 ^= t[indexSlot(b1)]
			c0 ^= t[indexSlot(c0)]
			c1 ^= t[indexSlot(c1)]
			d0 ^= t[indexSlot(d0)]
			d1 ^= t[indexSlot(d1)]
			if (a0|a1|b0|b1|c0|c1|d0|d1)&pix.RGBMask != 0 {
				break
			}
			lo := a0>>24 | a1>>16 | b0>>8 | b1
			hi := c0>>24 | c1>>16 | d0>>8 | d1
			binary.LittleEndian.PutUint64(dst, uint64(lo)|uint64(hi)<<32)
			last = d>>32<<32 | d>>32
			numbers = uint64(d1>>24) * 0x0101010101010101
		} else {
			binary.LittleEndian.PutUint64(dst, numbers)
		}
		dst, src = dst[8:], src[32:]
	}
	return n - len(dst)
}
