package deflate

// Lengths of matches and the window (RFC 1951, section 3.2.5).
const (
	minMatch = 3
	maxMatch = 258
	window   = 32768
)

// lengthBase and lengthExtra are, for the symbols 257 to 285, the least length and
// the extra bits.
var (
	lengthBase = [29]uint16{
		3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31,
		35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
	}
	lengthExtra = [29]uint8{
		0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
	}
	// distBase and distExtra are the same for the symbols of distances.
	distBase = [numDist]uint16{
		1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769,
		1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577,
	}
	distExtra = [numDist]uint8{
		0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
	}
	// lengthOrder is the order in which a header has the lengths of the code for
	// lengths (RFC 1951, section 3.2.7).
	lengthOrder = [numLength]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
)

// lengthSymbols maps a length less minMatch to its symbol less 257.
var lengthSymbols = func() (t [256]uint8) {
	for s := range lengthBase {
		for l := int(lengthBase[s]); l <= maxMatch && l < int(lengthBase[s])+1<<lengthExtra[s]; l++ {
			t[l-minMatch] = uint8(s)
		}
	}
	return t
}()

// distSymbols maps a distance less one to its symbol: up to 256 in the first half,
// beyond, where the low seven bits do not matter, in the second.
var distSymbols = func() (t [512]uint8) {
	for s := range distBase {
		for d := int(distBase[s]) - 1; d < int(distBase[s])-1+1<<distExtra[s]; d++ {
			if d < 256 {
				t[d] = uint8(s)
			} else {
				t[256+d>>7] = uint8(s)
			}
		}
	}
	return t
}()

// The fixed code (RFC 1951, section 3.2.6).
var (
	fixedLit, fixedDist = func() (lit [numLit]uint8, dist [numDist]uint8) {
		for s := range lit {
			switch {
			case s < 144:
				lit[s] = 8
			case s < 256:
				lit[s] = 9
			case s < 280:
				lit[s] = 7
			default:
				lit[s] = 8
			}
		}
		for s := range dist {
			dist[s] = 5
		}
		return lit, dist
	}()
)
