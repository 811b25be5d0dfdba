package vp8

import "math"

// boolCost is what a bool of probability p/256 costs, in 1/256 bit.
var boolCost = func() (t [256]uint32) {
	t[0] = 9 * 256
	for p := 1; p < 256; p++ {
		t[p] = uint32(math.Round(-256 * math.Log2(float64(p)/256)))
	}
	return t
}()

// cost is what count0 zeros and count1 ones cost, in 1/256 bit.
func cost(prob uint8, count0, count1 uint32) uint64 {
	return uint64(count0)*uint64(boolCost[prob]) + uint64(count1)*uint64(boolCost[256-int(prob)])
}

// best is the probability of 0 that suits the counts.
func best(count0, count1 uint32) uint8 {
	n := count0 + count1
	if n == 0 {
		return 128
	}
	return uint8(min(max((uint64(count0)*256+uint64(n)/2)/uint64(n), 1), 255))
}

// counts tells how often each token occurs in each tree, from the one of event base
// on at base/2.
type counts struct {
	tokens [maxTokenCounts]uint32
}

func (c *counts) add(o *counts) {
	for i, n := range o.tokens {
		c.tokens[i] += n
	}
}

// bools counts the zeros and ones of a tree's nodes.
func (c *counts) bools(typ, band, ctx int) (n [coeffNodes][2]uint32) {
	t := (*[treeProbs]uint32)(c.tokens[((typ*coeffBands+band)*coeffContexts+ctx)*treeProbs:])
	low := t[tokenTwo] + t[tokenThree] + t[tokenFour]
	cat12, cat34, cat56 := t[tokenCat1]+t[tokenCat2], t[tokenCat3]+t[tokenCat4], t[tokenCat5]+t[tokenCat6]
	high := cat12 + cat34 + cat56
	n[1] = [2]uint32{t[tokenZero], t[tokenOne] + low + high}
	n[2] = [2]uint32{t[tokenOne], low + high}
	n[3] = [2]uint32{low, high}
	n[4] = [2]uint32{t[tokenTwo], t[tokenThree] + t[tokenFour]}
	n[5] = [2]uint32{t[tokenThree], t[tokenFour]}
	n[6] = [2]uint32{cat12, cat34 + cat56}
	n[7] = [2]uint32{t[tokenCat1], t[tokenCat2]}
	n[8] = [2]uint32{cat34, cat56}
	n[9] = [2]uint32{t[tokenCat3], t[tokenCat4]}
	n[10] = [2]uint32{t[tokenCat5], t[tokenCat6]}
	// Context 0 means a zero before, after which no block ends, but for the first
	// coefficient, which has a band of its own.
	firstBand := 0
	if typ == blockYAfterY2 {
		firstBand = 1
	}
	if ctx > 0 || band == firstBand {
		n[0] = [2]uint32{t[tokenEnd], n[1][0] + n[1][1]}
	}
	return n
}

// rows makes the rows of the events that name p's probabilities.
func (p *coeffProbs) rows(to *eventRows) {
	k := 0
	for i := range p {
		for j := range p[i] {
			for c := range p[i][j] {
				for l, prob := range p[i][j][c] {
					to.set(k+l, prob)
				}
				k += treeProbs
			}
		}
	}
	for l, prob := range extraProbs {
		to.set(k+l, prob)
	}
}

// writeCoeffProbs sends the probabilities that are worth it (RFC 6386, section
// 13.4) and changes p to them. With c nil none are.
func writeCoeffProbs(b *boolEncoder, p *coeffProbs, c *counts) {
	for i := range p {
		for j := range p[i] {
			for ctx := range p[i][j] {
				var n [coeffNodes][2]uint32
				if c != nil {
					n = c.bools(i, j, ctx)
				}
				for l := range p[i][j][ctx] {
					old, up := &p[i][j][ctx][l], coeffUpdateProbs[i][j][ctx][l]
					n0, n1 := n[l][0], n[l][1]
					if n0|n1 == 0 {
						b.bool(up, false)
						continue
					}
					p := best(n0, n1)
					keep := cost(*old, n0, n1) + uint64(boolCost[up])
					send := cost(p, n0, n1) + uint64(boolCost[256-int(up)]) + 8*256
					if send >= keep {
						b.bool(up, false)
						continue
					}
					b.bool(up, true)
					b.literal(uint32(p), 8)
					*old = p
				}
			}
		}
	}
}
