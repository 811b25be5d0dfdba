//go:build !purego

package jpeg

// huffmanBMI codes n > 0 blocks from b on and returns the bytes that it completed.
// It may write eight bytes more.
//
//go:noescape
func huffmanBMI(raw *byte, b *block, n int, t *[2]huffman, order *[64]uint8, w *bitWriter) int

// hasLZCNT asks the processor: x/sys/cpu does not tell.
func hasLZCNT() bool

func (w *bitWriter) huffman(raw []byte, blocks []block, first int) int {
	n := len(blocks) - first
	if !hasBMI || n == 0 {
		return w.huffmanGeneric(raw, blocks, first)
	}
	_ = raw[n*maxBlockBytes+7]
	return huffmanBMI(&raw[0], &blocks[first], n, &huffmanTables, &transposed, w)
}
