//go:build !purego

package pix

import "image"

// hashRowsAVX2 hashes rows of n bytes, a multiple of vector; hashColumnsAVX2 columns,
// a multiple of twoVectors, of rows, an even number. rows and columns are positive.

// twoVectors is the number of columns that are hashed side by side: those of a cache
// line, so that rows whose lines fall into the same set of the cache are not fetched
// twice.
const twoVectors = 16

//go:noescape
func hashRowsAVX2(dst *uint64, p *byte, stride, n, rows int, keys *[MaxHashed]uint32)

//go:noescape
func hashColumnsAVX2(dst *uint64, p *byte, stride, rows, columns int, keys *[MaxHashed]uint32)

func hashRows(dst []uint64, m *Image, r image.Rectangle) {
	n := r.Dx() * BytesPerPixel
	if !hasAVX2 || n%vector != 0 || r.Empty() {
		hashRowsGeneric(dst, m, r)
		return
	}
	_ = m.Row(r.Max.Y-1, r.Min.X, r.Max.X)
	hashRowsAVX2(&dst[0], &m.Row(r.Min.Y, r.Min.X, r.Max.X)[0], m.Stride, n, len(dst), &hashKeys)
}

func hashColumns(dst []uint64, m *Image, r image.Rectangle) {
	n := len(dst) &^ (twoVectors - 1)
	if hasAVX2 && n > 0 && r.Dy() > 0 && r.Dy()%2 == 0 {
		_ = m.Row(r.Max.Y-1, r.Min.X, r.Max.X)
		hashColumnsAVX2(&dst[0], &m.Row(r.Min.Y, r.Min.X, r.Max.X)[0], m.Stride, r.Dy(), n, &hashKeys)
		dst = dst[n:]
		r.Min.X += n
	}
	if len(dst) > 0 {
		hashColumnsGeneric(dst, m, r)
	}
}
