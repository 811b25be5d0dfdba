package x11vnc

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bare is a reader without files and environment.
func bare() Reader {
	return Reader{
		Getenv:   func(string) string { return "" },
		Setenv:   func(string, string) error { return nil },
		ReadFile: func(string) ([]byte, error) { return nil, fs.ErrNotExist },
	}
}

func read(args ...string) (*Config, error) { return bare().Read(args) }

// spelling is a line of testdata/spellings.tsv: a list made from x11vnc, not from
// the table.
type spelling struct {
	name            string
	takes, optional bool
}

func spellings(t testing.TB) (list []spelling) {
	b, err := os.ReadFile("testdata/spellings.tsv")
	require.NoError(t, err)
	for l := range strings.SplitSeq(strings.TrimSpace(string(b)), "\n") {
		if strings.HasPrefix(l, "#") {
			continue
		}
		f := strings.Split(l, "\t")
		require.Len(t, f, 3)
		list = append(list, spelling{f[0], f[1] == "y", f[2] == "optional"})
	}
	require.Len(t, list, 380)
	return list
}

// TestSpellings: the table has every spelling, with what it takes, and no other.
func TestSpellings(t *testing.T) {
	ours := Spellings()
	assert.Len(t, ours, 380)
	count := map[Class]int{}
	for _, s := range spellings(t) {
		require.Contains(t, ours, s.name)
		o, _, _ := find(s.name)
		require.NotNil(t, o, s.name)
		count[o.Class]++
		switch {
		case !s.takes:
			assert.Equal(t, Flag, o.Form, s.name)
		case s.optional:
			assert.Contains(t, []Form{Optional, KnownWord, OptionalNumber, Rest}, o.Form, s.name)
		default:
			assert.Contains(t, []Form{Required, Command}, o.Form, s.name)
		}
	}
	assert.Equal(t, map[Class]int{Used: 118, Useful: 92, Other: 170}, count)
}

// TestTable: every entry says what it has to.
func TestTable(t *testing.T) {
	for _, o := range Options() {
		name := o.Name()
		assert.NotEmpty(t, o.Help, name)
		assert.NotEmpty(t, o.Group, name)
		assert.Equal(t, o.Form != Flag || o.Prefix && o.Class != Other && name == "-loop", o.Value != "", name)
		assert.Equal(t, o.Form == KnownWord, len(o.Words) > 0, name)
		if o.State == Works || o.State == Natural || o.Form != Flag {
			assert.NotNil(t, o.set, name)
		}
		if o.Class == Other {
			assert.Contains(t, []State{Ignored, Works}, o.State, name)
		}
		for _, n := range o.Names {
			assert.True(t, strings.HasPrefix(n, "-") && !strings.HasPrefix(n, "--"), n)
		}
	}
}

// good are values that the options with checks take; all others take any text.
var good = map[string]string{
	"-display": ":1", "-sleepin": "0", "-env": "A=b", "-autoport": "5900", "-rfbport": "5900", "-rfbportv6": "-1", "-httpport": "5800",
	"-input": "KMBC,K", "-accept": "yes:0,no:* cmd", "-rfbversion": "3.8", "-id": "0x1", "-sid": "0x1", "-clip": "10x10+0+0",
	"-scale": "2/3", "-geometry": "10x10", "-scale_cursor": "1", "-rotate": "90", "-blackout": "1x1+0+0", "-skip_keycodes": "94,114",
	"-norepeat": "5", "-buttonmap": "13-31", "-seldir": "send", "-xrandr": "exit", "-cursor": "arrow", "-wirecopyrect": "top",
	"-scrollcopyrect": "keys", "-sigpipe": "exit", "-vencrypt": "only",
}

func goodValue(o *Option) string {
	if v, ok := good[o.Name()]; ok {
		return v
	}
	return "1"
}

// TestEverySpelling: each is read with one dash and with two, takes what it takes
// and leaves what follows.
func TestEverySpelling(t *testing.T) {
	n := 0
	for _, s := range spellings(t) {
		for _, dash := range []string{"", "-"} {
			o, _, _ := find(s.name)
			args := []string{dash + s.name}
			if strings.HasPrefix(s.name, "--") {
				args[0] = s.name
			}
			if o.Form != Flag && o.Form != Rest && s.name != "-rc" {
				args = append(args, goodValue(o))
			} else if s.name == "-rc" {
				continue
			}
			if s.name == "-viewpasswd" {
				args = append(args, "-passwd", "p")
			}
			c, err := read(append(args, "-desktop", "Behind")...)
			require.NoError(t, err, args)
			if c.Utility == "" && s.name != "-desktop" {
				assert.Equal(t, "Behind", c.Desktop, args)
			}
			noted := slices.ContainsFunc(c.Unread, func(n Note) bool { return n.Option == o })
			assert.Equal(t, o.State == Ignored || o.State == Later || o.State == Refused, noted, args)
			n++
		}
	}
	assert.Equal(t, 758, n)
}

// TestBadValues: a missing, a malformed and a huge value of each option is one
// line that names it and what it takes.
func TestBadValues(t *testing.T) {
	n := 0
	for _, o := range Options() {
		if o.Form == Flag || o.Form == Rest {
			continue
		}
		bad := map[string][]string{"huge": {o.Name(), strings.Repeat("9", maxValue+1)}}
		if o.Form == Required || o.Form == Command {
			bad["missing"] = []string{o.Name()}
		}
		if _, checked := good[o.Name()]; checked && o.Form == Required {
			switch o.Name() {
			case "-display", "-accept": // any command, any name of a host
			default:
				bad["malformed"] = []string{o.Name(), "?\n?"}
			}
			if o.Name() != "-input" { // nothing may be used
				bad["empty"] = []string{o.Name(), ""}
			}
		}
		for what, args := range bad {
			_, err := read(args...)
			if what == "huge" && (o.Form == KnownWord || o.Form == OptionalNumber || o.Name() == "-rc") {
				assert.Error(t, err, o.Name())
				continue
			}
			if !assert.Error(t, err, "%s %s", what, o.Name()) {
				continue
			}
			assert.Contains(t, err.Error(), o.Name(), what)
			assert.NotContains(t, err.Error(), "\n")
			assert.Less(t, len(err.Error()), 400)
			if o.Name() != "-env" || what == "missing" {
				assert.Contains(t, err.Error(), o.Value, what)
			}
			n++
		}
	}
	assert.Greater(t, n, 200)
}

// TestRanges: numbers have bounds.
func TestRanges(t *testing.T) {
	for _, args := range [][]string{
		{"-rfbport", "65536"}, {"-rfbport", "-1"}, {"-rfbport", "59 00"}, {"-rfbport", "5900x"}, {"-rfbport", "PROMPT"}, {"-rfbport", "1e3"},
		{"-rfbportv6", "-2"}, {"-rfbportv6", "65536"}, {"-autoport", "0"}, {"-autoport", "99999999999999999999"},
		{"-timeout", "-1"}, {"-timeout", "abc"}, {"-timeout", "1e300"}, {"-timeout", "NaN"}, {"-timeout", "Inf"}, {"-wait", "-5"},
		{"-ping", "x"}, {"-sleepin", "5-1"}, {"-sleepin", "-"}, {"-sleepin", "1-"}, {"-loop0"}, {"-loopabc"}, {"-loop5,"}, {"-loop5,0"},
		{"-loop5,x"}, {"-loop99999999999999"}, {"-clip", "100x100"}, {"-clip", "0x5+0+0"}, {"-clip", "5x5+0+0+0"}, {"-clip", "xinerama"},
		{"-clip", "99999x1+0+0"}, {"-clip", "5x5+0+0 "}, {"-scale", "abc"}, {"-scale", "1/0"}, {"-scale", "0"}, {"-scale", "-1"}, {"-scale", "1:zz"},
		{"-scale", "1x2x3"}, {"-geometry", "axb"}, {"-id", "0"}, {"-id", "window"}, {"-id", "0x1ffffffff"}, {"-rotate", "45"},
		{"-blackout", "1x1"}, {"-input", "XYZ"}, {"-input", "K,M,B"}, {"-seldir", "up"}, {"-skip_keycodes", "7"}, {"-skip_keycodes", "256"},
		{"-skip_keycodes", "8,,9"}, {"-buttonmap", "13"}, {"-buttonmap", "1-"}, {"-buttonmap", "12-1"}, {"-buttonmap", "1-:a"}, {"-buttonmap", "1-12"},
		{"-buttonmap", "1-1=0"}, {"-accept", "yes:300 cmd"}, {"-accept", "yes:0"}, {"-accept", "yes:x cmd"}, {"-accept", " "},
		{"-pointer_mode", "5"}, {"-fs", "2"}, {"-sigpipe", "foo"}, {"-ncache", "many"}, {"-arrow", "7"}, {"-rfbversion", "9"}, {"-norepeat", "1e9"},
	} {
		_, err := read(args...)
		if assert.Error(t, err, args) {
			assert.NotContains(t, err.Error(), "\n")
		}
	}
}

func TestTraps(t *testing.T) {
	for _, tt := range []struct {
		args string
		want func(c *Config)
	}{
		{"-loop", func(c *Config) { c.Loop = Loop{On: true, Pause: 2 * time.Second} }},
		{"-loop500", func(c *Config) { c.Loop = Loop{On: true, Pause: 500 * time.Millisecond} }},
		{"--loop5000,15", func(c *Config) { c.Loop = Loop{On: true, Pause: 5 * time.Second, Count: 15} }},
		{"-loopbg", func(c *Config) { c.Loop = Loop{On: true, BG: true, Pause: 500 * time.Millisecond} }},
		{"-loopbg100", func(c *Config) { c.Loop = Loop{On: true, BG: true, Pause: 100 * time.Millisecond} }},
		{"-norepeat -6 -q", func(c *Config) { c.Quiet = true }},
		{"-norepeat -q", func(c *Config) { c.Quiet = true }},
		{"-repeat -norepeat", func(*Config) {}},
		{"-cursor -q", func(c *Config) { c.Picture.Cursor, c.Quiet = "most", true }},
		{"-cursor none -cursor X", func(c *Config) { c.Picture.Cursor = "X" }},
		{"-cursor none", func(c *Config) { c.Picture.Cursor, c.Picture.NoCursor = "none", true }},
		{"-xrandr -forever", func(c *Config) { c.Picture.XRandR, c.Forever = "resize", true }},
		{"-xrandr newfbsize -many", func(c *Config) { c.Picture.XRandR, c.Forever = "newfbsize", true }},
		{"-ssl -forever", func(c *Config) { c.TLS.On, c.Forever = true, true }},
		{"-stunnel TMP -sslonly", func(c *Config) { c.TLS = TLS{On: true, PEM: "TMP", VeNCrypt: VeNCryptNever} }},
		{"-ssl SAVE-me -vencrypt nodh:newdh:force -ssldir d", func(c *Config) { c.TLS = TLS{On: true, PEM: "SAVE-me", VeNCrypt: VeNCryptForce, Dir: "d"} }},
		{"-ssl -vencrypt nox509:support", func(c *Config) { c.TLS = TLS{On: true, VeNCrypt: VeNCryptNever} }},
		{"-https -http", func(c *Config) { c.HTTP = HTTP{On: true, HTTPS: true} }},
		{"-https 5443 -httpport 80 -httpdir d", func(c *Config) { c.HTTP = HTTP{HTTPS: true, TLSPort: 5443, Port: 80, Dir: "d"} }},
		{"-solid -nodpms -grabkbd", func(c *Config) { c.Local = Local{Solid: "cyan4", DPMS: DPMSOn, GrabKeyboard: true} }},
		{"-solid #102030 -clientdpms -dpms -grabptr -mdns", func(c *Config) { c.Local = Local{Solid: "#102030", GrabPointer: true, MDNS: true} }},
		{"-ssl -nossl -forever", func(c *Config) { c.Forever = true }},
		{"-forever -once", func(*Config) {}},
		{"-display -q", func(c *Config) { c.Display = "-q" }},
		{"-rfbport 5900 --rfbport 5901", func(c *Config) { c.Port, c.PortSet = 5901, true }},
		{"-rfbportv6 -1", func(c *Config) { c.PortV6, c.PortV6Set = -1, true }},
		{"-passwd -viewonly", func(c *Config) { c.Passwd = new(string); *c.Passwd = "-viewonly" }},
		{"-R scale 1/2", func(c *Config) { c.Remote = []RemoteCommand{{Text: "scale:1/2"}} }},
		{"-R stop -q", func(c *Config) { c.Remote, c.Quiet = []RemoteCommand{{Text: "stop"}}, true }},
		{"-Q clients,client_count", func(c *Config) { c.Remote = []RemoteCommand{{Query: true, Text: "clients,client_count"}} }},
		{"-create", func(c *Config) { c.Find, c.Create = true, true }},
		{"-create -display :3", func(c *Config) { c.Find, c.Create, c.Display = true, true, ":3" }},
		{"-create -display WAIT::3", func(c *Config) { c.Display = "WAIT::3" }},
		{"-display WAIT:cmd=FINDCREATEDISPLAY-Xvfb", func(c *Config) {
			c.Find, c.Create, c.XSrv, c.Display = true, true, "Xvfb", "WAIT:cmd=FINDCREATEDISPLAY-Xvfb"
		}},
		{"-storepasswd -a -b", func(c *Config) { c.Utility, c.Args = "-storepasswd", []string{"-a", "-b"} }},
		{"-version -nonsense", func(c *Config) { c.Utility = "-version" }},
		{"-nonsense -version", func(c *Config) { c.Utility = "-version" }},
		{"-sleepin 0.5-1.5", func(c *Config) { c.Sleep = [2]time.Duration{500 * time.Millisecond, 1500 * time.Millisecond} }},
		{"-safer", func(c *Config) { c.NoCmds, c.NoRemote, c.NoVNCConnect = true, true, true }},
		{"-slow_fb 0.5", func(c *Config) { c.Picture.Wait = 500 * time.Millisecond }},
	} {
		c, err := read(strings.Fields(tt.args)...)
		require.NoError(t, err, tt.args)
		c.Unread = nil
		want := DefaultConfig()
		tt.want(want)
		assert.Equal(t, want, c, tt.args)
	}
}

func TestUnknown(t *testing.T) {
	for _, tt := range []struct{ args, unknown []string }{
		{[]string{"-display:0"}, []string{"-display:0"}},
		{[]string{"-passenv", "X", "-q"}, []string{"-passenv", "X"}},
		{[]string{"--", "-q"}, []string{"--"}},
		{[]string{""}, []string{""}},
		{[]string{"-"}, []string{"-"}},
		{[]string{"-clear-all"}, []string{"-clear-all"}},
		{[]string{"-rfbport=5900"}, []string{"-rfbport=5900"}},
		{[]string{"-cursor", "foo"}, []string{"foo"}},
		{[]string{"-xrandr", "foo"}, []string{"foo"}},
		{[]string{"---q"}, []string{"---q"}},
		{[]string{"-Forever"}, []string{"-Forever"}},
	} {
		_, err := read(tt.args...)
		var u *UnknownError
		require.ErrorAs(t, err, &u, tt.args)
		assert.Equal(t, tt.unknown, u.Args)
	}
}

func TestConflicts(t *testing.T) {
	for args, says := range map[string]string{
		"-rfbauth f -passwd p":     "-rfbauth is incompatible",
		"-rfbauth f -passwdfile p": "-rfbauth is incompatible",
		"-viewpasswd p":            "-passwd must be supplied",
		"-noipv4 -noipv6":          "nothing to listen on",
		"-inetd -bg":               "-inetd",
	} {
		_, err := read(strings.Fields(args)...)
		assert.ErrorContains(t, err, says)
	}
}

// TestRC: options come from a file first, and the command line wins.
func TestRC(t *testing.T) {
	files := map[string]string{
		"/home/u/.x11vncrc": "# a comment\nforever\n-rfbport 5950 # behind\n\ndesktop A \\# B\\\nC\n  --shared  \r\n",
		"other":             "viewonly\n",
	}
	set := map[string]string{}
	r := Reader{
		Getenv: func(name string) string {
			if v, ok := set[name]; ok {
				return v
			}
			return map[string]string{"HOME": "/home/u"}[name]
		},
		Setenv: func(name, value string) error { set[name] = value; return nil },
		ReadFile: func(name string) ([]byte, error) {
			if s, ok := files[name]; ok {
				return []byte(s), nil
			}
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		},
	}
	c, err := r.Read([]string{"-rfbport", "5951"})
	require.NoError(t, err)
	assert.True(t, c.Forever)
	assert.True(t, c.Shared)
	assert.Equal(t, 5951, c.Port)
	assert.Equal(t, "A # BC", c.Desktop)

	c, err = r.Read([]string{"-norc"})
	require.NoError(t, err)
	assert.Equal(t, DefaultConfig(), c)

	c, err = r.Read([]string{"-rc", "other"})
	require.NoError(t, err)
	assert.True(t, c.ViewOnly)
	assert.False(t, c.Forever)

	_, err = r.Read([]string{"-rc", "none"})
	assert.ErrorContains(t, err, "could not open rcfile: none")
	assert.True(t, errors.Is(err, fs.ErrNotExist))

	// -env comes before the file is looked for.
	_, err = r.Read([]string{"-env", "HOME=/nowhere", "-env", "A=b=c"})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"HOME": "/nowhere", "A": "b=c"}, set)
	_, err = r.Read([]string{"-env", "FOO"})
	assert.ErrorContains(t, err, "no -env '=' found: FOO")
}

func TestSecrets(t *testing.T) {
	for args, want := range map[string][]int{
		"-q -passwd abc -viewpasswd d -forever": {1, 2, 3, 4},
		"-desktop -passwd abc":                  nil,
		"-passwd":                               {0},
		"--passwd x":                            {0, 1},
		"-storepasswd x f":                      {1},
		"-storepasswd f":                        nil,
	} {
		assert.Equal(t, want, Secrets(strings.Fields(args)), args)
	}
}

func TestParsePasswords(t *testing.T) {
	for text, want := range map[string][2]string{
		"a\n":                               {"a", ""},
		"a\nb\n":                            {"a", "b"},
		"a\nb\nc":                           {"a b c", ""},
		"a\n__BEGIN_VIEWONLY__\nb\nc\n":     {"a", "b c"},
		"# c\n\n a b __COMM__ note\r\nx\ny": {" a b x y", ""},
		"a\nold __SKIP__\n__EMPTY__\nb\n":   {"a \x00 b", ""},
		"__BEGIN_VIEWONLY__\nb\n":           {"", "b"},
		"a\n__BEGIN_VIEWONLY__\n":           {"a", ""},
		"__COMM__ only\na\n":                {"a", ""},
		"a\n__BEGIN_VIEWONLY__\nb\n# end\n": {"a", "b"},
	} {
		full, view, err := ParsePasswords(text)
		require.NoError(t, err, text)
		join := func(list [][]byte) string {
			var s []string
			for _, p := range list {
				s = append(s, string(p))
			}
			return strings.Join(s, " ")
		}
		assert.Equal(t, want, [2]string{join(full), join(view)}, "%q", text)
	}
	for _, text := range []string{"", "\n\n", "# a\n", "__BEGIN_VIEWONLY__\n", strings.Repeat("a\n", MaxPasswords+1)} {
		_, _, err := ParsePasswords(text)
		assert.Error(t, err)
	}
}

func TestParseAccept(t *testing.T) {
	command, codes, err := ParseAccept("yes:0,no:*,view:3 /bin/ask me")
	require.NoError(t, err)
	assert.Equal(t, "/bin/ask me", command)
	assert.Equal(t, map[int]Verdict{0: Admit, -1: Reject, 3: AdmitView}, codes)
	command, codes, err = ParseAccept("popup:10")
	require.NoError(t, err)
	assert.Equal(t, "popup:10", command)
	assert.Equal(t, map[int]Verdict{0: Admit, -1: Reject}, codes)
}

func TestParseRemap(t *testing.T) {
	pairs, err := ParseRemap("Caps_Lock-Escape,a-0x62")
	require.NoError(t, err)
	assert.Equal(t, [][2]string{{"Caps_Lock", "Escape"}, {"a", "0x62"}}, pairs)
	pairs, err = ParseRemap("# mine\nCaps_Lock Escape # as everybody\n\n a\tb\r\n")
	require.NoError(t, err)
	assert.Equal(t, [][2]string{{"Caps_Lock", "Escape"}, {"a", "b"}}, pairs)
	for _, bad := range []string{"", "#", "a", "a-", "-b", "a b c"} {
		_, err := ParseRemap(bad)
		assert.Error(t, err, bad)
	}
}

func TestParseButtonMap(t *testing.T) {
	m, err := ParseButtonMap("123-31:Delete+Tab:=5")
	require.NoError(t, err)
	assert.Equal(t, map[int]Button{1: {To: 3}, 2: {To: 1}, 3: {Keys: []string{"Delete", "Tab"}}}, m)
}

// TestHelp: every spelling is in it, and it fits a terminal.
func TestHelp(t *testing.T) {
	help := Help()
	for _, n := range Spellings() {
		assert.True(t, strings.Contains(help, n), n)
		assert.True(t, strings.Contains(List(), n) || n == "--help", n)
	}
	for l := range strings.SplitSeq(help, "\n") {
		if !strings.HasPrefix(l, "  -") {
			assert.LessOrEqual(t, len(l), width+1, l)
		}
	}
}

// FuzzRead: whatever the arguments and the file, reading ends without a panic, with
// a config or with one line.
func FuzzRead(f *testing.F) {
	for _, o := range table {
		f.Add(o.Name()+"\x00"+goodValue(o)+"\x00-q", "")
		f.Add(o.Name(), o.Name()+" 5\n")
	}
	f.Add("-R\x00scale\x001/2", "forever\\\nshared # x\n\\#")
	f.Fuzz(func(t *testing.T, line, rc string) {
		args := strings.Split(line, "\x00")
		_, _, _ = ParsePasswords(rc) // also what no command line leads to
		r := bare()
		r.Getenv = func(string) string { return "/h" }
		r.ReadFile = func(string) ([]byte, error) { return []byte(rc), nil }
		c, err := r.Read(args)
		if err != nil {
			require.NotEmpty(t, err.Error())
			require.NotContains(t, err.Error(), "\n")
			return
		}
		require.NotNil(t, c)
		require.GreaterOrEqual(t, c.Port, 0)
		require.LessOrEqual(t, c.Port, 65535)
		for _, i := range Secrets(args) {
			require.Less(t, i, len(args))
		}
		if c.Accept != "" {
			_, _, err := ParseAccept(c.Accept)
			require.NoError(t, err)
		}
		if full, view, err := ParsePasswords(rc); err == nil {
			require.NotEmpty(t, append(full, view...))
		}
		if pairs, err := ParseRemap(rc); err == nil {
			require.NotEmpty(t, pairs)
		}
		_, _ = ParseButtonMap(rc)
	})
}
