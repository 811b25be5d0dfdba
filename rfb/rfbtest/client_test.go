package rfbtest

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
	"framebridge/rfb"
)

// TestMessages reads one of everything that is not pixels.
func TestMessages(t *testing.T) {
	t.Parallel()
	stream := unhex(`
		01 00 00fe 0002 ffff 0000 0101 8000 ffff 0000
		02
		03 000000 00000002 e961
		03 000000 fffffffb 01000001 aa
		f8 000000 80000001 02 0102
		96
		00 00 ffff
			0001 0000 0002 0002 ffffff11 fe ff fe ff 80 c0
			0002 0001 0000 0000 ffffff18
			0000 0000 0000 0000 fffffecd 00000003 c3a96e
			0000 0000 0000 0000 fffffefb 04
			0000 0000 0000 0000 fffffefe
			0000 0000 0000 0000 fffffec4
			0000 0000 0000 0000 ffffff20
		00 00 0001
			0000 0000 0003 0005 fffffecc 01 000000 00000007 0000 0001 0002 0003 80000000`)
	c := reading(mapped, 4, 4, stream)
	next := func() Message {
		m, err := c.ReadMessage()
		require.NoError(t, err)
		return m
	}
	require.Equal(t, &ColourMap{254, 2}, next())
	require.Equal(t, Bell{}, next())
	require.Equal(t, CutText{Data: []byte{0xe9, 'a'}}, next())
	require.Equal(t, CutText{true, []byte{1, 0, 0, 1, 0xaa}}, next())
	require.Equal(t, Fence{rfb.FenceRequest | rfb.FenceBlockBefore, []byte{1, 2}}, next())
	require.Equal(t, EndOfContinuousUpdates{}, next())
	u := next().(*Update)
	require.Len(t, u.Rects, 7)
	require.Zero(t, u.Pixels())
	require.Equal(t, &Cursor{rfb.PseudoCursor, image.Pt(1, 0), image.Pt(2, 2), []uint32{0xffff0001, 0, 0xffff0001, 0xff80ff00}}, c.Cursor())
	require.Equal(t, image.Pt(2, 1), c.PointerPos())
	require.Equal(t, "én", c.Name())
	require.Equal(t, rfb.LEDCapsLock, c.LEDs())
	require.True(t, c.QEMUKeys())
	require.True(t, c.ExtendedButtons())
	require.Equal(t, image.Rect(0, 0, 4, 4), c.Bounds())
	next()
	require.Equal(t, image.Rect(0, 0, 3, 5), c.Bounds())
	require.Equal(t, []rfb.Screen{{ID: 7, Y: 1, Width: 2, Height: 3, Flags: 1 << 31}}, c.Screens())
	require.Equal(t, Stats{Bytes: int64(len(stream)), Messages: 8, Updates: 2, Rects: map[rfb.Encoding]int{
		rfb.PseudoCursor: 1, rfb.PseudoPointerPos: 1, rfb.PseudoDesktopName: 1, rfb.PseudoLEDState: 1, rfb.PseudoQEMUExtendedKey: 1,
		rfb.PseudoExtendedMouseButtons: 1, rfb.PseudoLastRect: 1, rfb.PseudoExtendedDesktopSize: 1,
	}}, c.Stats())
	_, err := c.ReadMessage()
	require.Equal(t, io.EOF, err)
}

func TestCursors(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]*Cursor{
		"0000 0001 0002 0002 ffffff10 010203 0a0b0c 80 c0 c0 40": {rfb.PseudoXCursor, image.Pt(0, 1), image.Pt(2, 2),
			[]uint32{0xff010203, 0xff0a0b0c, 0, 0xff010203}},
		"0000 0000 0000 0000 ffffff10":                            {rfb.PseudoXCursor, image.Point{}, image.Point{}, nil},
		"0000 0000 0000 0000 ffffff11":                            {rfb.PseudoCursor, image.Point{}, image.Point{}, nil},
		"0001 0000 0002 0001 fffffec6 00000000 10203040 00000000": {rfb.PseudoCursorWithAlpha, image.Pt(1, 0), image.Pt(2, 1), []uint32{0x40102030, 0}},
		"0000 0000 0001 0001 574d5664 01 00 ff203040":             {rfb.PseudoVMwareCursor, image.Point{}, image.Pt(1, 1), []uint32{0x40ff2030}},
		"0000 0000 0002 0001 ffffff11 ff07 c738 80":               {rfb.PseudoCursor, image.Point{}, image.Pt(2, 1), nil},
	} {
		f := bgr233
		if want.Pixels == nil && want.Size.X > 0 { // the one of 16 bits
			f, want.Pixels = rgb565, []uint32{0xff00ffff, 0}
		}
		c := reading(f, 4, 4, unhex("00 00 0001"+s))
		_, err := c.ReadUpdate()
		require.NoError(t, err, s)
		require.Equal(t, want, c.Cursor(), s)
	}
}

// TestCopyRect moves in all directions, against a copy made apart.
func TestCopyRect(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		dst image.Rectangle
		src image.Point
	}{
		{image.Rect(1, 1, 5, 5), image.Pt(2, 2)}, {image.Rect(2, 2, 6, 6), image.Pt(1, 1)}, {image.Rect(2, 1, 6, 5), image.Pt(1, 2)},
		{image.Rect(1, 2, 5, 6), image.Pt(2, 1)}, {image.Rect(1, 1, 4, 6), image.Pt(2, 1)}, {image.Rect(2, 1, 5, 6), image.Pt(1, 1)},
		{image.Rect(0, 0, 6, 6), image.Pt(0, 0)}, {image.Rect(0, 0, 2, 2), image.Pt(4, 4)},
	} {
		b := append([]byte{0, 0, 0, 1}, header(rfb.EncodingCopyRect, v.dst.Min.X, v.dst.Min.Y, v.dst.Dx(), v.dst.Dy())...)
		c := reading(rgb565, 6, 6, append(b, 0, byte(v.src.X), 0, byte(v.src.Y)))
		for i := range c.fb.values {
			c.fb.values[i] = uint32(i)
		}
		_, err := c.ReadUpdate()
		require.NoError(t, err)
		for y := range 6 {
			for x := range 6 {
				p := image.Pt(x, y)
				if p.In(v.dst) {
					p = p.Sub(v.dst.Min).Add(v.src)
				}
				require.Equal(t, uint32(p.Y*6+p.X), c.Value(x, y), "%v", v)
			}
		}
	}
}

// TestZlibStream reads rectangles of one stream that the standard library
// wrote, of sizes around its window, and flushed after each.
func TestZlibStream(t *testing.T) {
	t.Parallel()
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	rnd := rand.New(rand.NewPCG(1, 2))
	var in inflater
	past := make([]byte, 0, 1<<20)
	for i, n := range []int{1, 12, 100, 32767, 32768, 32769, 65536, 5, 100000, 1, 300} {
		b := make([]byte, n)
		for j := range b {
			switch i % 3 {
			case 0:
				b[j] = byte(rnd.Uint32())
			case 1:
				b[j] = byte(rnd.Uint32()) & 3
			}
		}
		if len(past) > 40000 && i%2 == 0 { // something to refer to, at the window's end
			copy(b, past[len(past)-32768:])
		}
		past = append(past, b...)
		_, err := w.Write(b)
		require.NoError(t, err)
		require.NoError(t, w.Flush())
		got, err := in.inflate(z.Bytes(), n, n)
		require.NoError(t, err, "block %d", i)
		require.True(t, bytes.Equal(b, got), "block %d", i)
		z.Reset()
	}
	require.NoError(t, w.Close())
	_, err := in.inflate(z.Bytes(), 0, 10)
	require.ErrorContains(t, err, "stream ends")
}

// TestTightReset resets a stream with each method, and then begins it anew.
func TestTightReset(t *testing.T) {
	t.Parallel()
	const compressed = "7801 00 0c00 f3ff 010203 040506 070809 0a0b0c"
	const again = "00 0c00 f3ff 010203 040506 070809 0a0b0c"
	rects := "00 13" + compressed + "|00 11" + again + "|01 13" + compressed + "|81 010203" + "|00 13" + compressed +
		"|30 13" + compressed + "|3b 13" + compressed + "|00 11" + again
	b := []byte{0, 0, 0, 0}
	for _, r := range bytes.Split([]byte(rects), []byte("|")) {
		b[3]++
		b = append(append(b, header(rfb.EncodingTight, 0, 0, 2, 2)...), unhex(string(r))...)
	}
	// The last but one reset stream 0 too.
	c := reading(pix.BGRX, 2, 2, b)
	_, err := c.ReadUpdate()
	require.ErrorContains(t, err, "rectangle 7 of 8: Tight: protocol error: zlib header")
}

func TestJPEG(t *testing.T) {
	t.Parallel()
	m := image.NewRGBA(image.Rect(0, 0, 33, 17))
	for y := range 17 {
		for x := range 33 {
			m.Set(x, y, color.RGBA{uint8(x * 7), uint8(y * 15), 128, 255})
		}
	}
	var j bytes.Buffer
	require.NoError(t, jpeg.Encode(&j, m, &jpeg.Options{Quality: 100}))
	check := func(c *Client) {
		_, err := c.ReadUpdate()
		require.NoError(t, err)
		got := c.Image()
		for y := range 17 {
			for x := range 33 {
				for i, want := range []int{x * 7, y * 15, 128} {
					require.InDelta(t, want, int(got.At(x, y)>>(16-8*i)&0xff), 12, "(%d, %d)", x, y)
				}
			}
		}
	}
	n := j.Len()
	require.Less(t, n, 16384)
	tight := append([]byte{0, 0, 0, 1}, header(rfb.EncodingTight, 0, 0, 33, 17)...)
	tight = append(tight, 0x90, byte(n)|0x80, byte(n>>7))
	tight = append(tight, j.Bytes()...)
	for _, f := range []pix.Format{pix.BGRX, rgb565, bgrxBE, rgb30} {
		check(reading(f, 33, 17, tight))
	}
	tight[11]++ // the rectangle is larger than the picture
	_, err := reading(pix.BGRX, 33, 18, tight).ReadUpdate()
	require.ErrorContains(t, err, "JPEG of 33x17 pixels for a rectangle of 33x18")

	plain := append([]byte{0, 0, 0, 1}, header(rfb.EncodingJPEG, 0, 0, 33, 17)...)
	first := append(plain[:len(plain):len(plain)], j.Bytes()...)
	second := append(plain[:len(plain):len(plain)], withoutTables(t, j.Bytes())...)
	c := reading(pix.BGRX, 33, 17, append(first, second...))
	c.requests = 2
	check(c)
	c.fb.fill(c.fb.bounds(), 0)
	check(c)
}

// withoutTables leaves the DQT and DHT segments of a picture out.
func withoutTables(t *testing.T, b []byte) (out []byte) {
	dropped := 0
	out = append(out, b[:2]...)
	for b = b[2:]; b[1] != jpegSOS; {
		n := 2 + int(binary.BigEndian.Uint16(b[2:]))
		if b[1] == jpegDQT || b[1] == jpegDHT {
			dropped++
		} else {
			out = append(out, b[:n]...)
		}
		b = b[n:]
	}
	require.NotZero(t, dropped)
	return append(out, b...)
}

// TestExpand has the colours of each format's extremes.
func TestExpand(t *testing.T) {
	t.Parallel()
	for _, f := range allFormats {
		if !f.TrueColour {
			continue
		}
		x := newExpander(f, nil)
		conv := pix.NewConverter(f)
		for _, rgb := range []uint32{0, 0xffffff, 0xff0000, 0x00ff00, 0x0000ff} {
			require.Equal(t, rgb, x.rgb(conv.Value(rgb)), "%+v", f)
		}
	}
}

// TestSession talks to a server made of package rfb's own messages.
func TestSession(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	served := make(chan error, 1)
	go func() { served <- serveOnce(l) }()
	c, err := Dial(ctx, l.Addr().String(), Options{
		Password: "secret", Format: &rgb565, Encodings: []rfb.Encoding{rfb.PseudoFence, rfb.EncodingRRE},
	})
	require.NoError(t, err)
	defer c.Close()
	require.Equal(t, "test", c.Name())
	require.Equal(t, []rfb.SecurityType{rfb.SecurityVncAuth}, c.Welcome.Offered)
	require.NoError(t, c.RequestUpdate(false, c.Bounds()))
	u, err := c.ReadUpdate() // answers a fence before
	require.NoError(t, err)
	require.Equal(t, 20, u.Pixels())
	require.Equal(t, uint32(0x1234), c.Value(3, 3))
	require.NoError(t, c.SetDeadline(time.Now().Add(20*time.Millisecond)))
	_, err = c.ReadMessage()
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
	require.NoError(t, c.Key('a', true))
	_, err = c.ReadMessage()
	require.Equal(t, io.EOF, err)
	require.NoError(t, <-served)
}

func serveOnce(l net.Listener) error {
	nc, err := l.Accept()
	if err != nil {
		return err
	}
	conn := rfb.NewConn(nc)
	defer conn.Close()
	if _, err := rfb.Accept(conn, rfb.ServerConfig{Passwords: []rfb.Password{{Secret: []byte("secret")}}}); err != nil {
		return err
	}
	if _, err := conn.Write(rfb.ServerInit{Width: 4, Height: 5, Format: pix.BGRX, Name: "test"}.Append(nil)); err != nil {
		return err
	}
	for {
		m, err := conn.ReadMessage()
		if err != nil {
			return err
		}
		var b []byte
		switch m := m.(type) {
		case rfb.UpdateRequest:
			b = rfb.Fence{Flags: rfb.FenceRequest | rfb.FenceSyncNext, Payload: []byte("x")}.Append(nil)
		case rfb.Fence:
			if m.Flags != rfb.FenceSyncNext || string(m.Payload) != "x" {
				return io.ErrUnexpectedEOF
			}
			b = rfb.FramebufferUpdate{Rects: 1}.Append(nil)
			b = rfb.RectangleOf(image.Rect(0, 0, 4, 5), rfb.EncodingRRE).Append(b)
			b = append(b, 0, 0, 0, 0, 0x34, 0x12)
		case rfb.KeyEvent:
			return nil
		}
		if _, err := conn.Write(b); err != nil {
			return err
		}
	}
}

// TestOpenEnds has a server that says nothing.
func TestOpenEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	client, server := net.Pipe()
	defer server.Close()
	_, err := Open(ctx, client, Options{})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
