package fbdir

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// file makes a small file as Xvfb does: 6x4 pixels of 32 bits, two colours.
func file() []byte {
	const name = 60
	b := make([]byte, xwdHeaderSize+name+2*xwdColourSize+4*24)
	for i, v := range []uint32{
		xwdHeaderSize + name, xwdVersion, xwdZPixmap, 24, 6, 4, 0, 0, 32, 0, 32, 32, 24, 4,
		0xff0000, 0xff00, 0xff, 8, 256, 2, 6, 4, 0, 0, 0,
	} {
		binary.BigEndian.PutUint32(b[i*4:], v)
	}
	copy(b[xwdHeaderSize+name+xwdColourSize:], []byte{0, 0, 0, 7, 0x12, 0x12, 0x34, 0x34, 0x56, 0x56, 7, 0})
	return b
}

func TestParseXWD(t *testing.T) {
	b := file()
	x, err := parseXWD(b)
	require.NoError(t, err)
	assert.Equal(t, 6, x.size.X)
	assert.Equal(t, 4, x.size.Y)
	assert.Equal(t, 24, x.stride)
	assert.Equal(t, 184, x.pixels)
	pixel, rgb := x.colour(b, 1)
	assert.EqualValues(t, 7, pixel)
	assert.EqualValues(t, 0x123456, rgb)

	for n := range b {
		_, err := parseXWD(b[:n])
		require.Error(t, err, "the first %d bytes", n)
	}
	for _, c := range []struct {
		field int
		value uint32
	}{
		{0, 99}, {0, 1 << 31}, {1, 6}, {2, 1}, {3, 0}, {3, 33}, {4, 0}, {4, 7}, {4, 1 << 31}, {5, 0}, {5, 5}, {5, 1 << 30},
		{7, 2}, {10, 1}, {11, 64}, {11, 16}, {12, 20}, {12, 1 << 31}, {13, 6}, {18, 1 << 20}, {19, 3}, {19, 1 << 31},
	} {
		b := file()
		binary.BigEndian.PutUint32(b[c.field*4:], c.value)
		_, err := parseXWD(b)
		assert.Error(t, err, "field %d = %d", c.field, c.value)
	}
}

func FuzzParseXWD(f *testing.F) {
	f.Add(file())
	f.Add(file()[:xwdHeaderSize])
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := parseXWD(b)
		if err != nil {
			return
		}
		// What was accepted can be read from end to end.
		for i := range x.ncolour {
			x.colour(b, i)
		}
		last := x.pixels + (x.size.Y-1)*x.stride + x.format.Stride(x.size.X)
		if last > len(b) {
			t.Fatalf("%+v ends at %d of %d bytes", x, last, len(b))
		}
	})
}
