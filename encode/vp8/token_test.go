package vp8

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// eventReader reads tokens as a decoder does (RFC 6386, sections 13.2 and 13.3),
// from events in place of bools, and counts the bools of each node.
type eventReader struct {
	t     *testing.T
	list  []byte
	nodes [numTrees * treeProbs][2]uint32
}

func (r *eventReader) bool(prob int) int {
	require.NotEmpty(r.t, r.list)
	ev := binary.LittleEndian.Uint16(r.list)
	r.list = r.list[eventBytes:]
	require.EqualValues(r.t, prob, ev>>1)
	if prob < len(r.nodes) {
		r.nodes[prob][ev&1]++
	}
	return int(ev & 1)
}

func (r *eventReader) extra(prob, bits int) (v int) {
	for i := range bits {
		v = 2*v + r.bool(prob+i)
	}
	return v
}

func (r *eventReader) block(first, typ, ctx int) (levels [16]int16) {
	afterZero := false
	for i := first; i < 16; i++ {
		tree := ((typ*coeffBands+int(bandOf[i]))*coeffContexts + ctx) * treeProbs
		if !afterZero && r.bool(tree) == 0 {
			return levels
		}
		if afterZero = r.bool(tree+1) == 0; afterZero {
			ctx = 0
			continue
		}
		v := 0
		switch {
		case r.bool(tree+2) == 0:
			v = 1
		case r.bool(tree+3) == 0:
			if v = 2; r.bool(tree+4) == 1 {
				v = 3 + r.bool(tree+5)
			}
		case r.bool(tree+6) == 0:
			if r.bool(tree+7) == 0 {
				v = 5 + r.extra(probCat1, 1)
			} else {
				v = 7 + r.extra(probCat2, 2)
			}
		case r.bool(tree+8) == 0:
			if r.bool(tree+9) == 0 {
				v = 11 + r.extra(probCat3, 3)
			} else {
				v = 19 + r.extra(probCat4, 4)
			}
		default:
			if r.bool(tree+10) == 0 {
				v = 35 + r.extra(probCat5, 5)
			} else {
				v = 67 + r.extra(probCat6, 11)
			}
		}
		ctx = min(v, 2)
		if r.bool(probSign) == 1 {
			v = -v
		}
		levels[i] = int16(v)
	}
	return levels
}

// TestTokens: a decoder reads the levels again, and what is counted is what it saw.
func TestTokens(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 3))
	var c counts
	r := eventReader{t: t}
	for range 20000 {
		var levels [16]int16
		typ, ctx, first, end := rnd.IntN(blockTypes), rnd.IntN(coeffContexts), 0, 0
		if typ == blockYAfterY2 {
			first = 1
		}
		most := []int{1, 2, 7, 12, 80, 2048}[rnd.IntN(6)]
		for i := first; i < 16; i++ {
			if rnd.IntN(1+most%5) == 0 {
				levels[i] = int16(rnd.IntN(2*most+1) - most)
			}
			if rnd.IntN(12) == 0 {
				break
			}
		}
		for i, v := range levels {
			if v != 0 {
				end = i + 1
			}
		}
		r.list = appendBlock(make([]byte, 0, maxMacroblockBytes), &c, &levels, first, end, typ, ctx)
		require.LessOrEqual(t, len(r.list), maxBlockEvents*eventBytes)
		require.Equal(t, levels, r.block(first, typ, ctx))
		require.Empty(t, r.list)
	}
	for i := range numTrees {
		n := c.bools(i/coeffContexts/coeffBands, i/coeffContexts%coeffBands, i%coeffContexts)
		for l, n := range n {
			require.Equal(t, r.nodes[i*treeProbs+l], n, "tree %d, node %d", i, l)
		}
	}
}
