package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"

	"framebridge/internal/x11"
	"framebridge/internal/x11vnc"
)

// Where x11vnc listens. It opens a second listener for IPv6, by default on
// another port than the one for IPv4, and runs on if only one of them works.
// Here one listener has both, as the manual promises, and what cannot be opened
// ends the program.

const (
	firstPort = 5900
	// portTries is how many ports are tried from 5900 on, autoTries from
	// -autoport's on.
	portTries = 100
	autoTries = 200
)

// bind is a listener to be opened.
type bind struct {
	network string // tcp, tcp4 or tcp6
	host    string
	v6port  bool // the port is -rfbportv6's
	may     bool // may be missing: a machine without IPv6
}

// binds returns what to listen on.
func binds(c *x11vnc.Listen) ([]bind, error) {
	v6 := !c.No6 && !c.NoIPv6 && (!c.PortV6Set || c.PortV6 > 0)
	other := c.PortV6Set && c.PortV6 > 0 && (!c.PortSet || c.PortV6 != c.Port)
	local := c.Localhost || c.Addr == "localhost"
	var list []bind
	switch {
	case local:
		if !c.NoIPv4 {
			list = append(list, bind{network: "tcp4", host: "127.0.0.1"})
		}
		if v6 {
			list = append(list, bind{network: "tcp6", host: "::1", v6port: other, may: !c.NoIPv4})
		}
		return list, nil
	case c.Addr == "" && c.Addr6 == "":
		switch {
		case !v6:
			list = append(list, bind{network: "tcp4"})
		case c.NoIPv4:
			list = append(list, bind{network: "tcp6", v6port: other})
		case other:
			list = append(list, bind{network: "tcp4"}, bind{network: "tcp6", v6port: true})
		default:
			list = append(list, bind{network: "tcp"}) // both on one socket
		}
		return list, nil
	}
	if c.Addr != "" {
		hosts, err := resolve(c.Addr)
		if err != nil {
			return nil, fmt.Errorf("-listen %s: %w", c.Addr, err)
		}
		for _, h := range hosts {
			network := "tcp4"
			if h.Is6() {
				network = "tcp6"
			}
			if network == "tcp6" && c.NoIPv6 || network == "tcp4" && c.NoIPv4 {
				continue
			}
			list = append(list, bind{network: network, host: h.String()})
		}
	} else if !c.NoIPv4 {
		list = append(list, bind{network: "tcp4"})
	}
	if c.Addr6 != "" && v6 {
		list = append(list, bind{network: "tcp6", host: c.Addr6, v6port: other})
	}
	if len(list) == 0 {
		return nil, errors.New("-listen: no address is left with -noipv4 and -noipv6")
	}
	return list, nil
}

// resolve returns the addresses of a host, or of a network interface.
func resolve(name string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{a.Unmap()}, nil
	}
	var list []netip.Addr
	if ifi, err := net.InterfaceByName(name); err == nil {
		addrs, err := ifi.Addrs()
		if err != nil {
			return nil, err
		}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
				list = append(list, p.Addr())
			}
		}
		if len(list) == 0 {
			return nil, errors.New("the interface has no IPv4 address")
		}
		return list, nil
	}
	ips, err := net.LookupIP(name)
	if err != nil {
		return nil, err
	}
	for _, ip := range ips {
		if ip4 := ip.To4(); ip4 != nil {
			a, _ := netip.AddrFromSlice(ip4)
			list = append(list, a)
		}
	}
	if len(list) == 0 {
		return nil, errors.New("the host has no IPv4 address")
	}
	return list[:1], nil
}

// portError is a port that cannot be had, in x11vnc's words.
type portError struct{ error }

func (e portError) Error() string {
	return "Error: could not obtain listening port. " + e.error.Error()
}

// openX11vnc opens the listeners and returns the port for viewers, 0 for none.
// display is what -N counts from.
func openX11vnc(c *x11vnc.Listen, display string) (ls []net.Listener, port int, err error) {
	defer func() {
		if err != nil {
			closeAll(ls)
			ls = nil
		}
	}()
	if c.Unix != "" {
		l, err := listenUnix(c.Unix)
		if err != nil {
			return nil, 0, fmt.Errorf("-unixsock %s: %w", c.Unix, reason(err))
		}
		ls = append(ls, l)
	}
	if c.PortSet && c.Port == 0 && !(c.PortV6Set && c.PortV6 > 0) {
		return ls, 0, nil
	}
	list, err := binds(c)
	if err != nil {
		return ls, 0, err
	}
	if c.PortSet && c.Port == 0 { // -rfbport 0 -rfbportv6 N
		list = []bind{{network: "tcp6", host: c.Addr6, v6port: true}}
	}
	first, tries := firstPort, portTries
	switch auto := autoPort(c); {
	case c.PortSet:
		first, tries = c.Port, 1
	case c.ByDisplay && display != "":
		d, err := x11.ParseDisplay(display)
		if err != nil {
			return ls, 0, fmt.Errorf("-N: %w", err)
		}
		first, tries = firstPort+d.Number, 1
	case auto > 0:
		first, tries = auto, autoTries+1
	}
	for port = first; port < first+tries && port <= 65535; port++ {
		var more []net.Listener
		more, err = listenAll(list, port, c.PortV6)
		if err == nil {
			return append(ls, more...), portOf(more), nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	return ls, 0, portError{addressed(err)}
}

// addressed says which address could not be listened on, and why.
func addressed(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Addr != nil {
		return fmt.Errorf("%s: %w", op.Addr, op.Err)
	}
	return err
}

func autoPort(c *x11vnc.Listen) int {
	if c.AutoPort > 0 {
		return c.AutoPort
	}
	if n, err := strconv.Atoi(os.Getenv("AUTO_PORT")); err == nil && n > 0 && n <= 65535 {
		return n
	}
	return 0
}

func listenAll(list []bind, port, port6 int) (ls []net.Listener, err error) {
	for _, b := range list {
		p := port
		if b.v6port {
			p = port6
		}
		l, err := net.Listen(b.network, net.JoinHostPort(b.host, strconv.Itoa(p)))
		if err != nil && b.may && !errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			closeAll(ls)
			return nil, err
		}
		ls = append(ls, l)
	}
	return ls, nil
}

func portOf(ls []net.Listener) int {
	for _, l := range ls {
		if a, ok := l.Addr().(*net.TCPAddr); ok {
			return a.Port
		}
	}
	return 0
}

func closeAll(ls []net.Listener) {
	for _, l := range ls {
		l.Close()
	}
}

// desktopOf returns how viewers name the server: HOST:DISPLAY.
func desktopOf(c *x11vnc.Listen, port int) string {
	return fmt.Sprintf("%s:%d", hostFor(c), displayOf(port))
}

// displayOf returns the number that VNC viewers count ports by.
func displayOf(port int) int {
	if port >= firstPort {
		return port - firstPort
	}
	return port
}

func hostFor(c *x11vnc.Listen) string {
	switch {
	case c.Localhost:
		return "localhost"
	case c.Addr != "":
		return c.Addr
	}
	if h, err := os.Hostname(); err == nil {
		return h
	}
	return "localhost"
}
