//go:build !amd64 || purego

package jpeg

func (w *bitWriter) huffman(raw []byte, blocks []block, first int) int {
	return w.huffmanGeneric(raw, blocks, first)
}
