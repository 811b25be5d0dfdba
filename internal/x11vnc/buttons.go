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
