//go:build !purego

package encode

import "framebridge/internal/pix"

// photoStepsAVX2 does photoPiece pixels; it reads as many of below, and one more of
// row.
//
//go:noescape
func photoStepsAVX2(row, below *byte) (equal, small uint8)

func photoSteps(row, below []byte) (equal, small uint8) {
	if !hasAVX2 || len(below) < photoPiece*pix.BytesPerPixel || len(row) < (photoPiece+1)*pix.BytesPerPixel {
		return photoStepsGeneric(row, below)
	}
	return photoStepsAVX2(&row[0], &below[0])
}
