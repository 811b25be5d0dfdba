// Package mdns announces a service on the local network: multicast DNS (RFC 6762)
// and DNS-based service discovery (RFC 6763), over IPv4, with the addresses of both
// families. It lives beside another responder of the machine, such as Avahi: the
// host's name that it answers for is the service's own.
package mdns

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/net/ipv4"
)

// Service is what is announced.
type Service struct {
	Name string   // as users see it
	Type string   // such as _rfb._tcp
	Host string   // a name that nobody else on the network has, without .local
	Port int      // 1 to 65535
	Text []string // KEY=VALUE
}

// group is where multicast DNS is spoken (RFC 6762, section 3).
var group = &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353}

const (
	// announceAgain is when the announcement is said once more (section 8.3).
	announceAgain = time.Second
	// maxMessage is the longest message (section 17).
	maxMessage = 9000
	// hops is the TTL of packets (section 11).
	hops = 255
)

// Announce announces the service until ctx is done, and then that it has gone.
func Announce(ctx context.Context, s Service, log *slog.Logger) error {
	if log == nil {
		log = slog.Default()
	}
	r, err := newRecords(s, localAddresses)
	if err != nil {
		return err
	}
	pc, err := listen(ctx)
	if err != nil {
		return fmt.Errorf("mdns: %w", err)
	}
	c := ipv4.NewPacketConn(pc)
	n := &node{r: r, pc: pc, send: func(b []byte) error { return multicast(c, b) }, log: log}
	n.join(c)
	return n.run(ctx)
}

// node is a responder on a socket.
type node struct {
	r    *records
	pc   net.PacketConn
	send func(b []byte) error // to everybody
	log  *slog.Logger
}

// interfaces returns those that can multicast.
func interfaces() []net.Interface {
	all, _ := net.Interfaces()
	var list []net.Interface
	for _, i := range all {
		if i.Flags&net.FlagUp != 0 && i.Flags&net.FlagMulticast != 0 && i.Flags&net.FlagLoopback == 0 {
			list = append(list, i)
		}
	}
	return list
}

// localPrefixes returns the addresses that others on the network reach us at, with
// the networks that they are of.
func localPrefixes() (list []netip.Prefix) {
	for _, i := range interfaces() {
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil && !p.Addr().IsLoopback() {
				list = append(list, p)
			}
		}
	}
	return list
}

func localAddresses() (list []netip.Addr) {
	for _, p := range localPrefixes() {
		list = append(list, p.Addr().Unmap().WithZone(""))
	}
	return list
}

// near reports whether an address is of a local network (RFC 6762, section 11):
// answers are longer than questions, and a question can bear anybody's address.
func near(a netip.Addr, networks []netip.Prefix) bool {
	a = a.Unmap()
	if a.IsLoopback() {
		return true
	}
	for _, p := range networks {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// join listens to the group on all interfaces.
func (n *node) join(c *ipv4.PacketConn) {
	joined := 0
	for _, i := range interfaces() {
		if err := c.JoinGroup(&i, group); err != nil {
			n.log.Debug("mdns: cannot join", "interface", i.Name, "error", err)
			continue
		}
		joined++
	}
	if joined == 0 {
		n.log.Warn("mdns: there is no network to announce the server on")
	}
	c.SetMulticastTTL(hops)      //nolint:errcheck // then routers drop it, which they do anyway
	c.SetMulticastLoopback(true) //nolint:errcheck // then programs of this machine hear nothing
}

// multicast sends to the group on all interfaces.
func multicast(c *ipv4.PacketConn, b []byte) error {
	var errs error
	for _, i := range interfaces() {
		if _, err := c.WriteTo(b, &ipv4.ControlMessage{IfIndex: i.Index}, group); err != nil {
			errs = errors.Join(errs, fmt.Errorf("%s: %w", i.Name, err))
		}
	}
	return errs
}

// run answers until ctx is done. It closes the socket.
func (n *node) run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wg.Go(func() {
		n.announce(false)
		select {
		case <-time.After(announceAgain):
			n.announce(false)
		case <-ctx.Done():
		}
		<-ctx.Done()
		n.announce(true)
		n.pc.Close()
	})
	buf := make([]byte, maxMessage)
	for {
		k, from, err := n.pc.ReadFrom(buf)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("mdns: %w", err)
		}
		to, ok := from.(*net.UDPAddr)
		if !ok || !near(to.AddrPort().Addr(), localPrefixes()) {
			continue
		}
		b, alone := n.r.answer(buf[:k], to.Port != group.Port)
		if b == nil {
			continue
		}
		if alone {
			_, err = n.pc.WriteTo(b, to)
		} else {
			err = n.send(b)
		}
		if err != nil {
			n.log.Debug("mdns: cannot answer", "to", to.String(), "error", err)
		}
	}
}

func (n *node) announce(end bool) {
	b, err := n.r.announcement(end)
	if err == nil {
		err = n.send(b)
	}
	if err != nil {
		n.log.Debug("mdns: cannot announce", "error", err)
	}
}
