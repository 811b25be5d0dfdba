package tight

import "encoding/binary"

// packMono packs rows of w indices, each 0 or 1, into bits: the first pixel is
// the top bit, each row begins a byte. The result lies in b's memory.
func packMono(b []byte, w int) []byte {
	out := 0
	for at := 0; at < len(b); at += w {
		row := b[at : at+w]
		for len(row) >= 8 {
			// The product moves index i, bit 8i, to bit 56+7-i; no two terms
			// meet, so nothing carries.
			b[out] = byte(binary.LittleEndian.Uint64(row) * 0x8040201008040201 >> 56)
			out++
			row = row[8:]
		}
		if len(row) > 0 {
			var v byte
			for i, bit := range row {
				v |= bit << (7 - i)
			}
			b[out] = v
			out++
		}
	}
	return b[:out]
}

// maxLength is the greatest length the compact form can tell.
const maxLength = 1<<22 - 1

// lengthSize returns the size of n in compact form.
func lengthSize(n int) int {
	switch {
	case n < 1<<7:
		return 1
	case n < 1<<14:
		return 2
	}
	return 3
}

// putLength writes n, at most maxLength, to b[:lengthSize(n)]: seven bits, seven
// bits, eight bits, the lowest first, the top bit of a byte telling that another
// follows.
func putLength(b []byte, n int) {
	switch lengthSize(n) {
	case 1:
		b[0] = byte(n)
	case 2:
		b[0], b[1] = byte(n)|0x80, byte(n>>7)
	default:
		b[0], b[1], b[2] = byte(n)|0x80, byte(n>>7)|0x80, byte(n>>14)
	}
}

// closeLength writes the length of what follows b[at:at+3] into these three
// bytes and moves what follows up if the length takes less.
func closeLength(b []byte, at int) []byte {
	n := len(b) - at - 3
	size := lengthSize(n)
	putLength(b[at:], n)
	if size < 3 {
		copy(b[at+size:], b[at+3:])
	}
	return b[:at+size+n]
}
