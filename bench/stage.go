package bench

import (
	"context"
	"fmt"
	"image"

	"github.com/BurntSushi/xgb/xproto"

	"framebridge/internal/pix"
	"framebridge/internal/x11"
)

// stage is an X client with one window over the whole screen. What it shows is
// kept in truth, so that a viewer's picture can be compared without asking the
// X server. Everything is drawn from pixmaps that were uploaded before: the time
// from a draw to the viewer has no upload in it.
type stage struct {
	conn  *x11.Conn
	win   xproto.Window
	gc    xproto.Gcontext
	depth byte
	truth *pix.Image
}

// picture is a pixmap and its contents.
type picture struct {
	id  xproto.Pixmap
	img *pix.Image
}

// openStage connects to the display and covers it.
func openStage(ctx context.Context, display, auth string) (*stage, error) {
	conn, err := x11.Dial(ctx, x11.Options{Display: display, AuthFile: auth})
	if err != nil {
		return nil, err
	}
	s := &stage{conn: conn}
	if err := s.open(); err != nil {
		conn.Close()
		return nil, err
	}
	return s, nil
}

func (s *stage) open() error {
	x := s.conn.X()
	screen := s.conn.Screen()
	if screen.RootDepth != 24 {
		return fmt.Errorf("the display has depth %d: the works draw in depth 24", screen.RootDepth)
	}
	s.depth = screen.RootDepth
	w, h := screen.WidthInPixels, screen.HeightInPixels
	s.truth = pix.New(image.Rect(0, 0, int(w), int(h)))
	s.truth.Fill(s.truth.Rect, background)
	id, err := s.conn.NewID()
	if err != nil {
		return err
	}
	s.win = xproto.Window(id)
	err = xproto.CreateWindowChecked(x, s.depth, s.win, s.conn.Root(), 0, 0, w, h, 0,
		xproto.WindowClassInputOutput, screen.RootVisual, xproto.CwBackPixel|xproto.CwOverrideRedirect,
		[]uint32{background, 1}).Check()
	if err != nil {
		return err
	}
	if id, err = s.conn.NewID(); err != nil {
		return err
	}
	s.gc = xproto.Gcontext(id)
	// Graphics exposures would be an event per copy.
	if err := xproto.CreateGCChecked(x, s.gc, xproto.Drawable(s.win), xproto.GcGraphicsExposures, []uint32{0}).Check(); err != nil {
		return err
	}
	return xproto.MapWindowChecked(x, s.win).Check()
}

// background is the colour of the empty stage.
const background = 0x30506a

func (s *stage) close() { s.conn.Close() }

// putLimit bounds the pixels of one PutImage request: requests without
// BIG-REQUESTS end at 256 KB.
const putLimit = 60000

// upload makes a picture of img.
func (s *stage) upload(img *pix.Image) (*picture, error) {
	id, err := s.conn.NewID()
	if err != nil {
		return nil, err
	}
	p := &picture{id: xproto.Pixmap(id), img: img}
	x := s.conn.X()
	w, h := img.Rect.Dx(), img.Rect.Dy()
	if err := xproto.CreatePixmapChecked(x, s.depth, p.id, xproto.Drawable(s.win), uint16(w), uint16(h)).Check(); err != nil {
		return nil, err
	}
	for y, rows := 0, max(1, putLimit/w); y < h; y += rows {
		n := min(rows, h-y)
		data := img.Pix[y*img.Stride : (y+n)*img.Stride]
		err := xproto.PutImageChecked(x, xproto.ImageFormatZPixmap, xproto.Drawable(p.id), s.gc,
			uint16(w), uint16(n), 0, int16(y), 0, s.depth, data).Check()
		if err != nil {
			return nil, err
		}
	}
	return p, nil
}

// free gives a picture's memory back.
func (s *stage) free(p *picture) { xproto.FreePixmap(s.conn.X(), p.id) }

// show draws p with its top left pixel at at.
func (s *stage) show(p *picture, at image.Point) image.Rectangle {
	r := image.Rectangle{Max: p.img.Rect.Size()}.Add(at).Intersect(s.truth.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		copy(s.truth.Row(y, r.Min.X, r.Max.X), p.img.Row(y-at.Y+p.img.Rect.Min.Y, r.Min.X-at.X+p.img.Rect.Min.X, r.Max.X-at.X+p.img.Rect.Min.X))
	}
	s.blit(p, at)
	return r
}

// blit is show without the bookkeeping: for drawing at a high rate.
func (s *stage) blit(p *picture, at image.Point) {
	xproto.CopyArea(s.conn.X(), xproto.Drawable(p.id), xproto.Drawable(s.win), s.gc, 0, 0,
		int16(at.X), int16(at.Y), uint16(p.img.Rect.Dx()), uint16(p.img.Rect.Dy()))
}

// scroll moves area up by dy and draws line, as wide as area and dy high, at its
// bottom.
func (s *stage) scroll(area image.Rectangle, dy int, line *picture) {
	src := image.Rect(area.Min.X, area.Min.Y+dy, area.Max.X, area.Max.Y)
	s.truth.Move(area.Min, src)
	xproto.CopyArea(s.conn.X(), xproto.Drawable(s.win), xproto.Drawable(s.win), s.gc,
		int16(src.Min.X), int16(src.Min.Y), int16(area.Min.X), int16(area.Min.Y), uint16(src.Dx()), uint16(src.Dy()))
	s.show(line, image.Pt(area.Min.X, area.Max.Y-dy))
}

// clear empties the stage.
func (s *stage) clear(ctx context.Context) error {
	s.truth.Fill(s.truth.Rect, background)
	xproto.ClearArea(s.conn.X(), false, s.win, 0, 0, 0, 0)
	return s.conn.Sync(ctx)
}
