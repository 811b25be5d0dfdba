package zlib

import (
	"bytes"
	stdzlib "compress/zlib"
	"encoding/binary"
	"image"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/encode"
	"framebridge/encode/encodetest"
	"framebridge/internal/pix"
)

// viewer decodes a length and Raw's pixels from one zlib stream.
type viewer struct {
	in  bytes.Buffer
	out io.Reader
}

func (v *viewer) decode(t *testing.T, f pix.Format, w, h int, b []byte) []uint32 {
	require.Equal(t, len(b)-4, int(binary.BigEndian.Uint32(b)))
	v.in.Write(b[4:])
	if v.out == nil {
		z, err := stdzlib.NewReader(&v.in)
		require.NoError(t, err)
		v.out = z
	}
	data := make([]byte, w*h*f.Bytes())
	_, err := io.ReadFull(v.out, data)
	require.NoError(t, err)
	require.LessOrEqual(t, v.in.Len(), 5, "only an empty block may remain")
	out := make([]uint32, w*h)
	for i := range out {
		out[i], data = encodetest.Pixel(f, data)
	}
	return out
}

func TestZlib(t *testing.T) {
	var v viewer
	e := New(encode.Params{Format: pix.BGRX})
	encodetest.Lossless(t, e, v.decode, nil)
	e.Release()
	encodetest.Lossless(t, e, v.decode, func(p image.Point) bool { return p.X < 20 })
	e.SetParams(encode.Params{Format: pix.BGRX, Compress: 10})
	_, err := e.AppendRect(nil, pix.New(image.Rect(0, 0, 1, 1)), image.Rect(0, 0, 1, 1))
	require.ErrorContains(t, err, "level 10")
}

func TestAllocs(t *testing.T) {
	encodetest.NoAllocs(t, New(encode.Params{Format: pix.BGRX, Compress: -1}), image.Rect(0, 0, 256, 256))
}

func BenchmarkZlib(b *testing.B) {
	encodetest.Bench(b, New(encode.Params{Format: pix.BGRX, Compress: -1}))
}

// TestWords bounds what words cost that programs write here and there, with a tenth to
// spare.
func TestWords(t *testing.T) {
	encodetest.BoundWords(t, func(p encode.Params) encode.Encoder { return New(p) }, map[[2]int]float64{
		{-1, 30}: 146, {1, 30}: 160, {9, 30}: 136,
		{-1, 0}: 147, {1, 0}: 160, {9, 0}: 138,
	})
}
