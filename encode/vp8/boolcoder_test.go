package vp8

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// randomEvents makes events as likely as p says, signs among them.
func randomEvents(rnd *rand.Rand, p *coeffProbs, n int) (list []byte) {
	var rows eventRows
	p.rows(&rows)
	for range n {
		at := rnd.IntN(numTrees)*treeProbs + rnd.IntN(coeffNodes)
		if rnd.IntN(4) == 0 {
			at = probSign
		}
		bit := event(0)
		if rnd.IntN(256) >= int(rows[2*at]>>8) {
			bit = 1
		}
		list = binary.LittleEndian.AppendUint16(list, uint16(event(at<<1)|bit))
	}
	return list
}

// TestEvents: events give the bytes of the bools that they stand for, whatever is
// written before and after.
func TestEvents(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		p := defaultCoeffProbs
		for i := range p[1] {
			p[1][i][2][3], p[0][i][1][2] = uint8(rnd.IntN(2)*254+1), uint8(1+rnd.IntN(255))
		}
		list := randomEvents(rnd, &p, rnd.IntN(3000))
		if rnd.IntN(8) == 0 { // a long row of ones, for the carry
			for i := 0; i < len(list); i += eventBytes {
				list[i] |= 1
			}
		}
		var rows eventRows
		p.rows(&rows)
		var a, b boolEncoder
		a.reset(nil)
		b.reset(nil)
		for i := range rnd.IntN(20) {
			a.bool(uint8(20*i+1), i&1 == 0)
			b.bool(uint8(20*i+1), i&1 == 0)
		}
		a.events(list, &rows)
		for ; len(list) > 0; list = list[eventBytes:] {
			ev := binary.LittleEndian.Uint16(list)
			b.bool(uint8(rows[ev]>>8), ev&1 != 0)
		}
		a.literal(0x1234, 16)
		b.literal(0x1234, 16)
		require.Equal(t, b.finish(), a.finish())
	}
}

// BenchmarkEvents codes bools as likely as the default probabilities say.
func BenchmarkEvents(b *testing.B) {
	p := defaultCoeffProbs
	list := randomEvents(rand.New(rand.NewPCG(1, 1)), &p, 1<<16)
	var rows eventRows
	p.rows(&rows)
	var e boolEncoder
	n := 0
	for b.Loop() {
		e.reset(e.buf[:0])
		e.events(list, &rows)
		n = len(e.finish())
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(list)/eventBytes), "ns/bool")
	b.ReportMetric(float64(n), "bytes")
}
