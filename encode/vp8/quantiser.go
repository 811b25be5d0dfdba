package vp8

import (
	"sync"

	"framebridge/encode/vp8/dsp"
)

// A quantiser holds the divisors for one quantiser index.
type quantiser struct {
	y, y2, uv dsp.Quant
}

// Roundings of levels, in units of 1/256, for dsp.Quant.Set. Rounding down more than half
// saves more bits than it costs in quality; refinement does not.
const (
	roundNearest = 128
	roundCoarse  = 96
	roundDC      = 112
)

// quantisers returns the quantisers by index: for content that will be refined or
// replaced, and for refinement.
var quantisers = sync.OnceValue(func() *[2][maxQuantiser + 1]quantiser {
	t := new([2][maxQuantiser + 1]quantiser)
	for fine := range t {
		var rounding [16]uint8
		for i := range rounding {
			rounding[i] = roundCoarse
			if fine == 1 {
				rounding[i] = roundNearest
			}
		}
		rounding[0] = roundDC
		if fine == 1 {
			rounding[0] = roundNearest
		}
		for i := range t[fine] {
			q := &t[fine][i]
			// RFC 6386, section 14.1.
			dc, ac := int(dcSteps[i]), int(acSteps[i])
			q.y.Set(dc, ac, &rounding)
			q.y2.Set(2*dc, max(ac*155/100, 8), &rounding)
			q.uv.Set(min(dc, 132), ac, &rounding)
		}
	}
	return t
})
