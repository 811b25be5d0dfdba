package vp8

// The levels of a macroblock of video are left out where they cost more bits than
// they are worth. Most of what is left of a film after prediction is grain: a level
// here and there that the next frame needs again. How many bits levels take is
// counted with the probabilities of the last frame.

// maxCosted is the largest level with a cost of its own.
const maxCosted = 10

// tokenCosts are what levels take, in 1/256 bit, by kind of block, band, context and
// size of the level; beyond them all others and, last, the end of the block.
type tokenCosts [blockTypes][coeffBands][coeffContexts][maxCosted + 3]uint16

const (
	costLarger = maxCosted + 1
	costEnd    = maxCosted + 2
)

// set computes the costs with p.
func (t *tokenCosts) set(p *coeffProbs) {
	for typ := range t {
		firstBand := 0
		if typ == blockYAfterY2 {
			firstBand = 1
		}
		for band := range t[typ] {
			for ctx := range t[typ][band] {
				probs, to := &p[typ][band][ctx], &t[typ][band][ctx]
				bit := func(k, b int) uint32 {
					if b == 0 {
						return boolCost[probs[k]]
					}
					return boolCost[256-int(probs[k])]
				}
				on := uint32(0) // no block ends after a zero
				if ctx > 0 || band == firstBand {
					to[costEnd], on = uint16(bit(0, 0)), bit(0, 1)
				}
				to[0] = uint16(on + bit(1, 0))
				on += bit(1, 1) + 256 // with the sign
				to[1] = uint16(on + bit(2, 0))
				on += bit(2, 1)
				low, high := on+bit(3, 0), on+bit(3, 1)
				to[2] = uint16(low + bit(4, 0))
				to[3] = uint16(low + bit(4, 1) + bit(5, 0))
				to[4] = uint16(low + bit(4, 1) + bit(5, 1))
				small := high + bit(6, 0)
				for v := 5; v <= maxCosted; v++ {
					if v <= 6 {
						to[v] = uint16(small + bit(7, 0) + 256)
					} else {
						to[v] = uint16(small + bit(7, 1) + 2*256)
					}
				}
				to[costLarger] = uint16(high + bit(6, 1) + bit(8, 0) + bit(9, 0) + 3*256)
			}
		}
	}
}

// bits is what a block's levels take, in 1/256 bit, given the first coefficient
// that is coded, the end, and how many of its neighbours have levels.
func (t *tokenCosts) bits(levels *[16]int16, typ, first, end, ctx int) (bits int) {
	trees := &t[typ&(blockTypes-1)]
	for i := first; i < end; i++ {
		v := abs(int(levels[i&15]))
		bits += int(trees[bandOf[i]][ctx][min(v, costLarger)])
		ctx = min(v, 2)
	}
	if end < 16 {
		bits += int(trees[bandOf[end]][ctx][costEnd])
	}
	return bits
}

// blockBits adds up what blocks from block from on take, which lie in rows of side
// blocks. Neighbours beyond them count as empty.
func (c *coder) blockBits(r *residual, from, n, side, typ, first int) (bits int) {
	ends := r.end[from : from+n]
	for i, end := range ends {
		ctx := 0
		if i%side > 0 && ends[i-1] > 0 {
			ctx++
		}
		if i >= side && ends[i-side] > 0 {
			ctx++
		}
		bits += c.costs.bits((*[16]int16)(r.levels[16*(from+i):]), typ, first, max(int(end), first), ctx)
	}
	return bits
}

// wastedLuma tells whether the levels of luma save less than bitWorth for each of
// their bits, where saved is the squared error that they save.
func (c *coder) wastedLuma(r *residual, saved, bitWorth int) bool {
	levels := int(r.end[24])
	for _, end := range r.end[:16] {
		levels += int(end)
	}
	if saved >= levels*muchBits*bitWorth {
		return false
	}
	bits := c.blockBits(r, 0, 16, 4, blockYAfterY2, 1) + c.blockBits(r, 24, 1, 1, blockY2, 0)
	return saved < (bits>>8+lumaBits)*bitWorth
}

// wastedChroma is wastedLuma for U and V.
func (c *coder) wastedChroma(r *residual, saved, bitWorth int) bool {
	levels := 0
	for _, end := range r.end[16:24] {
		levels += int(end)
	}
	if saved >= levels*muchBits*bitWorth {
		return false
	}
	bits := c.blockBits(r, 16, 4, 2, blockChroma, 0) + c.blockBits(r, 20, 4, 2, blockChroma, 0)
	return saved < (bits>>8+chromaBits)*bitWorth
}

const (
	// lumaBits and chromaBits are about what it takes to say that there are levels.
	lumaBits, chromaBits = 2, 4
	// muchBits is more than a level takes with the zeros before and the end after it.
	muchBits = 16
)
