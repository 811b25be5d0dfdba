package encodetest

import (
	"image"
	"testing"

	"framebridge/encode"
	"framebridge/internal/pix"
)

// Bench measures e on whole screens of text, of a desktop and of a photograph,
// sent in rectangles of up to 64 Ki pixels. MB/s count four bytes per pixel; the
// metric out-B is the size of the payloads of a screen.
func Bench(b *testing.B, e encode.Encoder) {
	screen := image.Rect(0, 0, 1920, 1080)
	for _, name := range []string{"text", "ui", "photo"} {
		m := Find(name).New(screen, 1)
		var parts []*pix.Image
		for _, r := range encode.AppendSplit(nil, screen, encode.MaxSplitWidth, encode.MaxSplitArea) {
			part := pix.New(r)
			pix.Copy(part, m, r)
			parts = append(parts, part)
		}
		b.Run(name, func(b *testing.B) {
			var buf []byte
			size := 0
			b.SetBytes(int64(len(m.Pix)))
			b.ReportAllocs()
			for b.Loop() {
				size = 0
				for _, part := range parts {
					var err error
					if buf, err = e.AppendRect(buf[:0], part, part.Rect); err != nil || len(buf) == 0 {
						b.Fatal(len(buf), err)
					}
					size += len(buf)
				}
			}
			b.ReportMetric(float64(size), "out-B")
		})
	}
}

// NoAllocs requires that e allocates nothing once it has seen the contents; under the race
// detector, where pools forget, it only encodes them.
func NoAllocs(t *testing.T, e encode.Encoder, r image.Rectangle) {
	t.Helper()
	for _, name := range []string{"solid", "2 colours", "ui", "photo"} {
		m := Find(name).New(r, 1)
		var buf []byte
		run := func() {
			var err error
			if buf, err = e.AppendRect(buf[:0], m, m.Rect); err != nil || len(buf) == 0 {
				t.Fatal(len(buf), err)
			}
		}
		for range 3 { // until the scratch memory has its size
			run()
		}
		if n := testing.AllocsPerRun(20, run); n != 0 && !underRace {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
