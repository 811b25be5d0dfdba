package main

import (
	endian "encoding/binary"
	"testing"

	"github.com/BurntSushi/xgb/xproto"
	"github.com/stretchr/testify/require"

	"framebridge/internal/x11"
)

// TestX11vncSolid: the background has its colour while viewers are there.
func TestX11vncSolid(t *testing.T) {
	t.Parallel()
	xs := xServer(t)
	s := startX11vnc(t, xs, "-nopw", "-forever", "-solid", "root:#102030", "-grabkbd", "-grabptr", "-nodpms")
	x, err := x11.Dial(t.Context(), x11.Options{Display: xs.Display(), AuthFile: xs.AuthFile()})
	require.NoError(t, err)
	defer x.Close()
	pixel := func() uint32 {
		m, err := xproto.GetImage(x.X(), xproto.ImageFormatZPixmap, xproto.Drawable(x.Root()), 5, 5, 1, 1, 0xffffffff).Reply()
		require.NoError(t, err)
		return endian.LittleEndian.Uint32(m.Data) & 0xffffff
	}
	before := pixel()
	c, how := s.come("")
	require.Equal(t, "in", how)
	poll(t, "the colour", func() (bool, string) { return pixel() == 0x102030, "still the old one" })
	// What viewers type still arrives though the keyboard is grabbed: XTEST's is another.
	require.NoError(t, c.Pointer(7, 9, 0))
	poll(t, "the pointer", func() (bool, string) {
		p, err := xproto.QueryPointer(x.X(), x.Root()).Reply()
		require.NoError(t, err)
		return p.RootX == 7 && p.RootY == 9, "elsewhere"
	})
	c.Close()
	poll(t, "the old background", func() (bool, string) { return pixel() == before, "still the colour" })
}
