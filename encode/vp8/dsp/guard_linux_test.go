package dsp

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// guarded returns memory that ends, or begins, where pages begin that must not be
// touched: reading one byte beside it would be the end of the test.
func guarded(t *testing.T, atEnd bool) memory {
	page := os.Getpagesize()
	const pages = 64
	mem, err := unix.Mmap(-1, 0, (pages+2)*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, unix.Munmap(mem)) })
	require.NoError(t, unix.Mprotect(mem[:page], unix.PROT_NONE))
	require.NoError(t, unix.Mprotect(mem[(pages+1)*page:], unix.PROT_NONE))
	inside := mem[page : (pages+1)*page]
	return func(n int) []uint8 {
		if n > len(inside) {
			return make([]uint8, n)
		}
		if atEnd {
			return inside[len(inside)-n:]
		}
		return inside[:n:n]
	}
}

// memories are the kinds of memory that kernels are tested in. At most one slice
// of each guarded one is in use at a time.
func memories(t *testing.T) map[string]memory {
	return map[string]memory{"heap": heap, "end": guarded(t, true), "start": guarded(t, false)}
}
