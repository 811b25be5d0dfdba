package selection

import (
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/xgb"
	"github.com/BurntSushi/xgb/xproto"
)

// atoms are the names that the conversations use.
type atoms struct {
	clipboard, targets, timestamp, utf8, text, plainUTF8, incr xproto.Atom

	time xproto.Atom // property of ours that is changed to learn the time
	data xproto.Atom // property of ours that owners put their text into
}

func internAtoms(x *xgb.Conn) (a atoms, err error) {
	names := []struct {
		name string
		atom *xproto.Atom
	}{
		{"CLIPBOARD", &a.clipboard},
		{"TARGETS", &a.targets},
		{"TIMESTAMP", &a.timestamp},
		{"UTF8_STRING", &a.utf8},
		{"TEXT", &a.text},
		{"text/plain;charset=utf-8", &a.plainUTF8},
		{"INCR", &a.incr},
		{"_FRAMEBRIDGE_TIME", &a.time},
		{"_FRAMEBRIDGE_DATA", &a.data},
	}
	cookies := make([]xproto.InternAtomCookie, len(names))
	for i, n := range names {
		cookies[i] = xproto.InternAtom(x, false, uint16(len(n.name)), n.name)
	}
	for i, n := range names {
		r, err := cookies[i].Reply()
		if err != nil {
			return a, err
		}
		*n.atom = r.Atom
	}
	return a, nil
}

// latin1 returns text as the type STRING has it: Latin-1 (ICCCM, section 2.7.1).
// exact is false if some characters had to become question marks.
func latin1(text string) (b []byte, exact bool) {
	b, exact = make([]byte, 0, len(text)), true
	for _, r := range text {
		if r > 0xff {
			r, exact = '?', false
		}
		b = append(b, byte(r))
	}
	return b, exact
}

// fromLatin1 returns Latin-1 as UTF-8.
func fromLatin1(b []byte) string {
	var s strings.Builder
	s.Grow(len(b))
	for _, c := range b {
		s.WriteRune(rune(c))
	}
	return s.String()
}

// fromUTF8 returns what an owner calls UTF-8 as such. Some owners count the
// terminating zero of their strings as text.
func fromUTF8(b []byte) string {
	if n := len(b); n > 0 && b[n-1] == 0 {
		b = b[:n-1]
	}
	if utf8.Valid(b) {
		return string(b)
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}
