package reverse

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Proxy is a way out.
type Proxy struct {
	Kind    string // http, socks4, socks5
	Address string // host:port
}

// maxProxies is how many can follow each other.
const maxProxies = 3

// ParseProxies reads proxies between commas, in the order in which they are gone
// through: HOST:PORT or http://HOST:PORT (CONNECT), socks://, socks4://,
// socks4a:// and socks5://HOST:PORT.
func ParseProxies(list string) ([]Proxy, error) {
	var out []Proxy
	for s := range strings.SplitSeq(list, ",") {
		scheme, address, ok := strings.Cut(s, "://")
		if !ok {
			scheme, address = "http", s
		}
		p := Proxy{Kind: strings.ToLower(scheme)}
		switch p.Kind {
		case "http", "socks5":
		case "socks", "socks4", "socks4a":
			p.Kind = "socks4"
		case "ssh":
			return nil, errors.New("ssh:// is not supported: use ssh -D and socks5://")
		default:
			return nil, fmt.Errorf("%.20q: want http, socks4 or socks5", scheme)
		}
		host, port, err := hostPort(address, 0)
		if err != nil || port == 0 {
			return nil, fmt.Errorf("%.80q: want %s://HOST:PORT", s, scheme)
		}
		p.Address = net.JoinHostPort(host, strconv.Itoa(port))
		if out = append(out, p); len(out) > maxProxies {
			return nil, fmt.Errorf("more than %d proxies", maxProxies)
		}
	}
	return out, nil
}

// dialLimit bounds a connection attempt, proxies included.
const dialLimit = 20 * time.Second

// Dial connects to a target through the proxies and sends what is to be sent
// first.
func Dial(ctx context.Context, t Target, proxies []Proxy) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	hops := make([]string, 0, maxProxies+1)
	for _, p := range proxies {
		hops = append(hops, p.Address)
	}
	hops = append(hops, t.Address())
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", hops[0])
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })
	for i, p := range proxies {
		if err = p.connect(c, hops[i+1]); err != nil {
			err = fmt.Errorf("proxy %s: %w", p.Address, err)
			break
		}
	}
	if err == nil && len(t.First) > 0 {
		_, err = c.Write(t.First)
	}
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// connect asks the proxy at the other end of c to connect on.
func (p Proxy) connect(c io.ReadWriter, to string) error {
	host, number, err := net.SplitHostPort(to)
	if err != nil {
		return err
	}
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return err
	}
	switch p.Kind {
	case "http":
		return connectHTTP(c, to)
	case "socks5":
		return connectSocks5(c, host, uint16(port))
	}
	return connectSocks4(c, host, uint16(port))
}

// maxHead bounds a proxy's answer.
const maxHead = 16 << 10

// connectHTTP is CONNECT (RFC 9110, section 9.3.6).
func connectHTTP(c io.ReadWriter, to string) error {
	if _, err := fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", to, to); err != nil {
		return err
	}
	// What follows the head is the viewer's: it must stay in the connection.
	var head []byte
	b := make([]byte, 1)
	for !strings.HasSuffix(string(head), "\r\n\r\n") && !strings.HasSuffix(string(head), "\n\n") {
		if len(head) >= maxHead {
			return fmt.Errorf("its answer has more than %d bytes", maxHead)
		}
		if _, err := io.ReadFull(c, b); err != nil {
			return fmt.Errorf("no answer: %w", err)
		}
		head = append(head, b[0])
	}
	line, _, _ := strings.Cut(string(head), "\n")
	f := strings.Fields(line)
	if len(f) < 2 || !strings.HasPrefix(f[0], "HTTP/1.") || len(f[1]) != 3 || f[1][0] != '2' {
		return fmt.Errorf("it answered %.80q", strings.TrimSpace(line))
	}
	return nil
}

// connectSocks4 is SOCKS4 for addresses and SOCKS4a for names.
func connectSocks4(c io.ReadWriter, host string, port uint16) error {
	if host == "localhost" {
		host = "127.0.0.1"
	}
	b := []byte{4, 1}
	b = binary.BigEndian.AppendUint16(b, port)
	if a, err := netip.ParseAddr(host); err == nil {
		if !a.Is4() {
			return errors.New("SOCKS4 knows no IPv6: use socks5://")
		}
		b = append(append(b, a.AsSlice()...), 0)
	} else {
		b = append(b, 0, 0, 0, 1, 0) // no address: the name follows
		b = append(append(b, host...), 0)
	}
	if _, err := c.Write(b); err != nil {
		return err
	}
	var r [8]byte
	if _, err := io.ReadFull(c, r[:]); err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	if r[0] != 0 || r[1] != 90 {
		return fmt.Errorf("it refused: code %d", r[1])
	}
	return nil
}

// connectSocks5 is RFC 1928 without authentication.
func connectSocks5(c io.ReadWriter, host string, port uint16) error {
	if _, err := c.Write([]byte{5, 1, 0}); err != nil {
		return err
	}
	var r [4]byte
	if _, err := io.ReadFull(c, r[:2]); err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	if r[0] != 5 || r[1] != 0 {
		return errors.New("it wants a password, or is no SOCKS5 proxy")
	}
	b := []byte{5, 1, 0}
	if a, err := netip.ParseAddr(host); err == nil {
		kind := byte(1)
		if a.Is6() {
			kind = 4
		}
		b = append(append(b, kind), a.WithZone("").AsSlice()...)
	} else {
		if len(host) > 255 {
			return errors.New("the name is too long")
		}
		b = append(append(b, 3, byte(len(host))), host...)
	}
	if _, err := c.Write(binary.BigEndian.AppendUint16(b, port)); err != nil {
		return err
	}
	if _, err := io.ReadFull(c, r[:]); err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	if r[0] != 5 || r[1] != 0 {
		return fmt.Errorf("it refused: code %d", r[1])
	}
	n := 0
	switch r[3] {
	case 1:
		n = 4
	case 4:
		n = 16
	case 3:
		var length [1]byte
		if _, err := io.ReadFull(c, length[:]); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
		n = int(length[0])
	default:
		return fmt.Errorf("answer with an address of kind %d", r[3])
	}
	if _, err := io.ReadFull(c, make([]byte, n+2)); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}
