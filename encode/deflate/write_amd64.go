//go:build !purego

package deflate

import "unsafe"

// writeBMI is writeGeneric for n > 0 sequences.
//
//go:noescape
func writeBMI(b *blockWriter, out, data *byte, seqs *sequence, n int) int

func (b *blockWriter) write(out, data []byte, seqs []sequence) int {
	if !hasAVX2 || len(seqs) == 0 {
		return b.writeGeneric(out, data, seqs)
	}
	return writeBMI(b, unsafe.SliceData(out), unsafe.SliceData(data), &seqs[0], len(seqs))
}
