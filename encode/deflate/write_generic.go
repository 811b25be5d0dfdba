package deflate

import "encoding/binary"

// A bitWriter is what has not made a byte yet and where the next goes.
type bitWriter struct {
	acc uint64
	n   uint // bits in acc, below 8 after a flush
	out []byte
	at  int
}

func (w *bitWriter) add(bits uint64, n uint) {
	w.acc |= bits << (w.n & 63)
	w.n += n
}

func (w *bitWriter) flush() {
	binary.LittleEndian.PutUint64(w.out[w.at:], w.acc)
	w.at += int(w.n >> 3)
	w.acc >>= w.n & 0x38
	w.n &= 7
}

// writeGeneric writes seqs to out, which has room for them and for eight bytes more,
// and returns how many bytes are complete. Four literals take 56 bits at most, a
// match 47; with the 7 that may be left from before that makes less than 64.
func (b *blockWriter) writeGeneric(out, data []byte, seqs []sequence) int {
	w := bitWriter{b.acc, b.nacc, out, 0}
	litCodes := (*[256]codeEntry)(b.litCodes[:])
	pos := 0
	for _, s := range seqs {
		literals, length := s.literals(), s.length()
		part := data[pos : pos+literals]
		pos += literals + length
		for len(part) >= 4 {
			v := binary.LittleEndian.Uint32(part)
			part = part[4:]
			for range 4 {
				c := litCodes[byte(v)]
				v >>= 8
				w.add(c.bits(), c.len())
			}
			w.flush()
		}
		if len(part) > 0 {
			for _, v := range part {
				c := litCodes[v]
				w.add(c.bits(), c.len())
			}
			w.flush()
		}
		if length == 0 {
			continue
		}
		d := b.dists[s.symbol()]
		bits, n := d.bits(s.dist())
		for length > maxMatch+2 {
			c := b.lengths[maxMatch-minMatch]
			w.add(c.bits()|bits<<(c.len()&63), c.len()+n)
			w.flush()
			length -= maxMatch
		}
		if length > maxMatch {
			c := b.lengths[length-2*minMatch]
			w.add(c.bits()|bits<<(c.len()&63), c.len()+n)
			w.flush()
			length = minMatch
		}
		c := b.lengths[(length-minMatch)&255]
		w.add(c.bits()|bits<<(c.len()&63), c.len()+n)
		w.flush()
	}
	b.acc, b.nacc = w.acc, w.n
	return w.at
}
