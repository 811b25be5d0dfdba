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

// counts tells how often each event occurs.
type counts [numEvents]uint32

func (c *counts) count(list []event) {
	for _, ev := range list {
		if int(ev) < len(c) { // always: for the compiler
			c[ev]++
		}
	}
}

func (c *counts) add(o *counts) {
	for i, n := range o {
		c[i] += n
	}
}

// rows makes the rows of the events that name p's probabilities.
func (p *coeffProbs) rows(to *eventRows) {
	k := 0
	for i := range p {
		for j := range p[i] {
			for c := range p[i][j] {
				for _, prob := range p[i][j][c] {
					to.set(k, prob)
					k++
				}
			}
		}
	}
	for _, prob := range extraProbs {
		to.set(k, prob)
		k++
	}
}

// writeCoeffProbs sends the probabilities that are worth it (RFC 6386, section
// 13.4) and changes p to them. With c nil none are.
func writeCoeffProbs(b *boolEncoder, p *coeffProbs, c *counts) {
	k := 0
	for i := range p {
		for j := range p[i] {
			for ctx := range p[i][j] {
				for l := range p[i][j][ctx] {
					old, up := &p[i][j][ctx][l], coeffUpdateProbs[i][j][ctx][l]
					var n0, n1 uint32
					if c != nil {
						n0, n1 = c[k], c[k+1]
					}
					k += 2
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
