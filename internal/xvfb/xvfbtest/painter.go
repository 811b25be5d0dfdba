package xvfbtest

import (
	"bytes"
	"fmt"
	"image"
	"io"
	"log/slog"
	"math/rand/v2"
	"testing"

	"github.com/BurntSushi/xgb/randr"
	"github.com/BurntSushi/xgb/xproto"
	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
	"framebridge/internal/x11"
	"framebridge/internal/xvfb"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// Painter draws on the root window, as a client of its own.
type Painter struct {
	tb   testing.TB
	Conn *x11.Conn
	gc   xproto.Gcontext
	root xproto.Drawable
}

// NewPainter connects to a server to draw on its screen.
func NewPainter(tb testing.TB, s *xvfb.Server) *Painter {
	tb.Helper()
	c, err := x11.Dial(tb.Context(), x11.Options{Display: s.Display(), AuthFile: s.AuthFile(), Logger: quiet})
	require.NoError(tb, err)
	tb.Cleanup(func() { c.Close() })
	p := &Painter{tb: tb, Conn: c, root: xproto.Drawable(c.Root())}
	p.gc, err = xproto.NewGcontextId(c.X())
	require.NoError(tb, err)
	require.NoError(tb, xproto.CreateGCChecked(c.X(), p.gc, p.root, xproto.GcSubwindowMode,
		[]uint32{xproto.SubwindowModeIncludeInferiors}).Check())
	return p
}

// Fill paints r with a pixel value and waits until it is done.
func (p *Painter) Fill(r image.Rectangle, pixel uint32) {
	p.tb.Helper()
	p.Send(r, pixel)
	require.NoError(p.tb, p.Conn.Sync(p.tb.Context()))
}

// Send has r painted with a pixel value, and does not wait.
func (p *Painter) Send(r image.Rectangle, pixel uint32) {
	x := p.Conn.X()
	xproto.ChangeGC(x, p.gc, xproto.GcForeground, []uint32{pixel})
	xproto.PolyFillRectangle(x, p.root, p.gc, []xproto.Rectangle{{
		X: int16(r.Min.X), Y: int16(r.Min.Y), Width: uint16(r.Dx()), Height: uint16(r.Dy()),
	}})
}

// Noise paints r with random pixels of the root's depth.
func (p *Painter) Noise(r image.Rectangle) {
	p.tb.Helper()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		b := make([]byte, r.Dx()*4)
		for i := range b {
			b[i] = byte(rand.Uint32())
		}
		_, bits, pad := p.format()
		b = b[:(r.Dx()*bits+pad-1)/pad*pad/8]
		require.NoError(p.tb, xproto.PutImageChecked(p.Conn.X(), xproto.ImageFormatZPixmap, p.root, p.gc,
			uint16(r.Dx()), 1, int16(r.Min.X), int16(y), 0, p.Conn.Screen().RootDepth, b).Check())
	}
}

func (p *Painter) format() (depth byte, bits, pad int) {
	depth = p.Conn.Screen().RootDepth
	for _, f := range p.Conn.Setup().PixmapFormats {
		if f.Depth == depth {
			return depth, int(f.BitsPerPixel), int(f.ScanlinePad)
		}
	}
	p.tb.Fatal("no format")
	return
}

// Truth returns the screen as a plain GetImage and the protocol's rules give
// it, slowly.
func (p *Painter) Truth() *pix.Image {
	p.tb.Helper()
	x := p.Conn.X()
	g, err := xproto.GetGeometry(x, p.root).Reply()
	require.NoError(p.tb, err)
	r, err := xproto.GetImage(x, xproto.ImageFormatZPixmap, p.root, 0, 0, g.Width, g.Height, 0xffffffff).Reply()
	require.NoError(p.tb, err)
	screen := p.Conn.Screen()
	var visual xproto.VisualInfo
	for _, d := range screen.AllowedDepths {
		for _, v := range d.Visuals {
			if v.VisualId == screen.RootVisual {
				visual = v
			}
		}
	}
	_, bits, pad := p.format()
	stride := (int(g.Width)*bits + pad - 1) / pad * pad / 8
	img := pix.New(image.Rect(0, 0, int(g.Width), int(g.Height)))
	colours := map[uint32]uint32{}
	for y := range int(g.Height) {
		for i := range int(g.Width) {
			var pixel uint32
			for b := range bits / 8 {
				pixel |= uint32(r.Data[y*stride+i*bits/8+b]) << (8 * b)
			}
			rgb, ok := colours[pixel]
			if !ok {
				rgb = p.colour(visual, pixel)
				colours[pixel] = rgb
			}
			img.Set(i, y, rgb)
		}
	}
	return img
}

func (p *Painter) colour(v xproto.VisualInfo, pixel uint32) uint32 {
	if v.Class != xproto.VisualClassTrueColor && v.Class != xproto.VisualClassDirectColor {
		r, err := xproto.QueryColors(p.Conn.X(), p.Conn.Screen().DefaultColormap, []uint32{pixel}).Reply()
		require.NoError(p.tb, err)
		c := r.Colors[0]
		return uint32(c.Red>>8)<<16 | uint32(c.Green>>8)<<8 | uint32(c.Blue>>8)
	}
	scale := func(mask uint32) uint32 {
		v := pixel & mask
		for mask&1 == 0 {
			v, mask = v>>1, mask>>1
		}
		return uint32(float64(v)*255/float64(mask) + 0.5)
	}
	return scale(v.RedMask)<<16 | scale(v.GreenMask)<<8 | scale(v.BlueMask)
}

// Bitmap makes a pixmap of depth 1 with every byte b.
func (p *Painter) Bitmap(w, h uint16, b byte) xproto.Pixmap {
	x := p.Conn.X()
	id, err := xproto.NewPixmapId(x)
	require.NoError(p.tb, err)
	require.NoError(p.tb, xproto.CreatePixmapChecked(x, 1, id, p.root, w, h).Check())
	gc, err := xproto.NewGcontextId(x)
	require.NoError(p.tb, err)
	require.NoError(p.tb, xproto.CreateGCChecked(x, gc, xproto.Drawable(id), 0, nil).Check())
	require.NoError(p.tb, xproto.PutImageChecked(x, xproto.ImageFormatZPixmap, xproto.Drawable(id), gc, w, h, 0, 0, 0, 1,
		bytes.Repeat([]byte{b}, int(w+31)/32*4*int(h))).Check())
	return id
}

// Resizer sets the screen's size as xrandr does.
type Resizer struct {
	*Painter
	crtc   randr.Crtc
	output randr.Output
	modes  map[image.Point]randr.Mode
}

// NewResizer returns a Resizer that uses p's connection.
func NewResizer(p *Painter) *Resizer {
	p.tb.Helper()
	_, err := p.Conn.Extension(p.tb.Context(), x11.RandR)
	require.NoError(p.tb, err)
	res, err := randr.GetScreenResourcesCurrent(p.Conn.X(), p.Conn.Root()).Reply()
	require.NoError(p.tb, err)
	r := &Resizer{Painter: p, crtc: res.Crtcs[0], output: res.Outputs[0], modes: map[image.Point]randr.Mode{}}
	for _, m := range res.Modes {
		r.modes[image.Pt(int(m.Width), int(m.Height))] = randr.Mode(m.Id)
	}
	return r
}

func (r *Resizer) Resize(size image.Point) error {
	x, root := r.Conn.X(), r.Conn.Root()
	mode, ok := r.modes[size]
	if !ok {
		name := fmt.Sprintf("test-%d-%d", size.X, size.Y)
		m, err := randr.CreateMode(x, root, randr.ModeInfo{
			Width: uint16(size.X), Height: uint16(size.Y), NameLen: uint16(len(name)),
			DotClock: 60e6, Htotal: uint16(size.X), Vtotal: uint16(size.Y),
		}, name).Reply()
		if err != nil {
			return fmt.Errorf("CreateMode: %w", err)
		}
		mode = m.Mode
		r.modes[size] = mode
		if err := randr.AddOutputModeChecked(x, r.output, mode).Check(); err != nil {
			return fmt.Errorf("AddOutputMode: %w", err)
		}
	}
	if _, err := randr.SetCrtcConfig(x, r.crtc, 0, 0, 0, 0, 0, randr.RotationRotate0, nil).Reply(); err != nil {
		return fmt.Errorf("SetCrtcConfig: %w", err)
	}
	if err := randr.SetScreenSizeChecked(x, root, uint16(size.X), uint16(size.Y), 100, 100).Check(); err != nil {
		return fmt.Errorf("SetScreenSize: %w", err)
	}
	_, err := randr.SetCrtcConfig(x, r.crtc, 0, 0, 0, 0, mode, randr.RotationRotate0, []randr.Output{r.output}).Reply()
	return err
}
