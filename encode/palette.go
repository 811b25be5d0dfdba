package encode

// MaxColours is the most colours a Palette holds.
const MaxColours = 256

// paletteBits makes the hash table four times as large as the palette, so that
// a search ends after one or two looks even when the palette is full.
const paletteBits = 10

// A Palette numbers the different pixel values of a rectangle in the order in
// which they are added and counts them. The zero value is empty. It is a hash
// table with open addressing: the slots hold numbers into Values, plus one, so
// that emptying it means clearing 2 KiB and no more.
type Palette struct {
	Values [MaxColours]uint32
	Counts [MaxColours]int32 // pixels of each value
	N      int               // values in use
	slots  [1 << paletteBits]uint16
}

// Reset empties p.
func (p *Palette) Reset() {
	p.N = 0
	clear(p.slots[:])
}

// Add counts n pixels of value v and returns v's number, or -1 when v is new and
// there are limit values already; limit is at most MaxColours.
func (p *Palette) Add(v uint32, n, limit int) int {
	h := v * 0x9e3779b1 >> (32 - paletteBits)
	for {
		s := p.slots[h&(1<<paletteBits-1)]
		if s == 0 {
			break
		}
		if i := (s - 1) & (MaxColours - 1); p.Values[i] == v {
			p.Counts[i] += int32(n)
			return int(i)
		}
		h++
	}
	i := p.N
	if i >= limit || uint(i) >= MaxColours {
		return -1
	}
	p.slots[h&(1<<paletteBits-1)] = uint16(i + 1)
	p.Values[i] = v
	p.Counts[i] = int32(n)
	p.N = i + 1
	return i
}

// Most returns the number of the most frequent value. p must not be empty.
func (p *Palette) Most() int {
	best := 0
	for i, n := range p.Counts[:p.N] {
		if n > p.Counts[best] {
			best = i
		}
	}
	return best
}
