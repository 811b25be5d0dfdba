//go:build !purego

package encode

import "framebridge/internal/pix"

// isSolidAVX2 looks at rows of width bytes, at least 32 and a multiple of four.
//
//go:noescape
func isSolidAVX2(p *byte, stride, width, rows int, rgb uint32) bool

func isSolid(p []byte, stride, w int, rgb uint32) bool {
	width := pix.BytesPerPixel * w
	if !hasAVX2 || width < 32 {
		return isSolidGeneric(p, stride, w, rgb)
	}
	return isSolidAVX2(&p[0], stride, width, (len(p)-width)/stride+1, rgb)
}
