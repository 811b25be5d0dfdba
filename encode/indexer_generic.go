//go:build !amd64 || purego

package encode

func indexRow(dst, src []byte, t *indexTable) int { return indexRowGeneric(dst, src, t) }
