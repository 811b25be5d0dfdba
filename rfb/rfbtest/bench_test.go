package rfbtest

import (
	"bytes"
	"compress/zlib"
	"io"
	"testing"

	"framebridge/internal/pix"
	"framebridge/rfb"
)

// again gives the same bytes for ever.
type again struct {
	b   []byte
	pos int
}

func (r *again) Read(p []byte) (int, error) {
	if r.pos == len(r.b) {
		r.pos = 0
	}
	n := copy(p, r.b[r.pos:])
	r.pos += n
	return n, nil
}

// BenchmarkDecode decodes 1920x1080 pixels of one colour, or of runs.
func BenchmarkDecode(b *testing.B) {
	const w, h = 1920, 1080
	deflate := func(data []byte) []byte {
		var z bytes.Buffer
		zw := zlib.NewWriter(&z)
		_, _ = zw.Write(data)
		_ = zw.Flush()
		return z.Bytes()
	}
	compact := func(n int) []byte {
		if n < 1<<14 {
			return []byte{byte(n) | 0x80, byte(n >> 7)}
		}
		return []byte{byte(n) | 0x80, byte(n>>7) | 0x80, byte(n >> 14)}
	}
	text := make([]byte, w*h) // indices that look like text: short runs
	for i := range text {
		text[i] = byte(i * i >> 7 & 3)
	}
	var zrle []byte
	for range (w + 63) / 64 * ((h + 63) / 64) {
		zrle = append(zrle, 1, 1, 2, 3)
	}
	zz := deflate(zrle)
	tp := deflate(text)
	tc := deflate(bytes.Repeat([]byte{1, 2, 3}, w*h))
	for _, v := range []struct {
		name string
		enc  rfb.Encoding
		data []byte
	}{
		{"raw", rfb.EncodingRaw, make([]byte, 4*w*h)},
		{"tight fill", rfb.EncodingTight, []byte{0x80, 1, 2, 3}},
		{"tight copy", rfb.EncodingTight, append(append([]byte{0x01}, compact(len(tc))...), tc...)},
		{"tight palette", rfb.EncodingTight, append(append(append([]byte{0x41, 1, 3}, make([]byte, 12)...), compact(len(tp))...), tp...)},
		{"zrle solid", rfb.EncodingZRLE, append([]byte{0, 0, byte(len(zz) >> 8), byte(len(zz))}, zz...)},
	} {
		b.Run(v.name, func(b *testing.B) {
			msg := append([]byte{0, 0, 0, 1}, header(v.enc, 0, 0, w, h)...)
			c := reading(pix.BGRX, w, h, nil)
			c.in = newStream(io.Reader(&again{b: append(msg, v.data...)}))
			c.continuous = true
			b.SetBytes(w * h) // so MB/s is Mpixel/s
			b.ReportAllocs()
			for b.Loop() {
				c.zrle.reset()
				if _, err := c.ReadUpdate(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
