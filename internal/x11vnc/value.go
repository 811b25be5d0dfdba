package x11vnc

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxValue bounds a value's length: longer than any path the kernel takes, and
// than any list that people write on a command line.
const maxValue = 32 << 10

// errValue says that a value is not what the option takes. The reader makes the
// message, from the table.
var errValue = errors.New("bad value")

// explainedError says more of a value than that it is not what the option takes.
type explainedError string

func (e explainedError) Error() string { return string(e) }

type setter = func(c *Config, v string) error

// on sets a flag.
func on(f func(c *Config) *bool) setter { return to(true, f) }

// off clears a flag.
func off(f func(c *Config) *bool) setter { return to(false, f) }

func to(v bool, f func(c *Config) *bool) setter {
	return func(c *Config, _ string) error {
		*f(c) = v
		return nil
	}
}

// text takes a value that is not empty.
func text(f func(c *Config) *string) setter {
	return func(c *Config, v string) error {
		if v == "" {
			return errValue
		}
		*f(c) = v
		return nil
	}
}

// secret takes a value that may be empty.
func secret(f func(c *Config) **string) setter {
	return func(c *Config, v string) error {
		*f(c) = &v
		return nil
	}
}

// command takes a command to be run.
func command(f func(c *Config) *string) setter { return text(f) }

// number takes a decimal number within bounds.
func number(low, high int, f func(c *Config) *int) setter {
	return func(c *Config, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < low || n > high {
			return errValue
		}
		*f(c) = n
		return nil
	}
}

// anyNumber checks a number that has no effect.
func anyNumber(low, high float64) setter {
	return func(_ *Config, v string) error {
		_, err := decimal(v, low, high)
		return err
	}
}

func decimal(v string, low, high float64) (float64, error) {
	f, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsNaN(f) || f < low || f > high {
		return 0, errValue
	}
	return f, nil
}

// maxWait bounds times: a day. More is a mistake in the unit.
const maxWait = 24 * time.Hour

// period takes a number of units, fractions included.
func period(unit time.Duration, f func(c *Config) *time.Duration) setter {
	return func(c *Config, v string) error {
		n, err := decimal(v, 0, float64(maxWait/unit))
		if err != nil {
			return err
		}
		*f(c) = time.Duration(n * float64(unit))
		return nil
	}
}

// keyword takes one of some words.
func keyword(f func(c *Config) *string, words ...string) setter {
	return func(c *Config, v string) error {
		for _, w := range words {
			if v == w {
				*f(c) = v
				return nil
			}
		}
		return errValue
	}
}

// oneOf checks a word that has no effect.
func oneOf(words ...string) setter {
	var ignored string
	return keyword(func(*Config) *string { return &ignored }, words...)
}

// all runs several setters.
func all(list ...setter) setter {
	return func(c *Config, v string) error {
		for _, s := range list {
			if err := s(c, v); err != nil {
				return err
			}
		}
		return nil
	}
}

// setDisplay takes a display, or WAIT: and one, or WAIT:cmd= and a finder.
func setDisplay(c *Config, v string) error {
	switch v {
	case "":
		return errValue
	case "WAIT:cmd=FINDDISPLAY", "WAIT:cmd=FINDDISPLAY-vnc_redirect":
		c.Find, c.Create = true, false
	default:
		if kind, ok := strings.CutPrefix(v, "WAIT:cmd=FINDCREATEDISPLAY"); ok {
			c.Find, c.Create = true, true
			c.XSrv = strings.TrimPrefix(kind, "-")
			break
		}
		if !strings.HasPrefix(v, "WAIT:") {
			break // with -create it is the first to be tried, whichever comes first
		}
		c.Find, c.Create = false, false
	}
	c.Display = v
	return nil
}

// setLoop reads what follows -loop: [bg][MILLISECONDS][,COUNT]. What is no
// number counts as none, as with x11vnc.
func setLoop(c *Config, v string) error {
	l := Loop{On: true, Pause: 2 * time.Second}
	if rest, ok := strings.CutPrefix(v, "bg"); ok {
		l.Pause, l.BG, v = 500*time.Millisecond, true, rest
	}
	ms, count, hasCount := strings.Cut(v, ",")
	if ms != "" {
		n, err := decimal(ms, 1, float64(maxWait/time.Millisecond))
		if err != nil {
			return err
		}
		l.Pause = time.Duration(n) * time.Millisecond
	}
	if hasCount {
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 {
			return errValue
		}
		l.Count = n
	}
	c.Loop = l
	return nil
}

// setSleep reads N or LOW-HIGH seconds.
func setSleep(c *Config, v string) error {
	low, high, isRange := strings.Cut(v, "-")
	if !isRange {
		high = low
	}
	var d [2]time.Duration
	for i, s := range []string{low, high} {
		n, err := decimal(s, 0, maxWait.Seconds())
		if err != nil {
			return err
		}
		d[i] = time.Duration(n * float64(time.Second))
	}
	if d[1] < d[0] {
		return errValue
	}
	c.Sleep = d
	return nil
}

// setInput reads NORMAL[,VIEWONLY], letters of KMBCF.
func setInput(c *Config, v string) error {
	list := strings.Split(v, ",")
	if len(list) > 2 {
		return errValue
	}
	for _, s := range list {
		if s != "-" && strings.Trim(s, "KMBCFkmbcf") != "" {
			return errValue
		}
	}
	normal := strings.ToUpper(list[0])
	c.Input.Normal = &normal
	if len(list) == 2 {
		view := strings.ToUpper(list[1])
		c.Input.ViewOnly = &view
	}
	return nil
}

// setKeycodes reads keycodes between commas.
func setKeycodes(c *Config, v string) error {
	var codes []byte
	for s := range strings.SplitSeq(v, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 8 || n > 255 {
			return errValue
		}
		codes = append(codes, byte(n))
	}
	c.Input.SkipKeycodes = codes
	return nil
}

// setSelDir reads send, recv, or both between commas.
func setSelDir(c *Config, v string) error {
	for s := range strings.SplitSeq(v, ",") {
		switch s {
		case "send", "recv", "debug":
		default:
			return errValue
		}
	}
	c.Input.SelDir = v
	return nil
}

// setButtons checks a button map: IJK-LMN, where the right side can name keys
// between colons, and an optional "=N" for the number of buttons.
func setButtons(c *Config, v string) error {
	if _, err := ParseButtonMap(v); err != nil {
		return errValue
	}
	c.Input.ButtonMap = v
	return nil
}

// setClip checks WxH+X+Y, or a monitor's name.
func setClip(c *Config, v string) error {
	if n, ok := strings.CutPrefix(v, "xinerama"); ok {
		if k, err := strconv.Atoi(n); err != nil || k < 0 || k > 255 {
			return errValue
		}
	} else if !isGeometry(v) {
		return errValue
	}
	c.Picture.Clip = v
	return nil
}

// maxSide is X's largest coordinate.
const maxSide = 32767

// geometryForm is WIDTHxHEIGHT+X+Y.
var geometryForm = regexp.MustCompile(`^(\d{1,5})x(\d{1,5})([+-]\d{1,5})([+-]\d{1,5})$`)

func isGeometry(v string) bool {
	m := geometryForm.FindStringSubmatch(v)
	if m == nil {
		return false
	}
	for i, s := range m[1:] {
		n, err := strconv.Atoi(s)
		if err != nil || n > maxSide || n < -maxSide || i < 2 && n == 0 {
			return false
		}
	}
	return true
}

// setWindow reads a window's number, or "pick".
func setWindow(f func(c *Config) *string) setter {
	return func(c *Config, v string) error {
		if n, err := strconv.ParseUint(v, 0, 32); v != "pick" && (err != nil || n == 0) {
			return errValue
		}
		*f(c) = v
		return nil
	}
}

// setScale checks a fraction, two of them, or a size, with suffixes.
func setScale(f func(c *Config) *string) setter {
	return func(c *Config, v string) error {
		spec, suffix, _ := strings.Cut(v, ":")
		if suffix != "" {
			for s := range strings.SplitSeq(strings.ReplaceAll(suffix, ":", ","), ",") {
				switch s {
				case "nb", "fb", "nocr", "cr", "n4", "in", "pad":
				default:
					return errValue
				}
			}
		}
		sides := strings.Split(spec, "x")
		if len(sides) > 2 {
			return errValue
		}
		for _, s := range sides {
			top, bottom, isFraction := strings.Cut(s, "/")
			a, err := decimal(top, 0.001, maxSide)
			b := 1.0
			if err == nil && isFraction {
				b, err = decimal(bottom, 0.001, maxSide)
			}
			if err != nil || len(sides) == 1 && (a/b > maxScale) {
				return errValue
			}
		}
		*f(c) = v
		return nil
	}
}

// maxScale bounds enlargement: a screen of 4K at ten times its size has more
// pixels than RFB's 16 bits.
const maxScale = 100

// setRotate checks the name of a rotation or reflection.
func setRotate(c *Config, v string) error {
	switch strings.TrimPrefix(v, "nc:") {
	case "x", "y", "xy", "yx", "90", "+90", "-90", "90x", "+90x", "90y", "+90y", "180", "+180", "-180", "270", "+270",
		"-270", "+-180", "0":
		c.Picture.Rotate = v
		return nil
	}
	return errValue
}

// setBlackout checks rectangles between commas.
func setBlackout(c *Config, v string) error {
	for s := range strings.SplitSeq(v, ",") {
		if s != "noptr" && !isGeometry(s) {
			return errValue
		}
	}
	c.Picture.Blackout = v
	return nil
}

// ignore is where values go that have no effect.
func ignore(*Config) *string { return new(string) }

// nothing is the setter of an option that changes nothing.
func nothing(*Config, string) error { return nil }

var (
	checkMillis  = anyNumber(0, float64(maxWait/time.Millisecond))
	checkSeconds = anyNumber(0, maxWait.Seconds())
)

// optionalNumber checks a number that may be missing.
func optionalNumber(c *Config, v string) error {
	if v == "" {
		return nil
	}
	return anyNumber(-1e6, 1e6)(c, v)
}
