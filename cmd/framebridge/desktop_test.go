package main

import (
	"bytes"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/BurntSushi/xgb/xfixes"
	"github.com/BurntSushi/xgb/xproto"
	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
	"framebridge/internal/x11"
	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
)

// desktop is the display that is served, with a client of our own on it that
// draws and looks.
type desktop struct {
	*xvfbtest.Painter
	t    testing.TB
	x    *xvfb.Server
	size image.Point
	gc   xproto.Gcontext
	win  xproto.Window // a window of ours with the pattern
	over xproto.Window // a small one that moves about
}

// newDesktop starts a display with a picture on it that is hard on encoders:
// flat areas, text, a gradient, noise, windows over each other.
func newDesktop(t testing.TB, w, h int) *desktop {
	t.Helper()
	return furnish(t, xvfbtest.Start(t, xvfb.Options{Width: w, Height: h}), w, h)
}

func furnish(t testing.TB, x *xvfb.Server, w, h int) *desktop {
	t.Helper()
	d := watch(t, x)
	d.size = image.Pt(w, h)
	d.Fill(image.Rect(0, 0, w, h), 0x2e5b7a)
	d.over = d.window(image.Rect(w-90, h-70, w-10, h-10), 0xc04010)
	d.win = d.window(image.Rect(10, 10, w*3/5, h*3/5), 0xffffff)
	d.pattern(1)
	return d
}

// watch is a desktop that is only looked at.
func watch(t testing.TB, x *xvfb.Server) *desktop {
	t.Helper()
	p := xvfbtest.NewPainter(t, x)
	s := p.Conn.Screen()
	d := &desktop{Painter: p, t: t, x: x, size: image.Pt(int(s.WidthInPixels), int(s.HeightInPixels))}
	var err error
	d.gc, err = xproto.NewGcontextId(p.Conn.X())
	require.NoError(t, err)
	require.NoError(t, xproto.CreateGCChecked(p.Conn.X(), d.gc, xproto.Drawable(p.Conn.Root()), 0, nil).Check())
	// A key that is down for 660 ms, which happens on a busy machine, would come again
	// and again; what the tests are told is what was pressed.
	require.NoError(t, xproto.ChangeKeyboardControlChecked(p.Conn.X(), xproto.KbAutoRepeatMode, []uint32{xproto.AutoRepeatModeOff}).Check())
	return d
}

// window makes a window without a frame.
func (d *desktop) window(r image.Rectangle, colour uint32) xproto.Window {
	d.t.Helper()
	x := d.Conn.X()
	id, err := xproto.NewWindowId(x)
	require.NoError(d.t, err)
	require.NoError(d.t, xproto.CreateWindowChecked(x, d.Conn.Screen().RootDepth, id, d.Conn.Root(),
		int16(r.Min.X), int16(r.Min.Y), uint16(r.Dx()), uint16(r.Dy()), 0,
		xproto.WindowClassInputOutput, 0, xproto.CwBackPixel|xproto.CwOverrideRedirect, []uint32{colour, 1}).Check())
	require.NoError(d.t, xproto.MapWindowChecked(x, id).Check())
	return id
}

// pattern draws everything that encoders treat in ways of their own. Another
// seed draws another picture.
func (d *desktop) pattern(seed uint64) {
	d.t.Helper()
	w, h := d.size.X*3/5-10, d.size.Y*3/5-10
	m := pix.New(image.Rect(0, 0, w, h))
	rnd := rand.New(rand.NewPCG(seed, 0))
	m.Fill(m.Rect, 0xf0f0f0-uint32(seed%7)*0x101)
	// Text-like dots: two colours, no runs.
	for y := 4; y < h/3; y++ {
		for x := 4; x < w-4; x++ {
			if y%12 < 9 && x%7 < 5 && rnd.IntN(3) == 0 {
				m.Set(x, y, 0x101010)
			}
		}
	}
	// Flat areas of many sizes and few colours.
	for range 40 {
		r := at(rnd.IntN(w), h/3+rnd.IntN(h/3), 1+rnd.IntN(60), 1+rnd.IntN(30)).Intersect(image.Rect(0, h/3, w, h*2/3))
		m.Fill(r, []uint32{0xcc0000, 0x00cc00, 0x0000cc, 0xffff00, 0x808080}[rnd.IntN(5)])
	}
	// A photograph, a gradient and noise beside each other.
	for y := h * 2 / 3; y < h; y++ {
		for x := range w {
			switch {
			case x < w/2:
				m.Set(x, y, photograph(x, y, float64(seed), rnd))
			case x < w*3/4:
				m.Set(x, y, uint32(x*255/w)<<16|uint32(y*255/h)<<8|uint32(seed*40)&0xff)
			default:
				m.Set(x, y, rnd.Uint32()&pix.RGBMask)
			}
		}
	}
	d.put(d.win, m)
}

// photo draws what looks like a photograph.
func (d *desktop) photo(seed uint64) {
	d.t.Helper()
	m := pix.New(image.Rect(0, 0, d.size.X*3/5-10, d.size.Y*3/5-10))
	rnd := rand.New(rand.NewPCG(seed, 0))
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			m.Set(x, y, photograph(x, y, float64(seed), rnd))
		}
	}
	d.put(d.win, m)
}

// photograph is a pixel of a smooth picture with some noise on it.
func photograph(x, y int, phase float64, rnd *rand.Rand) uint32 {
	v := func(phase float64) uint32 {
		return uint32(128 + 60*math.Sin(float64(x)/23+phase) + 50*math.Cos(float64(y)/17-phase) + 8*rnd.Float64())
	}
	return v(0)<<16 | v(phase)<<8 | v(2)
}

// put draws an image in a window. Requests end at 256 KB.
func (d *desktop) put(win xproto.Window, m *pix.Image) {
	d.t.Helper()
	rows := max(1, 200<<10/m.Stride)
	for y := 0; y < m.Rect.Dy(); y += rows {
		n := min(rows, m.Rect.Dy()-y)
		require.NoError(d.t, xproto.PutImageChecked(d.Conn.X(), xproto.ImageFormatZPixmap, xproto.Drawable(win), d.gc,
			uint16(m.Rect.Dx()), uint16(n), 0, int16(y), 0, d.Conn.Screen().RootDepth, m.Pix[y*m.Stride:(y+n)*m.Stride]).Check())
	}
}

// scroll moves the window's contents up by n pixels.
func (d *desktop) scroll(n int) {
	d.t.Helper()
	w, h := d.size.X*3/5-10, d.size.Y*3/5-10
	require.NoError(d.t, xproto.CopyAreaChecked(d.Conn.X(), xproto.Drawable(d.win), xproto.Drawable(d.win), d.gc,
		0, int16(n), 0, 0, uint16(w), uint16(h-n)).Check())
}

// move moves the small window, above all others.
func (d *desktop) move(x, y int) {
	d.t.Helper()
	require.NoError(d.t, xproto.ConfigureWindowChecked(d.Conn.X(), d.over,
		xproto.ConfigWindowX|xproto.ConfigWindowY|xproto.ConfigWindowStackMode,
		[]uint32{uint32(x), uint32(y), xproto.StackModeAbove}).Check())
}

// changes are what happens on a desktop while somebody looks.
var changes = []struct {
	name string
	do   func(d *desktop)
}{
	{"drawing", func(d *desktop) { d.pattern(2) }},
	{"scrolling", func(d *desktop) { d.scroll(13) }},
	{"moving a window", func(d *desktop) { d.move(d.size.X/4, d.size.Y/4) }},
	{"a character", func(d *desktop) { d.Fill(at(33, 44, 7, 13), 0xff00ff) }},
}

// pointer puts the pointer somewhere.
func (d *desktop) pointer(x, y int) {
	d.t.Helper()
	require.NoError(d.t, xproto.WarpPointerChecked(d.Conn.X(), 0, d.Conn.Root(), 0, 0, 0, 0, int16(x), int16(y)).Check())
}

// grab returns the display's picture, as a plain GetImage gives it.
func (d *desktop) grab() *pix.Image {
	d.t.Helper()
	x := d.Conn.X()
	g, err := xproto.GetGeometry(x, xproto.Drawable(d.Conn.Root())).Reply()
	require.NoError(d.t, err)
	r, err := xproto.GetImage(x, xproto.ImageFormatZPixmap, xproto.Drawable(d.Conn.Root()), 0, 0, g.Width, g.Height, 0xffffffff).Reply()
	require.NoError(d.t, err)
	require.EqualValues(d.t, 24, r.Depth, "grab is for depth 24")
	return &pix.Image{Pix: r.Data, Stride: int(g.Width) * pix.BytesPerPixel, Rect: image.Rect(0, 0, int(g.Width), int(g.Height))}
}

// withPointer returns the display's picture with the pointer in it, and where
// that is.
func (d *desktop) withPointer() (m *pix.Image, at image.Rectangle) {
	d.t.Helper()
	_, err := d.Conn.Extension(d.t.Context(), x11.XFixes)
	require.NoError(d.t, err)
	c, err := xfixes.GetCursorImage(d.Conn.X()).Reply()
	require.NoError(d.t, err)
	m = d.grab()
	at = image.Rect(0, 0, int(c.Width), int(c.Height)).Add(image.Pt(int(c.X)-int(c.Xhot), int(c.Y)-int(c.Yhot)))
	for i, argb := range c.CursorImage {
		p := at.Min.Add(image.Pt(i%int(c.Width), i/int(c.Width)))
		if !p.In(m.Rect) {
			continue
		}
		var rgb uint32
		for shift := 0; shift < 24; shift += 8 {
			v := argb>>shift&0xff + (m.At(p.X, p.Y)>>shift&0xff*(255-argb>>24)+127)/255
			rgb |= min(v, 255) << shift
		}
		m.Set(p.X, p.Y, rgb)
	}
	return m, at.Intersect(m.Rect)
}

// xterm runs a real terminal with a fixed text on the desktop, and a second
// program, and waits until both have drawn.
func (d *desktop) programs() {
	d.t.Helper()
	term, eyes := peer(d.t, "xterm"), peer(d.t, "xeyes")
	drawn := filepath.Join(d.t.TempDir(), "drawn")
	start(d.t, command(d.t, d.x.Env(), term, "-geometry", fmt.Sprintf("30x6+%d+%d", d.size.X/2, d.size.Y/2), "-e", "sh", "-c",
		"printf 'The quick brown fox\\njumps over the lazy dog.\\n\\033[31mred \\033[1mbold\\033[0m '; : > "+drawn+"; exec sleep 1000"))
	start(d.t, command(d.t, d.x.Env(), eyes, "-geometry", fmt.Sprintf("100x60+%d+%d", d.size.X*2/3, 5)))
	d.t.Helper()
	poll(d.t, "programs on the display", func() (bool, string) {
		m, _ := filepath.Glob(drawn)
		return len(m) == 1 && d.topWindows() >= 4, "no windows"
	})
}

// topWindows returns how many windows are to be seen.
func (d *desktop) topWindows() (n int) {
	d.t.Helper()
	tree, err := xproto.QueryTree(d.Conn.X(), d.Conn.Root()).Reply()
	require.NoError(d.t, err)
	for _, w := range tree.Children {
		// The window may have gone since.
		if a, err := xproto.GetWindowAttributes(d.Conn.X(), w).Reply(); err == nil && a.MapState == xproto.MapStateViewable && a.Class == xproto.WindowClassInputOutput {
			n++
		}
	}
	return n
}

// equal reports whether two pictures have the same size and colours.
func equal(a, b *pix.Image) bool {
	return a.Rect.Size() == b.Rect.Size() && a.Rect.Min == b.Rect.Min && pix.Equal(a, b, a.Rect)
}

// differences says where two pictures differ.
func differences(got, want *pix.Image) string {
	if got.Rect != want.Rect {
		return fmt.Sprintf("%v is not %v", got.Rect, want.Rect)
	}
	r := pix.Diff(got, want, want.Rect)
	if r.Empty() {
		return "none"
	}
	n := 0
	var first string
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if g, w := got.At(x, y), want.At(x, y); g != w {
				if n++; n == 1 {
					first = fmt.Sprintf("first (%d,%d) %06x, want %06x", x, y, g, w)
				}
			}
		}
	}
	return fmt.Sprintf("%d pixels in %v differ; %s", n, r, first)
}

// psnr returns the peak signal-to-noise ratio of two pictures of one size, in
// dB.
func psnr(got, want *pix.Image) float64 {
	if got.Rect != want.Rect {
		return 0
	}
	sum, n := 0.0, 0
	for y := range want.Rect.Dy() {
		a, b := got.Row(y, 0, want.Rect.Dx()), want.Row(y, 0, want.Rect.Dx())
		for i := range b {
			if i&3 == 3 {
				continue
			}
			e := float64(a[i]) - float64(b[i])
			sum += e * e
			n++
		}
	}
	if sum == 0 {
		return math.Inf(1)
	}
	return 10 * math.Log10(255*255*float64(n)/sum)
}

// crop returns a copy of r, moved to (0, 0).
func crop(m *pix.Image, r image.Rectangle) *pix.Image {
	out := pix.New(image.Rectangle{Max: r.Size()})
	if !r.In(m.Rect) {
		return out
	}
	for y := range r.Dy() {
		copy(out.Row(y, 0, r.Dx()), m.Row(r.Min.Y+y, r.Min.X, r.Max.X))
	}
	return out
}

// without returns a copy of m that is black in r.
func without(m *pix.Image, r image.Rectangle) *pix.Image {
	c := &pix.Image{Pix: bytes.Clone(m.Pix), Stride: m.Stride, Rect: m.Rect}
	c.Fill(r, 0)
	return c
}

// colours returns how many colours a picture has, up to a limit: a picture that
// is all one colour tests nothing.
func colours(m *pix.Image, limit int) int {
	seen := map[uint32]bool{}
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y && len(seen) < limit; y++ {
		for x := m.Rect.Min.X; x < m.Rect.Max.X; x++ {
			seen[m.At(x, y)] = true
		}
	}
	return len(seen)
}

// TestDesktop checks what the other tests compare with.
func TestDesktop(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, 320, 240)
	d.pointer(100, 100)
	first := d.grab()
	require.GreaterOrEqual(t, colours(first, 1000), 1000)
	require.Equal(t, differences(first, d.Truth()), "none")
	for _, c := range changes {
		before := d.grab()
		c.do(d)
		require.False(t, equal(before, d.grab()), c.name)
	}
	m, at := d.withPointer()
	require.False(t, at.Empty())
	require.True(t, pix.Diff(m, d.grab(), m.Rect).In(at))
	require.False(t, equal(m, d.grab()), "the pointer is invisible")
}
