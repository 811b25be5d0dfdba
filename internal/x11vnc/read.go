package x11vnc

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Reader reads command lines. The zero value uses the process's environment and
// files.
type Reader struct {
	Getenv   func(name string) string                   // default os.Getenv
	Setenv   func(name, value string) error             // for -env; default os.Setenv
	ReadFile func(name string) (text []byte, err error) // for rc files; default os.ReadFile
}

// UnknownError lists the arguments that are no options.
type UnknownError struct{ Args []string }

func (e *UnknownError) Error() string {
	var quoted []string
	for _, a := range e.Args {
		quoted = append(quoted, Printable(a))
	}
	return "unrecognized option(s): " + strings.Join(quoted, " ")
}

// maxArgs bounds how many arguments are read, those of files included.
const maxArgs = 10000

// Read reads a command line without the program's name. Files of options come
// first, so that the command line wins. An error is one line; unknown arguments
// are an *UnknownError, after everything else has been read.
func (r Reader) Read(args []string) (*Config, error) {
	if r.Getenv == nil {
		r.Getenv = os.Getenv
	}
	if r.Setenv == nil {
		r.Setenv = os.Setenv
	}
	if r.ReadFile == nil {
		r.ReadFile = os.ReadFile
	}
	if len(args) > maxArgs {
		return nil, fmt.Errorf("%d arguments, more than %d", len(args), maxArgs)
	}
	file, norc := "", false
	var early error
	walk(args, func(s setting) error {
		switch s.option.Name() {
		case "-env":
			name, value, ok := strings.Cut(s.value, "=")
			switch {
			case !s.hasValue:
			case !ok || name == "" || strings.Contains(s.value, "\x00"):
				early = fmt.Errorf("no -env '=' found: %s (it takes %s)", Printable(s.value), s.option.Value)
			default:
				if err := r.Setenv(name, value); err != nil {
					early = fmt.Errorf("-env %s: %w", Printable(s.value), err)
				}
			}
		case "-rc":
			file = s.value
		case "-norc":
			norc = true
		}
		return early
	})
	if early != nil {
		return nil, early
	}
	c := DefaultConfig()
	if !norc {
		more, err := r.readRC(file)
		if err != nil {
			return nil, err
		}
		if args = append(more, args...); len(args) > maxArgs {
			return nil, fmt.Errorf("%d arguments with those of the rc file, more than %d", len(args), maxArgs)
		}
	}
	unknown, err := walk(args, func(s setting) error { return s.apply(c) })
	if err != nil {
		return nil, err
	}
	if len(unknown) > 0 && c.Utility == "" {
		return nil, &UnknownError{unknown}
	}
	return c, c.check()
}

// Secrets returns where in args there are passwords, and the options that they
// belong to: what must not stay in the list of processes.
func Secrets(args []string) (at []int) {
	walk(args, func(s setting) error {
		switch s.option.Name() {
		case "-passwd", "-viewpasswd":
			at = append(at, s.at)
			if s.hasValue {
				at = append(at, s.at+1)
			}
		case "-storepasswd":
			if len(s.args) > 1 {
				at = append(at, s.at+1)
			}
		}
		if s.option.ends {
			return errEnd
		}
		return nil
	})
	return at
}

// setting is an option as it was written.
type setting struct {
	option   *Option
	name     string // one dash; with what follows a prefix
	value    string
	hasValue bool
	args     []string // of a Rest
	at       int      // where the option is
}

// errEnd stops a walk without an error.
var errEnd = fmt.Errorf("end")

// walk calls f for each option of args, until f returns an error, and returns
// what is none.
func walk(args []string, f func(s setting) error) (unknown []string, err error) {
	for i := 0; i < len(args); i++ {
		o, name, rest := find(args[i])
		if o == nil {
			unknown = append(unknown, args[i])
			continue
		}
		s := setting{option: o, name: name, at: i}
		next := ""
		hasNext := i+1 < len(args)
		if hasNext {
			next = args[i+1]
		}
		take := false
		switch o.Form {
		case Flag:
			s.value, s.hasValue = rest, rest != ""
		case Required, Command:
			take = hasNext
		case Optional:
			take = hasNext && !strings.HasPrefix(next, "-")
		case KnownWord:
			for _, w := range o.Words {
				take = take || hasNext && next == w
			}
		case OptionalNumber:
			_, numErr := strconv.Atoi(next)
			take = hasNext && numErr == nil
		case Rest:
			s.args = args[i+1:]
			i = len(args)
		}
		if take {
			s.value, s.hasValue = next, true
			i++
		}
		if o.Form == Command && take && !strings.Contains(next, ":") && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			i++
			s.value += ":" + args[i]
		}
		if err := f(s); err == errEnd {
			return unknown, nil
		} else if err != nil {
			return unknown, err
		}
	}
	return unknown, nil
}

// apply takes the setting over.
func (s setting) apply(c *Config) error {
	o := s.option
	if !s.hasValue && (o.Form == Required || o.Form == Command) {
		return fmt.Errorf("not enough arguments for: %s (it takes %s)", s.name, o.Value)
	}
	if len(s.value) > maxValue || strings.Contains(s.value, "\x00") {
		return s.bad()
	}
	if o.State == Ignored || o.State == Later || o.State == Refused {
		as := s.name
		if s.hasValue && o.Form != Flag {
			as += " " + Printable(s.value)
		}
		c.Unread = append(c.Unread, Note{Option: o, As: as})
	}
	if o.set != nil && (s.hasValue || o.Form != Optional || o.ends || o.State == Works) {
		err := o.set(c, s.value)
		var why explainedError
		if errors.As(err, &why) {
			return fmt.Errorf("%s %s: %w", s.name, Printable(s.value), why)
		}
		if err != nil {
			return s.bad()
		}
	}
	if o.ends {
		if o.Form == Rest {
			c.Args = s.args
		}
		return errEnd
	}
	return nil
}

// bad says what is wrong with the value.
func (s setting) bad() error {
	return fmt.Errorf("%s %s: it takes %s", s.name, Printable(s.value), s.option.Value)
}

// check finds options that do not go together.
func (c *Config) check() error {
	if c.Utility != "" {
		return nil
	}
	if c.RFBAuth != "" && (c.Passwd != nil || c.ViewPasswd != nil || c.PasswdFile != "") {
		return fmt.Errorf("option -rfbauth is incompatible with: -passwd, -viewpasswd, and -passwdfile")
	}
	if c.ViewPasswd != nil && c.Passwd == nil {
		return fmt.Errorf("-passwd must be supplied when using -viewpasswd")
	}
	if c.NoIPv4 && c.NoIPv6 && c.Unix == "" && !c.Inetd {
		return fmt.Errorf("-noipv4 and -noipv6 leave nothing to listen on")
	}
	if c.Inetd && (c.BG || c.Loop.On) {
		return fmt.Errorf("-inetd serves one viewer on standard input: it goes with neither -bg nor -loop")
	}
	return nil
}

// Printable returns v as it can stand in a line of output: as it is, or quoted,
// and not longer than a line.
func Printable(v string) string {
	const limit = 80
	cut := ""
	if len(v) > limit {
		v, cut = v[:limit], "..."
	}
	if v == "" {
		return `""`
	}
	if q := strconv.Quote(v); q[1:len(q)-1] != v || strings.Contains(v, " ") {
		return q + cut
	}
	return v + cut
}
