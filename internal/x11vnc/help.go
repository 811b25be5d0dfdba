package x11vnc

import (
	"fmt"
	"strings"
)

// width is that of the help: terminals have 80 columns.
const width = 79

// Help returns the text of -help.
func Help() string {
	var b strings.Builder
	b.WriteString("x11vnc: show an X display to VNC viewers (framebridge, with x11vnc's options)\n\n" +
		"Usage: x11vnc [options]\n\n" +
		"Each option can be written with one or two dashes; its value is the next\n" +
		"argument: --help is -help. Of options that exclude each other the last counts.\n")
	title := ""
	for _, o := range table {
		if o.Group != title {
			title = o.Group
			fmt.Fprintf(&b, "\n%s\n\n", title)
		}
		b.WriteString(entry(o))
	}
	return b.String()
}

// entry is one option in the help.
func entry(o *Option) string {
	head := "  " + strings.Join(o.Names, ", ")
	switch o.Form {
	case Flag:
		head += o.Value // of a prefix
	case Optional, KnownWord, OptionalNumber:
		head += " [" + o.Value + "]"
	default:
		head += " " + o.Value
	}
	text := o.Help
	switch o.State {
	case Later:
		text += " (accepted, without effect for now)"
	case Refused:
		text += " (not supported)"
	}
	return head + "\n" + wrap(text, "        ")
}

// wrap breaks text into lines with an indentation.
func wrap(text, indent string) string {
	var b strings.Builder
	n := 0
	for _, w := range strings.Fields(text) {
		switch {
		case n == 0:
			b.WriteString(indent)
			n = len(indent)
		case n+1+len(w) > width:
			b.WriteString("\n" + indent)
			n = len(indent)
		default:
			b.WriteByte(' ')
			n++
		}
		b.WriteString(w)
		n += len(w)
	}
	b.WriteByte('\n')
	return b.String()
}

// List returns the text of -opts: the names in columns.
func List() string {
	var b strings.Builder
	b.WriteString("x11vnc options:\n")
	col := 0
	for _, o := range table {
		for _, n := range o.Names {
			if col == 3 {
				b.WriteByte('\n')
				col = 0
			}
			if col == 0 {
				b.WriteString("  ")
			}
			fmt.Fprintf(&b, "%-25s", n)
			col++
		}
	}
	b.WriteByte('\n')
	return b.String()
}

// Markdown returns the table of options for the README.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| options | state |\n|---|---|\n")
	title := ""
	for _, o := range table {
		if o.Group == title {
			continue
		}
		title = o.Group
		for _, st := range []State{Works, Natural, Later, Refused, Ignored} {
			var names []string
			for _, p := range table {
				if p.Group == title && p.State == st {
					for _, n := range p.Names {
						names = append(names, "`"+n+"`")
					}
				}
			}
			if len(names) > 0 {
				fmt.Fprintf(&b, "| %s: %s | %s |\n", title, strings.Join(names, " "), meaning[st])
			}
		}
	}
	return b.String()
}

// meaning says what the states are.
var meaning = map[State]string{
	Works:   "works",
	Natural: "always so",
	Later:   "accepted; no effect yet",
	Refused: "not supported: ends with code 1",
	Ignored: "accepted and ignored",
}
