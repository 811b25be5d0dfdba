package x11

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// socketDir is where X servers put their sockets, by convention of all of them.
const socketDir = "/tmp/.X11-unix"

// maxDisplay bounds a display's number: 6000+n must be a TCP port.
const maxDisplay = 65535 - tcpBase

// tcpBase is the TCP port of display 0.
const tcpBase = 6000

// Display is a parsed display name.
type Display struct {
	Host   string // "" for this machine's sockets
	Path   string // a socket named by its path; Host is then empty
	Number int
	Screen int
}

// ParseDisplay reads a display name: ":1", ":1.0", "unix:1", "unix/host:1",
// "host:1.0", "tcp/host:1", "[::1]:1" or the path of a socket, which may be
// followed by the screen (".0").
func ParseDisplay(name string) (Display, error) {
	bad := func(why string) (Display, error) {
		return Display{}, fmt.Errorf("display name %q: %s; want :N, HOST:N or the path of a socket", name, why)
	}
	if name == "" {
		return bad("empty")
	}
	if strings.HasPrefix(name, "/") {
		return parsePath(name)
	}
	colon := strings.LastIndexByte(name, ':')
	if colon < 0 {
		return bad("no colon")
	}
	host, rest := name[:colon], name[colon+1:]
	number, screen, hasScreen := strings.Cut(rest, ".")
	var d Display
	var err error
	if d.Number, err = parseNumber(number, maxDisplay); err != nil {
		return bad("display number " + err.Error())
	}
	if hasScreen {
		// A server has at most 255 screens: their count is one byte of the setup.
		if d.Screen, err = parseNumber(screen, 254); err != nil {
			return bad("screen number " + err.Error())
		}
	}
	proto, h, hasProto := strings.Cut(host, "/")
	if hasProto {
		host = h
	} else {
		proto = ""
	}
	switch proto {
	case "":
	case "unix", "local":
		// "unix/host" names a socket of this machine; the host is only a label.
		host = ""
	case "tcp", "inet", "inet6":
		if host == "" {
			return bad("no host")
		}
	default:
		return bad("unknown protocol " + strconv.Quote(proto))
	}
	if host == "unix" && !hasProto {
		host = ""
	}
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	} else if strings.HasSuffix(host, ":") {
		return bad("DECnet is not spoken")
	}
	if strings.ContainsAny(host, "/[]") {
		return bad("bad host")
	}
	d.Host = host
	return d, nil
}

// parsePath reads a display that is a socket's path. The number matters only
// for the choice of a cookie: it is taken from ":N" (as macOS names sockets) or
// "XN" at the path's end.
func parsePath(name string) (Display, error) {
	d := Display{Path: name}
	base := filepath.Base(name)
	number := ""
	if colon := strings.LastIndexByte(base, ':'); colon >= 0 {
		var screen string
		var ok bool
		if number, screen, ok = strings.Cut(base[colon+1:], "."); ok {
			// The socket is named without the screen, unless there really is one.
			n, err := parseNumber(screen, 254)
			if _, statErr := os.Lstat(name); err == nil && statErr != nil {
				d.Screen = n
				d.Path = strings.TrimSuffix(name, "."+screen)
			}
		}
	} else if s, ok := strings.CutPrefix(base, "X"); ok {
		number = s
	}
	if n, err := parseNumber(number, maxDisplay); err == nil {
		d.Number = n
	}
	return d, nil
}

func parseNumber(s string, limit int) (int, error) {
	if s == "" {
		return 0, errors.New("missing")
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, fmt.Errorf("%q is not a number", s)
		}
	}
	n, err := strconv.Atoi(s)
	if err != nil || n > limit {
		return 0, fmt.Errorf("%s is above %d", s, limit)
	}
	return n, nil
}

// endpoint is one address to try.
type endpoint struct{ network, address string }

func (e endpoint) String() string { return e.network + " " + e.address }

// endpoints returns where d's server may listen, in the order to try.
func (d Display) endpoints() []endpoint {
	switch {
	case d.Path != "":
		return []endpoint{{"unix", d.Path}}
	case d.Host != "":
		return []endpoint{{"tcp", joinHostPort(d.Host, tcpBase+d.Number)}}
	}
	path := socketDir + "/X" + strconv.Itoa(d.Number)
	// The abstract socket is seen wherever the network namespace is shared, so in
	// all containers of a pod, without any volume; servers started with
	// -nolisten unix have nothing else.
	return []endpoint{{"unix", path}, {"unix", "@" + path}}
}

func joinHostPort(host string, port int) string {
	if strings.ContainsRune(host, ':') {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(port)
}
