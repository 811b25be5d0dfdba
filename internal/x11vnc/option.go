// Package x11vnc reads x11vnc's command line: all options of version 0.9.16, as
// its manual and its behaviour have them, so that whoever calls x11vnc can call
// framebridge instead.
//
// The table is the package: what each option is called, what it takes and what
// it does is said there once; the reader, the help and the README's list are
// made from it. What the options mean for a running server is for cmd/framebridge.
package x11vnc

import "strings"

// Form says how an option takes its value: always the next argument, never
// after an equals sign.
type Form int

const (
	// Flag takes no value.
	Flag Form = iota
	// Required takes the next argument, whatever it looks like.
	Required
	// Optional takes the next argument unless it begins with a dash.
	Optional
	// KnownWord takes the next argument if it is one of the option's Words.
	KnownWord
	// OptionalNumber takes the next argument if it is a number, negative ones
	// included.
	OptionalNumber
	// Command takes the next argument, and one more as its value if the first has
	// no colon and the second no dash: -R scale 1/2.
	Command
	// Rest takes all arguments that are left.
	Rest
)

// Class says how much an option matters.
type Class byte

// Classes.
const (
	Used   Class = 'a' // in many command lines
	Useful Class = 'b'
	Other  Class = 'c' // of no use with this server
)

// State says what becomes of an option.
type State string

// States.
const (
	Works   State = "works"   // does what x11vnc documents
	Natural State = "given"   // how this server is anyway
	Ignored State = "ignored" // accepted; the log says so
	Later   State = "later"   // accepted without effect for now; the log says so
	Refused State = "refused" // not there; starting without it would not be what was asked for
)

// Option is an entry of the table.
type Option struct {
	// Names are the spellings with one dash, the usual one first. Every one may be
	// written with two.
	Names []string
	Form  Form
	// Value says what the option takes, for errors and the help; empty for flags.
	Value string
	// Words are what a KnownWord can be.
	Words []string
	// Prefix says that more may follow the name in the same argument: -loop500.
	Prefix bool
	Class  Class
	State  State
	Help   string
	// Group is the heading in the help.
	Group string

	// set takes the value over; it is nil for options without effect.
	set func(c *Config, value string) error
	// ends says that reading ends here: the option is a utility, not a setting.
	ends bool
}

// Name returns the usual spelling.
func (o *Option) Name() string { return o.Names[0] }

// Options returns the table.
func Options() []*Option { return table }

// Spellings returns every spelling of every option, as users write them.
func Spellings() []string {
	var list []string
	for _, o := range table {
		list = append(list, o.Names...)
	}
	return append(list, "--help")
}

var (
	table    = buildTable()
	byName   = map[string]*Option{}
	prefixes []string // names that are prefixes, longest first
)

type group struct {
	title string
	list  []Option
}

// Values and help are cut from one string: "VALUE: help" is easier to read and
// to keep than two fields each.
func buildTable() []*Option {
	var all []*Option
	for _, g := range []group{
		{"Display and start", startOptions},
		{"Where to listen", listenOptions},
		{"Who may come in", accessOptions},
		{"TLS and logins", securityOptions},
		{"Output and running", runOptions},
		{"Part and size of the picture", pictureOptions},
		{"Keyboard", keyboardOptions},
		{"Pointer and clipboard", pointerOptions},
		{"Pace and how changes are found", paceOptions},
		{"Remote control", remoteOptions},
		{"Ignored", ignoredOptions},
	} {
		for i := range g.list {
			o := &g.list[i]
			o.Group = g.title
			if o.Class == 0 {
				o.Class = Other
			}
			if o.State == "" {
				o.State = Ignored
			}
			all = append(all, o)
		}
	}
	return all
}

func init() {
	for _, o := range table {
		for _, n := range o.Names {
			if byName[n] != nil {
				panic("x11vnc: two options are called " + n)
			}
			byName[n] = o
			if o.Prefix {
				i := 0
				for i < len(prefixes) && len(prefixes[i]) >= len(n) {
					i++
				}
				prefixes = append(prefixes[:i], append([]string{n}, prefixes[i:]...)...)
			}
		}
	}
}

// find returns the option that arg names, and what follows the name if that is
// a prefix.
func find(arg string) (o *Option, name, rest string) {
	if strings.HasPrefix(arg, "--") {
		arg = arg[1:]
	}
	if o := byName[arg]; o != nil {
		return o, arg, ""
	}
	for _, p := range prefixes {
		if strings.HasPrefix(arg, p) {
			return byName[p], arg, arg[len(p):]
		}
	}
	return nil, arg, ""
}
