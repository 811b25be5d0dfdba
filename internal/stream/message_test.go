package stream

import (
	"bytes"
	"fmt"
	"image"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func yes() *bool { b := true; return &b }

var serverMessages = []struct {
	bytes string
	m     ServerMessage
}{
	{"\x01" + `{"version":1,"name":"x","width":3,"height":2,"control":true,"clipboardIn":false,"clipboardOut":true,"resize":false,"maxClipboard":1000}`,
		Hello{Version: 1, Name: "x", Width: 3, Height: 2, Control: true, ClipboardOut: true, MaxClipboard: 1000}},
	{"\x02\x01\x00\x00\x00\x07\x05\x00\x02\xd0\x00\x00\x03\xe8\x00\x00\x00\x02vp8",
		FrameMessage{Key: true, Seq: 7, Width: 1280, Height: 720, Age: time.Millisecond, Encode: 2 * time.Microsecond, Data: []byte("vp8")}},
	{"\x03\x00\x01\x00\x00\x00\x02\x00\x01abcdefgh", Cursor{image.Pt(1, 0), image.Pt(2, 1), []byte("abcdefgh")}},
	{"\x03\x00\x00\x00\x00\x00\x00\x00\x00", Cursor{RGBA: []byte{}}},
	{"\x04\x01\x02\xff\xff", PointerPos{0x102, 65535}},
	{"\x05äöü", ServerClip("äöü")},
	{"\x06", Bell{}},
	{"\x07" + `{"display":"up","viewers":2}`, State{Display: "up", Viewers: 2}},
	{"\x08\x00\x00\x00\x09", ServerPing(9)},
	{"\x09\xff\xff\xff\xff", ServerPong(1<<32 - 1)},
	{"\x0a" + `{"frames":60,"bytes":1000,"encodeMs":1.5,"rttMs":3,"queueMs":0.25,"quant":40}`,
		Stats{Frames: 60, Bytes: 1000, EncodeMs: 1.5, RTTMs: 3, QueueMs: 0.25, Quant: 40}},
	{"\x0b\x00the end", Bye{Text: "the end"}},
	{"\x0b\x01", Bye{Final: true}},
}

var pageMessages = []struct {
	bytes string
	m     PageMessage
}{
	{"\x81\x00\x00\x01\x00", Ack(256)},
	{"\x82\x01\x00\x00\xff\x0d\x00\x00\x00\x1c", Key{true, 0xff0d, 0x1c}},
	{"\x82\x00\x01\x00\x20\xac\x00\x00\x00\x00", Key{false, 0x010020ac, 0}},
	{"\x83\x00\x01\x02\x03\x00\x04", Pointer{1, 0x203, 4}},
	{"\x84text", PageClip("text")},
	{"\x84", PageClip("")},
	{"\x85\x00\x00\x00\x01", PagePing(1)},
	{"\x86\x00\x00\x00\x01", PagePong(1)},
	{"\x87" + `{"quality":"sharp","stats":true,"width":800,"height":600}`, Settings{"sharp", yes(), 800, 600}},
	{"\x87{}", Settings{}},
	{"\x88", Rekey{}},
	{"\x89", Release{}},
}

// isText reports whether a message holds whatever fits: each prefix of it is one,
// too, unless it cuts a character.
func isText(m any) bool {
	switch m.(type) {
	case ServerClip, PageClip, Bye:
		return true
	}
	return false
}

func TestMessages(t *testing.T) {
	check := func(b string, m interface{ Append([]byte) []byte }, parse func([]byte) (any, error)) {
		got, err := parse([]byte(b))
		require.NoError(t, err, "%q", b)
		require.Equal(t, m, got)
		require.Equal(t, "x"+b, string(m.Append([]byte("x"))), "%T", m)
		for n := range len(b) {
			got, err := parse([]byte(b[:n]))
			if f, ok := got.(FrameMessage); ok && n >= 1+frameHeader {
				require.Less(t, len(f.Data), len("vp8"))
				continue
			}
			if n == 0 || !isText(m) {
				require.Error(t, err, "%q", b[:n])
				require.Nil(t, got)
			}
		}
	}
	for _, c := range serverMessages {
		check(c.bytes, c.m, func(b []byte) (any, error) {
			m, err := ParseServer(b)
			if m == nil {
				return nil, err
			}
			return m, err
		})
	}
	for _, c := range pageMessages {
		check(c.bytes, c.m, func(b []byte) (any, error) {
			m, err := ParsePage(b)
			if m == nil {
				return nil, err
			}
			return m, err
		})
	}
}

// TestTypes: the tables have every type of the rules.
func TestTypes(t *testing.T) {
	seen := map[byte]bool{}
	for _, c := range serverMessages {
		seen[c.bytes[0]] = true
	}
	for _, c := range pageMessages {
		seen[c.bytes[0]] = true
	}
	for _, r := range [][2]byte{{typeHello, typeBye}, {typeAck, typeRelease}} {
		for k := r[0]; k <= r[1]; k++ {
			require.True(t, seen[k], "type %d", k)
		}
	}
	require.Len(t, seen, 11+9)
}

func TestBadPageMessages(t *testing.T) {
	for _, s := range []string{
		"", "\x00", "\x01{}", "\x80", "\x8a", "\xff",
		"\x81\x00\x00\x00\x00\x00", "\x82\x02\x00\x00\x00\x00\x00\x00\x00\x00", "\x83\x00\x00\x00\x00\x00\x00\x00",
		"\x84\xff\xfe", "\x88\x00", "\x89\x00",
		"\x87", "\x87[]", "\x87{", `\x87{"quality":"best"}`, "\x87" + `{"quality":"best"}`,
		"\x87" + `{"width":-1,"height":5}`, "\x87" + `{"width":100}`, "\x87" + `{"width":65535,"height":65535}`, "\x87" + `{"width":1e99,"height":1}`,
		"\x87" + `{"x":"` + string(bytes.Repeat([]byte("x"), maxSettings)) + `"}`,
	} {
		m, err := ParsePage([]byte(s))
		require.Error(t, err, "%.40q", s)
		require.Nil(t, m)
	}
}

func TestBadServerMessages(t *testing.T) {
	for _, s := range []string{"", "\x00", "\x0c", "\x81\x00\x00\x00\x00", "\x03\x00\x00\x00\x00\xff\xff\xff\xff", "\x05\xff", "\x06\x00"} {
		m, err := ParseServer([]byte(s))
		require.Error(t, err, "%q", s)
		require.Nil(t, m)
	}
}

// FuzzPage: what parses survives another round.
func FuzzPage(f *testing.F) {
	for _, c := range pageMessages {
		f.Add([]byte(c.bytes))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParsePage(b)
		if err != nil {
			return
		}
		again, err := ParsePage(m.Append(nil))
		if err != nil || !reflect.DeepEqual(m, again) {
			t.Fatal(fmt.Sprintf("%#v became %#v", m, again), err)
		}
	})
}

// FuzzServer is for the tests' own page.
func FuzzServer(f *testing.F) {
	for _, c := range serverMessages {
		f.Add([]byte(c.bytes))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseServer(b)
		if err != nil {
			return
		}
		again, err := ParseServer(m.Append(nil))
		if err != nil || !reflect.DeepEqual(m, again) {
			t.Fatal(fmt.Sprintf("%#v became %#v", m, again), err)
		}
	})
}
