package vnc

import (
	"context"
	"errors"
	"net"
	"time"

	"framebridge/rfb"
)

// Peer is a connection as the hooks of Config see it.
type Peer struct {
	ID            uint64 // counts the server's connections, from 1
	Remote, Local net.Addr
	Since         time.Time
	Rights        Rights // once it is authenticated
}

// Hooks lets the owner of a Server decide about viewers and follow them. Each may
// be nil. They are called from the connection's own goroutine: one that takes long
// holds up nobody else. Their context ends with the server.
type Hooks struct {
	// Gate is asked first about every connection. With an error the peer gets the
	// server's version and the end: it sees that this is a VNC server which does
	// not want it.
	Gate func(ctx context.Context, p Peer) error
	// Trusted says of a connection that it needs no authentication; it has
	// Config.NoAuthRights then.
	Trusted func(p Peer) bool
	// Verify checks the response to a VNC Authentication challenge (RFC 6143,
	// section 7.2.2) in place of Config.Passwords.
	Verify func(ctx context.Context, p Peer, challenge, response [16]byte) (Rights, bool)
	// Admit is asked about each viewer that has authenticated, before it sees
	// anything, and returns what it may do.
	Admit func(ctx context.Context, p Peer) (Rights, error)
	// Joined is called when a viewer is in, that is when it was sent ServerInit;
	// Left when such a viewer has gone. viewers is how many there are, this one
	// counted while it is there.
	Joined func(p Peer, viewers int)
	Left   func(p Peer, viewers int)
}

// errNotAdmitted marks connections that a hook refused.
var errNotAdmitted = errors.New("not admitted")

// errBusy says that another viewer has the screen.
var errBusy = errors.New("another viewer is connected, and does not share")

// Devices are kinds of input.
type Devices struct{ Keys, Motion, Buttons bool }

// CursorMode says how viewers see the pointer.
type CursorMode string

// Cursor modes.
const (
	// CursorShape sends the shape to viewers that draw it themselves, and paints it
	// into the picture of others.
	CursorShape CursorMode = ""
	// CursorPainted paints it for all.
	CursorPainted CursorMode = "painted"
	// CursorHidden shows none.
	CursorHidden CursorMode = "hidden"
)

// handshakeConfig returns who may connect, for one connection.
func (s *Server) handshakeConfig(ctx context.Context, p Peer) rfb.ServerConfig {
	cfg := s.auth
	if trusted := s.cfg.Hooks.Trusted; trusted != nil && trusted(p) {
		return rfb.ServerConfig{Version: cfg.Version, AllowNone: true, NoneGrant: s.cfg.NoAuthRights}
	}
	if verify := s.cfg.Hooks.Verify; verify != nil {
		cfg.Verify = func(challenge, response [16]byte) (any, bool) {
			return verify(ctx, p, challenge, response)
		}
	}
	return cfg
}

// Viewers returns how many viewers are in, guests included.
func (s *Server) Viewers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.present()
}
