package x11vnc

import (
	"errors"
	"fmt"
	"strings"
)

// MaxPasswords bounds the lines of a password file: x11vnc's own limit.
const MaxPasswords = 1000

// emptySecret stands for the empty password: VNC Authentication pads with zero
// bytes, so it is the same key.
const emptySecret = "\x00"

// ParsePasswords reads the text of a -passwdfile: a password to a line. Blank
// lines, lines that begin with # and lines with __SKIP__ do not count; what
// follows __COMM__ is a comment; __EMPTY__ is the empty password. Passwords behind
// __BEGIN_VIEWONLY__ are for viewing only; without that line the second of two is.
func ParsePasswords(text string) (full, view [][]byte, err error) {
	var list [][]byte
	split := -1
	lines := 0
	for line := range strings.SplitSeq(text, "\n") {
		if lines++; lines > MaxPasswords {
			return nil, nil, fmt.Errorf("more than %d lines", MaxPasswords)
		}
		line = strings.TrimRight(line, "\r")
		if line == "" || line[0] == '#' || strings.Contains(line, "__SKIP__") {
			continue
		}
		if strings.Contains(line, "__BEGIN_VIEWONLY__") {
			if split < 0 {
				split = len(list)
			}
			continue
		}
		if before, _, ok := strings.Cut(line, "__COMM__"); ok {
			if line = strings.TrimRight(before, " \t"); line == "" {
				continue
			}
		}
		if strings.Contains(line, "__EMPTY__") {
			line = emptySecret
		}
		list = append(list, []byte(line))
	}
	if len(list) == 0 {
		return nil, nil, errors.New("no password in it")
	}
	switch {
	case split >= 0:
	case len(list) == 2:
		split = 1
	default:
		split = len(list)
	}
	return list[:split:split], list[split:], nil
}

// Secret returns what VNC Authentication needs of a password that may be empty.
func Secret(password string) []byte {
	if password == "" {
		password = emptySecret
	}
	return []byte(password)
}
