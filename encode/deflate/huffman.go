package deflate

import "math/bits"

// The largest lengths of codes. RFC 1951 allows 15 bits for literals and lengths;
// with 14, four literals fit into a writer that holds seven bits already.
const (
	maxLitBits    = 14
	maxDistBits   = 15
	maxLengthBits = 7 // of the code in which lengths are sent
)

// Sizes of the alphabets (RFC 1951, sections 3.2.5 and 3.2.7). Two symbols for
// literals and lengths occur in the fixed code alone, and never in data.
const (
	numLit    = 288
	numDist   = 30
	numLength = 19
	endBlock  = 256
)

// A treeBuilder has the scratch memory for lengths of Huffman codes.
type treeBuilder struct {
	keys, other [numLit]uint32
	nodes       [numLit]uint32
}

// symbolBits is how many bits of a key hold the symbol; the frequency is above.
const symbolBits = 9

// lengths fills lens with the lengths, up to limit, of a Huffman code for symbols
// of these frequencies, whose sum is below 1<<23; 0 where the frequency is. The
// code is complete: where fewer than two symbols occur, others get a code too,
// because some inflaters refuse anything else.
//
// The symbols are sorted; Moffat and Katajainen's algorithm ("In-place calculation
// of minimum-redundancy codes", 1995) gives the depths of the leaves; where the
// tree is too deep, leaves are moved up until Kraft's inequality holds with
// equality; then the rarest symbols get the longest codes.
func (t *treeBuilder) lengths(lens []uint8, freq []uint32, limit int) {
	clear(lens)
	n := 0
	most := uint32(0)
	for s, f := range freq {
		if f != 0 {
			t.keys[n%numLit] = f<<symbolBits | uint32(s)
			n++
			most |= f
		}
	}
	if n < 2 {
		used := 0
		if n == 1 {
			used = int(t.keys[0] & (1<<symbolBits - 1))
		}
		lens[0], lens[max(1, used)] = 1, 1
		return
	}
	keys := t.sort(n, most)
	var count [32]int
	t.depths(keys, &count)

	// Kraft's sum in units of the shortest leaf's.
	for d := limit + 1; d < len(count); d++ {
		count[limit] += count[d]
	}
	sum := 0
	for d := 1; d <= limit; d++ {
		sum += count[d] << (limit - d)
	}
	for ; sum > 1<<limit; sum-- {
		// A leaf from the bottom becomes the sibling of one further up.
		d := limit - 1
		for count[d] == 0 {
			d--
		}
		count[d]--
		count[d+1] += 2
		count[limit]--
	}

	k := 0
	for d := limit; d > 0; d-- {
		for range count[d] {
			lens[keys[k]&(1<<symbolBits-1)] = uint8(d)
			k++
		}
	}
}

// sort orders the first n keys by frequency, of which most has all bits.
func (t *treeBuilder) sort(n int, most uint32) []uint32 {
	from, to := t.keys[:n], t.other[:n]
	for shift := symbolBits; most != 0; shift += 8 {
		var at [256]uint16
		for _, k := range from {
			at[k>>(shift&31)&255]++
		}
		next := uint16(0)
		for i, c := range at {
			at[i] = next
			next += c
		}
		for _, k := range from {
			b := k >> (shift & 31) & 255
			to[at[b]] = k
			at[b]++
		}
		from, to = to, from
		most >>= 8
	}
	return from
}

// depths counts the leaves at each depth of the Huffman tree for keys in order,
// of which there are at least two. A tree of depth 32 takes more than 2^23
// symbols.
func (t *treeBuilder) depths(keys []uint32, count *[32]int) {
	n := len(keys)
	a := t.nodes[:n]
	for i, k := range keys {
		a[i] = k >> symbolBits
	}
	// First a[root:next] are the weights of trees that have no parent yet and
	// a[leaf:] those of leaves that have none; what gets a parent becomes its
	// index.
	a[0] += a[1]
	root, leaf := 0, 2
	for next := 1; next < n-1; next++ {
		sum := uint32(0)
		for range 2 {
			if leaf >= n || root < next && a[root] < a[leaf] {
				sum += a[root]
				a[root] = uint32(next)
				root++
			} else {
				sum += a[leaf]
				leaf++
			}
		}
		a[next] = sum
	}
	// Then depths of inner nodes, from the root down; leaves are what remains.
	a[n-2] = 0
	for i := n - 3; i >= 0; i-- {
		a[i] = a[a[i]] + 1
	}
	free, inner := 1, n-2
	for d := uint32(0); free > 0; d++ {
		used := 0
		for inner >= 0 && a[inner] == d {
			used++
			inner--
		}
		count[d&31] += free - used
		free = 2 * used
	}
}

// A codeEntry is a code, ready to be written low bit first, above its length in
// the low 8 bits.
type codeEntry uint32

func (e codeEntry) bits() uint64 { return uint64(e >> 8) }
func (e codeEntry) len() uint    { return uint(e & 0xff) }

// assign gives codes of the lengths lens, counting up in the order of symbols as
// RFC 1951, section 3.2.2, has it, bits reversed.
func assign(codes []codeEntry, lens []uint8) {
	var count, next [16]uint16
	for _, l := range lens {
		count[l&15]++
	}
	count[0] = 0
	c := uint16(0)
	for l := 1; l < 16; l++ {
		c = (c + count[l-1]) << 1
		next[l] = c
	}
	codes = codes[:len(lens)]
	for s, l := range lens {
		if l == 0 {
			codes[s] = 0
			continue
		}
		c := next[l&15]
		next[l&15]++
		codes[s] = codeEntry(bits.Reverse16(c<<(16-l&15)))<<8 | codeEntry(l)
	}
}
