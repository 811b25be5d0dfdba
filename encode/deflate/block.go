package deflate

import (
	"encoding/binary"
	"slices"
)

// A sequence is literals and the match that follows them. From the low bits up: the
// number of literals; the length of the match, which may be longer than maxMatch,
// or nothing; its distance less one; the symbol of the distance, which count adds.
type sequence uint64

const (
	countBits   = 19
	countMask   = 1<<countBits - 1
	distShift   = 2 * countBits
	symbolShift = distShift + 15
)

func makeSequence(literals, length, dist int) sequence {
	return sequence(literals) | sequence(length)<<countBits | sequence(dist-1)<<distShift
}

func (s sequence) literals() int { return int(s & countMask) }
func (s sequence) length() int   { return int(s >> countBits & countMask) }
func (s sequence) dist() int     { return int(s>>distShift&(window-1)) + 1 }
func (s sequence) symbol() uint  { return uint(s >> symbolShift & 31) }

// full splits a length into so many matches of maxMatch and a rest that is not
// too short for a match.
func full(length int) (n, rest int) {
	if length <= maxMatch {
		return 0, length
	}
	n = (length - minMatch) / maxMatch
	return n, length - n*maxMatch
}

// A blockWriter makes blocks of sequences.
type blockWriter struct {
	acc  uint64 // bits that are not yet in the output
	nacc uint   // how many, below 8 between blocks

	lit      [numLit]uint32 // frequencies
	dist     [32]uint32
	lens     [numLit + numDist]uint8
	litLens  [numLit]uint8
	distLens [numDist]uint8
	tree     treeBuilder

	fixed     bool // the codes below are the fixed ones
	litCodes  [numLit]codeEntry
	distCodes [numDist]codeEntry
	dists     [32]distEntry
	lengths   [256]codeEntry // of a length less minMatch, with the extra bits

	// The header of a block with codes of its own: the lengths as symbols of
	// another code, with the repeat counts above.
	runs        []uint16 // in runMemory
	runMemory   [numLit + numDist]uint16
	runFreq     [numLength]uint32
	runLens     [numLength]uint8
	runCodes    [numLength]codeEntry
	numLitSent  int
	numDistSent int
	numRunLens  int
}

// start makes ready for another block.
func (b *blockWriter) start() {
	clear(b.lit[:])
	clear(b.dist[:])
}

// count fills the frequencies but for literals, which are counted already.
func (b *blockWriter) count(seqs []sequence, hist *histogram) {
	b.lit[endBlock] = 1
	for i, s := range seqs {
		length := s.length()
		if length == 0 {
			continue
		}
		// The look-up in distSymbols, without a branch: far is all ones from 256 on.
		x := uint64(s >> distShift)
		far := uint64(int64(255-x) >> 63)
		sym := distSymbols[(x&^far|(256+x>>7)&far)&511]
		seqs[i] = s | sequence(sym)<<symbolShift
		if length > maxMatch {
			whole, rest := full(length)
			b.lit[285] += uint32(whole)
			b.dist[sym&31] += uint32(whole)
			length = rest
			if length > maxMatch {
				b.lit[257+int(lengthSymbols[(length-2*minMatch)&255])]++
				b.dist[sym&31]++
				length = minMatch
			}
		}
		b.dist[sym&31]++
		b.lit[257+int(lengthSymbols[(length-minMatch)&255])]++
	}
	for i := range 256 {
		b.lit[i] = hist[0][i] + hist[1][i] + hist[2][i]
	}
}

// fastGain: coding is worth its time for Fast if the data becomes smaller by one
// part in so many. At 1 GB/s, that is what a link of half a Gbit/s takes for it.
const fastGain = 16

// append appends a block of data, cut into seqs with the literals that hist counts; the
// last is followed by an empty stored block. Of the three kinds it takes the one with
// which the fewest bytes are written.
func (b *blockWriter) append(dst, data []byte, seqs []sequence, hist *histogram, e Effort, last bool) []byte {
	b.count(seqs, hist)
	extra := uint64(0)
	for s, f := range b.lit[257:286] {
		extra += uint64(f) * uint64(lengthExtra[s])
	}
	for s, f := range b.dist[:numDist] {
		extra += uint64(f) * uint64(distExtra[s])
	}
	fixed := 3 + extra + cost(b.lit[:], fixedLit[:]) + cost(b.dist[:numDist], fixedDist[:])
	dynamic := 3 + minHeader + extra
	if fixed > dynamic {
		b.tree.lengths(b.litLens[:], b.lit[:], maxLitBits)
		b.tree.lengths(b.distLens[:], b.dist[:numDist], maxDistBits)
		dynamic = 3 + extra + b.prepareHeader() + cost(b.lit[:], b.litLens[:]) + cost(b.dist[:numDist], b.distLens[:])
	}

	least := uint64(0) // to be saved
	if e == Fast {
		least = 8 * uint64(len(data)) / fastGain
	}
	if b.storedEnd(len(data), last) <= b.codedEnd(min(dynamic, fixed), last)+least {
		return b.appendStored(dst, data)
	}
	dst = slices.Grow(dst, int(min(dynamic, fixed)/8)+16)
	if fixed <= dynamic {
		b.acc |= 1 << 1 << b.nacc
		b.nacc += 3
		if !b.fixed {
			b.litLens, b.distLens = fixedLit, fixedDist
			b.codes()
			b.fixed = true
		}
	} else {
		dst = b.appendHeader(dst)
		b.codes()
		b.fixed = false
	}
	return b.appendSequences(dst, data, seqs)
}

// minHeader is less than the bits of any header (RFC 1951, section 3.2.7): three counts,
// and eight lengths of lengths at least, because those of literals are far back in the
// order; what these lengths code takes some more.
const minHeader = 5 + 5 + 4 + 8*3

// codedEnd returns how many bits are written when so many have been added; if they are
// the last, with the three bits of an empty block and what fills its byte.
func (b *blockWriter) codedEnd(bits uint64, last bool) uint64 {
	bits += uint64(b.nacc)
	if last {
		bits = (bits + 3 + 7) &^ 7
	}
	return bits
}

// storedEnd is codedEnd for n bytes in stored blocks.
func (b *blockWriter) storedEnd(n int, last bool) uint64 {
	blocks := uint64(max(1, (n+storedMax-1)/storedMax))
	bits := (uint64(b.nacc)+3+7)&^7 + 40*blocks - 8 + 8*uint64(n)
	if last {
		bits += 8
	}
	return bits
}

// cost returns the bits that symbols take, without extra bits.
func cost(freq []uint32, lens []uint8) (n uint64) {
	lens = lens[:len(freq)]
	for i, f := range freq {
		n += uint64(f) * uint64(lens[i])
	}
	return n
}

// A distEntry is the code of a distance's symbol in the low bits, how long that is,
// how long it is with the extra bits, and the least distance less one.
type distEntry uint64

// bits returns the code for a distance, with the extra bits, and its length.
func (d distEntry) bits(dist int) (bits uint64, n uint) {
	return uint64(d&0xffff) | (uint64(dist-1)-uint64(d>>32))<<(d>>16&63), uint(d >> 24 & 255)
}

// codes makes codes of the lengths.
func (b *blockWriter) codes() {
	assign(b.litCodes[:], b.litLens[:])
	assign(b.distCodes[:], b.distLens[:])
	for s, c := range b.distCodes {
		b.dists[s] = distEntry(c.bits()) | distEntry(c.len())<<16 |
			distEntry(c.len()+uint(distExtra[s]))<<24 | distEntry(distBase[s]-1)<<32
	}
	for s, base := range lengthBase {
		c := b.litCodes[257+s]
		at := b.lengths[base-minMatch:]
		if s < 28 {
			at = at[:1<<lengthExtra[s]]
		}
		if s == 27 {
			at = at[:31] // 258 has a symbol of its own
		}
		for i := range at {
			at[i] = c + codeEntry(i)<<(c.len()+8) + codeEntry(lengthExtra[s])
		}
	}
}

// prepareHeader makes what a header has to say (RFC 1951, section 3.2.7) and
// returns how many bits that takes.
func (b *blockWriter) prepareHeader() uint64 {
	lit, dist := numLit, numDist
	for lit > 257 && b.litLens[lit-1] == 0 {
		lit--
	}
	for dist > 1 && b.distLens[dist-1] == 0 {
		dist--
	}
	lens := b.lens[:lit+dist]
	copy(lens, b.litLens[:lit])
	copy(lens[lit:], b.distLens[:dist])
	b.numLitSent, b.numDistSent = lit, dist

	clear(b.runFreq[:])
	b.runs = b.runMemory[:0]
	bits := uint64(5 + 5 + 4)
	for i := 0; i < len(lens); {
		l := lens[i]
		j := i + 1
		for j < len(lens) && lens[j] == l {
			j++
		}
		n := j - i
		i = j
		if l == 0 {
			for n >= 11 {
				k := min(n, 138)
				b.runs = append(b.runs, 18|uint16(k-11)<<8)
				b.runFreq[18]++
				bits += 7
				n -= k
			}
			if n >= 3 {
				b.runs = append(b.runs, 17|uint16(n-3)<<8)
				b.runFreq[17]++
				bits += 3
				n = 0
			}
		} else if n >= 4 {
			b.runs = append(b.runs, uint16(l))
			b.runFreq[l]++
			n--
			for n >= 3 {
				k := min(n, 6)
				b.runs = append(b.runs, 16|uint16(k-3)<<8)
				b.runFreq[16]++
				bits += 2
				n -= k
			}
		}
		for range n {
			b.runs = append(b.runs, uint16(l))
			b.runFreq[l]++
		}
	}
	b.tree.lengths(b.runLens[:], b.runFreq[:], maxLengthBits)
	b.numRunLens = numLength
	for b.numRunLens > 4 && b.runLens[lengthOrder[b.numRunLens-1]] == 0 {
		b.numRunLens--
	}
	return bits + 3*uint64(b.numRunLens) + cost(b.runFreq[:], b.runLens[:])
}

// appendHeader appends the header of a block with codes of its own.
func (b *blockWriter) appendHeader(dst []byte) []byte {
	assign(b.runCodes[:], b.runLens[:])
	dst = b.put(dst, 2<<1|uint64(b.numLitSent-257)<<3|uint64(b.numDistSent-1)<<8|uint64(b.numRunLens-4)<<13, 17)
	for _, s := range lengthOrder[:b.numRunLens] {
		dst = b.put(dst, uint64(b.runLens[s]), 3)
	}
	for _, r := range b.runs {
		s := r & 255
		c := b.runCodes[s]
		n := c.len()
		v := c.bits() | uint64(r>>8)<<n
		switch s {
		case 16:
			n += 2
		case 17:
			n += 3
		case 18:
			n += 7
		}
		dst = b.put(dst, v, n)
	}
	return dst
}

// put appends n bits.
func (b *blockWriter) put(dst []byte, v uint64, n uint) []byte {
	b.acc |= v << b.nacc
	b.nacc += n
	for b.nacc >= 8 {
		dst = append(dst, byte(b.acc))
		b.acc >>= 8
		b.nacc -= 8
	}
	return dst
}

// appendSequences writes seqs and the end of the block into dst, which has room
// for them and for eight bytes more.
func (b *blockWriter) appendSequences(dst, data []byte, seqs []sequence) []byte {
	at := len(dst)
	dst = dst[:at+b.write(dst[at:cap(dst)], data, seqs)]
	c := b.litCodes[endBlock]
	return b.put(dst, c.bits(), c.len())
}

// storedMax is the longest stored block (RFC 1951, section 3.2.4).
const storedMax = 65535

// appendStored appends data as stored blocks, or one of them empty.
func (b *blockWriter) appendStored(dst, data []byte) []byte {
	for {
		n := min(len(data), storedMax)
		dst = b.put(dst, 0, 3)
		if b.nacc > 0 {
			dst = b.put(dst, 0, 8-b.nacc)
		}
		dst = binary.LittleEndian.AppendUint16(dst, uint16(n))
		dst = binary.LittleEndian.AppendUint16(dst, ^uint16(n))
		dst = append(dst, data[:n]...)
		if data = data[n:]; len(data) == 0 {
			return dst
		}
	}
}
