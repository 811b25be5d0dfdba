package jpeg

import (
	"image"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"framebridge/internal/pix"
)

// TestBounds encodes images that begin where a page begins that must not be read,
// or end where one ends: reading one byte beside them would be the end of the test.
func TestBounds(t *testing.T) {
	page := os.Getpagesize()
	const pages = 32
	mem, err := unix.Mmap(-1, 0, (pages+2)*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	require.NoError(t, err)
	defer func() { require.NoError(t, unix.Munmap(mem)) }()
	require.NoError(t, unix.Mprotect(mem[:page], unix.PROT_NONE))
	require.NoError(t, unix.Mprotect(mem[(pages+1)*page:], unix.PROT_NONE))
	inside := mem[page : (pages+1)*page]
	rnd := rand.New(rand.NewPCG(1, 1))
	for i := range inside {
		inside[i] = byte(rnd.Uint32())
	}
	var e Encoder
	var dst []byte
	sizes := []int{1, 2, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 127, 128, 129, 145, 257}
	for _, w := range sizes {
		for _, h := range sizes[:12] {
			for _, gap := range []int{0, 4, 13} {
				stride := 4*w + gap
				n := stride*(h-1) + 4*w
				for _, p := range [][]byte{inside[:n:n], inside[len(inside)-n:]} {
					m := pix.Image{Pix: p, Stride: stride, Rect: image.Rect(0, 0, w, h)}
					for s := S444; s <= S420; s++ {
						dst = e.AppendEncode(dst[:0], &m, m.Rect, 80, s)
					}
				}
			}
		}
	}
}
