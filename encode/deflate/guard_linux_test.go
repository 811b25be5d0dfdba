package deflate

import (
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestBounds compresses data that begins where a page begins that must not be read
// before, or ends where one ends: reading one byte beside would end the test.
func TestBounds(t *testing.T) {
	page := os.Getpagesize()
	const pages = 32
	mem, err := unix.Mmap(-1, 0, (pages+2)*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	require.NoError(t, err)
	defer func() { require.NoError(t, unix.Munmap(mem)) }()
	require.NoError(t, unix.Mprotect(mem[:page], unix.PROT_NONE))
	require.NoError(t, unix.Mprotect(mem[(pages+1)*page:], unix.PROT_NONE))
	inside := mem[page : (pages+1)*page]
	r := rand.New(rand.NewPCG(1, 1))
	var c Compressor
	for i := range 3000 {
		p := Part{Size: r.IntN(1 << r.IntN(17)), Unit: 1 + r.IntN(maxUnit), Stride: r.IntN(1 << r.IntN(12))}
		src := randomPicture(r, p.Size, p)
		at := 0
		if i%3 > 0 {
			at = len(inside) - len(src)
		}
		data := inside[at : at+len(src) : at+len(src)]
		copy(data, src)
		set := kernelSets()[i%len(kernelSets())]
		undo := set.use()
		roundTrip(t, &c, data, p, Part{Size: 50})
		undo()
	}
}
