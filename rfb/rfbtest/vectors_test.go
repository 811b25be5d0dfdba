package rfbtest

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"image"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
	"framebridge/rfb"
)

var (
	bgr233     = pix.Format{BitsPerPixel: 8, Depth: 8, TrueColour: true, RedMax: 7, GreenMax: 7, BlueMax: 3, GreenShift: 3, BlueShift: 6}
	mapped     = pix.Format{BitsPerPixel: 8, Depth: 8}
	rgb565     = pix.Format{BitsPerPixel: 16, Depth: 16, TrueColour: true, RedMax: 31, GreenMax: 63, BlueMax: 31, RedShift: 11, GreenShift: 5}
	rgb565be   = with(rgb565, func(f *pix.Format) { f.BigEndian = true })
	bgrxBE     = with(pix.BGRX, func(f *pix.Format) { f.BigEndian = true })
	high24     = with(pix.BGRX, func(f *pix.Format) { f.RedShift, f.GreenShift, f.BlueShift = 24, 16, 8 })
	high24BE   = with(high24, func(f *pix.Format) { f.BigEndian = true })
	depth32    = with(pix.BGRX, func(f *pix.Format) { f.Depth = 32 })
	rgb30      = pix.Format{BitsPerPixel: 32, Depth: 30, TrueColour: true, RedMax: 1023, GreenMax: 1023, BlueMax: 1023, RedShift: 20, GreenShift: 10}
	allFormats = []pix.Format{pix.BGRX, bgr233, mapped, rgb565, rgb565be, bgrxBE, high24, high24BE, depth32, rgb30}
)

func with(f pix.Format, change func(*pix.Format)) pix.Format {
	change(&f)
	return f
}

// everything is what a vector may use.
var everything = []rfb.Encoding{
	rfb.EncodingRaw, rfb.EncodingCopyRect, rfb.EncodingRRE, rfb.EncodingCoRRE, rfb.EncodingHextile, rfb.EncodingZlib,
	rfb.EncodingTight, rfb.EncodingTRLE, rfb.EncodingZRLE, rfb.EncodingJPEG,
	rfb.PseudoJPEGQuality9, rfb.PseudoExtendedDesktopSize, rfb.PseudoLastRect, rfb.PseudoPointerPos,
	rfb.PseudoCursor, rfb.PseudoXCursor, rfb.PseudoCursorWithAlpha, rfb.PseudoVMwareCursor, rfb.PseudoDesktopName, rfb.PseudoFence,
	rfb.PseudoContinuousUpdates, rfb.PseudoExtendedMouseButtons, rfb.PseudoQEMUExtendedKey, rfb.PseudoLEDState,
	rfb.PseudoExtendedClipboard, rfb.PseudoTightNoZlib,
}

// untouched is a value that no vector sets.
const untouched = 0x5a

// reading returns a viewer that has w*h pixels, has announced everything and
// reads b.
func reading(f pix.Format, w, h int, b []byte) *Client {
	c := &Client{in: newStream(bytes.NewReader(b)), px: newPixels(f), known: map[rfb.Encoding]bool{}, requests: 1, hold: true}
	for _, e := range everything {
		c.known[e] = true
	}
	if err := c.fb.resize(w, h); err != nil {
		panic(err)
	}
	for i := range c.fb.values {
		c.fb.values[i] = untouched
	}
	return c
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}

// values reads "11 2233 44": numbers in hexadecimal.
func values(s string) (v []uint32) {
	for _, f := range strings.Fields(s) {
		b := unhex(strings.Repeat("0", 8-len(f)) + f)
		v = append(v, binary.BigEndian.Uint32(b))
	}
	return v
}

// A vector is one rectangle at (1, 2) in a framebuffer that is larger.
type vector struct {
	name string
	enc  rfb.Encoding
	f    pix.Format
	w, h int
	hex  string // what follows the rectangle's header
	want string // the values, row after row
}

func header(e rfb.Encoding, x, y, w, h int) []byte {
	b := []byte{byte(x >> 8), byte(x), byte(y >> 8), byte(y), byte(w >> 8), byte(w), byte(h >> 8), byte(h)}
	return binary.BigEndian.AppendUint32(b, uint32(e))
}

// update is a whole update of that rectangle.
func (v vector) update() []byte {
	b := append([]byte{0, 0, 0, 1}, header(v.enc, 1, 2, v.w, v.h)...)
	return append(b, unhex(v.hex)...)
}

func (v vector) client(b []byte) *Client { return reading(v.f, v.w+3, v.h+4, b) }

// Every zlib block below is a zlib header (78 01) and one stored deflate block
// (RFC 1951, section 3.2.4): 00, length, its complement, the bytes.
var vectors = []vector{
	{"raw 8", rfb.EncodingRaw, bgr233, 3, 2, "01 02 03 04 05 ff", "1 2 3 4 5 ff"},
	{"raw map", rfb.EncodingRaw, mapped, 2, 1, "01 ff", "1 ff"},
	{"raw 16", rfb.EncodingRaw, rgb565, 2, 1, "0102 fffe", "0201 feff"},
	{"raw 16 big", rfb.EncodingRaw, rgb565be, 2, 1, "0102 fffe", "0102 fffe"},
	{"raw 32", rfb.EncodingRaw, pix.BGRX, 2, 1, "01020300 ffeedd00", "030201 ddeeff"},
	{"raw 32 big", rfb.EncodingRaw, bgrxBE, 2, 1, "00010203 00ffeedd", "010203 ffeedd"},
	{"RRE", rfb.EncodingRRE, bgr233, 4, 3,
		"00000002 11 22 0001 0001 0002 0001 33 0000 0000 0001 0003", "33 11 11 11 33 22 22 11 33 11 11 11"},
	{"RRE of nothing", rfb.EncodingRRE, rgb565be, 1, 2, "00000000 1234", "1234 1234"},
	{"CoRRE", rfb.EncodingCoRRE, bgr233, 4, 3,
		"00000002 11 22 01 01 02 01 33 00 00 01 03", "33 11 11 11 33 22 22 11 33 11 11 11"},
	{"Hextile carries colours", rfb.EncodingHextile, bgr233, 17, 2, "0e 11 22 01 1011 08 01 0100",
		"11 22 22 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 22 22 11 11 11 11 11 11 11 11 11 11 11 11 11 22"},
	{"Hextile coloured", rfb.EncodingHextile, bgr233, 4, 1, "1a 11 02 33 0000 44 3000", "33 11 11 44"},
	{"Hextile raw, then all anew", rfb.EncodingHextile, rgb565be, 1, 17,
		"01" + strings.Repeat("0102", 16) + "02 0304", strings.Repeat("0102 ", 16) + "0304"},
	{"Hextile foreground without use", rfb.EncodingHextile, bgr233, 1, 17, "06 11 22 08 01 0000",
		strings.Repeat("11 ", 16) + "22"},
	{"zlib", rfb.EncodingZlib, rgb565, 2, 1, "0000000b 7801 00 0400 fbff 01020304", "0201 0403"},
	{"TRLE raw 32", rfb.EncodingTRLE, pix.BGRX, 2, 1, "00 010203 040506", "030201 060504"},
	{"TRLE raw 32 big", rfb.EncodingTRLE, bgrxBE, 2, 1, "00 010203 040506", "010203 040506"},
	{"TRLE raw 32 high", rfb.EncodingTRLE, high24, 2, 1, "00 010203 040506", "03020100 06050400"},
	{"TRLE raw 32 high big", rfb.EncodingTRLE, high24BE, 2, 1, "00 010203 040506", "01020300 04050600"},
	{"TRLE raw depth 32", rfb.EncodingTRLE, depth32, 1, 1, "00 010203", "030201"},
	{"TRLE raw depth 30", rfb.EncodingTRLE, rgb30, 1, 1, "00 01020330", "30030201"},
	{"TRLE raw 16", rfb.EncodingTRLE, rgb565, 1, 1, "00 0102", "0201"},
	{"TRLE solid", rfb.EncodingTRLE, bgr233, 2, 2, "01 77", "77 77 77 77"},
	{"TRLE packed 2", rfb.EncodingTRLE, bgr233, 9, 1, "02 11 22 a5 80", "22 11 22 11 11 22 11 22 22"},
	{"TRLE packed 3", rfb.EncodingTRLE, bgr233, 5, 1, "03 11 22 33 18 80", "11 22 33 11 33"},
	{"TRLE packed 4", rfb.EncodingTRLE, bgr233, 4, 1, "04 11 22 33 44 e4", "44 33 22 11"},
	{"TRLE packed 5", rfb.EncodingTRLE, bgr233, 3, 2, "05 11 22 33 44 55 01 20 43 00", "11 22 33 55 44 11"},
	{"TRLE packed 16", rfb.EncodingTRLE, bgr233, 2, 1, "10 000102030405060708090a0b0c0d0e0f f1", "f 1"},
	{"TRLE plain runs", rfb.EncodingTRLE, bgr233, 16, 17, "80 11 00 22 fe 01 33",
		"11 " + strings.Repeat("22 ", 255) + strings.Repeat("33 ", 16)},
	{"TRLE run of 256", rfb.EncodingTRLE, bgr233, 16, 16, "80 11 ff 00", strings.Repeat("11 ", 256)},
	{"TRLE palette runs", rfb.EncodingTRLE, bgr233, 3, 2, "82 11 22 00 81 03 00", "11 22 22 22 22 11"},
	{"TRLE palette of 127", rfb.EncodingTRLE, bgr233, 1, 1, "ff" + strings.Repeat("11", 126) + "22 7e", "22"},
	// A packed palette of two; the same for runs; the same packed.
	{"TRLE reuse", rfb.EncodingTRLE, bgr233, 1, 33, "02 11 22" + strings.Repeat("80", 15) + "00" + "81 81 0e 00" + "7f 80",
		strings.Repeat(strings.Repeat("22 ", 15)+"11 ", 2) + "22"},
	{"ZRLE solid", rfb.EncodingZRLE, pix.BGRX, 2, 1, "0000000b 7801 00 0400 fbff 01 010203", "030201 030201"},
	{"ZRLE two tiles", rfb.EncodingZRLE, bgr233, 65, 1, "0000000b 7801 00 0400 fbff 01 11 01 22",
		strings.Repeat("11 ", 64) + "22"},
	// 1+255+63 = 319 of 320 pixels, then one.
	{"ZRLE runs", rfb.EncodingZRLE, bgr233, 64, 5, "0000000d 7801 00 0600 f9ff 80 11 ff 3f 22 00",
		strings.Repeat("11 ", 319) + "22"},
	{"Tight fill", rfb.EncodingTight, pix.BGRX, 2, 2, "80 010203", "010203 010203 010203 010203"},
	{"Tight fill 16", rfb.EncodingTight, rgb565, 1, 1, "80 0102", "0201"},
	{"Tight fill depth 32", rfb.EncodingTight, depth32, 1, 1, "80 01020300", "030201"},
	{"Tight fill high", rfb.EncodingTight, high24, 1, 1, "80 010203", "01020300"},
	{"Tight fill big", rfb.EncodingTight, bgrxBE, 1, 1, "8f 010203", "010203"},
	{"Tight few", rfb.EncodingTight, pix.BGRX, 3, 1, "00 010203 040506 070809", "010203 040506 070809"},
	{"Tight few, filter named", rfb.EncodingTight, pix.BGRX, 1, 1, "70 00 010203", "010203"},
	{"Tight copy", rfb.EncodingTight, pix.BGRX, 2, 2, "20 13 7801 00 0c00 f3ff 010203 040506 070809 0a0b0c",
		"010203 040506 070809 0a0b0c"},
	{"Tight two colours", rfb.EncodingTight, pix.BGRX, 9, 2, "40 01 01 010203 040506 a500 5a80",
		"040506 010203 040506 010203 010203 040506 010203 040506 010203" +
			" 010203 040506 010203 040506 040506 010203 040506 010203 040506"},
	{"Tight three colours", rfb.EncodingTight, bgr233, 6, 2, "60 01 02 112233 13 7801 00 0c00 f3ff 000102000102 020202010101",
		"11 22 33 11 22 33 33 33 33 22 22 22"},
	// The last: 11+11-10 + ff = 11, 21+21-20 + 0 = 22, 2f+31-30 + 1 = 31.
	{"Tight gradient", rfb.EncodingTight, pix.BGRX, 2, 2, "40 02 13 7801 00 0c00 f3ff 102030 010101 0101ff ff0001",
		"102030 112131 11212f 112231"},
	// The prediction 11+ff-10 is cut to ff before one is added, which wraps.
	{"Tight gradient cut", rfb.EncodingTight, pix.BGRX, 2, 2, "40 02 13 7801 00 0c00 f3ff 101010 efefef 010101 010101",
		"101010 ffffff 111111 000000"},
	{"Tight gradient 16", rfb.EncodingTight, rgb565be, 2, 1, "40 02 0820 0821", "0820 1041"},
	{"Tight without zlib", rfb.EncodingTight, pix.BGRX, 2, 2, "a0 010203 040506 070809 0a0b0c", "010203 040506 070809 0a0b0c"},
	{"Tight without zlib, filter", rfb.EncodingTight, bgr233, 4, 3, "e0 01 02 112233 000000000101010102020202",
		"11 11 11 11 22 22 22 22 33 33 33 33"},
}

func TestVectors(t *testing.T) {
	t.Parallel()
	used := map[rfb.Encoding]int{}
	for _, v := range vectors {
		used[v.enc]++
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			b := v.update()
			c := v.client(b)
			u, err := c.ReadUpdate()
			require.NoError(t, err)
			require.Equal(t, int64(len(b)), u.Bytes)
			area := image.Rect(1, 2, 1+v.w, 2+v.h)
			require.Equal(t, []Rect{{v.enc, area, int64(len(b) - 4)}}, u.Rects)
			want := values(v.want)
			require.Len(t, want, v.w*v.h)
			for y := range c.fb.h {
				for x := range c.fb.w {
					w := uint32(untouched)
					if image.Pt(x, y).In(area) {
						w = want[(y-2)*v.w+x-1]
					}
					require.Equalf(t, w, c.Value(x, y), "pixel (%d, %d): got %x, want %x", x, y, c.Value(x, y), w)
				}
			}
			for i := range b {
				_, err := v.client(b[:i]).ReadUpdate()
				require.Error(t, err, "prefix of %d bytes", i)
			}
		})
	}
	require.Len(t, used, 8, "encodings with vectors")
}
