package rfbtest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
	"framebridge/rfb"
)

// badVectors are rectangles at (1, 2) that break the protocol, and a piece of
// the error, so that each fails for its own reason.
var badVectors = []struct {
	vector
	reason string
}{
	{vector{"CopyRect from outside", rfb.EncodingCopyRect, bgr233, 2, 2, "0004 0000", ""}, "source"},
	{vector{"RRE outside", rfb.EncodingRRE, bgr233, 2, 2, "00000001 11 22 0001 0001 0002 0001", ""}, "subrectangle"},
	{vector{"RRE empty", rfb.EncodingRRE, bgr233, 2, 2, "00000001 11 22 0001 0001 0000 0001", ""}, "subrectangle"},
	{vector{"CoRRE too wide", rfb.EncodingCoRRE, bgr233, 256, 1, "00000000 11", ""}, "limit 255x255"},
	{vector{"Hextile no background", rfb.EncodingHextile, bgr233, 2, 2, "00", ""}, "no background"},
	{vector{"Hextile background after raw", rfb.EncodingHextile, bgr233, 1, 17, "01 11111111 11111111 11111111 11111111 00", ""}, "no background"},
	{vector{"Hextile no foreground", rfb.EncodingHextile, bgr233, 2, 2, "0a 11 01 0000", ""}, "no foreground"},
	{vector{"Hextile foreground after coloured", rfb.EncodingHextile, bgr233, 1, 33,
		"06 11 22 18 01 33 0000 08 01 0000", ""}, "no foreground"},
	{vector{"Hextile both", rfb.EncodingHextile, bgr233, 2, 2, "16 11 22", ""}, "foreground and coloured"},
	{vector{"Hextile type", rfb.EncodingHextile, bgr233, 2, 2, "22 11", ""}, "type 0x22"},
	{vector{"Hextile outside", rfb.EncodingHextile, bgr233, 2, 2, "0e 11 22 01 1010", ""}, "subrectangle"},
	{vector{"zlib header", rfb.EncodingZlib, bgr233, 2, 2, "0000000b 7800 00 0400 fbff 01020304", ""}, "zlib header"},
	{vector{"zlib dictionary", rfb.EncodingZlib, bgr233, 2, 2, "0000000b 7820 00 0400 fbff 01020304", ""}, "dictionary"},
	{vector{"zlib nothing", rfb.EncodingZlib, bgr233, 2, 2, "00000000", ""}, "begins with 0 bytes"},
	{vector{"zlib too little", rfb.EncodingZlib, bgr233, 2, 2, "0000000a 7801 00 0300 fcff 010203", ""}, "has 3 bytes, want 4"},
	{vector{"zlib too much", rfb.EncodingZlib, bgr233, 2, 2, "0000000c 7801 00 0500 faff 0102030405", ""}, "trailing data"},
	{vector{"zlib ends", rfb.EncodingZlib, bgr233, 2, 2, "0000000b 7801 01 0400 fbff 01020304", ""}, "stream ends"},
	{vector{"zlib bad block", rfb.EncodingZlib, bgr233, 2, 2, "0000000b 7801 00 0400 0000 01020304", ""}, "zlib block: "},
	{vector{"zlib huge", rfb.EncodingZlib, bgr233, 2, 2, "ffffffff", ""}, "limit"},
	{vector{"ZRLE trailing", rfb.EncodingZRLE, bgr233, 2, 2, "0000000a 7801 00 0300 fcff 01 11 00", ""}, "trailing data: 1 bytes"},
	{vector{"ZRLE short", rfb.EncodingZRLE, bgr233, 2, 2, "0000000a 7801 00 0300 fcff 00 11 11", ""}, "block ends 2 bytes early"},
	{vector{"ZRLE packed reuse", rfb.EncodingZRLE, bgr233, 65, 1,
		"00000015 7801 00 0e00 f1ff 02 11 22 0000000000000000 7f 00 00", ""}, "type 127"},
	{vector{"ZRLE run reuse", rfb.EncodingZRLE, bgr233, 65, 1,
		"00000015 7801 00 0e00 f1ff 02 11 22 0000000000000000 81 00 00", ""}, "type 129"},
	{vector{"TRLE type 17", rfb.EncodingTRLE, bgr233, 2, 2, "11", ""}, "type 17"},
	{vector{"TRLE reuse of nothing", rfb.EncodingTRLE, bgr233, 2, 2, "7f", ""}, "type 127"},
	{vector{"TRLE reuse after solid", rfb.EncodingTRLE, bgr233, 1, 33,
		"02 11 22 00000000 00000000 00000000 00000000 01 11 81", ""}, "type 129"},
	{vector{"TRLE index", rfb.EncodingTRLE, bgr233, 4, 1, "03 11 22 33 1b", ""}, "palette index 3 of 3"},
	{vector{"TRLE padding", rfb.EncodingTRLE, bgr233, 3, 1, "02 11 22 a1", ""}, "padding"},
	{vector{"TRLE run too long", rfb.EncodingTRLE, bgr233, 2, 2, "80 11 04", ""}, "run of 5 pixels, 4 are left"},
	{vector{"TRLE run without end", rfb.EncodingTRLE, bgr233, 2, 2,
		"80 11 ffffffff ffffffff ffffffff ffffffff ffffffff", ""}, "run of more than"},
	{vector{"TRLE run index", rfb.EncodingTRLE, bgr233, 2, 2, "82 11 22 82 03", ""}, "palette index 2 of 2"},
	{vector{"Tight too wide", rfb.EncodingTight, bgr233, 2049, 1, "80 11", ""}, "limit 2048"},
	{vector{"Tight method", rfb.EncodingTight, bgr233, 2, 2, "b0 11", ""}, "compression control"},
	{vector{"Tight filter", rfb.EncodingTight, bgr233, 2, 2, "40 03", ""}, "filter 3"},
	{vector{"Tight one colour", rfb.EncodingTight, bgr233, 2, 2, "40 01 00 11", ""}, "palette of one"},
	{vector{"Tight index", rfb.EncodingTight, bgr233, 2, 1, "40 01 02 112233 0203", ""}, "palette index 3 of 3"},
	{vector{"Tight padding", rfb.EncodingTight, bgr233, 2, 1, "40 01 01 1122 e0", ""}, "padding"},
	{vector{"Tight gradient of 8 bits", rfb.EncodingTight, bgr233, 2, 1, "40 02", ""}, "gradient"},
	{vector{"Tight length", rfb.EncodingTight, pix.BGRX, 2, 2, "00 9300", ""}, "compact length"},
	{vector{"Tight length of three", rfb.EncodingTight, pix.BGRX, 2, 2, "00 938000", ""}, "compact length"},
	{vector{"Tight stream goes on", rfb.EncodingTight, pix.BGRX, 2, 2,
		"00 14 7801 00 0d00 f2ff 010203 040506 070809 0a0b0c 0d", ""}, "trailing data"},
	{vector{"Tight JPEG of 8 bits", rfb.EncodingTight, bgr233, 2, 2, "90 01 00", ""}, "JPEG with 8 bits"},
	{vector{"Tight JPEG not one", rfb.EncodingTight, rgb565, 2, 2, "90 01 00", ""}, "JPEG: "},
	{vector{"JPEG not one", rfb.EncodingJPEG, rgb565, 2, 2, "ffd9", ""}, "JPEG begins"},
	{vector{"JPEG of nothing", rfb.EncodingJPEG, rgb565, 2, 2, "ffd8 ffd9", ""}, "JPEG: "},
	{vector{"outside", rfb.EncodingRaw, bgr233, 65535, 1, "11", ""}, "not in the framebuffer"},
	{vector{"empty", rfb.EncodingRaw, bgr233, 0, 1, "", ""}, "not in the framebuffer"},
	{vector{"unknown", 99, bgr233, 1, 1, "", ""}, "99 was not announced"},
	{vector{"DesktopSize where the other is known", rfb.PseudoDesktopSize, bgr233, 1, 1, "", ""}, "was not announced"},
	{vector{"LastRect at a place", rfb.PseudoLastRect, bgr233, 0, 0, "", ""}, "not empty"},
	{vector{"hot spot", rfb.PseudoCursor, bgr233, 1, 3, "", ""}, "hot spot"},
	{vector{"mask padding", rfb.PseudoCursor, bgr233, 2, 3, "000000000000 0000c1", ""}, "padding"},
	{vector{"big cursor", rfb.PseudoCursor, bgr233, 1025, 3, "", ""}, "limit"},
	{vector{"alpha not multiplied", rfb.PseudoCursorWithAlpha, bgr233, 2, 3, "00000000" + "7f00007e 00000000 00000000 00000000 00000000 00000000", ""}, "multiplied"},
	{vector{"alpha in ZRLE", rfb.PseudoCursorWithAlpha, bgr233, 2, 3, "00000010", ""}, "ZRLE"},
	{vector{"layout padding", rfb.PseudoExtendedDesktopSize, bgr233, 2, 3, "00 000100", ""}, "padding"},
	{vector{"PointerPos with a size", rfb.PseudoPointerPos, bgr233, 1, 1, "", ""}, "PointerPos"},
}

func TestBadVectors(t *testing.T) {
	t.Parallel()
	for _, v := range badVectors {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			b := append(v.update(), make([]byte, 4)...)
			w, h := v.w, v.h
			if v.name == "outside" {
				w = 1
			}
			c := reading(v.f, w+3, h+4, b)
			_, err := c.ReadUpdate()
			var p *rfb.ProtocolError
			require.ErrorAs(t, err, &p)
			require.ErrorContains(t, err, v.reason)
			_, again := c.ReadMessage()
			require.Equal(t, err, again)
		})
	}
}

// TestBadMessages has what is wrong around rectangles, with one 1x1 raw
// rectangle where some are needed.
func TestBadMessages(t *testing.T) {
	t.Parallel()
	const raw = "0000 0000 0001 0001 00000000 11"
	const last = "0000 0000 0000 0000 ffffff20"
	const layout = "0000 0000 0002 0002 fffffecc 01 000000 00000000 0000 0000 0002 0002 00000000"
	for name, v := range map[string]struct{ hex, reason string }{
		"no rectangles":       {"00 00 0000", "no rectangles"},
		"padding":             {"00 01 0001" + raw, "padding"},
		"LastRect too early":  {"00 00 0003" + raw + last, "is rectangle 1 of 3"},
		"not requested":       {"00 00 0001" + raw + "00 00 0001" + raw, "not requested"},
		"layout after pixels": {"00 00 0002" + raw + layout, "together with pixels"},
		"pixels after layout": {"00 00 0002" + layout + raw, "together with pixels"},
		"screen outside":      {"00 00 0001 0000 0000 0002 0002 fffffecc 01 000000 00000000 0001 0000 0002 0002 00000000", "screen"},
		"no screens":          {"00 00 0001 0000 0000 0002 0002 fffffecc 00 000000", "no screens"},
		"nobody's status":     {"00 00 0001 0000 0001 0002 0002 fffffecc 00 000000", "nobody here"},
		"type":                {"04", "unknown message type 4"},
		"colour map":          {"01 00 0000 0000", "no colour map"},
		"cut text padding":    {"03 000001 00000000", "padding"},
		"cut text size":       {"03 000000 7fffffff", "limit"},
		"extended of 3":       {"03 000000 fffffffd", "frame of 3"},
		"extended size":       {"03 000000 80000000", "limit"},
		"fence padding":       {"f8 010000 00000000 00", "padding"},
		"fence payload":       {"f8 000000 00000000 41", "payload of 65"},
		"fence flags":         {"f8 000000 00000008 00", "flags 0x8"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := reading(bgr233, 4, 4, unhex(v.hex))
			var err error
			for err == nil {
				_, err = c.ReadMessage()
			}
			var p *rfb.ProtocolError
			require.ErrorAs(t, err, &p)
			require.ErrorContains(t, err, v.reason)
		})
	}
}

func TestNotAnnounced(t *testing.T) {
	t.Parallel()
	for _, v := range vectors {
		if v.enc == rfb.EncodingRaw {
			continue
		}
		c := v.client(v.update())
		delete(c.known, v.enc)
		_, err := c.ReadUpdate()
		require.ErrorContains(t, err, "was not announced", v.name)
	}
	for _, s := range []string{"f8 000000 00000000 00", "96", "03 000000 fffffffc 01000001", "00 00 ffff"} {
		c := reading(bgr233, 1, 1, unhex(s))
		c.known = nil
		_, err := c.ReadMessage()
		require.ErrorContains(t, err, "was not announced", s)
	}
	c := reading(rgb565, 4, 4, append([]byte{0, 0, 0, 1}, append(header(rfb.EncodingTight, 0, 0, 1, 1), 0x90, 1, 0)...))
	delete(c.known, rfb.PseudoJPEGQuality9)
	_, err := c.ReadMessage()
	require.ErrorContains(t, err, "no quality was announced")
}

// FuzzUpdate reads arbitrary bytes as what a server sends, in each format.
func FuzzUpdate(f *testing.F) {
	for i := range allFormats {
		for _, v := range vectors {
			if v.f == allFormats[i] {
				f.Add(i, v.update())
			}
		}
		for _, v := range badVectors {
			f.Add(i, v.update())
		}
	}
	f.Fuzz(func(t *testing.T, i int, b []byte) {
		c := reading(allFormats[uint(i)%uint(len(allFormats))], 70, 40, b)
		c.continuous = true
		c.known[rfb.PseudoDesktopSize] = true
		for {
			if _, err := c.ReadMessage(); err != nil {
				break
			}
			if c.fb.w*c.fb.h > 1<<20 { // resized: not worth the time
				return
			}
		}
		require.LessOrEqual(t, c.Stats().Bytes, int64(len(b)))
		_ = c.Image()
	})
}

// TestWideFills: what peers do is let pass where asked for, and no more than that.
func TestWideFills(t *testing.T) {
	t.Parallel()
	for control, ok := range map[byte]bool{0x80: true, 0x00: false} {
		v := vector{"wide", rfb.EncodingTight, bgr233, 2049, 1, fmt.Sprintf("%02x 11", control), ""}
		c := reading(v.f, v.w+3, v.h+4, append(v.update(), make([]byte, 4)...))
		c.wideFills = true
		_, err := c.ReadUpdate()
		if ok {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, "limit 2048")
		}
	}
}
