package vp8

import (
	"fmt"
	"image"
	"os"
	"os/exec"
	"testing"
)

func TestZZ2(t *testing.T) {
	size := image.Pt(800, 480)
	r := image.Rect(80, 60, 720, 420)
	m := newPicture(size.X, size.Y)
	page(m, m.Rect, 1)
	film := newFilm(5)
	e, _ := New(size.X, size.Y, Config{Workers: 1})
	rec := record(e)
	for i := range 17 {
		film.draw(m, r, i)
		debugHook = func(e *Encoder) {
			if i == 16 {
				for y := 3; y <= 5; y++ {
					for x := 18; x <= 21; x++ {
						mb := e.info[e.index(x, y)]
						fmt.Printf("MB %d,%d %+v\n", x, y, mb)
					}
				}
			}
		}
		before := append([]byte{}, e.ref.Y...)
		fr, _, _ := e.Encode(nil, m, Change{Damage: []image.Rectangle{r}}, Options{})
		rec.add(e, fr)
		if i == 16 {
			fmt.Println("filter", e.frame.filter, e.frame.q)
			_ = before
		}
	}
	debugHook = nil
	os.WriteFile("/tmp/vp8work/a.ivf", rec.ivf, 0o644)
	out, _ := exec.Command("ffmpeg", "-v", "error", "-i", "/tmp/vp8work/a.ivf", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-").Output()
	n := len(rec.shown[0])
	got := out[16*n : 17*n]
	for i := range got {
		if got[i] != rec.shown[16][i] {
			fmt.Println("at", i%800, i/800, got[i], rec.shown[16][i])
		}
	}
	for y := 58; y < 72; y++ {
		fmt.Println(y, got[y*800+312:y*800+328])
	}
}
