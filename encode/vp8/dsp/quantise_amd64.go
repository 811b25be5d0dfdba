//go:build !purego

package dsp

//go:noescape
func quantiseAVX2(levels, coef *int16, end *uint8, q *Quant, n, first int) (ac uint32)

func quantise(levels, coef []int16, end []uint8, q *Quant, first int) uint32 {
	n := len(end)
	if !hasAVX2 || n == 0 {
		return quantiseGeneric(levels, coef, end, q, first)
	}
	_, _ = levels[16*n-1], coef[16*n-1]
	return quantiseAVX2(&levels[0], &coef[0], &end[0], q, n, first)
}
