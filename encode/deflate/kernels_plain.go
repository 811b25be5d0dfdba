//go:build !amd64 || purego

package deflate

func (s *scanner) kernel(data []byte, to span, unit int) {
	s.kernelGeneric(data, to, unit)
}

func (b *blockWriter) write(out, data []byte, seqs []sequence) int {
	return b.writeGeneric(out, data, seqs)
}
