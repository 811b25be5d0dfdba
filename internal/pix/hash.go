package pix

import (
	"encoding/binary"
	"image"
)

// Hashes of lines, for finding lines of one picture in another. With p the line's
// pixels, without their fourth byte, followed by a zero where their number is odd, a
// line's hash is
//
//	sum over i of (p[2i] + k[2i]) * (p[2i+1] + k[2i+1])
//
// with the sums in brackets modulo 2^32, all else modulo 2^64: the family NH of UMAC
// (RFC 4418, section 5.2.2), which two different lines of one length collide in
// with a chance of 2^-32. Products do not wait for each other, and any number of lines
// may be in the making at once: rows one after the other, columns side by side.

// MaxHashed is the length in pixels of the longest line that can be hashed.
const MaxHashed = 32

// hashKeys are k: random numbers.
var hashKeys = func() (k [MaxHashed]uint32) {
	for i, v := uint64(0), uint64(0); i < MaxHashed; i++ {
		// SplitMix64: an arbitrary source of numbers that are the same everywhere.
		v += 0x9e3779b97f4a7c15
		z := v
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		k[i] = uint32(z >> 32)
	}
	return k
}()

// HashRows sets dst[i] to the hash of row i of r, which must lie in m, have len(dst)
// rows and at most MaxHashed columns.
func HashRows(dst []uint64, m *Image, r image.Rectangle) {
	if r.Dy() != len(dst) || r.Dx() > MaxHashed {
		panic("pix: rows to hash: wrong size")
	}
	hashRows(dst, m, r)
}

// HashColumns sets dst[i] to the hash of column i of r, which must lie in m, have
// len(dst) columns and at most MaxHashed rows. Columns have the hashes of rows of the
// same pixels.
func HashColumns(dst []uint64, m *Image, r image.Rectangle) {
	if r.Dx() != len(dst) || r.Dy() > MaxHashed {
		panic("pix: columns to hash: wrong size")
	}
	hashColumns(dst, m, r)
}

func hashRowsGeneric(dst []uint64, m *Image, r image.Rectangle) {
	for i := range dst {
		row := m.Row(r.Min.Y+i, r.Min.X, r.Max.X)
		h := uint64(0)
		k := hashKeys[:]
		for ; len(row) >= 8 && len(k) >= 2; row, k = row[8:], k[2:] {
			p := binary.LittleEndian.Uint64(row)
			h += uint64(uint32(p)&RGBMask+k[0]) * uint64(uint32(p>>32)&RGBMask+k[1])
		}
		if len(row) >= 4 {
			h += uint64(binary.LittleEndian.Uint32(row)&RGBMask+k[0]) * uint64(k[1])
		}
		dst[i] = h
	}
}

func hashColumnsGeneric(dst []uint64, m *Image, r image.Rectangle) {
	clear(dst)
	for y := r.Min.Y; y < r.Max.Y; y += 2 {
		k0, k1 := hashKeys[y-r.Min.Y], hashKeys[y-r.Min.Y+1]
		upper := m.Row(y, r.Min.X, r.Max.X)
		if y+1 == r.Max.Y {
			for i := range dst {
				dst[i] += uint64(binary.LittleEndian.Uint32(upper[4*i:])&RGBMask+k0) * uint64(k1)
			}
			return
		}
		lower := m.Row(y+1, r.Min.X, r.Max.X)
		for i := range dst {
			dst[i] += uint64(binary.LittleEndian.Uint32(upper[4*i:])&RGBMask+k0) *
				uint64(binary.LittleEndian.Uint32(lower[4*i:])&RGBMask+k1)
		}
	}
}
