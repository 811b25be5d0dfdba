package vnc

import (
	"context"
	"errors"
	"net"
	"time"
)

// Guest is a viewer of another kind, such as a page, that counts as one of the
// server's: the same hooks decide about it and follow it, and the same rule says
// who gives way to whom.
type Guest struct {
	srv  *Server
	peer Peer
	stop func()
}

// Gate asks Config.Hooks.Gate about a connection of another kind.
func (s *Server) Gate(ctx context.Context, remote, local net.Addr) error {
	if gate := s.cfg.Hooks.Gate; gate != nil {
		return gate(ctx, Peer{Remote: remote, Local: local, Since: time.Now()})
	}
	return nil
}

// Enter lets a guest in that has authenticated for rights, and returns what it may
// do, or says why it may not come in. stop ends the guest, and must not wait for
// its end; Leave is called when it has ended.
func (s *Server) Enter(ctx context.Context, remote, local net.Addr, rights Rights, stop func()) (*Guest, Rights, error) {
	p := Peer{Remote: remote, Local: local, Since: time.Now(), Rights: rights}
	s.mu.Lock()
	s.peers++
	p.ID = s.peers
	s.mu.Unlock()
	if gate := s.cfg.Hooks.Gate; gate != nil {
		if err := gate(ctx, p); err != nil {
			return nil, Rights{}, s.notAdmitted(remote, err)
		}
	}
	if admit := s.cfg.Hooks.Admit; admit != nil {
		var err error
		if p.Rights, err = admit(ctx, p); err != nil {
			return nil, Rights{}, s.notAdmitted(remote, err)
		}
	}
	g := &Guest{srv: s, peer: p, stop: stop}
	s.mu.Lock()
	if s.cfg.Sharing == SharingRefuse && !s.awaitFree(ctx) {
		s.mu.Unlock()
		return nil, Rights{}, errBusy
	}
	if s.cfg.Sharing == SharingNever {
		s.giveWay(remote.String())
	}
	s.guests[g] = struct{}{}
	n := s.present()
	s.mu.Unlock()
	s.counted()
	if joined := s.cfg.Hooks.Joined; joined != nil {
		joined(p, n)
	}
	return g, p.Rights, nil
}

// notAdmitted logs what a hook said, and returns what the guest is told.
func (s *Server) notAdmitted(remote net.Addr, err error) error {
	s.log.Info("viewer not admitted", "viewer", remote.String(), "reason", err)
	return errNotForYou
}

// errNotForYou keeps from guests how the server is configured.
var errNotForYou = errors.New("this server does not let you in")

// Leave says that the guest has gone.
func (g *Guest) Leave() {
	s := g.srv
	s.mu.Lock()
	delete(s.guests, g)
	close(s.freed)
	s.freed = make(chan struct{})
	n := s.present()
	s.mu.Unlock()
	s.counted()
	if left := s.cfg.Hooks.Left; left != nil {
		left(g.peer, n)
	}
}

// present returns how many viewers are in, guests included. The caller holds s.mu.
func (s *Server) present() int { return len(s.sessions) + len(s.guests) }
