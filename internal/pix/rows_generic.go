//go:build !amd64 || purego

package pix

import "encoding/binary"

func firstDiff(a, b []byte) int { return firstDiffGeneric(a, b) }

func lastDiff(a, b []byte) int { return lastDiffGeneric(a, b) }

func maskRow(dst, src []byte) { maskRowGeneric(dst, src) }

// maskValues is maskRow to pixel values; src has len(dst) pixels.
func maskValues(dst []uint32, src []byte) {
	for i := range dst {
		dst[i] = binary.LittleEndian.Uint32(src[i*4:i*4+4]) & RGBMask
	}
}
