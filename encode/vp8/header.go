package vp8

import (
	"math/bits"
)

// maxFirstPartition is what the 19 bits of its size hold.
const maxFirstPartition = 1<<19 - 1

// appendTag appends the uncompressed chunk: this frame is shown, of version 0, the
// first partition has the given size.
func (e *Encoder) appendTag(dst []byte, key bool, first int) []byte {
	tag := uint32(first)<<5 | 1<<4
	if !key {
		tag |= 1
	}
	dst = append(dst, byte(tag), byte(tag>>8), byte(tag>>16))
	if key {
		dst = append(dst, 0x9d, 0x01, 0x2a,
			byte(e.width), byte(e.width>>8), byte(e.height), byte(e.height>>8))
	}
	return dst
}

// writeHeader writes the frame header (RFC 6386, sections 9.2 to 9.11 and 19.2).
func (e *Encoder) writeHeader(b *boolEncoder, f *frame) {
	if f.key {
		b.flag(false) // colour space
		b.flag(false) // samples need clamping
	}
	b.flag(f.segments)
	if f.segments {
		e.writeSegments(b, f)
	}
	b.flag(false) // the normal loop filter
	b.literal(uint32(f.filter), 6)
	b.literal(0, 3) // sharpness
	b.flag(false)   // no filter levels by reference or mode
	b.literal(uint32(f.logPartitions), 2)
	b.literal(uint32(f.q[0]), 7)
	for range 5 {
		b.flag(false) // the same index for all kinds of coefficients
	}
	if !f.key {
		b.flag(f.snapshot) // the golden frame becomes this one
		b.flag(false)
		if !f.snapshot {
			b.literal(0, 2)
		}
		if f.snapshot {
			b.literal(2, 2) // the alternate one becomes the golden one that was
		} else {
			b.literal(0, 2)
		}
		b.flag(false) // sign biases
		b.flag(false)
	}
	b.flag(true) // probabilities are kept
	if !f.key {
		b.flag(true) // the last frame becomes this one
	}
	writeCoeffProbs(b, &e.coeffProbs, f.counts)
	b.flag(true) // macroblocks say whether they have coefficients
	b.literal(uint32(f.probSkip), 8)
	if f.key {
		return
	}
	b.literal(uint32(f.probIntra), 8)
	b.literal(uint32(f.probLast), 8)
	b.literal(uint32(f.probGolden), 8)
	b.flag(false) // intra modes' probabilities stay
	b.flag(false)
	writeMVProbs(b, &e.mvContexts, e.countMVs())
}

// writeSegments sends the segments' quantisers and filter levels, and that each
// macroblock tells its segment (RFC 6386, section 9.3).
func (e *Encoder) writeSegments(b *boolEncoder, f *frame) {
	b.flag(f.segmentMap)
	b.flag(true) // data
	b.flag(true) // absolute
	for _, q := range f.q {
		b.flag(true)
		b.literal(uint32(q), 7)
		b.flag(false)
	}
	for i := range f.q {
		level := f.segmentFilter[i]
		b.flag(level != 0)
		if level != 0 {
			b.literal(uint32(level), 6)
			b.flag(false)
		}
	}
	if !f.segmentMap {
		return
	}
	for _, p := range f.segmentProbs {
		b.flag(p != 255)
		if p != 255 {
			b.literal(uint32(p), 8)
		}
	}
}

// writeModes writes what each macroblock is (RFC 6386, section 19.3). Nearly all of
// a screen is still at most times, and a still macroblock among still ones is
// coded as all others are: runs of them take a step per many macroblocks.
func (e *Encoder) writeModes(b *boolEncoder, f *frame) {
	if f.key {
		for y := range e.mbHigh {
			for x := range e.mbWide {
				e.writeKeyMode(b, f, x, y)
			}
		}
		return
	}
	inner, top := &e.innerRun, &e.topRun
	inner.set(e.stillBools(f, modeContexts[5][0]))
	top.set(e.stillBools(f, modeContexts[2][0]))
	for y := range e.mbHigh {
		run := inner
		if y == 0 {
			run = top
		}
		e.writeMode(b, f, 0, y)
		for x := 1; x < e.mbWide; {
			n := e.stillRun(x, y)
			if n == 0 {
				e.writeMode(b, f, x, y)
				x++
				continue
			}
			b.run(run, n)
			x += n
		}
	}
}

// stillBools are those of a still macroblock, given the probability that its
// vector is zero.
func (e *Encoder) stillBools(f *frame, probZero uint8) []runBool {
	seq := e.runBools[:0]
	if f.segmentMap {
		seq = append(seq, runBool{f.segmentProbs[0], false}, runBool{f.segmentProbs[1], false})
	}
	return append(seq, runBool{f.probSkip, true}, runBool{f.probIntra, true}, runBool{f.probLast, false}, runBool{probZero, false})
}

// stillRun counts the macroblocks from x > 0 on in row y that are still and whose
// neighbours above, left and above left are.
func (e *Encoder) stillRun(x, y int) int {
	n := 0
	for x < e.mbWide {
		word := y*e.mapWords + x>>6
		busy := e.spread(word, x>>6)
		if y > 0 {
			busy |= e.spread(word-e.mapWords, x>>6)
		}
		left := min(64-x&63, e.mbWide-x)
		free := min(bits.TrailingZeros64(busy>>(x&63)), left)
		n += free
		x += free
		if free < left {
			break
		}
	}
	return n
}

// spread is a word of the map of what is not still, and what lies right of that.
func (e *Encoder) spread(word, column int) uint64 {
	busy := e.busy[word]
	busy |= busy << 1
	if column > 0 {
		busy |= e.busy[word-1] >> 63
	}
	return busy
}

func (e *Encoder) writeKeyMode(b *boolEncoder, f *frame, x, y int) {
	i := e.index(x, y)
	m := &e.info[i]
	if f.segmentMap {
		writeSegment(b, f, m.seg)
	}
	b.bool(f.probSkip, !m.coded)
	b.tree(keyYModeTree[m.mode], keyYModeProbs[:])
	if m.mode == modeB {
		e.writeKeySubModes(b, i)
	}
	b.tree(uvModeTree[m.uvMode], keyUVModeProbs[:])
}

// writeKeySubModes writes the subblocks' modes, of which each depends on those
// above and to the left. Beyond the picture these are DC.
func (e *Encoder) writeKeySubModes(b *boolEncoder, i int) {
	m, above, left := &e.info[i], &e.info[i-e.infoStride], &e.info[i-1]
	modes := &e.residuals[m.slot].modes
	for k, mode := range modes {
		var a, l uint8
		switch {
		case k >= 4:
			a = modes[k-4]
		case above.mode == modeB:
			a = e.residuals[above.slot].modes[12+k]
		default:
			a = subModeOf[above.mode]
		}
		switch {
		case k&3 != 0:
			l = modes[k-1]
		case left.mode == modeB:
			l = e.residuals[left.slot].modes[k+3]
		default:
			l = subModeOf[left.mode]
		}
		b.tree(subModeTree[mode], keySubModeProbs[a][l][:])
	}
}

func (e *Encoder) writeMode(b *boolEncoder, f *frame, x, y int) {
	m := &e.info[e.index(x, y)]
	if f.segmentMap {
		writeSegment(b, f, m.seg)
	}
	b.bool(f.probSkip, !m.coded)
	b.bool(f.probIntra, m.ref != refIntra)
	if m.ref == refIntra {
		b.tree(yModeTree[m.mode], defaultYModeProbs[:])
		if m.mode == modeB {
			for _, mode := range e.residuals[m.slot].modes {
				b.tree(subModeTree[mode], subModeProbs[:])
			}
		}
		b.tree(uvModeTree[m.uvMode], defaultUVModeProbs[:])
		return
	}
	b.bool(f.probLast, m.ref != refLast)
	if m.ref != refLast {
		b.bool(f.probGolden, m.ref == refAltref)
	}
	n := e.nearMVs(e.info, x, y)
	p := [4]uint8{
		modeContexts[n.weights[0]][0], modeContexts[n.weights[1]][1],
		modeContexts[n.weights[2]][2], modeContexts[n.weights[3]][3],
	}
	b.bool(p[0], m.mv != mv{})
	if (m.mv == mv{}) {
		return
	}
	b.bool(p[1], m.mv != n.nearest)
	if m.mv == n.nearest {
		return
	}
	b.bool(p[2], m.mv != n.near)
	if m.mv == n.near {
		return
	}
	b.bool(p[3], false) // one vector for all
	codeMV(mvWriter{b, &e.mvContexts}, m.mv, n.best)
}

func writeSegment(b *boolEncoder, f *frame, seg uint8) {
	b.bool(f.segmentProbs[0], seg >= 2)
	b.bool(f.segmentProbs[1+seg>>1], seg&1 != 0)
}
