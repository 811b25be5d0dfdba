//go:build !purego

package dsp

//go:noescape
func predictSubblocksAVX2(dst *uint8, e *SubblockEdge, s *subblockShuffles)

func predictSubblocks(dst *[16 * NumSubblockModes]uint8, e *SubblockEdge) {
	if !hasAVX2 {
		predictSubblocksGeneric(dst, e)
		return
	}
	predictSubblocksAVX2(&dst[0], e, &kernelSubblocks)
}

// firstDirectional is the first of the modes that subblockShuffles make.
const firstDirectional = BVEPred

// subblockShuffles make the directional predictions of two vectors: place i of the
// first is the edge's sample i smoothed with its neighbours, of which a missing one
// is the sample itself, and place i of the second the mean of samples i and i+1.
// Place 13 of the latter is sample 0.
type subblockShuffles struct {
	smooth [NumSubblockModes - firstDirectional][16]uint8
	mean   [BHUPred + 1 - BVRPred][16]uint8 // the modes before have none
}

var kernelSubblocks = func() (t subblockShuffles) {
	const none = "...." + "...." + "...." + "...."
	for m, places := range [...][2]string{
		BVEPred - firstDirectional: {"5678" + "5678" + "5678" + "5678", none},
		BHEPred - firstDirectional: {"3333" + "2222" + "1111" + "0000", none},
		BLDPred - firstDirectional: {"6789" + "789a" + "89ab" + "9abc", none},
		BRDPred - firstDirectional: {"4567" + "3456" + "2345" + "1234", none},
		BVRPred - firstDirectional: {"...." + "4567" + "3..." + "2456", "4567" + "...." + ".456" + "...."},
		BVLPred - firstDirectional: {"...." + "6789" + "...a" + "789b", "5678" + "...." + "678." + "...."},
		BHDPred - firstDirectional: {".456" + ".3.4" + ".2.3" + ".1.2", "3..." + "2.3." + "1.2." + "0.1."},
		BHUPred - firstDirectional: {".2.1" + ".1.0" + ".0.." + "....", "2.1." + "1.0." + "0.dd" + "dddd"},
	} {
		shuffle(&t.smooth[m], places[0])
		if places[1] != none {
			shuffle(&t.mean[m-int(BVRPred-firstDirectional)], places[1])
		}
	}
	return t
}()

// shuffle makes a shuffle of hexadecimal places, and dots for what is left out.
func shuffle(to *[16]uint8, places string) {
	for i, p := range []byte(places) {
		switch {
		case p == '.':
			to[i] = 0x80
		case p >= 'a':
			to[i] = p - 'a' + 10
		default:
			to[i] = p - '0'
		}
	}
}
