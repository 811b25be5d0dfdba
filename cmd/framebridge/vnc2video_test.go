package main

import (
	"context"
	endian "encoding/binary"
	"image"
	"net"
	"testing"
	"time"

	vnc "github.com/amitbet/vnc2video"
	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
)

// vnc2video is the Go client of that name. Its own message loop announces the
// encodings in the order of a map and draws while others read: this one does
// the same steps in order, without goroutines.
type vnc2video struct {
	t testing.TB
	c *vnc.ClientConn
}

// newVnc2video connects with one encoding. The pointer's shape is asked for, so
// that the server does not paint it, but not shown.
func newVnc2video(t testing.TB, s *server, e vnc.Encoding) *vnc2video {
	t.Helper()
	nc, err := net.Dial("tcp", s.addr)
	require.NoError(t, err)
	require.NoError(t, nc.SetDeadline(time.Now().Add(2*timeout)))
	list := []vnc.Encoding{e, &vnc.CursorPseudoEncoding{}}
	if e.Type() != vnc.EncRaw {
		list = append(list, &vnc.RawEncoding{}) // always allowed, and what Hextile's raw tiles are read with
	}
	cfg := &vnc.ClientConfig{
		SecurityHandlers: []vnc.SecurityHandler{&vnc.ClientAuthNone{}},
		PixelFormat:      vnc.PixelFormat32bit,
		Encodings:        list,
		ErrorCh:          make(chan error, 1),
		Handlers: []vnc.Handler{
			&vnc.DefaultClientVersionHandler{}, &vnc.DefaultClientSecurityHandler{},
			&vnc.DefaultClientClientInitHandler{}, &vnc.DefaultClientServerInitHandler{},
		},
	}
	c, err := vnc.Connect(context.Background(), nc, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	for _, r := range list {
		r.(vnc.Renderer).SetTargetImage(c.Canvas)
	}
	require.NoError(t, c.SetEncodings([]vnc.EncodingType{e.Type(), vnc.EncCursorPseudo}))
	return &vnc2video{t: t, c: c}
}

// update asks for an update and takes it.
func (v *vnc2video) update(incremental uint8) {
	v.t.Helper()
	request := vnc.FramebufferUpdateRequest{Inc: incremental, Width: v.c.Width(), Height: v.c.Height()}
	require.NoError(v.t, request.Write(v.c))
	var kind vnc.ServerMessageType
	require.NoError(v.t, endian.Read(v.c, endian.BigEndian, &kind))
	update := &vnc.FramebufferUpdate{}
	require.Equal(v.t, update.Type(), kind)
	_, err := update.Read(v.c)
	require.NoError(v.t, err)
}

func (v *vnc2video) image() *pix.Image {
	m := pix.New(image.Rect(0, 0, int(v.c.Width()), int(v.c.Height())))
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			r, g, b, _ := v.c.Canvas.Image.At(x, y).RGBA()
			m.Set(x, y, r>>8<<16|g>>8<<8|b>>8)
		}
	}
	return m
}

// follow takes updates until the picture is that of the display.
func (v *vnc2video) follow(d *desktop) {
	v.t.Helper()
	for deadline := time.Now().Add(timeout); ; {
		got, want := v.image(), d.grab()
		if equal(got, want) {
			return
		}
		require.True(v.t, time.Now().Before(deadline), differences(got, want))
		v.update(1)
	}
}

// TestVnc2video: another Go client, pixel for pixel.
func TestVnc2video(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, 320, 240)
	d.programs()
	s := serve(t, d.x)
	tested := 0
	for _, c := range []struct {
		name     string
		encoding vnc.Encoding
	}{
		{"Raw", &vnc.RawEncoding{}},
		{"Hextile", &vnc.HextileEncoding{}},
		{"ZRLE", &vnc.ZRLEEncoding{}},
		{"Tight", &vnc.TightEncoding{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d.t = t
			v := newVnc2video(t, s, c.encoding)
			v.update(0)
			v.follow(d)
			for _, change := range changes {
				change.do(d)
				v.follow(d)
				tested++
			}
			d.pattern(1)
			d.move(d.size.X-90, d.size.Y-70)
		})
	}
	require.Equal(t, 4*len(changes), tested)
}
