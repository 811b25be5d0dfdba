//go:build !amd64 || purego

package jpeg

func (q *quantiser) transform(dst []block, src []byte, stride, n int, l layout) {
	q.transformGeneric(dst, src, stride, n, l)
}
