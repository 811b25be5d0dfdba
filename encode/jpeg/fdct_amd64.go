//go:build !purego

package jpeg

import "unsafe"

const blockBytes = int(unsafe.Sizeof(block{}))

// transformAVX2 does n > 0 pairs of blocks; see layout, the steps here in bytes.
//
//go:noescape
func transformAVX2(dst *block, dstPair, dstStep int, src *byte, pair, step, stride, n int, q *quantiser)

func (q *quantiser) transform(dst []block, src []byte, stride, n int, l layout) {
	if !hasAVX2 || n == 0 {
		q.transformGeneric(dst, src, stride, n, l)
		return
	}
	_ = dst[(n-1)*l.dstStep+l.dstPair]
	_ = src[(n-1)*l.step+l.pair+7*stride+7]
	transformAVX2(&dst[0], l.dstPair*blockBytes, l.dstStep*blockBytes, &src[0], l.pair, l.step, stride, n, q)
}
