package vp8

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTokenCosts compares the bits of blocks with those of their events.
func TestTokenCosts(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	var costs tokenCosts
	costs.set(&defaultCoeffProbs)
	for range 4000 {
		typ, ctx, most := rng.IntN(blockTypes), rng.IntN(coeffContexts), 1+rng.IntN(4)
		first := 0
		if typ == blockYAfterY2 {
			first = 1
		}
		end := first + rng.IntN(17-first)
		var levels [16]int16
		for i := first; i < end; i++ {
			levels[i] = int16(rng.IntN(2*most+1) - most)
		}
		if end > first && levels[end-1] == 0 {
			levels[end-1] = -1
		}
		want := 0
		list := appendBlock(make([]byte, 0, maxMacroblockBytes), new(counts), &levels, first, end, typ, ctx)
		for ; len(list) > 0; list = list[eventBytes:] {
			ev := int(binary.LittleEndian.Uint16(list))
			tree, node, p := ev>>1/treeProbs, ev>>1%treeProbs, uint8(128)
			if tree < numTrees {
				p = defaultCoeffProbs[tree/coeffContexts/coeffBands][tree/coeffContexts%coeffBands][tree%coeffContexts][node]
			}
			want += int(cost(p, uint32(1-ev&1), uint32(ev&1)))
		}
		require.Equal(t, want, costs.bits(&levels, typ, first, end, ctx), "%v", levels)
	}
}
