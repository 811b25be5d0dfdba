package vp8

import (
	"sync"

	"framebridge/encode/vp8/dsp"
)

// A quantiser holds the divisors for one quantiser index.
type quantiser struct {
	y, y2, uv dsp.Quant
	intraBits int // about what intra modes cost more than vectors do
	bitWorth  int // squared error that a bit should save; 0 is any
	lambda    int // what a bit is worth in sums of absolute differences, in 1/16
}

// A purpose tells how coefficients are rounded to levels.
type purpose uint8

const (
	forNow   purpose = iota // contents that will be refined
	forGood                 // refinement: to the nearest level
	forVideo                // contents that will be gone: isolated fine detail is left out
	purposes
)

// roundings are, in units of 1/256 and in the order of coding, for dsp.Quant.Set.
// Rounding down more than half saves more bits than it costs in quality, and the
// more so the later a coefficient comes, for the zeros before it cost as well.
var roundings = [purposes][16]uint8{
	forNow:   {112, 96, 96, 96, 96, 96, 96, 96, 96, 96, 96, 96, 96, 96, 96, 96},
	forGood:  {128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128},
	forVideo: {96, 96, 93, 90, 87, 83, 80, 77, 74, 70, 70, 70, 70, 70, 70, 70},
}

// quantisers returns the quantisers by purpose and index.
var quantisers = sync.OnceValue(func() *[purposes][maxQuantiser + 1]quantiser {
	t := new([purposes][maxQuantiser + 1]quantiser)
	for p := range t {
		var rounding [16]uint8
		for k, r := range roundings[p] {
			rounding[dsp.Zigzag[k]] = r
		}
		for i := range t[p] {
			q := &t[p][i]
			// RFC 6386, section 14.1.
			dc, ac := int(dcSteps[i]), int(acSteps[i])
			q.lambda, q.intraBits = 48+ac*4/5, 24
			if purpose(p) == forVideo {
				// Found by trial on films, as roundings are: what comes into the picture
				// is worth more than it costs now, for it stays.
				q.lambda, q.intraBits = 20+ac*13/10, 12
				q.bitWorth = ac * ac / 72
			}
			q.y.Set(dc, ac, &rounding)
			q.y2.Set(2*dc, max(ac*155/100, 8), &rounding)
			q.uv.Set(min(dc, 132), ac, &rounding)
		}
	}
	return t
})
