package deflate

import "math/bits"

// pixel is a unit of so many bytes.
type pixel interface {
	[1]byte | [2]byte | [3]byte | [4]byte
}

// kernelGeneric goes on while s.at <= to.limit and fewer than maxSequences-1
// sequences are there.
func (s *scanner) kernelGeneric(data []byte, to span, unit int) {
	switch unit {
	case 1:
		scanGeneric[[1]byte](s, data, to)
	case 2:
		scanGeneric[[2]byte](s, data, to)
	case 3:
		scanGeneric[[3]byte](s, data, to)
	case 4:
		scanGeneric[[4]byte](s, data, to)
	}
}

// scanGeneric is compiled for each unit, which is a constant in it.
func scanGeneric[P pixel](s *scanner, data []byte, to span) {
	var p P
	hist := &s.hist
	unit := len(p)
	// The shortest match, what is several pixels, and how much is hashed.
	least, several, longLen, shortLen := unit, 2*unit, 8, unit
	switch unit {
	case 1:
		least, several, longLen, shortLen = 3, 3, 5, 3
	case 2:
		least, several, longLen, shortLen = 4, 4, 6, 4
	}
	longShift, shortShift := (64-8*longLen)&63, (64-8*shortLen)&63
	d := viewOf(data)
	i, misses := s.at, s.misses
	for i <= to.limit {
		v := d.load64(i)
		at := v << longShift * hashFactor >> (64 - longBits)
		long := i - int(s.long[at])
		s.long[at] = uint32(i)
		if long > window {
			long = unit
		}
		at = v << shortShift * hashFactor >> (64 - shortBits)
		short := i - int(s.short[at])
		s.short[at] = uint32(i)
		if short > window>>(misses>>farShift&63) {
			short = unit
		}

		// The bits that are equal, up to 64.
		eRun := bits.TrailingZeros64(v ^ d.load64(i-unit))
		eRow := bits.TrailingZeros64(v ^ d.load64(i-to.back))
		eLong := bits.TrailingZeros64(v ^ d.load64(i-long))
		eShort := bits.TrailingZeros64(v ^ d.load64(i-short))
		most := max(eRun, eRow, eLong, eShort)
		if most < 8*several {
			if most < 8*least {
				countPixel[P](v, hist, 1)
				misses++
			} else {
				dist := short
				switch {
				case eRun >= 8*least:
					dist = unit
				case eRow >= 8*least:
					dist = to.back
				case eLong >= 8*least:
					dist = long
				}
				s.add(i, unit, dist)
				misses >>= 1
			}
			i += unit
			if misses >= 1<<skipShift {
				next := i + unit*(misses>>skipShift)
				if misses < maxMisses {
					for next = min(next, to.limit+1); i < next; i += unit {
						countPixel[P](d.load64(i), hist, 1)
					}
				} else {
					misses = maxMisses
					if next <= to.limit {
						i = next
						s.leaps = 1
					}
				}
			}
			if s.n >= maxSequences-1 {
				break
			}
			continue
		}

		length, dist := d.equal(i, unit), unit
		if length < least {
			length = least - 2
		}
		if n := d.equal(i, to.back); n > length+1 {
			length, dist = n, to.back
		}
		if n := d.equal(i, long); n > length+1 {
			length, dist = n, long
		}
		if n := d.equal(i, short); n > length+1 {
			length, dist = n, short
		}
		length = min(length, to.end-i)
		if length >= clip {
			length = d.extend(i, dist, length, to.end)
		}
		length -= length % unit
		misses >>= 1
		if length > 2*unit {
			misses = 0
			for i >= s.literal+unit && i >= unit+dist && (d.load64(i-unit)^d.load64(i-unit-dist))<<(64-8*unit) == 0 {
				i -= unit
				length += unit
				countPixel[P](d.load64(i), hist, ^uint32(0))
			}
		}
		s.add(i, length, dist)
		i += length
		if s.n >= maxSequences-1 {
			break
		}
	}
	s.at, s.misses = i, misses
}

// countPixel adds n to the counts of the bytes of the pixel at the low end of v.
func countPixel[P pixel](v uint64, hist *histogram, n uint32) {
	var p P
	hist[0][v&255] += n
	if len(p) > 1 {
		hist[1][v>>8&255] += n
	}
	if len(p) > 2 {
		hist[2][v>>16&255] += n
	}
	if len(p) > 3 {
		hist[0][v>>24&255] += n
	}
}

// equal returns how many of clip bytes from i on are like those dist before.
func (d view) equal(i, dist int) int {
	for n := 0; n < clip; n += 8 {
		if x := d.load64(i+n) ^ d.load64(i+n-dist); x != 0 {
			return n + bits.TrailingZeros64(x)>>3
		}
	}
	return clip
}

// extend returns how many bytes from i on and before end are like those dist before,
// of which the first n are known to be.
func (d view) extend(i, dist, n, end int) int {
	for i+n <= end-8 {
		if x := d.load64(i+n) ^ d.load64(i+n-dist); x != 0 {
			return n + bits.TrailingZeros64(x)>>3
		}
		n += 8
	}
	for ; i+n < end; n++ {
		if (d.load64(i+n-7)^d.load64(i+n-7-dist))>>56 != 0 {
			break
		}
	}
	return n
}
