package deflate

import (
	"encoding/binary"
	"math/bits"
)

const (
	tableBits = 12
	tableSize = 1 << tableBits
)

func load64(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }

// equal returns how many bytes at i are like those at j < i.
func equal(data []byte, i, j, end int) int {
	start := i
	for i+8 <= end {
		if x := load64(data, i) ^ load64(data, j); x != 0 {
			return i - start + bits.TrailingZeros64(x)/8
		}
		i += 8
		j += 8
	}
	for i < end && data[i] == data[j] {
		i++
		j++
	}
	return i - start
}

// scan cuts the data from at on into c.seqs and returns how much of it.
func (c *Compressor) scan(data []byte, at int, l Layout) int {
	end := min(len(data), at+maxBlock)
	unit, stride := l.Unit, l.Stride
	mask := uint64(1)<<(8*unit) - 1
	hashLen := Tune.Hash[unit]
	shift := 64 - 8*hashLen
	seqs := c.seqs[:0]
	lit := at
	i := max(at, unit)
	miss := 0
	for i+8 <= end {
		v := load64(data, i)
		best, dist, gain := 0, 0, 0
		if x := v ^ load64(data, i-unit); x&mask == 0 {
			best = equal(data, i, i-unit, end)
			best -= best % unit
			dist = unit
			gain = best*Tune.LitBits - Tune.Run
		}
		if best < 258 {
			if i >= stride {
				if x := v ^ load64(data, i-stride); x&mask == 0 {
					n := equal(data, i, i-stride, end)
					n -= n % unit
					if g := n*Tune.LitBits - Tune.Row; n >= 3 && g > gain {
						best, dist, gain = n, stride, g
					}
				}
			}
			h := v << shift * 0x9E3779B185EBCA87 >> (64 - tableBits)
			j := int(c.table[h])
			c.table[h] = uint32(i)
			if j < i && i-j <= window {
				if x := v ^ load64(data, j); x&mask == 0 {
					n := equal(data, i, j, end)
					n -= n % unit
					if g := n*Tune.LitBits - Tune.Hashed - bits.Len(uint(i-j)); n >= 3 && g > gain {
						best, dist, gain = n, i-j, g
					}
				}
			}
		}
		if gain <= 0 || best < 3 {
			miss++
			i += unit * (1 + miss>>Tune.Skip)
			continue
		}
		// backwards
		for i-unit >= lit && i-unit-dist >= 0 && bytesEq(data[i-unit:i], data[i-unit-dist:i-dist]) {
			i -= unit
			best += unit
		}
		miss = 0
		seqs = append(seqs, makeSequence(i-lit, best, dist))
		if best > 2*unit && i+best+8 <= end && Tune.End {
			e := i + best - unit
			v := load64(data, e)
			h := v << shift * 0x9E3779B185EBCA87 >> (64 - tableBits)
			c.table[h] = uint32(e)
		}
		i += best
		lit = i
		if len(seqs) == maxSequences-1 {
			end = i
			break
		}
	}
	if lit < end {
		seqs = append(seqs, makeSequence(end-lit, 0, 0))
	}
	c.seqs = seqs
	return end - at
}

func bytesEq(a, b []byte) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

var Tune = struct {
	Hash                            [9]int
	LitBits, Run, Row, Hashed, Skip int
	End                             bool
}{[9]int{4, 4, 4, 6, 4, 5, 6, 7, 8}, 5, 8, 18, 12, 5, true}
