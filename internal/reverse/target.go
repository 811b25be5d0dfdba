// Package reverse connects to viewers that listen: directly, through proxies,
// and by way of repeaters, which join two connections that name the same number.
// Its notation for where to connect is x11vnc's.
package reverse

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Target is somewhere to connect to.
type Target struct {
	Host string
	Port int
	// First is sent before the protocol begins: it tells a repeater who we are.
	First []byte
}

// Address returns host and port as net.Dial wants them.
func (t Target) Address() string { return net.JoinHostPort(t.Host, strconv.Itoa(t.Port)) }

const (
	// listenPort is where viewers listen; numbers below displays are displays.
	listenPort = 5500
	displays   = 20
	// repeaterFirst is the length of what UltraVNC's repeater reads first.
	repeaterFirst = 250
	// maxFirst bounds it for others.
	maxFirst = 64 << 10
	// maxTargets bounds a list: each is a connection.
	maxTargets = 100
	maxHost    = 253 // RFC 1035, section 2.3.4, without the dots of the root
)

// Parse reads targets between commas: HOST, HOST:PORT, [HOST]:PORT, HOST::PORT,
// and before any of them pre=TEXT+, preN=TEXT+ (padded to N bytes) or
// repeater=TEXT+; also repeater://HOST:PORT+TEXT. In TEXT \n, \r, \t, \\ and \c, a
// comma, are understood.
func Parse(list string) ([]Target, error) {
	var targets []Target
	for s := range strings.SplitSeq(list, ",") {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		t, err := parseTarget(s)
		if err != nil {
			return nil, fmt.Errorf("%.80q: %w", s, err)
		}
		if targets = append(targets, t); len(targets) > maxTargets {
			return nil, fmt.Errorf("more than %d hosts", maxTargets)
		}
	}
	if len(targets) == 0 {
		return nil, errors.New("no host")
	}
	return targets, nil
}

func parseTarget(s string) (t Target, err error) {
	if rest, ok := strings.CutPrefix(s, "repeater://"); ok {
		host, text, ok := strings.Cut(rest, "+")
		if !ok {
			return t, errors.New("want repeater://HOST:PORT+ID:NUMBER")
		}
		s = "repeater=" + text + "+" + host
	}
	if rest, ok := strings.CutPrefix(s, "repeater="); ok {
		s = "pre" + strconv.Itoa(repeaterFirst) + "=" + rest
	}
	if rest, ok := strings.CutPrefix(s, "pre"); ok {
		if length, rest, ok := strings.Cut(rest, "="); ok && strings.Trim(length, "0123456789") == "" {
			i := strings.LastIndexByte(rest, '+')
			if i < 0 {
				return t, errors.New("want pre=TEXT+HOST:PORT")
			}
			t.First = unescape(rest[:i])
			if length != "" {
				n, err := strconv.Atoi(length)
				if err != nil || n < len(t.First) || n > maxFirst {
					return t, fmt.Errorf("the text has %d bytes, and at most %d are sent", len(t.First), min(n, maxFirst))
				}
				t.First = append(t.First, make([]byte, n-len(t.First))...)
			}
			s = rest[i+1:]
		}
	}
	t.Host, t.Port, err = hostPort(s, listenPort)
	if err == nil && t.Port < displays {
		t.Port += listenPort
	}
	return t, err
}

// hostPort splits HOST, HOST:PORT, HOST::PORT, [HOST]:PORT and IPv6 addresses.
func hostPort(s string, standard int) (host string, port int, err error) {
	port = standard
	number := ""
	has := false
	switch {
	case strings.HasPrefix(s, "["):
		var rest string
		var ok bool
		if host, rest, ok = strings.Cut(s[1:], "]"); !ok {
			return "", 0, errors.New("a bracket is open")
		}
		if rest != "" {
			if number, has = strings.CutPrefix(rest, ":"); !has {
				return "", 0, errors.New("want [HOST]:PORT")
			}
		}
	case net.ParseIP(s) != nil:
		host = s
	default:
		if host, number, has = strings.Cut(s, ":"); has {
			number = strings.TrimPrefix(number, ":")
		}
	}
	if has {
		if port, err = strconv.Atoi(number); err != nil || port < 0 || port > 65535 {
			return "", 0, errors.New("a port is a number from 0 to 65535")
		}
	}
	if host == "" || len(host) > maxHost || strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune("/@\\\"", r) }) {
		return "", 0, errors.New("that is no host")
	}
	return host, port, nil
}

func unescape(s string) []byte {
	var b []byte
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			if j := strings.IndexByte("nrtc\\", s[i+1]); j >= 0 {
				b = append(b, "\n\r\t,\\"[j])
				i++
				continue
			}
		}
		b = append(b, s[i])
	}
	return b
}
