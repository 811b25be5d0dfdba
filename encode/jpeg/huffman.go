package jpeg

import (
	"encoding/binary"
	"math/bits"
)

// A huffmanSpec is a table as a DHT segment has it: how many codes of each
// length 1 to 16, and the symbols in the order of their codes.
type huffmanSpec struct {
	counts [16]byte
	values []byte
}

// huffmanSpecs are the tables of T.81, annex K.3: luminance DC and AC,
// chrominance DC and AC.
var huffmanSpecs = [4]huffmanSpec{
	{
		[16]byte{0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0},
		[]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
	},
	{
		[16]byte{0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125},
		[]byte{
			0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07,
			0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0,
			0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25, 0x26, 0x27, 0x28,
			0x29, 0x2a, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49,
			0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69,
			0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
			0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
			0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5,
			0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2,
			0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8,
			0xf9, 0xfa,
		},
	},
	{
		[16]byte{0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0},
		[]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
	},
	{
		[16]byte{0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119},
		[]byte{
			0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71,
			0x13, 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52, 0xf0,
			0x15, 0x62, 0x72, 0xd1, 0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1, 0x17, 0x18, 0x19, 0x1a, 0x26,
			0x27, 0x28, 0x29, 0x2a, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48,
			0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68,
			0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87,
			0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5,
			0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3,
			0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda,
			0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8,
			0xf9, 0xfa,
		},
	},
}

// huffman maps symbols to codes for one kind of component. A code is shifted left
// to make room for the bits that follow it, and its length counts these bits, too.
// In place of a number's size there is 16 - size, which is the number's leading
// zeros but for a constant.
type huffman struct {
	dcBits [32]uint32
	acBits [256]uint32 // run<<4 | 16-size; size 1 to 10
	dcLen  [32]uint8
	acLen  [256]uint8
	eob    code
	zrl    code
}

var huffmanTables = func() (t [2]huffman) {
	for i := range t {
		for s, c := range huffmanSpecs[2*i].codes() {
			t[i].dcBits[16-s], t[i].dcLen[16-s] = c.bits<<s, uint8(c.n)+s
		}
		for s, c := range huffmanSpecs[2*i+1].codes() {
			if size := s & 15; size > 0 {
				at := s&0xf0 | (16 - size)
				t[i].acBits[at], t[i].acLen[at] = c.bits<<size, uint8(c.n)+size
			} else if s == 0 {
				t[i].eob = c
			} else {
				t[i].zrl = c
			}
		}
	}
	return t
}()

type code struct{ bits, n uint32 }

// codes assigns codes as T.81, annex C.2, does: counting up, one bit more at each
// length.
func (s *huffmanSpec) codes() map[uint8]code {
	m := make(map[uint8]code)
	next, k := uint32(0), 0
	for i, n := range s.counts {
		for range n {
			m[s.values[k]] = code{next, uint32(i + 1)}
			next++
			k++
		}
		next <<= 1
	}
	return m
}

// A bitWriter holds what has not made a byte yet: the low n bits of acc, at most
// seven between calls. What lies above them is undefined.
type bitWriter struct {
	acc uint64
	n   uint64
}

// maxBlockBytes is at least what a block takes: 64 coefficients of at most 26 bits
// (T.81, annex K.3).
const maxBlockBytes = 64 * 26 / 8

// huffmanGeneric codes blocks (T.81, F.1.2), beginning with blocks[first]; those
// before are there for the DC prediction. It writes to raw, which has room for
// maxBlockBytes for each and eight more, and returns how many bytes are complete.
// Bytes of ones are not yet followed by a zero: see stuff.
func (w *bitWriter) huffmanGeneric(raw []byte, blocks []block, first int) int {
	acc, n, at := w.acc, w.n, 0
	for i := first; i < len(blocks); i++ {
		b := &blocks[i]
		h := &huffmanTables[b.table&1]
		v := int64(b.dc - blocks[i-int(b.back)].dc)
		v += v >> 63
		size := uint(bits.Len64(uint64(v ^ v>>63)))
		e, length := h.dcBits[(16-size)&31], uint64(h.dcLen[(16-size)&31])
		acc = acc<<(length&63) | uint64(e) | uint64(v)&(1<<(size&63)-1)
		if n += length; n >= 32 {
			n -= 32
			binary.BigEndian.PutUint32(raw[at:], uint32(acc>>(n&63)))
			at += 4
		}
		next := 1
		for left := b.nonzero; left != 0; left &= left - 1 {
			k := bits.TrailingZeros64(left)
			run := k - next
			next = k + 1
			for ; run >= 16; run -= 16 {
				acc = acc<<(h.zrl.n&63) | uint64(h.zrl.bits)
				if n += uint64(h.zrl.n); n >= 32 {
					n -= 32
					binary.BigEndian.PutUint32(raw[at:], uint32(acc>>(n&63)))
					at += 4
				}
			}
			v := int64(b.coef[transposed[k&63]&63])
			size := uint(bits.Len64(uint64(v ^ v>>63)))
			symbol := (uint(run)<<4 | (16 - size)) & 255
			e, length := h.acBits[symbol], uint64(h.acLen[symbol])
			acc = acc<<(length&63) | uint64(e) | uint64(v)&(1<<(size&63)-1)
			if n += length; n >= 32 {
				n -= 32
				binary.BigEndian.PutUint32(raw[at:], uint32(acc>>(n&63)))
				at += 4
			}
		}
		if next < 64 {
			acc = acc<<(h.eob.n&63) | uint64(h.eob.bits)
			if n += uint64(h.eob.n); n >= 32 {
				n -= 32
				binary.BigEndian.PutUint32(raw[at:], uint32(acc>>(n&63)))
				at += 4
			}
		}
	}
	for ; n >= 8; at++ {
		n -= 8
		raw[at] = byte(acc >> n)
	}
	w.acc, w.n = acc, n
	return at
}

// close returns the last byte, filled up with ones (T.81, F.1.2.3), or nothing.
func (w *bitWriter) close(raw []byte) []byte {
	if w.n == 0 {
		return nil
	}
	raw[0] = byte(w.acc<<(8-w.n) | 0xff>>w.n)
	return raw[:1]
}

// stuff appends coded bytes to dst. A byte of ones is followed by a zero byte, so
// as not to look like a marker (T.81, B.1.1.5); most words have none.
func stuff(dst, raw []byte) []byte {
	if n := len(dst) + 2*len(raw); n > cap(dst) {
		dst = append(make([]byte, 0, 2*n), dst...)
	}
	at := len(dst)
	dst = dst[:at+2*len(raw)]
	for len(raw) >= 8 {
		v := binary.LittleEndian.Uint64(raw)
		binary.LittleEndian.PutUint64(dst[at:], v)
		// Bytes of ones up to the first that carries, which is enough.
		ones := v & ^(v + 0x01010101_01010101) & 0x80808080_80808080
		if ones == 0 {
			raw = raw[8:]
			at += 8
			continue
		}
		n := bits.TrailingZeros64(ones)/8 + 1
		dst[at+n] = 0
		raw = raw[n:]
		at += n + 1
	}
	for _, b := range raw {
		dst[at] = b
		at++
		if b == 0xff {
			dst[at] = 0
			at++
		}
	}
	return dst[:at]
}
