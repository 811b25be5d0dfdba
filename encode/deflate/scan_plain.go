//go:build !amd64 || purego

package deflate

func (s *scanner) kernel(data []byte, to span, unit int, h *histogram) {
	s.kernelGeneric(data, to, unit, h)
}

func (b *blockWriter) write(out, data []byte, seqs []sequence) int {
	return b.writeGeneric(out, data, seqs)
}
