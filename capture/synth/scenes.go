package synth

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"

	"framebridge/internal/pix"
)

// Scene is a kind of screen contents.
type Scene string

// The scenes. All but Noise lie on a desktop of a gradient with a window of
// text.
const (
	Still  Scene = "still"  // nothing changes
	Typing Scene = "typing" // a character of 8x16 per step in a terminal, which scrolls at its end
	Scroll Scene = "scroll" // a window of text moves up by three lines per step
	Drag   Scene = "drag"   // a window is dragged around by the pointer
	Video  Scene = "video"  // smooth moving colours with grain in half of the screen's width and height
	Noise  Scene = "noise"  // every pixel random in every step: the worst case
)

// Scenes lists all scenes.
var Scenes = []Scene{Still, Typing, Scroll, Drag, Video, Noise}

// scene draws. All its choices come from its random numbers and its count of
// steps.
type scene interface {
	start(m *pix.Image)
	step(m *pix.Image) (drawn []image.Rectangle)
	// pointer returns where the scene moves the pointer to.
	pointer(screen image.Rectangle) (p image.Point, ok bool)
}

func (sc Scene) new(seed uint64) (scene, error) {
	rng := rand.New(rand.NewPCG(seed, 0x66726272)) // any other number would do
	d := desktop{rng: rng}
	switch sc {
	case Still, "":
		return &d, nil
	case Typing:
		return &typing{desktop: d}, nil
	case Scroll:
		return &scroll{desktop: d}, nil
	case Drag:
		return &drag{desktop: d}, nil
	case Video:
		return &video{desktop: d}, nil
	case Noise:
		return &noise{rng: rng}, nil
	}
	return nil, fmt.Errorf("synth: Scene %q, want one of %v", string(sc), Scenes)
}

// Size of a character.
const charW, charH = 8, 16

// glyph draws one of 96 characters, some strokes in two colours, at p.
func glyph(m *pix.Image, p image.Point, char int, ink, paper uint32) {
	bits := rand.NewPCG(uint64(char%96), 7)
	var rows [charH]byte
	for i := 3; i < charH-3; i++ {
		switch b := bits.Uint64(); {
		case b%4 == 0 && i > 3:
			rows[i] = rows[i-1] // upright strokes
		case b%4 == 1:
			rows[i] = 0x7e
		default:
			rows[i] = byte(b>>8) & byte(b>>16) & 0x7e
		}
	}
	for y := range charH {
		for x := range charW {
			if at := p.Add(image.Pt(x, y)); at.In(m.Rect) {
				c := paper
				if rows[y]>>(7-x)&1 != 0 {
					c = ink
				}
				m.Set(at.X, at.Y, c)
			}
		}
	}
}

// desktop is the background and the still scene.
type desktop struct {
	rng    *rand.Rand
	window image.Rectangle // the one with the text, without its title
}

func (d *desktop) start(m *pix.Image) {
	size := m.Rect.Size()
	for y := range size.Y {
		for x := range size.X {
			m.Set(x, y, background(x, y, size))
		}
	}
	// Whole characters, centred, and at least one of them.
	cols, rows := max(1, size.X*6/10/charW), max(1, size.Y*7/10/charH)
	d.window = image.Rect(0, 0, cols*charW, rows*charH).Add(image.Pt((size.X-cols*charW)/2, (size.Y-rows*charH)/2))
	title := image.Rect(d.window.Min.X, d.window.Min.Y-20, d.window.Max.X, d.window.Min.Y)
	m.Fill(d.window.Union(title).Inset(-1), 0x202020)
	m.Fill(title, 0x3060a0)
	m.Fill(d.window, 0xfafafa)
	for y := d.window.Min.Y; y < d.window.Max.Y; y += charH {
		d.line(m, y)
	}
}

// line draws a line of text of random length.
func (d *desktop) line(m *pix.Image, y int) {
	m.Fill(image.Rect(d.window.Min.X, y, d.window.Max.X, y+charH), 0xfafafa)
	ink := []uint32{0x101010, 0x101010, 0x101010, 0xa02020, 0x2020a0}[d.rng.IntN(5)]
	cols := d.window.Dx() / charW
	for i := range d.rng.IntN(cols + 1) {
		if c := d.rng.IntN(110); c < 96 {
			glyph(m, image.Pt(d.window.Min.X+i*charW, y), c, ink, 0xfafafa)
		}
	}
}

func (d *desktop) step(*pix.Image) []image.Rectangle { return nil }

func (d *desktop) pointer(image.Rectangle) (image.Point, bool) { return image.Point{}, false }

func background(x, y int, size image.Point) uint32 {
	r, g, b := 40+80*x/size.X, 60+60*y/size.Y, 110+60*(x+y)/(size.X+size.Y)
	return uint32(r)<<16 | uint32(g)<<8 | uint32(b)
}

// typing fills a terminal character by character.
type typing struct {
	desktop
	col, row int
}

func (t *typing) start(m *pix.Image) {
	t.desktop.start(m)
	m.Fill(t.window, 0x101010)
	t.col, t.row = 0, 0
}

func (t *typing) step(m *pix.Image) []image.Rectangle {
	var drawn []image.Rectangle
	if t.col == t.window.Dx()/charW {
		t.col = 0
		t.row++
	}
	if t.row == t.window.Dy()/charH {
		t.row--
		drawn = append(drawn, t.up(m, charH))
		m.Fill(image.Rect(t.window.Min.X, t.window.Max.Y-charH, t.window.Max.X, t.window.Max.Y), 0x101010)
	}
	p := t.window.Min.Add(image.Pt(t.col*charW, t.row*charH))
	glyph(m, p, t.rng.IntN(96), 0xd0d0d0, 0x101010)
	t.col++
	return append(drawn, image.Rect(p.X, p.Y, p.X+charW, p.Y+charH))
}

// up moves the window's contents up by n pixels and returns what changed.
func (d *desktop) up(m *pix.Image, n int) image.Rectangle {
	w := d.window.Intersect(m.Rect)
	if n < w.Dy() {
		m.Move(w.Min, image.Rect(w.Min.X, w.Min.Y+n, w.Max.X, w.Max.Y))
	}
	return w
}

// scroll moves the text up and writes new lines below.
type scroll struct{ desktop }

func (s *scroll) step(m *pix.Image) []image.Rectangle {
	const lines = 3
	drawn := s.up(m, lines*charH)
	for y := max(s.window.Min.Y, s.window.Max.Y-lines*charH); y < s.window.Max.Y; y += charH {
		s.line(m, y)
	}
	return []image.Rectangle{drawn}
}

// drag moves a small window around.
type drag struct {
	desktop
	under *pix.Image // the desktop without the window
	box   *pix.Image
	at    image.Rectangle
	n     int
}

func (d *drag) start(m *pix.Image) {
	d.desktop.start(m)
	d.under = pix.New(m.Rect)
	pix.Copy(d.under, m, m.Rect)
	size := image.Pt(max(1, m.Rect.Dx()/4), max(1, m.Rect.Dy()/4))
	d.box = pix.New(image.Rectangle{Max: size})
	d.box.Fill(d.box.Rect, 0x303030)
	d.box.Fill(d.box.Rect.Inset(1), 0xe8e8e8)
	d.box.Fill(image.Rect(1, 1, size.X-1, min(20, size.Y)), 0x306030)
	for y := 24; y+charH < size.Y; y += charH {
		for x := 8; x+charW < size.X-8; x += charW {
			if c := d.rng.IntN(120); c < 96 {
				glyph(d.box, image.Pt(x, y), c, 0x101010, 0xe8e8e8)
			}
		}
	}
	d.n = 0
	d.put(m)
}

// put draws the window at its place for step n: a figure that comes back.
func (d *drag) put(m *pix.Image) {
	free := m.Rect.Size().Sub(d.box.Rect.Size())
	a := float64(d.n) * 0.05
	p := image.Pt(int(float64(free.X)*(1+math.Sin(a))/2), int(float64(free.Y)*(1+math.Sin(a*1.3))/2))
	d.at = d.box.Rect.Add(p)
	for y := range d.box.Rect.Dy() {
		copy(m.Row(d.at.Min.Y+y, d.at.Min.X, d.at.Max.X), d.box.Row(y, 0, d.box.Rect.Dx()))
	}
}

func (d *drag) step(m *pix.Image) []image.Rectangle {
	old := d.at
	pix.Copy(m, d.under, old)
	d.n++
	d.put(m)
	return []image.Rectangle{old, d.at}
}

func (d *drag) pointer(image.Rectangle) (image.Point, bool) {
	return d.at.Min.Add(image.Pt(d.box.Rect.Dx()/2, min(10, d.box.Rect.Dy()-1))), true
}

// video plays in the middle of the screen.
type video struct {
	desktop
	n int
}

func (v *video) step(m *pix.Image) []image.Rectangle {
	v.n++
	size := m.Rect.Size()
	r := image.Rect(size.X/4, size.Y/4, size.X/4+max(1, size.X/2), size.Y/4+max(1, size.Y/2)).Intersect(m.Rect)
	grain := v.rng.Uint64()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			// Waves that drift, as a cheap picture of a film.
			grain = grain*6364136223846793005 + 1442695040888963407
			g := uint32(grain >> 61)
			a, b := wave(x*2+v.n*5), wave(y*3-v.n*4)
			m.Set(x, y, (a+g)<<16|((a+b)/2+g)<<8|(b+g))
		}
	}
	return []image.Rectangle{r}
}

var sines = func() (t [1024]uint32) {
	for i := range t {
		t[i] = uint32(120 + 110*math.Sin(float64(i)*2*math.Pi/1024))
	}
	return t
}()

func wave(i int) uint32 { return sines[i&1023] }

// noise is random all over.
type noise struct{ rng *rand.Rand }

func (n *noise) start(m *pix.Image) { n.step(m) }

func (n *noise) step(m *pix.Image) []image.Rectangle {
	for i := 0; i+8 <= len(m.Pix); i += 8 {
		v := n.rng.Uint64() & 0x00ffffff_00ffffff
		for k := range 8 {
			m.Pix[i+k] = byte(v >> (8 * k))
		}
	}
	if i := len(m.Pix) &^ 7; i < len(m.Pix) {
		m.Pix[i] = byte(n.rng.Uint32())
	}
	return []image.Rectangle{m.Rect}
}

func (n *noise) pointer(image.Rectangle) (image.Point, bool) { return image.Point{}, false }
