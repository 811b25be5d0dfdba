//go:build !amd64 || purego

package deflate

func (s *scanner) kernel(data []byte, to span, unit int, h *histogram) {
	s.kernelGeneric(data, to, unit, h)
}
