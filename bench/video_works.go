package bench

import (
	"image"
	"math/rand/v2"
	"time"

	"framebridge/encode/vp8"
	"framebridge/internal/pix"
)

// A videoWork is what happens on a screen whose video is coded. It can be replayed:
// all encoders get the same pictures.
type videoWork struct {
	name, what string
	target     string // of the table, for one worker and for two
	interval   time.Duration
	warm       int // changes before those that are measured
	// frames is how many frames are measured where n are wanted.
	frames func(n int) int
	// begin draws the first picture on m. The function it returns draws frame n,
	// counted from 1, and says what that changed.
	begin func(m *pix.Image) func(n int) vp8.Change
	// area is a part that is measured on its own; nil: none.
	area func(screen image.Rectangle) image.Rectangle
	// rest has only the last picture judged: nothing changes while it is measured.
	rest bool
}

// videoFPS is the rate of video, and what encoders that ask for one are told.
const videoFPS = 30

// videoWorks are those of VideoWorks.
func videoWorks() []videoWork {
	as := func(n int) int { return n }
	return []videoWork{
		{
			name: "idle", what: "nothing changed: a frame that keeps connections alive", target: "0.3 ms, 600 bytes",
			interval: time.Second / videoFPS, frames: as, begin: stillPage,
		},
		{
			name: "type", what: "one character", target: "0.5 ms, 1500 bytes",
			interval: 90 * time.Millisecond, frames: as, begin: typedPage,
		},
		{
			name: "scroll", what: "text area of 1000x785 up by 15 pixels with a new line", target: "4 ms, 10240 bytes",
			interval: time.Second / videoFPS, warm: 2, frames: as, begin: scrolledPage, area: scrollArea,
		},
		{
			name: "video", what: "640x360 at 30 frames a second in a still desktop", target: "6 ms, ratio 1",
			interval: time.Second / videoFPS, warm: 10, frames: as, begin: filmedPage(), area: filmArea,
		},
		{
			name: "page", what: "the whole page changes", target: "40 ms, 70 ms in plain Go; 2 workers 25 ms",
			interval: time.Second, warm: 1, frames: func(n int) int { return max(4, n/3) }, begin: otherPages,
		},
		{
			name: "rest", what: "the second after the whole page changed", target: "48 dB",
			interval: time.Second / videoFPS, warm: 1, frames: func(int) int { return videoFPS }, begin: onePage, rest: true,
		},
	}
}

// VideoWorks are the works of the video encoders by name.
func VideoWorks() (names []string) {
	for _, w := range videoWorks() {
		names = append(names, w.name)
	}
	return names
}

func stillPage(m *pix.Image) func(int) vp8.Change {
	pix.Copy(m, page(m.Rect.Dx(), m.Rect.Dy(), 1), m.Rect)
	return func(int) vp8.Change { return vp8.Change{} }
}

// glyphSize is that of a typed character with the space around it.
var glyphSize = image.Pt(9, 18)

// glyph is character i of those that are typed.
func glyph(i int) *pix.Image {
	m := pix.New(image.Rectangle{Max: glyphSize})
	m.Fill(m.Rect, 0xffffff)
	draw(m, image.Pt(1, 3), string(letters[i*3]), 0x101010)
	return m
}

// glyphs is how many characters are typed with.
const glyphs = 24

// glyphPlace is where character i of a text goes: lines of 60 characters.
func glyphPlace(i int) image.Point {
	return image.Pt(40+i%60*glyphSize.X, 60+i/60*glyphSize.Y)
}

func typedPage(m *pix.Image) func(int) vp8.Change {
	stillPage(m)
	rnd := rand.New(rand.NewPCG(1, 2))
	return func(n int) vp8.Change {
		return vp8.Change{Damage: []image.Rectangle{put(m, glyph(rnd.IntN(glyphs)), glyphPlace(n-1))}}
	}
}

// scrollStep is the height of a line of text in pixels.
const scrollStep = 15

func scrollArea(screen image.Rectangle) image.Rectangle {
	return image.Rectangle{Max: image.Pt(1000, 785)}.Add(image.Pt(60, 60)).Intersect(screen.Inset(20))
}

// scrollLine is a line of text as wide as the area.
func scrollLine(width int, rnd *rand.Rand) *pix.Image {
	m := pix.New(image.Rect(0, 0, width, scrollStep))
	m.Fill(m.Rect, 0xf8f8f4)
	text(m, image.Pt(8, 1), 20+rnd.IntN(width/7-30), 0x202020, rnd)
	return m
}

func scrolledPage(m *pix.Image) func(int) vp8.Change {
	stillPage(m)
	area := scrollArea(m.Rect)
	put(m, page(area.Dx(), area.Dy(), 77), area.Min)
	rnd := rand.New(rand.NewPCG(1, 3))
	return func(int) vp8.Change {
		src := image.Rect(area.Min.X, area.Min.Y+scrollStep, area.Max.X, area.Max.Y)
		m.Move(area.Min, src)
		line := put(m, scrollLine(area.Dx(), rnd), image.Pt(area.Min.X, area.Max.Y-scrollStep))
		return vp8.Change{Moves: []vp8.Move{{Src: src, Dst: area.Min}}, Damage: []image.Rectangle{line}}
	}
}

// put copies all of p to a place of m and returns where that is.
func put(m, p *pix.Image, at image.Point) image.Rectangle {
	placed := *p
	placed.Rect = p.Rect.Add(at.Sub(p.Rect.Min))
	r := placed.Rect.Intersect(m.Rect)
	pix.Copy(m, &placed, r)
	return r
}

func filmArea(screen image.Rectangle) image.Rectangle {
	at := screen.Max.Sub(image.Pt(640, 360)).Div(4)
	return image.Rectangle{Min: at, Max: at.Add(image.Pt(640, 360))}
}

// filmedPage keeps the film's pictures: they are drawn slowly, and replayed often.
func filmedPage() func(m *pix.Image) func(int) vp8.Change {
	var f *film
	var frames []*pix.Image
	return func(m *pix.Image) func(int) vp8.Change {
		if f == nil { // every start of the program lists the works
			f = newFilm(5)
		}
		stillPage(m)
		area := filmArea(m.Rect)
		return func(n int) vp8.Change {
			for len(frames) < n {
				frames = append(frames, f.frame(area.Size(), len(frames)))
			}
			put(m, frames[n-1], area.Min)
			return vp8.Change{Damage: []image.Rectangle{area}}
		}
	}
}

// fullPages are n of the pages that draw makes, over all of the screen, every second
// one with a photo.
func fullPages(size image.Point, n int, draw func(w, h int, seed uint64) *pix.Image) (pages []*pix.Image) {
	for i := range n {
		m := draw(size.X, size.Y, uint64(100+i))
		if i%2 == 0 {
			put(m, photo(size.X/2, size.Y/2, uint64(i)), size.Div(4))
		}
		pages = append(pages, m)
	}
	return pages
}

func otherPages(m *pix.Image) func(int) vp8.Change {
	stillPage(m)
	pages := fullPages(m.Rect.Size(), 4, page)
	return func(n int) vp8.Change {
		pix.Copy(m, pages[n%len(pages)], m.Rect)
		return vp8.Change{Damage: []image.Rectangle{m.Rect}}
	}
}

func onePage(m *pix.Image) func(int) vp8.Change {
	stillPage(m)
	return func(n int) vp8.Change {
		if n > 1 {
			return vp8.Change{}
		}
		pix.Copy(m, fullPages(m.Rect.Size(), 1, page)[0], m.Rect)
		return vp8.Change{Damage: []image.Rectangle{m.Rect}}
	}
}
