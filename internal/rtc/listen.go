package rtc

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// ListenUDP opens a socket at addr, host and port. Without a host, or for the
// unspecified address, it opens one at each address of the machine, so that
// answers come from where the question went; loopback is among them only when there
// is nothing else.
func ListenUDP(addr string) (_ []net.PacketConn, err error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	hosts := []string{host}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		if hosts, err = ownAddresses(); err != nil {
			return nil, err
		}
		if ip.Is4() {
			hosts = onlyIPv4(hosts)
		}
	}
	var conns []net.PacketConn
	err = nil
	for _, h := range hosts {
		c, e := net.ListenPacket("udp", net.JoinHostPort(h, port))
		if e != nil {
			err = errors.Join(err, e)
			continue
		}
		conns = append(conns, c)
		// All have the same port: it is what a firewall lets through.
		port = strconv.Itoa(c.LocalAddr().(*net.UDPAddr).Port)
	}
	if len(conns) == 0 {
		if err == nil {
			err = fmt.Errorf("no address to listen at for %s", addr)
		}
		return nil, err
	}
	return conns, nil // an address that cannot be used, among others that can, is no loss
}

func onlyIPv4(hosts []string) (out []string) {
	for _, h := range hosts {
		if ip, err := netip.ParseAddr(h); err == nil && ip.Is4() {
			out = append(out, h)
		}
	}
	return out
}

// ownAddresses returns the machine's addresses that others reach it at; without
// any, loopback.
func ownAddresses() ([]string, error) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var out, loop []string
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		switch {
		case !ok || n.IP.IsLinkLocalUnicast():
		case n.IP.IsLoopback():
			loop = append(loop, n.IP.String())
		default:
			out = append(out, n.IP.String())
		}
	}
	if len(out) == 0 {
		return loop, nil
	}
	return out, nil
}

// onlyLoopback reports whether the machine has no other addresses.
func onlyLoopback() bool {
	hosts, err := ownAddresses()
	if err != nil || len(hosts) == 0 {
		return true
	}
	ip, err := netip.ParseAddr(hosts[0])
	return err == nil && ip.IsLoopback()
}

func isLoopback(a net.Addr) bool {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UDPAddr:
		return a.IP.IsLoopback()
	}
	return false
}
