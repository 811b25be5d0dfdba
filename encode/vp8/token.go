package vp8

import "encoding/binary"

// The coefficients of a block become tokens, and tokens paths through a tree of
// bools (RFC 6386, section 13). Which probabilities serve a frame best is known
// only when its tokens are, so that they are kept as events between: each names
// the place of its probability and the bit.

// An event is a bool of a token partition: the index of its probability, shifted
// left by one, and the bit.
type event uint16

// eventBytes is the size of an event in a list of them, little endian: what is
// written most comes as words of four.
const eventBytes = 2

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
	numTrees      = blockTypes * coeffBands * coeffContexts

	// Places of a tree's probabilities, and of its tokens' counts.
	treeProbs = 16
	// A power of two above that of all trees, for a cheap bounds check.
	maxTokenCounts = 2048
)

// Indices of probabilities above the coefficients': those of the bits that follow
// a category's token, and of signs (RFC 6386, section 13.2).
const (
	probSign = numTrees*treeProbs + iota
	probCat1
	probCat2
	probCat3      = probCat2 + 2
	probCat4      = probCat3 + 3
	probCat5      = probCat4 + 4
	probCat6      = probCat5 + 5
	numEventProbs = 2048 // a power of two, for a cheap bounds check
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
				t[typ][i][ctx] = event(((typ*coeffBands+int(band))*coeffContexts + ctx) * treeProbs * 2)
			}
		}
	}
	return t
}()

// Tokens (RFC 6386, section 13.2), in an order that is good for counting.
const (
	tokenEnd = iota
	tokenZero
	tokenOne
	tokenTwo
	tokenThree
	tokenFour
	tokenCat1
	tokenCat2
	tokenCat3
	tokenCat4
	tokenCat5
	tokenCat6
)

// maxBlockEvents bounds the events of a block: per coefficient three until it is
// known to be above one, five for its category, eleven bits and a sign.
// maxMacroblockBytes is for 25 of them, and for a word that ends beyond.
const (
	maxBlockEvents     = 16 * 20
	maxMacroblockBytes = 25*maxBlockEvents*eventBytes + 16
)

// A tokenStep holds the events of a small level as two words of four each, from the
// lowest bits up: those of the tree are base plus what add says.
type tokenStep struct {
	mul, add [2]uint64
	size     uint8 // bytes of events
	ctx      uint8 // for the next coefficient
	after    uint8 // first of tokenSteps for the next one
	token    uint8
}

// Levels up to maxStep have at most eight events. A token after a zero lacks the
// first, which says that the block goes on: its steps begin at stepsAfterZero.
const (
	maxStep        = 6
	stepsAfterZero = 2*maxStep + 1
)

var tokenSteps = func() (t [2 * stepsAfterZero]tokenStep) {
	for i := range t {
		v := i%stepsAfterZero - maxStep
		list, token := appendToken(nil, 0, v, i >= stepsAfterZero)
		s := &t[i]
		s.token = uint8(token)
		s.size = uint8(len(list))
		if v == 0 {
			s.after = stepsAfterZero
		}
		s.ctx = uint8(min(max(v, -v), 2))
		for k := range len(list) / eventBytes {
			ev := uint64(binary.LittleEndian.Uint16(list[k*eventBytes:]))
			s.add[k/4] |= ev << (k % 4 * 16)
			if ev < treeProbs*2 {
				s.mul[k/4] |= 1 << (k % 4 * 16)
			}
		}
	}
	return t
}()

// appendToken appends the events of any level and returns its token.
func appendToken(list []byte, base event, v int, afterZero bool) ([]byte, int) {
	node := func(k, bit int) { list = binary.LittleEndian.AppendUint16(list, uint16(base)+uint16(k<<1|bit)) }
	if !afterZero {
		node(0, 1)
	}
	if v == 0 {
		node(1, 0)
		return list, tokenZero
	}
	node(1, 1)
	sign := v >> 31 & 1
	v = max(v, -v)
	token, extra, bits, prob := 0, 0, 0, 0
	switch {
	case v == 1:
		token = tokenOne
		node(2, 0)
	case v <= 4:
		token = tokenTwo + v - 2
		node(2, 1)
		node(3, 0)
		if v == 2 {
			node(4, 0)
		} else {
			node(4, 1)
			node(5, v-3)
		}
	case v <= 10:
		node(2, 1)
		node(3, 1)
		node(6, 0)
		if v <= 6 {
			node(7, 0)
			token, extra, bits, prob = tokenCat1, v-5, 1, probCat1
		} else {
			node(7, 1)
			token, extra, bits, prob = tokenCat2, v-7, 2, probCat2
		}
	default:
		node(2, 1)
		node(3, 1)
		node(6, 1)
		switch {
		case v <= 18:
			node(8, 0)
			node(9, 0)
			token, extra, bits, prob = tokenCat3, v-11, 3, probCat3
		case v <= 34:
			node(8, 0)
			node(9, 1)
			token, extra, bits, prob = tokenCat4, v-19, 4, probCat4
		case v <= 66:
			node(8, 1)
			node(10, 0)
			token, extra, bits, prob = tokenCat5, v-35, 5, probCat5
		default:
			node(8, 1)
			node(10, 1)
			token, extra, bits, prob = tokenCat6, v-67, 11, probCat6
		}
	}
	for b := bits - 1; b >= 0; b-- {
		list = binary.LittleEndian.AppendUint16(list, uint16(prob<<1|extra>>b&1))
		prob++
	}
	return binary.LittleEndian.AppendUint16(list, uint16(probSign<<1|sign)), token
}

// appendBlock appends the events of a block, levels in zigzag order of which those
// from end on are zero, and counts its tokens. first is 1 where the first
// coefficient is elsewhere. ctx is how many of the neighbours above and left have
// levels. list has room.
func appendBlock(list []byte, c *counts, levels *[16]int16, first, end, typ, ctx int) []byte {
	n := len(list)
	list = list[:cap(list)]
	bases := &eventBase[typ&(blockTypes-1)]
	base := uint64(bases[first][ctx])
	after := 0
	for i := first; i < end; i++ {
		v := int(levels[i&15])
		if v < -maxStep || v > maxStep {
			var token int
			list, token = appendToken(list[:n], event(base), v, after != 0)
			n = len(list)
			list = list[:cap(list)]
			c.tokens[(base>>1+uint64(token))&(maxTokenCounts-1)]++
			base, after = uint64(bases[i+1][2]), 0
			continue
		}
		// Without a branch: levels are hard to foresee.
		s := &tokenSteps[after+v+maxStep]
		to := list[n : n+16]
		binary.LittleEndian.PutUint64(to, base*s.mul[0]+s.add[0])
		binary.LittleEndian.PutUint64(to[8:], base*s.mul[1]+s.add[1])
		n += int(s.size)
		c.tokens[(base>>1+uint64(s.token))&(maxTokenCounts-1)]++
		base, after = uint64(bases[i+1][s.ctx]), int(s.after)
	}
	if end < 16 {
		binary.LittleEndian.PutUint16(list[n:], uint16(base))
		n += eventBytes
		c.tokens[(base>>1)&(maxTokenCounts-1)]++
	}
	return list[:n]
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
// neighbours that have levels, and counts its tokens. list has room for
// maxMacroblockBytes.
func appendMacroblock(list []byte, c *counts, r *residual, withY2 bool, has, above, left uint32) []byte {
	first, typ := 0, blockYWithDC
	if withY2 {
		ctx := int(above/hasY2Above&1 + left/hasY2Left&1)
		list = appendBlock(list, c, (*[16]int16)(r.levels[24*16:]), 0, int(r.end[24]), blockY2, ctx)
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
		list = appendBlock(list, c, (*[16]int16)(r.levels[i*16:]), first, int(r.end[i]), typ, int(a&1+l&1))
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
		list = appendBlock(list, c, (*[16]int16)(r.levels[i*16:]), 0, int(r.end[i]), blockChroma, int(a&1+l&1))
	}
	return list
}
