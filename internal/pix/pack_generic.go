//go:build !amd64 || purego

package pix

// packRGB and packBGR return how many pixels they did: there are no kernels.

func packRGB(dst, src []byte) int { return 0 }

func packBGR(dst, src []byte) int { return 0 }
