package x11vnc

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// maxRC bounds a file of options: all options with a line of text each are a
// tenth of it.
const maxRC = 1 << 20

// readRC returns the arguments in a file of options: the one given, or
// ~/.x11vncrc if there is one.
func (r Reader) readRC(given string) ([]string, error) {
	name := given
	if name == "" {
		home := r.Getenv("HOME")
		if home == "" {
			return nil, nil
		}
		name = filepath.Join(home, ".x11vncrc")
	}
	b, err := r.ReadFile(name)
	if err != nil {
		if given == "" && errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, fmt.Errorf("could not open rcfile: %s: %w", Printable(name), cause(err))
	}
	if len(b) > maxRC {
		return nil, fmt.Errorf("rcfile %s: longer than %d bytes", Printable(name), maxRC)
	}
	return parseRC(string(b)), nil
}

func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// parseRC cuts a file into arguments: a line is an option, with or without its
// dash, and what follows the first blank is its value. # begins a comment, \#
// is a #, and a line that ends in \ goes on with the next one.
func parseRC(text string) []string {
	var args []string
	line := ""
	for part := range strings.SplitSeq(text, "\n") {
		part = strings.TrimRight(part, "\r")
		if i := comment(part); i >= 0 {
			part = part[:i]
		} else if head, ok := strings.CutSuffix(part, `\`); ok {
			line += head
			continue
		}
		args = appendLine(args, line+part)
		line = ""
	}
	return appendLine(args, line)
}

// comment returns where a line's comment begins, -1 if it has none.
func comment(s string) int {
	for i := range len(s) {
		if s[i] == '#' && (i == 0 || s[i-1] != '\\') {
			return i
		}
	}
	return -1
}

func appendLine(args []string, line string) []string {
	line = strings.TrimSpace(strings.ReplaceAll(line, `\#`, "#"))
	if line == "" {
		return args
	}
	name, value := line, ""
	if i := strings.IndexAny(line, " \t"); i >= 0 {
		name, value = line[:i], strings.TrimSpace(line[i:])
	}
	if !strings.HasPrefix(name, "-") {
		name = "-" + name
	}
	args = append(args, name)
	if value != "" {
		args = append(args, value)
	}
	return args
}
