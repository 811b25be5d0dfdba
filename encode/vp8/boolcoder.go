package vp8

import (
	"encoding/binary"
	"math/bits"
	"sync"
)

// A boolEncoder is the arithmetic coder of RFC 6386, section 7. Bits wait in low
// until six bytes can be written at once; a carry out of them is added to the
// bytes that are written already.
//
// The zero value is not ready: reset first.
type boolEncoder struct {
	buf []byte
	low uint64 // of 8+n bits and a carry
	rng uint32 // 128 to 255
	n   uint32 // shifts whose bits are not written
}

// flushBits is how many bits are written at once. n stays below it between two
// bools: with up to seven more shifts, low has 8+47+7 bits and a carry.
const flushBits = 48

// reset starts a partition that is appended to dst.
func (e *boolEncoder) reset(dst []byte) {
	e.buf, e.low, e.rng, e.n = dst, 0, 255, 0
}

// split is the part of the range that is for a bit of 0.
func (e *boolEncoder) split(prob uint8) uint32 { return 1 + (e.rng-1)*uint32(prob)>>8 }

// bool codes a bit that is 0 with probability prob/256.
func (e *boolEncoder) bool(prob uint8, bit bool) {
	split := e.split(prob)
	if bit {
		e.low += uint64(split)
		e.rng -= split
	} else {
		e.rng = split
	}
	shift := uint32(bits.LeadingZeros8(uint8(e.rng)))
	e.rng <<= shift
	e.low <<= shift
	if e.n += shift; e.n >= flushBits {
		e.flush()
	}
}

// flag codes a bit of even probability.
func (e *boolEncoder) flag(bit bool) { e.bool(128, bit) }

// literal codes the n lowest bits of v, highest first, with even probability.
func (e *boolEncoder) literal(v uint32, n int) {
	for i := n - 1; i >= 0; i-- {
		e.bool(128, v>>i&1 != 0)
	}
}

// tree codes the path to a leaf: the lowest n bits of path, highest first, with
// the probabilities at the given places of probs.
func (e *boolEncoder) tree(c treeCode, probs []uint8) {
	for i := range c.n {
		e.bool(probs[c.nodes[i]], c.path>>(c.n-1-i)&1 != 0)
	}
}

// flush writes the six upper bytes of low.
func (e *boolEncoder) flush() {
	rest := e.n + 8 - flushBits
	e.put(e.low>>rest, flushBits)
	e.low &= 1<<rest - 1
	e.n -= flushBits
}

// put appends the lowest size bits of v, whole bytes; the bit above them is a
// carry.
func (e *boolEncoder) put(v uint64, size uint32) {
	if v>>size != 0 {
		e.carry()
	}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], v<<(64-size))
	e.buf = append(e.buf, b[:size/8]...)
}

// carry adds one to what is written.
func (e *boolEncoder) carry() {
	i := len(e.buf) - 1
	for e.buf[i] == 0xff {
		e.buf[i] = 0
		i--
	}
	e.buf[i]++
}

// settle writes all whole bytes, so that n < 8.
func (e *boolEncoder) settle() {
	if size := e.n &^ 7; size > 0 {
		rest := e.n + 8 - size
		e.put(e.low>>rest, size)
		e.low &= 1<<rest - 1
		e.n -= size
	}
}

// finish writes what is left and returns the partition. A decoder that reads a
// byte as soon as it has fewer than eight bits finds all that it asks for.
func (e *boolEncoder) finish() []byte {
	e.settle()
	e.put(e.low<<(8-e.n), 16)
	return e.buf
}

// boolSteps says what a bool does to the coder. The loop over events is the one in
// which the encoder spends most time on new content, and it is as long as the chain
// from one range to the next: computed, that is a product, a choice, a count of
// zeros and a shift; looked up, a sum and a load.
//
// Both tables are indexed by the probability, shifted left by eight, the bit,
// shifted left by seven, and the range less 128.
type boolSteps struct {
	next [1 << 16]uint8  // the next range less 128
	low  [1 << 16]uint16 // what is added to low, shifted left by eight, and low's shift
}

var newBoolSteps = sync.OnceValue(func() *boolSteps {
	t := new(boolSteps)
	for i := range t.next {
		e := boolEncoder{rng: uint32(i&127 + 128)}
		prob, bit := uint8(i>>8), i>>7&1 != 0
		split := e.split(prob)
		add := uint32(0)
		if bit {
			add = split
		}
		e.bool(prob, bit)
		t.next[i] = uint8(e.rng - 128)
		t.low[i] = uint16(add<<8 | e.n)
	}
	return t
})

// eventRows holds, for each event, the first of its 128 places in boolSteps.
type eventRows [2 * numEventProbs]uint16

// set gives the events of a probability their rows.
func (r *eventRows) set(k int, prob uint8) {
	r[2*k], r[2*k+1] = uint16(prob)<<8, uint16(prob)<<8|1<<7
}

// events codes a run of events with the probabilities of rows: see token.go.
func (e *boolEncoder) events(list []byte, rows *eventRows) {
	t := newBoolSteps()
	low, rng, n := e.low, uint64(e.rng)-128, uint64(e.n)
	for k := 0; k+eventBytes <= len(list); k += eventBytes {
		ev := binary.LittleEndian.Uint16(list[k:])
		i := uint64(rows[ev&(2*numEventProbs-1)]) + rng
		if i >= uint64(len(t.next)) { // never: for the compiler
			break
		}
		s := uint64(t.low[i])
		rng = uint64(t.next[i])
		low = (low + s>>8) << (s & 63)
		if n += s & 255; n >= flushBits {
			e.low, e.n = low, uint32(n)
			e.flush()
			low, n = e.low, uint64(e.n)
		}
	}
	e.low, e.rng, e.n = low, uint32(rng)+128, uint32(n)
}

// A runTable codes long runs of the same sequence of bools, such as those of a
// still macroblock. What a sequence does to the coder depends on the range alone,
// of which there are 128: it leads to another range, shifts low and adds to it.
// Sequences are joined in pairs, so a run takes few steps.
type runTable struct {
	key   [maxRunBools]runBool
	size  int // bools of a sequence
	depth int
	steps [maxRunDepth][128]runStep // by range-128; steps[k] is 1<<k sequences
}

type runBool struct {
	prob uint8
	bit  bool
}

type runStep struct {
	add   uint64
	shift uint8
	next  uint8 // range-128 after it
}

const (
	maxRunBools = 8
	maxRunDepth = 7
	// maxRunShift leaves room in low, which holds at most 15 bits before a step,
	// for the carry.
	maxRunShift = 48
)

// set makes the table for a sequence of at most maxRunBools bools of which six
// or fewer take many bits: a sequence shifts at most maxRunShift bits.
func (t *runTable) set(seq []runBool) {
	var key [maxRunBools]runBool
	copy(key[:], seq)
	if t.depth > 0 && t.size == len(seq) && t.key == key {
		return
	}
	t.key, t.size = key, len(seq)
	for i := range t.steps[0] {
		e := boolEncoder{rng: uint32(i + 128)}
		var total uint8
		for _, b := range seq {
			split := 1 + (e.rng-1)*uint32(b.prob)>>8
			if b.bit {
				e.low += uint64(split)
				e.rng -= split
			} else {
				e.rng = split
			}
			shift := bits.LeadingZeros8(uint8(e.rng))
			e.rng <<= shift
			e.low <<= shift
			total += uint8(shift)
		}
		t.steps[0][i] = runStep{add: e.low, shift: total, next: uint8(e.rng - 128)}
	}
	t.depth = 1
	for t.depth < maxRunDepth {
		from, to := &t.steps[t.depth-1], &t.steps[t.depth]
		for i := range to {
			a := &from[i]
			b := &from[a.next&127]
			if a.shift+b.shift > maxRunShift {
				return
			}
			to[i] = runStep{add: a.add<<b.shift + b.add, shift: a.shift + b.shift, next: b.next}
		}
		t.depth++
	}
}

// run codes n sequences of t.
func (e *boolEncoder) run(t *runTable, n int) {
	for k := t.depth - 1; k >= 0; k-- {
		for ; n >= 1<<k; n -= 1 << k {
			e.settle()
			s := &t.steps[k][(e.rng-128)&127]
			e.low = e.low<<s.shift + s.add
			e.n += uint32(s.shift)
			e.rng = uint32(s.next) + 128
		}
	}
	// Bools that follow rely on it.
	e.settle()
}
