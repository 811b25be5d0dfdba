package port

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// binding makes a framed Binding request with the attributes that a browser's has.
func binding(username string) []byte {
	var attrs []byte
	attr := func(kind uint16, v []byte) {
		attrs = binary.BigEndian.AppendUint16(attrs, kind)
		attrs = binary.BigEndian.AppendUint16(attrs, uint16(len(v)))
		attrs = append(attrs, v...)
		for len(attrs)%4 != 0 {
			attrs = append(attrs, 0)
		}
	}
	attr(0x0024, []byte{1, 2, 3, 4}) // PRIORITY
	attr(attrUsername, []byte(username))
	attr(0x0008, make([]byte, 20)) // MESSAGE-INTEGRITY
	var b []byte
	b = binary.BigEndian.AppendUint16(b, uint16(stunHeader+len(attrs)))
	b = binary.BigEndian.AppendUint16(b, stunBinding)
	b = binary.BigEndian.AppendUint16(b, uint16(len(attrs)))
	b = binary.BigEndian.AppendUint32(b, stunCookie)
	b = append(b, "transaction."...)
	return append(b, attrs...)
}

// firstBytes are what clients begin with, and where the decision falls.
var firstBytes = []struct {
	name  string
	bytes string
	kind  Kind
}{
	{"GET", "GET ", HTTP}, {"HEAD", "HEAD ", HTTP}, {"POST", "POST ", HTTP}, {"PUT", "PUT ", HTTP},
	{"OPTIONS", "OPTIONS ", HTTP}, {"DELETE", "DELETE ", HTTP}, {"PATCH", "PATCH ", HTTP},
	{"CONNECT", "CONNECT ", HTTP}, {"TRACE", "TRACE ", HTTP}, {"HTTP/2", "PRI ", HTTP},
	{"viewer", "RFB ", RFB},
	{"TLS 1.0 record", "\x16\x03\x01", TLS}, {"TLS 1.2 record", "\x16\x03\x03", TLS},
	{"ICE", string(binding("ours:theirs")), ICE},
}

func TestSniff(t *testing.T) {
	for _, c := range firstBytes {
		for n := range len(c.bytes) {
			require.Equal(t, Undecided, Sniff([]byte(c.bytes[:n])), "%s: %q", c.name, c.bytes[:n])
		}
		require.Equal(t, c.kind, Sniff([]byte(c.bytes)), c.name)
		require.Equal(t, c.kind, Sniff([]byte(c.bytes+"\x00\xff anything")), c.name)
	}
}

func TestSniffOther(t *testing.T) {
	ice := func(change func(b []byte)) string {
		b := binding("ours:theirs")
		change(b)
		return string(b)
	}
	for _, s := range []string{
		"get / ", "G\x00", "GETX", "RFC ", "RX", "SSH-2.0-x", "\xff", "EHLO x", " GET", "\n",
		"\x16\x02", "\x16\x03\x05", "\x17\x03\x03",
		"\x00\x13", "\x02\x01", "\x02\xff",
		ice(func(b []byte) { b[2] = 1 }),    // Binding success
		ice(func(b []byte) { b[2] = 0x80 }), // no STUN
		ice(func(b []byte) { b[3] = 3 }),    // TURN's Allocate
		ice(func(b []byte) { b[5]++ }),      // lengths that do not agree
		ice(func(b []byte) { b[6] = 0 }),    // no magic cookie: RFC 3489
		ice(func(b []byte) { b[9] = 0 }),
	} {
		require.Equal(t, Other, Sniff([]byte(s)), "%q", s)
	}
}

func TestUfrag(t *testing.T) {
	for _, c := range []struct {
		username, ours string
		ok             bool
	}{
		{"ours:theirs", "ours", true}, {"abcd:", "abcd", true}, {"a:b:c", "a", true},
		{":theirs", "", false}, {"nocolon", "nocolon", false}, {"", "", false},
	} {
		got, ok := ufrag(binding(c.username))
		require.Equal(t, c.ok, ok, c.username)
		if ok {
			require.Equal(t, c.ours, got)
		}
	}
	b := binding("ours:theirs")
	b[frameHeader+stunHeader+3] = 0xff // PRIORITY longer than the message
	_, ok := ufrag(b)
	require.False(t, ok)
}

// FuzzSniff: a decision does not depend on how the bytes are cut, and what follows
// it changes nothing.
func FuzzSniff(f *testing.F) {
	for _, c := range firstBytes {
		f.Add([]byte(c.bytes))
	}
	f.Add(binding("a:b")[:21])
	f.Fuzz(func(t *testing.T, b []byte) {
		kind := Undecided
		for n := range len(b) + 1 {
			k := Sniff(b[:n])
			if kind != Undecided && k != kind {
				t.Fatalf("%v, then %v at %d of %q", kind, k, n, b)
			}
			kind = k
		}
		if kind == Undecided && len(b) >= maxFirst {
			t.Fatalf("undecided after %d bytes", len(b))
		}
		if kind == ICE {
			ours, ok := ufrag(b)
			if ok && (ours == "" || len(ours) > maxUsername) {
				t.Fatalf("ufrag %q", ours)
			}
		}
	})
}
