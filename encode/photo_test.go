package encode_test

import (
	"image"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/encode"
	"framebridge/encode/encodetest"
)

func TestPhotoLike(t *testing.T) {
	for name, want := range map[string]bool{
		"photo": true, "noise": true, "text": false, "ui": false, "solid": false, "sparse": false, "2 colours": false,
	} {
		for _, size := range []image.Point{{32, 32}, {64, 64}, {300, 50}, {333, 77}, {1024, 64}, {2048, 32}} {
			for seed := range uint64(2) {
				r := image.Rectangle{Max: size}.Add(image.Pt(9, 4))
				m := encodetest.Find(name).New(r, seed)
				require.Equal(t, want, encode.PhotoLike(m, r), "%s %v", name, size)
			}
		}
	}
	m := encodetest.Find("noise").New(image.Rect(0, 0, 1, 1), 1)
	require.False(t, encode.PhotoLike(m, m.Rect))
}

// BenchmarkPhotoLike bounds what the guess adds to a rectangle's cost.
func BenchmarkPhotoLike(b *testing.B) {
	m := encodetest.Find("photo").New(image.Rect(0, 0, 1920, 34), 1)
	b.SetBytes(int64(len(m.Pix)))
	b.ReportAllocs()
	for b.Loop() {
		if !encode.PhotoLike(m, m.Rect) {
			b.Fatal("not a photograph")
		}
	}
}
