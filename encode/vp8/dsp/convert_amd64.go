//go:build !purego

package dsp

// convertRowsAVX2 converts two rows of n > 0 pixels, a multiple of unit.
//
//go:noescape
func convertRowsAVX2(y0, y1, cb, cr *uint8, src0, src1 *byte, n int)

func convertRows(y0, y1, cb, cr []uint8, src0, src1 []byte) {
	n := len(y0)
	if !hasAVX2 || n == 0 || n%unit != 0 {
		convertRowsGeneric(y0, y1, cb, cr, src0, src1)
		return
	}
	_, _, _, _, _ = y1[n-1], cb[n/2-1], cr[n/2-1], src0[4*n-1], src1[4*n-1]
	convertRowsAVX2(&y0[0], &y1[0], &cb[0], &cr[0], &src0[0], &src1[0], n)
}
