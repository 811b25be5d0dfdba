package vp8

import (
	"fmt"
	"image"
	"testing"
)

func TestZZ(t *testing.T) {
	size := image.Pt(800, 480)
	r := image.Rect(80, 60, 720, 420)
	m := newPicture(size.X, size.Y)
	page(m, m.Rect, 1)
	film := newFilm(5)
	e, _ := New(size.X, size.Y, Config{Workers: 1})
	for i := range 20 {
		film.draw(m, r, i)
		debugHook = func(e *Encoder) {
			var cn, cr, cw, intra, coded, zero, n, sub int
			for _, it := range e.list {
				mb := e.info[e.index(int(it.x), int(it.y))]
				n++
				if mb.ref == 0 {
					intra++
				} else {
					if mb.mv == (mv{}) {
						zero++
					} else if (mb.mv.row|mb.mv.col)&3 != 0 {
						sub++
					}
				}
				if mb.coded {
					coded++
				}

				if mb.ref != 0 && mb.mv != (mv{}) {
					nn := e.nearMVs(e.info, int(it.x), int(it.y))
					if mb.mv == nn.nearest {
						cn++
					} else if mb.mv == nn.near {
						cr++
					} else {
						cw++
						fmt.Print(int(mb.mv.row)-int(nn.best.row), ",", int(mb.mv.col)-int(nn.best.col), " ")
					}
				}
			}
			var y2, y, uv, only2, lv1 int
			for _, it := range e.list {
				mb := e.info[e.index(int(it.x), int(it.y))]
				if !mb.coded {
					continue
				}
				r := &e.residuals[mb.slot]
				if mb.has&hasBlocks == 0 {
					only2++
				}
				for k := range 400 {
					v := r.levels[k]
					if v == 0 {
						continue
					}
					if v == 1 || v == -1 {
						lv1++
					}
					switch {
					case k >= 384:
						y2++
					case k >= 256:
						uv++
					default:
						y++
					}
				}
			}
			fmt.Println("  y2", y2, "y", y, "uv", uv, "only y2", only2, "ones", lv1)
			fmt.Println(i, "n", n, "intra", intra, "zero", zero, "sub", sub, "coded", coded, "first", len(e.first.buf), "tok", len(e.parts[0].bool.buf), "near", cn, cr, cw, "kinds", e.frame.kinds, e.frame.q)
		}
		e.Encode(nil, m, Change{Damage: []image.Rectangle{r}}, Options{})
	}
	debugHook = nil
}
