package vp8

// The coefficients of a block become tokens, and tokens paths through a tree of
// bools (RFC 6386, section 13). Which probabilities serve a frame best is known
// only when its tokens are, so that they are kept as events between: each names
// the place of its probability and the bit.

// An event is a bool of a token partition: the index of its probability, shifted
// left by one, and the bit.
type event uint16

// Kinds of blocks (RFC 6386, section 13.3), bands of coefficients, contexts of
// neighbours, nodes of the token tree.
const (
	blockYAfterY2 = 0
	blockY2       = 1
	blockChroma   = 2
	blockYWithDC  = 3

	blockTypes    = 4
	coeffBands    = 8
	coeffContexts = 3
	coeffNodes    = 11
	numCoeffProbs = blockTypes * coeffBands * coeffContexts * coeffNodes
)

// Indices of probabilities above the coefficients': those of the bits that follow
// a category's token, and of signs (RFC 6386, section 13.2).
const (
	probSign = numCoeffProbs + iota
	probCat1
	probCat2
	probCat3      = probCat2 + 2
	probCat4      = probCat3 + 3
	probCat5      = probCat4 + 4
	probCat6      = probCat5 + 5
	numEventProbs = 2048 // a power of two, for a cheap bounds check
	numEvents     = 2 * (probCat6 + 11)
)

var extraProbs = [...]uint8{
	128,
	159,
	165, 145,
	173, 148, 140,
	176, 155, 140, 135,
	180, 157, 141, 134, 130,
	254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129,
}

// bandOf is the band of a coefficient (RFC 6386, section 13.3), with one more for
// the place after the last.
var bandOf = [17]uint8{0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7, 0}

// eventBase is the event 0 of node 0, by kind of block, coefficient and context.
var eventBase = func() (t [blockTypes][17][coeffContexts]event) {
	for typ := range t {
		for i, band := range bandOf {
			for ctx := range coeffContexts {
				t[typ][i][ctx] = event(((typ*coeffBands+int(band))*coeffContexts + ctx) * coeffNodes * 2)
			}
		}
	}
	return t
}()

// maxBlockEvents bounds the events of a block: per coefficient three until it is
// known to be above one, five for its category, eleven bits and a sign.
const maxBlockEvents = 16 * 20

// appendBlock appends the events of a block, levels in zigzag order of which those
// from end on are zero. first is 1 where the first coefficient is elsewhere. ctx is
// how many of the neighbours above and left have levels. list has room.
func appendBlock(list []event, levels *[16]int16, first, end, typ, ctx int) []event {
	n := len(list)
	list = list[:cap(list)]
	bases := &eventBase[typ]
	base := bases[first][ctx]
	if end <= first {
		list[n] = base
		return list[:n+1]
	}
	list[n] = base | 1
	n++
	for i := first; ; {
		v := int(levels[i&15])
		i++
		if v == 0 {
			list[n] = base + 2
			n++
			base = bases[i][0]
			continue
		}
		sign := event(v>>31) & 1
		if sign != 0 {
			v = -v
		}
		list[n] = base + 2 | 1
		if v == 1 {
			list[n+1] = base + 4
			list[n+2] = probSign<<1 | sign
			n += 3
			base = bases[i][1]
		} else {
			list[n+1] = base + 4 | 1
			n += 2
			n += large(list[n:n+20], base, v)
			list[n] = probSign<<1 | sign
			n++
			base = bases[i][2]
		}
		if i == 16 {
			return list[:n]
		}
		if i >= end {
			list[n] = base
			return list[:n+1]
		}
		list[n] = base | 1
		n++
	}
}

// large writes the events of a level above one and returns their number.
func large(list []event, base event, v int) int {
	node := func(k event, bit event) event { return base + k<<1 | bit }
	var n, bits int
	var prob event
	switch {
	case v == 2:
		list[0], list[1] = node(3, 0), node(4, 0)
		return 2
	case v <= 4:
		list[0], list[1], list[2] = node(3, 0), node(4, 1), node(5, event(v-3))
		return 3
	case v <= 6:
		list[0], list[1], list[2] = node(3, 1), node(6, 0), node(7, 0)
		n, bits, prob, v = 3, 1, probCat1, v-5
	case v <= 10:
		list[0], list[1], list[2] = node(3, 1), node(6, 0), node(7, 1)
		n, bits, prob, v = 3, 2, probCat2, v-7
	case v <= 18:
		list[0], list[1], list[2], list[3] = node(3, 1), node(6, 1), node(8, 0), node(9, 0)
		n, bits, prob, v = 4, 3, probCat3, v-11
	case v <= 34:
		list[0], list[1], list[2], list[3] = node(3, 1), node(6, 1), node(8, 0), node(9, 1)
		n, bits, prob, v = 4, 4, probCat4, v-19
	case v <= 66:
		list[0], list[1], list[2], list[3] = node(3, 1), node(6, 1), node(8, 1), node(10, 0)
		n, bits, prob, v = 4, 5, probCat5, v-35
	default:
		list[0], list[1], list[2], list[3] = node(3, 1), node(6, 1), node(8, 1), node(10, 1)
		n, bits, prob, v = 4, 11, probCat6, v-67
	}
	for b := bits - 1; b >= 0; b-- {
		list[n] = prob<<1 | event(v>>b&1)
		prob++
		n++
	}
	return n
}

// A residual is what a macroblock adds to its prediction.
type residual struct {
	levels [25 * 16]int16 // 16 blocks of Y, 4 of U, 4 of V, Y2; in zigzag order
	end    [25]uint8      // per block, after the last level that is not zero
	modes  [16]uint8      // of subblocks, where the mode is modeB
}

// Bits of mbInfo.has: the blocks that have levels, in the order of residual.
const (
	hasY2Left  = 1 << 24 // Y2's, as seen from the right
	hasY2Above = 1 << 25 // Y2's, as seen from below
	hasBlocks  = 1<<24 - 1
)

// appendMacroblock appends the events of a macroblock, given the blocks of its
// neighbours that have levels. list has room for 25 blocks.
func appendMacroblock(list []event, r *residual, withY2 bool, has, above, left uint32) []event {
	first, typ := 0, blockYWithDC
	if withY2 {
		ctx := int(above/hasY2Above&1 + left/hasY2Left&1)
		list = appendBlock(list, (*[16]int16)(r.levels[24*16:]), 0, int(r.end[24]), blockY2, ctx)
		first, typ = 1, blockYAfterY2
	}
	for i := range 16 {
		a := has >> ((i - 4) & 31)
		if i < 4 {
			a = above >> (12 + i)
		}
		l := has >> ((i - 1) & 31)
		if i&3 == 0 {
			l = left >> (i + 3)
		}
		list = appendBlock(list, (*[16]int16)(r.levels[i*16:]), first, int(r.end[i]), typ, int(a&1+l&1))
	}
	for i := 16; i < 24; i++ {
		a := has >> (i - 2)
		if i&2 == 0 {
			a = above >> (i + 2)
		}
		l := has >> (i - 1)
		if i&1 == 0 {
			l = left >> (i + 1)
		}
		list = appendBlock(list, (*[16]int16)(r.levels[i*16:]), 0, int(r.end[i]), blockChroma, int(a&1+l&1))
	}
	return list
}
