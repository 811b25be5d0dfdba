package rfb

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
)

// A vector is a message as the protocol document lays it out, and what it
// means. parse returns the typed message.
type vector struct {
	name  string
	hex   string
	want  any
	parse func(b []byte) (any, int, error)
}

func (v vector) bytes() []byte { return unhex(v.hex) }

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}

func anyOf[M any](parse func([]byte) (M, int, error)) func([]byte) (any, int, error) {
	return func(b []byte) (any, int, error) { return parse(b) }
}

type appender interface{ Append(b []byte) []byte }

var rgb565 = pix.Format{BitsPerPixel: 16, Depth: 16, BigEndian: true, TrueColour: true,
	RedMax: 31, GreenMax: 63, BlueMax: 31, RedShift: 11, GreenShift: 5}

const (
	bgrxHex   = "20 18 00 01 00ff 00ff 00ff 10 08 00 000000"
	rgb565Hex = "10 10 01 01 001f 003f 001f 0b 05 00 000000"
	screenHex = "00000007 0001 0002 0280 01e0 80000000"
)

var screen = Screen{ID: 7, X: 1, Y: 2, Width: 640, Height: 480, Flags: 1 << 31}

// clientVectors are all that a Reader reads.
var clientVectors = []vector{
	{"SetPixelFormat", "00 000000" + bgrxHex, SetPixelFormat{pix.BGRX}, anyOf(parseSetPixelFormat)},
	{"SetPixelFormat 565", "00 000000" + rgb565Hex, SetPixelFormat{rgb565}, anyOf(parseSetPixelFormat)},
	{"FixColourMapEntries", "01 00 0010 0001 0102 0304 0506",
		FixColourMapEntries{First: 16, Colours: []byte{1, 2, 3, 4, 5, 6}}, anyOf(parseFixColourMapEntries)},
	{"SetEncodings", "02 00 0003 00000010 ffffff21 c0a1e5ce",
		SetEncodings{[]Encoding{EncodingZRLE, PseudoDesktopSize, PseudoExtendedClipboard}}, parseSetEncodingsAny},
	{"SetEncodings, none", "02 00 0000", SetEncodings{[]Encoding{}}, parseSetEncodingsAny},
	{"FramebufferUpdateRequest", "03 01 0001 0002 0003 ffff",
		UpdateRequest{Incremental: true, X: 1, Y: 2, Width: 3, Height: 65535}, anyOf(parseUpdateRequest)},
	{"KeyEvent", "04 01 0000 0000ff0d", KeyEvent{Down: true, Keysym: 0xff0d}, anyOf(parseKeyEvent)},
	{"PointerEvent", "05 81 0102 0304", PointerEvent{Buttons: 0x81, X: 0x102, Y: 0x304}, anyOf(parsePlainPointer)},
	{"PointerEvent, extended", "05 81 0102 0304 02",
		PointerEvent{Buttons: 0x101, X: 0x102, Y: 0x304, Extended: true}, anyOf(parseExtendedPointer)},
	{"PointerEvent, extended but plain", "05 41 0102 0304",
		PointerEvent{Buttons: 0x41, X: 0x102, Y: 0x304}, anyOf(parseExtendedPointer)},
	{"ClientCutText", "06 000000 00000003 616263", ClientCutText{Data: []byte("abc")}, anyOf(parseClientCut)},
	{"ClientCutText, none", "06 000000 00000000", ClientCutText{Data: []byte{}}, anyOf(parseClientCut)},
	{"ClientCutText, extended", "06 000000 fffffffb 02000001 aa",
		ClientCutText{Extended: true, Data: []byte{2, 0, 0, 1, 0xaa}}, anyOf(parseClientCut)},
	{"EnableContinuousUpdates", "96 01 0001 0002 0003 0004",
		EnableContinuousUpdates{true, 1, 2, 3, 4}, anyOf(parseEnableContinuousUpdates)},
	{"Fence", "f8 000000 80000001 03 010203",
		Fence{FenceRequest | FenceBlockBefore, []byte{1, 2, 3}}, anyOf(parseFence)},
	{"Fence, empty", "f8 000000 00000000 00", Fence{0, []byte{}}, anyOf(parseFence)},
	{"Fence, full", "f8 000000 00000000 40" + strings.Repeat("5a", 64),
		Fence{0, bytes.Repeat([]byte{0x5a}, 64)}, anyOf(parseFence)},
	{"xvp", "fa 00 01 02", Xvp{1, XvpShutdown}, anyOf(parseXvp)},
	{"SetDesktopSize", "fb 00 0280 01e0 01 00" + screenHex,
		SetDesktopSize{640, 480, []Screen{screen}}, parseSetDesktopSizeAny},
	{"SetDesktopSize, no screens", "fb 00 ffff ffff 00 00",
		SetDesktopSize{65535, 65535, []Screen{}}, parseSetDesktopSizeAny},
	{"QEMU key", "ff 00 0001 00000061 0000001e", QEMUKeyEvent{true, 'a', 0x1e}, anyOf(parseQEMUKeyEvent)},
}

// serverVectors are what a server sends.
var serverVectors = []vector{
	{"FramebufferUpdate", "00 00 ffff", FramebufferUpdate{RectsUntilLast}, anyOf(parseFramebufferUpdate)},
	{"rectangle", "0001 0002 0003 0004 00000007", Rectangle{1, 2, 3, 4, EncodingTight}, anyOf(parseRectangle)},
	{"CopyRect", "0001 0002 0003 0004 00000001 0005 0006", CopyRect{1, 2, 3, 4, 5, 6}, anyOf(parseCopyRect)},
	{"Cursor", "0001 0000 0003 0002 ffffff11" + strings.Repeat("00ff 10ff", 3) + "a0 40",
		Cursor{1, 0, 3, 2, unhex(strings.Repeat("00ff 10ff", 3)), unhex("a0 40")}, anyOf(parseCursor16)},
	{"Cursor, none", "0000 0000 0000 0000 ffffff11", Cursor{Pixels: []byte{}, Mask: []byte{}}, anyOf(parseCursor16)},
	{"XCursor", "0001 0002 0009 0001 ffffff10 ffffff 000000 aa80 ff80",
		XCursor{1, 2, 9, 1, [3]byte{255, 255, 255}, [3]byte{}, unhex("aa80"), unhex("ff80")}, anyOf(parseXCursor)},
	{"XCursor, none", "0000 0000 0000 0000 ffffff10", XCursor{}, anyOf(parseXCursor)},
	{"CursorWithAlpha", "0001 0000 0002 0001 fffffec6 00000000 10203040 50607080",
		CursorWithAlpha{1, 0, 2, 1, unhex("1020304050607080")}, anyOf(parseCursorWithAlpha)},
	{"VMware cursor", "0001 0000 0001 0001 574d5664 01 00 10203040",
		VMwareCursor{1, 0, 1, 1, unhex("10203040")}, anyOf(parseVMwareCursor)},
	{"PointerPos", "0102 0304 0000 0000 ffffff18", PointerPos{0x102, 0x304}, anyOf(parsePointerPos)},
	{"DesktopSize", "0000 0000 0780 0438 ffffff21", DesktopSize{1920, 1080}, anyOf(parseDesktopSize)},
	{"ExtendedDesktopSize", "0001 0003 0280 01e0 fffffecc 01 000000" + screenHex,
		ExtendedDesktopSize{ResizeByClient, ResizeInvalidLayout, 640, 480, []Screen{screen}}, anyOf(parseExtendedDesktopSize)},
	{"LastRect", "0000 0000 0000 0000 ffffff20", LastRect, anyOf(parseEmptyRect)},
	{"QEMU key answer", "0000 0000 0000 0000 fffffefe", QEMUExtendedKeyAck, anyOf(parseEmptyRect)},
	{"mouse buttons answer", "0000 0000 0000 0000 fffffec4", ExtendedMouseButtonsAck, anyOf(parseEmptyRect)},
	{"LED state", "0000 0000 0000 0000 fffffefb 06", LEDState{LEDCapsLock | LEDNumLock}, anyOf(parseLEDState)},
	{"DesktopName", "0000 0000 0000 0000 fffffecd 00000003 c3a96e", DesktopName{"én"}, anyOf(parseDesktopName)},
	{"SetColourMapEntries", "01 00 00fe 0002 ffff 0000 0101 0000 ffff 0000",
		SetColourMapEntries{254, []Colour{ColourOf(0xff0001), ColourOf(0x00ff00)}}, anyOf(parseSetColourMapEntries)},
	{"Bell", "02", Bell{}, anyOf(parseBell)},
	{"ServerCutText", "03 000000 00000002 e961", ServerCutText{Data: []byte{0xe9, 'a'}}, anyOf(parseServerCut)},
	{"ServerCutText, extended", "03 000000 fffffffc 01000001",
		ServerCutText{Extended: true, Data: []byte{1, 0, 0, 1}}, anyOf(parseServerCut)},
	{"EndOfContinuousUpdates", "96", EndOfContinuousUpdates{}, anyOf(parseEndOfContinuousUpdates)},
	{"ClientInit", "01", ClientInit{Shared: true}, anyOf(parseClientInit)},
	{"ServerInit", "0280 01e0" + bgrxHex + "00000002 6869",
		ServerInit{640, 480, pix.BGRX, "hi"}, anyOf(parseServerInit)},
	{"version 3.3", "5246422030 30332e30 30330a", Version33, anyOf(parseVersion)},
	{"version 3.7", "5246422030 30332e30 30370a", Version37, anyOf(parseVersion)},
	{"version 3.8", "5246422030 30332e30 30380a", Version38, anyOf(parseVersion)},
	{"version 3.889", "5246422030 30332e38 38390a", Version3Mac, anyOf(parseVersion)},
}

const testCutLimit = 100

func parseSetEncodingsAny(b []byte) (any, int, error)   { return parseSetEncodings(b, []Encoding{}) }
func parseSetDesktopSizeAny(b []byte) (any, int, error) { return parseSetDesktopSize(b, []Screen{}) }
func parsePlainPointer(b []byte) (PointerEvent, int, error) {
	return parsePointerEvent(b, false)
}
func parseExtendedPointer(b []byte) (PointerEvent, int, error) {
	return parsePointerEvent(b, true)
}
func parseClientCut(b []byte) (ClientCutText, int, error) { return parseClientCutText(b, testCutLimit) }
func parseServerCut(b []byte) (ServerCutText, int, error) { return parseServerCutText(b, testCutLimit) }
func parseCursor16(b []byte) (Cursor, int, error)         { return parseCursor(b, 2) }

func allVectors() []vector {
	return append(clientVectors[:len(clientVectors):len(clientVectors)], serverVectors...)
}

func TestVectors(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, v := range allVectors() {
		require.False(t, names[v.name], "two vectors named %s", v.name)
		names[v.name] = true
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			b := v.bytes()
			m, n, err := v.parse(append(b[:len(b):len(b)], 0xaa)) // what follows is not looked at
			require.NoError(t, err)
			require.Equal(t, len(b), n)
			require.Equal(t, v.want, m)
			require.Equal(t, append([]byte{9}, b...), m.(appender).Append([]byte{9}))
			for i := range b {
				_, n, err := v.parse(b[:i:i])
				require.ErrorIs(t, err, errShort, "prefix of %d bytes", i)
				require.Zero(t, n)
			}
		})
	}
}

// badVectors break the protocol as soon as all their bytes are there.
var badVectors = []struct {
	name, hex string
	parse     func(b []byte) (any, int, error)
}{
	{"0 bits", "00 000000 00 18 00 01 00ff 00ff 00ff 10 08 00 000000", anyOf(parseSetPixelFormat)},
	{"7 bits", "00 000000 07 07 00 01 0001 0001 0001 02 01 00 000000", anyOf(parseSetPixelFormat)},
	{"24 bits", "00 000000 18 18 00 01 00ff 00ff 00ff 10 08 00 000000", anyOf(parseSetPixelFormat)},
	{"255 bits", "00 000000 ff 18 00 01 00ff 00ff 00ff 10 08 00 000000", anyOf(parseSetPixelFormat)},
	{"maximum 0", "00 000000 20 18 00 01 0000 00ff 00ff 10 08 00 000000", anyOf(parseSetPixelFormat)},
	{"maximum not 2^n-1", "00 000000 20 18 00 01 00fe 00ff 00ff 10 08 00 000000", anyOf(parseSetPixelFormat)},
	{"maximum 65535 shifted out", "00 000000 20 18 00 01 ffff 00ff 00ff 18 08 00 000000", anyOf(parseSetPixelFormat)},
	{"shift 32", "00 000000 20 18 00 01 00ff 00ff 00ff 20 08 00 000000", anyOf(parseSetPixelFormat)},
	{"shift 255", "00 000000 20 18 00 01 00ff 00ff 00ff ff 08 00 000000", anyOf(parseSetPixelFormat)},
	{"overlap", "00 000000 20 18 00 01 00ff 00ff 00ff 10 0f 00 000000", anyOf(parseSetPixelFormat)},
	{"colour map of 16 bits", "00 000000 10 10 00 00 0000 0000 0000 00 00 00 000000", anyOf(parseSetPixelFormat)},
	{"cut text over limit", "06 000000 00000065", anyOf(parseClientCut)},
	{"cut text 0x7fffffff", "06 000000 7fffffff", anyOf(parseClientCut)},
	{"cut text 0x80000000", "06 000000 80000000", anyOf(parseClientCut)},
	{"extended of 1", "06 000000 ffffffff", anyOf(parseClientCut)},
	{"extended of 3", "06 000000 fffffffd", anyOf(parseClientCut)},
	{"extended over limit", "06 000000 ffffff9b", anyOf(parseClientCut)},
	{"fence of 65", "f8 000000 00000000 41", anyOf(parseFence)},
	{"fence of 255", "f8 000000 00000000 ff", anyOf(parseFence)},
	{"QEMU audio", "ff 01", anyOf(parseQEMUKeyEvent)},
	{"wide cursor", "0000 0000 0401 0001 ffffff11", anyOf(parseCursor16)},
	{"high cursor", "0000 0000 0001 ffff ffffff10", anyOf(parseXCursor)},
	{"cursor in ZRLE", "0000 0000 0001 0001 fffffec6 00000010", anyOf(parseCursorWithAlpha)},
	{"VMware masks", "0000 0000 0001 0001 574d5664 00 00", anyOf(parseVMwareCursor)},
	{"not a cursor", "0000 0000 0001 0001 00000000", anyOf(parseCursor16)},
	{"empty rectangle is not", "0000 0000 0001 0000 ffffff20", anyOf(parseEmptyRect)},
	{"long name", "0000 0000 0000 0000 fffffecd 00010001", anyOf(parseDesktopName)},
	{"version 2.2", "5246422030 30322e30 30320a", anyOf(parseVersion)},
	{"HTTP", "474554202f20485454502f31", anyOf(parseVersion)},
	{"version without digits", "5246422030 30332e30 2d380a", anyOf(parseVersion)},
}

func TestBadVectors(t *testing.T) {
	t.Parallel()
	for _, v := range badVectors {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			b := unhex(v.hex)
			_, n, err := v.parse(b)
			var p *ProtocolError
			require.ErrorAs(t, err, &p)
			require.Zero(t, n)
			for i := range b {
				_, _, err := v.parse(b[:i:i])
				require.ErrorIs(t, err, errShort, "prefix of %d bytes", i)
			}
		})
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]Version{
		"003.000": Version33, "003.003": Version33, "003.004": Version33, "003.005": Version33, "003.006": Version33,
		"003.007": Version37, "003.008": Version38, "003.009": Version38, "003.016": Version38, "003.888": Version38,
		"003.889": Version3Mac, "003.890": Version38, "004.000": Version38, "004.001": Version38, "005.000": Version38,
	} {
		v, _, err := parseVersion([]byte("RFB " + s + "\n"))
		require.NoError(t, err, s)
		require.Equal(t, want, v, s)
	}
}

// FuzzMessages reads arbitrary bytes as each of the messages: what a parser
// accepts must survive Append and parse.
func FuzzMessages(f *testing.F) {
	vectors := allVectors()
	for i, v := range vectors {
		f.Add(i, v.bytes())
	}
	for _, v := range badVectors {
		for i := range vectors {
			f.Add(i, unhex(v.hex))
		}
	}
	f.Fuzz(func(t *testing.T, i int, b []byte) {
		v := vectors[uint(i)%uint(len(vectors))]
		m, n, err := v.parse(b)
		if err != nil {
			require.Zero(t, n)
			return
		}
		require.LessOrEqual(t, n, len(b))
		again, k, err := v.parse(m.(appender).Append(nil))
		require.NoError(t, err)
		require.Equal(t, m, again)
		if _, ok := m.(Version); !ok {
			require.LessOrEqual(t, k, n)
		}
	})
}
