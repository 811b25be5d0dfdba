package x11vnc

import (
	"slices"
	"strconv"
	"strings"
)

// Setters that change more than one thing, or decide about it.

// utility makes the option what is to be done.
func utility(name string) setter {
	return func(c *Config, v string) error {
		c.Utility = name
		if v != "" {
			c.Args = append(c.Args, v)
		}
		return nil
	}
}

func setFind(create bool) setter {
	return func(c *Config, _ string) error {
		c.Find, c.Create = true, create
		return nil
	}
}

func setXSrv(c *Config, v string) error {
	if v == "" {
		return errValue
	}
	c.XSrv = v
	return setFind(true)(c, "")
}

func setPort(c *Config, v string) error {
	c.PortSet = true
	return number(0, 65535, func(c *Config) *int { return &c.Port })(c, v)
}

func setPortV6(c *Config, v string) error {
	c.PortV6Set = true
	return number(-1, 65535, func(c *Config) *int { return &c.PortV6 })(c, v)
}

func setLog(add bool) setter {
	return func(c *Config, v string) error {
		if v == "" {
			return errValue
		}
		c.LogFile, c.LogAppend = v, add
		return nil
	}
}

// setAccept checks what stands before the command: which exit codes mean what.
func setAccept(c *Config, v string) error {
	if _, _, err := ParseAccept(v); err != nil {
		return errValue
	}
	c.Accept = v
	return nil
}

// Verdict is what an accept command's exit code means.
type Verdict int

// Verdicts.
const (
	Reject Verdict = iota
	Admit
	AdmitView // for viewing only
)

// ParseAccept splits -accept's value into the command and what its exit codes
// mean. Without codes 0 admits and all else rejects; the verdict for "*" has the
// key -1.
func ParseAccept(v string) (command string, codes map[int]Verdict, err error) {
	codes = map[int]Verdict{0: Admit, -1: Reject}
	first, rest, ok := strings.Cut(strings.TrimSpace(v), " ")
	verdicts := map[string]Verdict{"yes": Admit, "no": Reject, "view": AdmitView}
	if name, _, found := strings.Cut(first, ":"); !found || !slices.Contains([]string{"yes", "no", "view"}, name) {
		if first == "" {
			return "", nil, errValue
		}
		return strings.TrimSpace(v), codes, nil
	}
	if command = strings.TrimSpace(rest); !ok || command == "" {
		return "", nil, errValue
	}
	codes = map[int]Verdict{-1: Reject}
	for part := range strings.SplitSeq(first, ",") {
		name, code, _ := strings.Cut(part, ":")
		verdict, known := verdicts[name]
		n := -1
		if code != "*" {
			if n, err = strconv.Atoi(code); err != nil || n < 0 || n > 255 {
				return "", nil, errValue
			}
		}
		if !known {
			return "", nil, errValue
		}
		codes[n] = verdict
	}
	return command, codes, nil
}

// setNoSSL takes back the options for TLS.
func setNoSSL(c *Config, _ string) error {
	c.TLS = TLS{CertFile: c.TLS.CertFile, KeyFile: c.TLS.KeyFile}
	return nil
}

// setSSL reads a PEM file's name, or what is to be made.
func setSSL(c *Config, v string) error {
	if v == "ANON" || v == "ADH" {
		return explainedError("anonymous Diffie-Hellman protects from nobody who can change what is sent: use -ssl TMP")
	}
	if _, name, ok := strings.Cut(v, "-"); ok && strings.HasPrefix(v, "SAVE") && !isName(name) {
		return errValue
	}
	c.TLS.On, c.TLS.PEM = true, v
	return nil
}

// isName reports whether s can be a part of a file's name.
func isName(s string) bool {
	return s != "" && len(s) <= 100 && !strings.ContainsAny(s, "/\x00") && !strings.HasPrefix(s, ".")
}

// setVeNCrypt reads MODE after prefixes.
func setVeNCrypt(c *Config, v string) error {
	words := strings.Split(v, ":")
	mode, ok := map[string]VeNCryptMode{
		"never": VeNCryptNever, "support": VeNCryptSupport, "only": VeNCryptSupport, "force": VeNCryptForce,
	}[words[len(words)-1]]
	if !ok {
		return errValue
	}
	for _, w := range words[:len(words)-1] {
		switch w {
		case "nodh", "newdh", "plain", "noplain":
		case "nox509":
			if mode == VeNCryptForce {
				return explainedError("without certificates (nox509) there is no VeNCrypt here")
			}
			mode = VeNCryptNever
		default:
			return errValue
		}
	}
	c.TLS.VeNCrypt = mode
	return nil
}

// setHTTPS reads a port that may be missing.
func setHTTPS(c *Config, v string) error {
	c.HTTP.HTTPS, c.HTTP.TLSPort = true, 0
	if v == "" {
		return nil
	}
	return number(0, 65535, func(c *Config) *int { return &c.HTTP.TLSPort })(c, v)
}

// setSolid reads a colour that may be missing, after the name of a desktop.
func setSolid(c *Config, v string) error {
	if v == "" {
		v = "cyan4"
	}
	if len(v) > 100 {
		return errValue
	}
	c.Local.Solid = v
	return nil
}

func setDPMS(m DPMSMode) setter {
	return func(c *Config, _ string) error {
		c.Local.DPMS = m
		return nil
	}
}

func setXRandR(c *Config, v string) error {
	if v == "" {
		v = "resize"
	}
	c.Picture.XRandR = v
	return nil
}

func setCursor(c *Config, v string) error {
	if v == "" {
		v = "most"
	}
	c.Picture.Cursor, c.Picture.NoCursor = v, v == "none"
	return nil
}

func setRemote(r RemoteCommand) setter {
	return func(c *Config, v string) error {
		r := r
		r.Text = v
		c.Remote = append(c.Remote, r)
		return nil
	}
}

func setConnect(orExit bool) setter {
	return func(c *Config, v string) error {
		if v == "" {
			return errValue
		}
		c.Connect, c.ConnectOrExit = v, orExit
		return nil
	}
}

// setRand is -rawfb rand -nopw.
func setRand(c *Config, _ string) error {
	c.Picture.RawFB, c.NoPw = "rand", true
	return nil
}
