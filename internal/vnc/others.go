package vnc

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"time"

	"framebridge/rfb"
)

// What the ways in beside RFB share with it: passwords, the wait after wrong ones,
// and the rule that a viewer may want the screen for itself.

// Errors of Authenticate.
var (
	ErrPassword = errors.New("wrong password")
	ErrBanned   = errBanned
)

// Open returns what everybody may do without a password; ok is false where one is
// asked for.
func (s *Server) Open() (r Rights, ok bool) { return s.cfg.NoAuthRights, s.cfg.NoAuth }

// Authenticate returns what a password grants, as it would in VNC Authentication,
// Config.Hooks included. Wrong ones count together with those of viewers from the
// same address: the error is ErrPassword, or ErrBanned when there were too many,
// whatever the password.
func (s *Server) Authenticate(ctx context.Context, from net.Addr, password []byte) (Rights, error) {
	host := hostOf(from)
	if s.ban.banned(host, time.Now()) {
		s.log.Info("refused after too many wrong passwords", "viewer", from.String())
		return Rights{}, ErrBanned
	}
	p := Peer{Remote: from, Local: from, Since: time.Now()}
	cfg := s.handshakeConfig(ctx, p)
	var grant any
	ok := false
	if cfg.Verify != nil {
		var challenge [16]byte
		rand.Read(challenge[:])
		grant, ok = cfg.Verify(challenge, rfb.Response(password, challenge))
		ok = ok && len(password) > 0
	} else {
		var known rfb.Password
		known, ok = rfb.Match(cfg.Passwords, password)
		grant = known.Grant
	}
	if !ok {
		s.ban.failed(host, time.Now())
		s.log.Warn("wrong password", "viewer", from.String())
		return Rights{}, ErrPassword
	}
	s.ban.succeeded(host)
	r, _ := grant.(Rights)
	return r, nil
}

// GiveWay disconnects all viewers for one of another kind that takes the screen
// for itself. It does not wait for their end.
func (s *Server) GiveWay(to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.giveWay(to)
}

func (s *Server) counted() {
	if s.cfg.OnViewers != nil {
		s.cfg.OnViewers()
	}
}
