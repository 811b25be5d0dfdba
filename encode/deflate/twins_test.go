package deflate

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTwins requires that all kernels give the same bytes.
func TestTwins(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	var c Compressor
	sizes := 0
	for i := range 1200 {
		p := Part{Size: r.IntN(1 << r.IntN(18)), Unit: 1 + i%maxUnit, Stride: r.IntN(1 << r.IntN(12))}
		data := randomPicture(r, p.Size, p)
		parts := []Part{p, {Size: r.IntN(100)}}
		if i%3 == 0 && p.Size > 10 {
			parts[0].Size = r.IntN(p.Size)
		}
		var want []byte
		for k, set := range kernelSets() {
			undo := set.use()
			got := c.Append(nil, data, parts, Small)
			undo()
			if k == 0 {
				want = got
			}
			require.Equal(t, want, got, "%+v: %s", parts, set.name)
		}
		sizes += len(want)
	}
	require.Greater(t, sizes, 1<<20)
}

// slowCost gives the least bits that any prefix code with lengths up to limit takes,
// by package-merge (Larmore and Hirschberg, 1990).
func slowCost(freq []uint32, limit int) (bits uint64) {
	var coins []uint64
	for _, f := range freq {
		if f > 0 {
			coins = append(coins, uint64(f))
		}
	}
	if len(coins) == 1 {
		return coins[0]
	}
	var list []uint64
	for range limit {
		packages := coins
		for i := 0; i+1 < len(list); i += 2 {
			packages = append(packages[:len(packages):len(packages)], list[i]+list[i+1])
		}
		slices.Sort(packages)
		list = slices.Clone(packages)
		slices.Sort(coins)
	}
	for _, c := range list[:max(0, 2*len(coins)-2)] {
		bits += c
	}
	return bits
}

func TestHuffmanLengths(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	var tree treeBuilder
	exact, limited, worst := 0, 0, 1.0
	for i := range 900 {
		freq := make([]uint32, 1+r.IntN(numLit))
		limit := []int{maxLengthBits, maxLitBits, maxDistBits}[i%3]
		if limit == maxLengthBits {
			freq = freq[:min(len(freq), numLength)]
		}
		fibonacci := [2]uint32{1, 1}
		for s := range freq {
			switch i % 5 {
			case 0:
				freq[s] = r.Uint32N(3)
			case 1:
				freq[s] = 1 << r.IntN(14)
			case 2: // the deepest trees
				freq[s] = fibonacci[0]
				if s < 25 {
					fibonacci = [2]uint32{fibonacci[1], fibonacci[0] + fibonacci[1]}
				} else {
					fibonacci[0] = 0
				}
			case 3:
				freq[s] = r.Uint32N(1000) * r.Uint32N(2)
			case 4:
				freq[s] = 0
			}
		}
		if i%5 == 4 && i%2 == 0 {
			freq[r.IntN(len(freq))] = 1 + r.Uint32N(10)
		}
		if len(freq) < 2 {
			freq = append(freq, 1)
		}
		lens := make([]uint8, len(freq))
		tree.lengths(lens, freq, limit)
		kraft, deepest := 0, 0
		for s, l := range lens {
			if freq[s] > 0 {
				require.NotZero(t, l)
			}
			if l > 0 {
				kraft += 1 << (limit - int(l))
				deepest = max(deepest, int(l))
			}
		}
		require.Equal(t, 1<<limit, kraft, "%v: %v", freq, lens)
		best := slowCost(freq, limit)
		got := cost(freq, lens)
		if deepest < limit {
			exact++
			require.Equal(t, best, got)
		} else {
			limited++
			worst = max(worst, float64(got)/float64(best))
		}
	}
	require.Greater(t, exact, 150)
	require.Greater(t, limited, 100)
	require.Less(t, worst, 1.15, "lengths limited by a rule of thumb")
	t.Logf("%d limited, at most %.1f%% from the best", limited, 100*(worst-1))
}

// TestSymbols compares the tables with the lists of RFC 1951, section 3.2.5.
func TestSymbols(t *testing.T) {
	for l := minMatch; l <= maxMatch; l++ {
		s := int(lengthSymbols[l-minMatch])
		require.GreaterOrEqual(t, l, int(lengthBase[s]))
		require.True(t, s == 28 || l < int(lengthBase[s+1]), l)
	}
	var b blockWriter
	for d := 1; d <= window; d++ {
		seqs := []sequence{makeSequence(0, minMatch, d)}
		b.count(seqs, new(histogram))
		s := int(seqs[0].symbol())
		require.GreaterOrEqual(t, d, int(distBase[s]))
		require.True(t, s == numDist-1 || d < int(distBase[s+1]), d)
		require.Equal(t, d, seqs[0].dist())
	}
	for l := 1; l < 5000; l++ {
		n, rest := full(l)
		require.Equal(t, l, n*maxMatch+rest)
		require.True(t, l < minMatch || rest >= minMatch && rest <= maxMatch+2, l)
	}
}

// TestNoise bounds what data grows by: by a stored block's header for each 65535
// bytes, and the sync flush.
func TestNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	var c Compressor
	for _, n := range []int{0, 1, 5, 100, 65535, 65536, 200000, 3*maxBlock + 1} {
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		for unit := 1; unit <= maxUnit; unit++ {
			out := roundTrip(t, &c, data, Part{n, unit, 640})
			require.LessOrEqual(t, len(out), n+5*(n/storedMax+n/maxBlock+1)+6)
		}
	}
}

// TestFlat bounds the other end: each 258 bytes of one colour take two bits.
func TestFlat(t *testing.T) {
	var c Compressor
	for unit := 1; unit <= maxUnit; unit++ {
		data := make([]byte, 200_000)
		for i := range data {
			data[i] = byte(i % unit)
		}
		out := roundTrip(t, &c, data, Part{len(data), unit, 100 * unit})
		require.Less(t, len(out), 400)
	}
}
