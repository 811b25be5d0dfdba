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
