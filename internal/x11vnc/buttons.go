package x11vnc

import (
	"errors"
	"strings"
)

// Button is what a viewer's button becomes: another button, or keys that are
// pressed together and released.
type Button struct {
	To   int      // 1 to 9; 0: keys, or nothing
	Keys []string // names of keysyms
}

// ParseRemap reads pairs of keysyms' names, KEY-KEY between commas or, in a file, on
// lines of their own with blanks between; # begins a comment there.
func ParseRemap(text string) (pairs [][2]string, err error) {
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == ',' }) {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		if len(f) == 1 && (f[0] == "DEAD" || strings.HasPrefix(f[0], "DEAD=")) {
			dead, err := deadKeys(strings.TrimPrefix(strings.TrimPrefix(f[0], "DEAD"), "="))
			if err != nil {
				return nil, err
			}
			pairs = append(pairs, dead...)
			continue
		}
		switch {
		case len(f) == 0:
			continue
		case len(f) == 1:
			from, to, _ := strings.Cut(f[0], "-")
			f = []string{from, to}
		}
		if len(f) != 2 || f[0] == "" || f[1] == "" {
			return nil, errors.New("want KEY-KEY, such as Caps_Lock-Escape")
		}
		pairs = append(pairs, [2]string{f[0], f[1]})
	}
	if len(pairs) == 0 {
		return nil, errors.New("no keys in it")
	}
	return pairs, nil
}

// dead are characters that some viewers send for keys which only give others an
// accent, and those keys, by x11vnc's letter.
var dead = []struct {
	letter   byte
	from, to string
}{
	{'g', "grave", "dead_grave"}, {'a', "acute", "dead_acute"}, {'c', "asciicircum", "dead_circumflex"},
	{'t', "asciitilde", "dead_tilde"}, {'m', "macron", "dead_macron"}, {'b', "breve", "dead_breve"},
	{'D', "abovedot", "dead_abovedot"}, {'d', "diaeresis", "dead_diaeresis"}, {'o', "degree", "dead_abovering"},
	{'A', "doubleacute", "dead_doubleacute"}, {'r', "caron", "dead_caron"}, {'e', "cedilla", "dead_cedilla"},
}

// deadKeys returns the pairs for some letters, or for all. "missing" is all, too:
// a key that the keyboard map has means itself with an accent as well.
func deadKeys(letters string) (pairs [][2]string, err error) {
	for _, d := range dead {
		if letters == "" || letters == "missing" || strings.IndexByte(letters, d.letter) >= 0 {
			pairs = append(pairs, [2]string{d.from, d.to})
		}
	}
	if letters != "" && letters != "missing" && len(pairs) != len(letters) {
		return nil, errors.New("DEAD= takes letters of gactmbDdoAre")
	}
	return pairs, nil
}

// Clicks returns the buttons that a name such as Button1 or Button44 stands for.
func Clicks(name string) (buttons []int, ok bool) {
	digits, ok := strings.CutPrefix(name, "Button")
	if !ok || digits == "" || len(digits) > maxClicks || strings.Trim(digits, "123456789") != "" {
		return nil, false
	}
	for _, d := range digits {
		buttons = append(buttons, int(d-'0'))
	}
	return buttons, true
}

// maxClicks bounds how often a key can click.
const maxClicks = 100

// ParseButtonMap reads a map such as "13-31", "12345-12322" or "3-:Delete+Tab:":
// the n-th button on the left becomes the n-th on the right. "=N" says that the
// display has N buttons.
func ParseButtonMap(v string) (map[int]Button, error) {
	bad := errors.New("want BUTTONS-BUTTONS, such as 13-31")
	if i := strings.LastIndexByte(v, '='); i >= 0 {
		if n := v[i+1:]; len(n) != 1 || n[0] < '1' || n[0] > '9' {
			return nil, bad
		}
		if v = v[:i]; v == "" {
			return map[int]Button{}, nil
		}
	}
	from, to, ok := strings.Cut(v, "-")
	if !ok {
		return nil, bad
	}
	m := map[int]Button{}
	for i := range len(from) {
		n := int(from[i] - '0')
		if from[i] < '1' || from[i] > '9' || to == "" {
			return nil, bad
		}
		if to[0] == ':' {
			names, rest, ok := strings.Cut(to[1:], ":")
			if !ok || names == "" {
				return nil, bad
			}
			var keys []string
			for k := range strings.SplitSeq(names, "+") {
				if k == "" {
					return nil, bad
				}
				keys = append(keys, k)
			}
			m[n], to = Button{Keys: keys}, rest
			continue
		}
		if to[0] < '0' || to[0] > '9' {
			return nil, bad
		}
		m[n], to = Button{To: int(to[0] - '0')}, to[1:]
	}
	if to != "" || len(m) == 0 {
		return nil, bad
	}
	return m, nil
}
