package deflate

import (
	"math/bits"
)

const (
	tableBits = 14
	tableSize = 1 << tableBits
)

type unit interface {
	[1]byte | [2]byte | [3]byte | [4]byte
}

func (c *Compressor) scan(data []byte, at int, l Layout) int {
	switch l.Unit {
	case 2:
		return scan[[2]byte](c, data, at, l)
	case 3:
		return scan[[3]byte](c, data, at, l)
	case 4:
		return scan[[4]byte](c, data, at, l)
	}
	return scan[[1]byte](c, data, at, l)
}

func same(x uint64) int { return bits.TrailingZeros64(x) >> 3 }

// scan cuts the data from at on into c.seqs and returns how much of it.
func scan[U unit](c *Compressor, data []byte, at int, l Layout) int {
	var u U
	unit := len(u)
	end := min(len(data), at+maxBlock-maxBlock%unit)
	stride := l.Stride
	mask := uint64(1)<<(8*unit) - 1
	if unit == 1 {
		mask = 1<<24 - 1
	}
	hashLen := 4
	switch unit {
	case 3:
		hashLen = 8
	case 2:
		hashLen = 6
	case 4:
		hashLen = 8
	}
	shift := (64 - 8*hashLen) & 63
	seqs := c.seqs[:maxSequences]
	ns := 0
	lit := at
	i := max(at, unit)
	miss := 0
	limit := end - 8
	d := viewOf(data[:end])
	back := unit
	hist := &c.blocks.hist
	c.blocks.countLiterals(data[at:min(i, end)])
	for i <= limit {
		if i >= stride {
			back = stride
		}
		v := d.load64(i)
		h := v << shift * 0x9E3779B185EBCA87 >> (64 - tableBits)
		j := int(c.table[h])
		c.table[h] = uint32(i)
		xr := v ^ d.load64(i-unit)
		xs := v ^ d.load64(i-back)
		if i-j > window {
			j = i - unit
		}
		xh := v ^ d.load64(j)
		h3 := v << (64 - 24) * 0x9E3779B185EBCA87 >> (64 - T3bits)
		j3 := int(c.table3[h3])
		c.table3[h3] = uint32(i)
		if min(xr&mask, xs&mask, xh<<shift) != 0 {
			if unit == 3 && (v^d.load64(j3))&mask == 0 && i-j3 <= window>>min(miss>>3, 15) {
				miss >>= 1
				n := 3
				if (v^d.load64(j3))&(1<<48-1) == 0 {
					n = 6
				}
				seqs[ns&(maxSequences-1)] = makeSequence(i-lit, n, i-j3)
				ns++
				i += n
				lit = i
				if ns == maxSequences-1 {
					end = i
					break
				}
				continue
			}
			if miss++; miss < 32 {
				hist[0][v&255]++
				if unit > 1 {
					hist[1][v>>8&255]++
				}
				if unit > 2 {
					hist[2][v>>16&255]++
				}
				if unit > 3 {
					hist[0][v>>24&255]++
				}
				i += unit
				continue
			}
			n := min(unit*(1+miss>>5), end-i)
			c.blocks.countLiterals(data[i : i+n])
			i += n
			continue
		}
		best, dist := same(xr), unit
		if xr == 0 {
			for i+best <= limit {
				if x := d.load64(i+best) ^ d.load64(i+best-unit); x != 0 {
					best += same(x)
					break
				}
				best += 8
			}
		}
		if best < unit {
			best = 0
		}
		if best < 258 {
			n := same(xs)
			if xs == 0 {
				for i+n <= limit {
					if x := d.load64(i+n) ^ d.load64(i+n-back); x != 0 {
						n += same(x)
						break
					}
					n += 8
				}
			}
			if n > best+1 {
				best, dist = n, back
			}
			n = same(xh)
			if xh == 0 {
				for i+n <= limit {
					if x := d.load64(i+n) ^ d.load64(j+n); x != 0 {
						n += same(x)
						break
					}
					n += 8
				}
			}
			if n > best+1 {
				best, dist = n, i-j
			}
		}
		best -= best % unit
		if unit < 3 && best < 3 {
			c.blocks.countLiterals(data[i : i+unit])
			i += unit
			continue
		}
		for i > lit && i-unit-dist >= 0 && (d.load64(i-unit)^d.load64(i-unit-dist))&(1<<(8*unit)-1) == 0 {
			i -= unit
			best += unit
			v := d.load64(i)
			hist[0][v&255]--
			if unit > 1 {
				hist[1][v>>8&255]--
			}
			if unit > 2 {
				hist[2][v>>16&255]--
			}
			if unit > 3 {
				hist[0][v>>24&255]--
			}
		}
		miss = 0
		seqs[ns&(maxSequences-1)] = makeSequence(i-lit, best, dist)
		ns++
		i += best
		lit = i
		if ns == maxSequences-1 {
			end = i
			break
		}
	}
	if i < end {
		c.blocks.countLiterals(data[i:end])
	}
	if lit < end {
		seqs[ns&(maxSequences-1)] = makeSequence(end-lit, 0, 0)
		ns++
	}
	c.seqs = seqs[:ns]
	return end - at
}

const T3bits = 12
const T3dist = 32768
