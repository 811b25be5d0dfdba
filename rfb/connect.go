package rfb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// The viewer's side of the handshake, for tests and tools: it takes nothing
// that the protocol does not allow.

// maxReason bounds the text with which a server refuses, in bytes: a few
// lines.
const maxReason = 4 << 10

// ClientConfig is how to connect to a server. The zero value takes security
// type None, and asks for a connection that disconnects all others.
type ClientConfig struct {
	// Version is the highest version spoken, and the one answered to a server
	// that speaks no less. Zero means Version38.
	Version Version
	// Password is what VNC Authentication is answered with. Without one, None
	// is chosen; with one, VNC Authentication where it is offered.
	Password []byte
	// Shared leaves other viewers connected.
	Shared bool
	// StartTLS, if set, makes TLS of the connection, as its client, and returns what
	// is to be read and written from then on: VeNCrypt is used where it is offered.
	StartTLS func() (io.ReadWriter, error)
}

// Welcome is the outcome of the handshake for a viewer.
type Welcome struct {
	ServerInit
	Version  Version        // the one both spoke
	Offered  []SecurityType // in the server's order; the chosen one in 3.3
	Security SecurityType   // what was chosen; with VeNCrypt the one inside
	TLS      bool           // VeNCrypt: what follows goes over what StartTLS returned
}

// RefusedError is a server's "connection failed" with its reason.
type RefusedError struct {
	Reason string
}

func (e *RefusedError) Error() string { return "connection refused by the server: " + e.Reason }

// Connect leads a server on rw through the handshake, ServerInit included. It
// reads nothing beyond. The error is a *RefusedError where the server refuses
// the connection, wraps ErrAuthentication where it does not like the
// password, is a *ProtocolError where it breaks the protocol, else what rw
// returned.
func Connect(rw io.ReadWriter, cfg ClientConfig) (Welcome, error) {
	var w Welcome
	if cfg.Version == 0 {
		cfg.Version = Version38
	}
	var b [versionBytes]byte
	if _, err := io.ReadFull(rw, b[:]); err != nil {
		return w, wrap("read version", err)
	}
	server, _, err := parseVersion(b[:])
	if err != nil {
		return w, err
	}
	w.Version = cfg.Version
	if server < Version38 { // 3.889 may answer 3.8
		w.Version = min(server, cfg.Version)
	}
	if _, err := rw.Write(w.Version.Append(nil)); err != nil {
		return w, wrap("write version", err)
	}
	if w.Offered, err = readOffer(rw, w.Version); err != nil {
		return w, err
	}
	if w.Security, err = cfg.choose(w.Offered); err != nil {
		return w, err
	}
	if w.Version.choosesSecurity() {
		if _, err := rw.Write([]byte{byte(w.Security)}); err != nil {
			return w, wrap("write security type", err)
		}
	}
	if w.Security == SecurityVeNCrypt {
		w.TLS = true
		if rw, w.Security, err = cfg.connectVeNCrypt(rw); err != nil {
			return w, err
		}
	}
	if err := cfg.authenticate(rw, w.Version, w.Security, w.TLS); err != nil {
		return w, err
	}
	if _, err := rw.Write(ClientInit{Shared: cfg.Shared}.Append(nil)); err != nil {
		return w, wrap("write client init", err)
	}
	w.ServerInit, err = readServerInit(rw)
	return w, err
}

// readOffer reads the security types, or the one that a 3.3 server chose.
func readOffer(r io.Reader, v Version) ([]SecurityType, error) {
	if !v.choosesSecurity() {
		n, err := readUint32(r, "read security type")
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, refused(r)
		}
		if n > 0xff {
			return nil, protocolErrorf("security type %d", n)
		}
		return []SecurityType{SecurityType(n)}, nil
	}
	var n [1]byte
	if _, err := io.ReadFull(r, n[:]); err != nil {
		return nil, wrap("read number of security types", err)
	}
	if n[0] == 0 {
		return nil, refused(r)
	}
	b := make([]byte, n[0])
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, wrap("read security types", err)
	}
	types := make([]SecurityType, len(b))
	for i, t := range b {
		if t == 0 || slices.Contains(types[:i], SecurityType(t)) {
			return nil, protocolErrorf("security type %d offered, in %d", t, b)
		}
		types[i] = SecurityType(t)
	}
	return types, nil
}

// choose returns the type to use of those offered.
func (c ClientConfig) choose(offered []SecurityType) (SecurityType, error) {
	if c.StartTLS != nil && slices.Contains(offered, SecurityVeNCrypt) {
		return SecurityVeNCrypt, nil
	}
	if len(c.Password) > 0 && slices.Contains(offered, SecurityVncAuth) {
		return SecurityVncAuth, nil
	}
	if slices.Contains(offered, SecurityNone) {
		return SecurityNone, nil
	}
	return 0, fmt.Errorf("none of the security types %v can be used", offered)
}

// authenticate proves what t wants and reads the result where there is one.
func (c ClientConfig) authenticate(rw io.ReadWriter, v Version, t SecurityType, secure bool) error {
	if t == SecurityNone {
		if !v.resultAfterNone() && !secure {
			return nil
		}
	} else {
		var challenge [challengeSize]byte
		if _, err := io.ReadFull(rw, challenge[:]); err != nil {
			return wrap("read challenge", err)
		}
		response := Response(c.Password, challenge)
		if _, err := rw.Write(response[:]); err != nil {
			return wrap("write response", err)
		}
	}
	result, err := readUint32(rw, "read security result")
	if err != nil {
		return err
	}
	switch {
	case result == securityOK:
		return nil
	case result != securityFailed:
		return protocolErrorf("security result %d", result)
	case !v.reasonOnFailure():
		return ErrAuthentication
	}
	reason, err := readReason(rw)
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: %s", ErrAuthentication, reason)
}

// refused reads the reason of a server that offers no security type.
func refused(r io.Reader) error {
	reason, err := readReason(r)
	if err != nil {
		return err
	}
	return &RefusedError{Reason: reason}
}

func readReason(r io.Reader) (string, error) {
	n, err := readUint32(r, "read length of reason")
	if err != nil {
		return "", err
	}
	if n > maxReason {
		return "", protocolErrorf("reason of %d bytes, limit %d", n, maxReason)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return "", wrap("read reason", err)
	}
	return string(b), nil
}

// readServerInit reads a ServerInit and not a byte more.
func readServerInit(r io.Reader) (ServerInit, error) {
	b := make([]byte, serverInitHeader+4)
	if _, err := io.ReadFull(r, b); err != nil {
		return ServerInit{}, wrap("read server init", err)
	}
	m, _, err := parseServerInit(b)
	if !errors.Is(err, errShort) {
		return m, err // the name is empty, or too long
	}
	name := make([]byte, binary.BigEndian.Uint32(b[serverInitHeader:]))
	if _, err := io.ReadFull(r, name); err != nil {
		return ServerInit{}, wrap("read desktop name", err)
	}
	m, _, err = parseServerInit(append(b, name...))
	return m, err
}

func readUint32(r io.Reader, what string) (uint32, error) {
	var b [4]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, wrap(what, err)
	}
	return binary.BigEndian.Uint32(b[:]), nil
}
