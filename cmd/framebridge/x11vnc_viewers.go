package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"framebridge/internal/vnc"
	"framebridge/internal/x11vnc"
)

// Who may come in, what viewers may do, and what happens when they leave.

// rights are what a viewer may do; viewOnly is for passwords for viewing only.
func (s *x11vncServer) rights(viewOnly bool) vnc.Rights {
	c := s.now()
	allowed := "KMBC"
	if c.Input.Normal != nil {
		allowed = *c.Input.Normal
	}
	switch {
	case c.ViewOnly:
		allowed = "" // for everybody, whatever -input gives
	case viewOnly && c.Input.ViewOnly != nil:
		allowed = *c.Input.ViewOnly
	case viewOnly:
		allowed = ""
	}
	has := func(letter string) bool { return strings.Contains(allowed, letter) }
	r := vnc.Rights{
		Control:      has("K") || has("M") || has("B"),
		ClipboardIn:  has("C") && s.direction("recv"),
		ClipboardOut: s.direction("send"),
	}
	if r.Control {
		r.Withheld = vnc.Devices{Keys: !has("K"), Motion: !has("M"), Buttons: !has("B")}
	}
	return r
}

// direction reports whether clipboards go that way.
func (s *x11vncServer) direction(way string) bool {
	in := s.now().Input
	return !in.NoSel && (in.SelDir == "" || in.SelDir == "debug" || strings.Contains(in.SelDir, way))
}

// sharing returns what becomes of viewers when one more comes. Whether a viewer
// asks for sharing does not matter to x11vnc.
func (s *x11vncServer) sharing() vnc.Sharing {
	switch c := s.now(); {
	case c.Shared || c.AlwaysShared:
		return vnc.SharingAlways
	case c.NeverShared && !c.DontDrop:
		return vnc.SharingNever
	}
	return vnc.SharingRefuse
}

// gate is asked about each connection.
func (s *x11vncServer) gate(ctx context.Context, p vnc.Peer) error {
	c := s.now()
	if c.DenyAll {
		return errors.New("nobody is let in (-deny_all, -R deny)")
	}
	if c.Allow != "" {
		if err := allowed(ctx, c.Allow, p.Remote); err != nil {
			return err
		}
	}
	if !c.Forever && !c.Shared && !c.AlwaysShared && s.viewers() > 0 {
		return errors.New("one viewer at a time: see -shared")
	}
	return nil
}

// maxAllowFile bounds a file of hosts.
const maxAllowFile = 256 << 10

// allowed reports why -allow's list does not have the address.
func allowed(ctx context.Context, list string, remote net.Addr) error {
	t, ok := remote.(*net.TCPAddr)
	if !ok {
		return nil // a unix socket: its permissions decide
	}
	ip := t.AddrPort().Addr().Unmap().WithZone("")
	if strings.Contains(list, "/") {
		st, err := os.Stat(list)
		if err == nil && st.Size() > maxAllowFile {
			err = fmt.Errorf("larger than %d bytes", maxAllowFile)
		}
		var b []byte
		if err == nil {
			b, err = os.ReadFile(list)
		}
		if err != nil {
			return fmt.Errorf("-allow %s: %w", list, pathReason(err))
		}
		list = string(b)
	}
	for line := range strings.SplitSeq(list, "\n") {
		line, _, _ = strings.Cut(line, "#")
		for host := range strings.FieldsFuncSeq(line, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\r' }) {
			if matches(ctx, host, ip) {
				return nil
			}
		}
	}
	return fmt.Errorf("%s is not in -allow's list", ip)
}

// matches reports whether an address, the beginning of one, or a host's name
// means ip.
func matches(ctx context.Context, host string, ip netip.Addr) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().WithZone("") == ip
	}
	if strings.Trim(host, "0123456789.") == "" || strings.HasSuffix(host, ":") {
		// 192.168.1 means 192.168.1.x and not 192.168.100.x.
		if !strings.HasSuffix(host, ".") && !strings.HasSuffix(host, ":") {
			host += "."
		}
		return strings.HasPrefix(ip.String(), host)
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return false
	}
	for _, a := range ips {
		if a.Unmap() == ip {
			return true
		}
	}
	return false
}

// admit is asked about each viewer that knows the password.
func (s *x11vncServer) admit(ctx context.Context, p vnc.Peer) (vnc.Rights, error) {
	r := p.Rights
	if s.now().Accept != "" {
		if !s.mayRun("accept") {
			return r, errors.New("-accept: no commands are allowed")
		}
		verdict, err := s.hooks.accept(ctx, p)
		switch {
		case err != nil:
			return r, err
		case verdict == x11vnc.Reject:
			return r, errors.New("-accept's command said no")
		case verdict == x11vnc.AdmitView:
			r = s.rights(true)
		}
	}
	s.arrive.Do(func() { close(s.arrived) })
	return r, nil
}

func (s *x11vncServer) viewerJoined(p vnc.Peer, viewers int) {
	s.mu.Lock()
	s.joined = true
	s.mu.Unlock()
	s.keyboardFor()
	s.hooks.after("afteraccept", s.now().AfterAccept, p, viewers)
}

func (s *x11vncServer) viewerLeft(p vnc.Peer, viewers int) {
	s.hooks.after("gone", s.now().Gone, p, viewers)
	s.keyboardFor()
	if viewers == 0 && !s.now().Forever {
		s.log.Info("viewer left: no -forever, so the server ends")
		s.stop(errDone)
	}
}

func (s *x11vncServer) hasJoined() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.joined
}
