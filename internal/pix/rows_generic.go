//go:build !amd64 || purego

package pix

import (
	"encoding/binary"
	"image"
)

func firstDiff(a, b []byte) int { return firstDiffGeneric(a, b) }

func lastDiff(a, b []byte) int { return lastDiffGeneric(a, b) }

func maskRow(dst, src []byte) { maskRowGeneric(dst, src) }

// maskValues is maskRow to pixel values; src has len(dst) pixels.
func maskValues(dst []uint32, src []byte) {
	for i := range dst {
		dst[i] = binary.LittleEndian.Uint32(src[i*4:i*4+4]) & RGBMask
	}
}

func equalRows(a, b *Image, r image.Rectangle, up bool) int { return equalRowsGeneric(a, b, r, up) }

func differing(a, b *Image, r image.Rectangle) uint { return differingGeneric(a, b, r) }
