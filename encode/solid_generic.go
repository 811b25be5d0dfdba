//go:build !amd64 || purego

package encode

func isSolid(p []byte, stride, w int, rgb uint32) bool { return isSolidGeneric(p, stride, w, rgb) }
