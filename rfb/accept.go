package rfb

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The server's side of the handshake (RFC 6143, section 7.1 to 7.3): versions,
// a security type, its proof, and the viewer's ClientInit. ServerInit is the
// caller's, who must first decide what becomes of the other viewers. Reads
// are exact: whatever the viewer sends after its ClientInit stays unread.
// Time limits are the caller's deadlines on the connection.

// ServerConfig says who may connect. The zero value lets nobody in, which is
// an error.
type ServerConfig struct {
	// Version is the highest version to be spoken: Version33, Version37 or Version38.
	// Zero means Version38.
	Version Version
	// AllowNone offers security type None: anybody may connect.
	AllowNone bool
	// NoneGrant is the grant of viewers that chose None.
	NoneGrant any
	// Passwords offers VNC Authentication, with the first that matches. It is
	// offered before None, so that viewers that can ask their user do.
	Passwords []Password
	// Verify, if set, decides in place of Passwords whether the response to a VNC
	// Authentication challenge is right, and what it grants. It may block.
	Verify func(challenge, response [16]byte) (grant any, ok bool)
	// OnAuthFailure is called after a wrong password and before the viewer
	// learns of it; it may block, to slow down guessing. It returns the reason
	// for the viewer. Nil means "Authentication failed" at once.
	OnAuthFailure func() (reason string)
	// StartTLS, if set, makes TLS of the connection, as its server with a certificate,
	// and returns what is to be read and written from then on. It is called once, in
	// the middle of the handshake. VeNCrypt is then the only security type that is
	// offered, and what else is configured comes after it. Viewers of RFB 3.3, which
	// cannot be offered it, are refused.
	StartTLS func() (io.ReadWriter, error)
	// Rand is where challenges come from. Nil means crypto/rand.Reader;
	// anything else is for replaying recorded sessions.
	Rand io.Reader
}

// Handshake is the outcome of the handshake.
type Handshake struct {
	Version  Version      // how the handshake went
	Security SecurityType // what the viewer chose
	Grant    any          // of the password that matched, or NoneGrant
	Shared   bool         // the viewer leaves others connected
	TLS      bool         // VeNCrypt: what follows goes over what StartTLS returned
}

// validate reports the first field that makes no sense.
func (c ServerConfig) validate() error {
	if !c.AllowNone && len(c.Passwords) == 0 && c.Verify == nil {
		return errors.New("server config: Passwords is empty and AllowNone is false")
	}
	switch c.Version {
	case 0, Version33, Version37, Version38:
	default:
		return fmt.Errorf("server config: Version %v: want 3.3, 3.7 or 3.8", c.Version)
	}
	for i, p := range c.Passwords {
		if len(p.Secret) == 0 {
			return fmt.Errorf("server config: Passwords[%d].Secret: %w", i, errNoPassword)
		}
	}
	return nil
}

// offer returns the security types in the order of preference.
func (c ServerConfig) offer() []byte {
	var types []byte
	if len(c.Passwords) > 0 || c.Verify != nil {
		types = append(types, byte(SecurityVncAuth))
	}
	if c.AllowNone {
		types = append(types, byte(SecurityNone))
	}
	return types
}

// Accept leads a viewer on rw through the handshake up to its ClientInit.
//
// The error wraps ErrAuthentication after a wrong password, a *ProtocolError
// where the viewer broke the protocol, and else what rw returned or what is
// wrong with cfg. The caller closes the connection after any error.
func Accept(rw io.ReadWriter, cfg ServerConfig) (Handshake, error) {
	if err := cfg.validate(); err != nil {
		return Handshake{}, err
	}
	highest := cfg.Version
	if highest == 0 {
		highest = Version38
	}
	v, err := exchangeVersions(rw, highest)
	if err != nil {
		return Handshake{}, err
	}
	h := Handshake{Version: v, TLS: cfg.StartTLS != nil}
	types := cfg.offer()
	switch {
	case h.TLS && !v.choosesSecurity():
		err = refuseClear(rw)
	case h.TLS:
		if _, err = offerSecurity(rw, []byte{byte(SecurityVeNCrypt)}); err == nil {
			rw, h.Security, err = cfg.acceptVeNCrypt(rw, types)
		}
	case v.choosesSecurity():
		h.Security, err = offerSecurity(rw, types)
	default:
		h.Security = SecurityType(types[0])
		_, err = rw.Write(binary.BigEndian.AppendUint32(nil, uint32(types[0])))
		err = wrap("write security type", err)
	}
	if err != nil {
		return Handshake{}, err
	}
	switch h.Security {
	case SecurityNone:
		h.Grant = cfg.NoneGrant
		if v.resultAfterNone() || h.TLS { // rfbproto has no exception for VeNCrypt
			err = writeResult(rw, securityOK)
		}
	case SecurityVncAuth:
		h.Grant, err = cfg.vncAuth(rw, v)
	}
	if err != nil {
		return Handshake{}, err
	}
	var b [1]byte
	if _, err := io.ReadFull(rw, b[:]); err != nil {
		return Handshake{}, wrap("read client init", err)
	}
	init, _, err := parseClientInit(b[:])
	if err != nil {
		return Handshake{}, err
	}
	h.Shared = init.Shared
	return h, nil
}

// Refuse tells a viewer on rw, in the form of its version, that there is no
// connection for it, and why: no security types and a reason (RFC 6143,
// section 7.1.2). The caller closes the connection.
func Refuse(rw io.ReadWriter, reason string) error {
	v, err := exchangeVersions(rw, Version38)
	if err != nil {
		return err
	}
	var b []byte
	if v.choosesSecurity() {
		b = append(b, byte(SecurityInvalid))
	} else {
		b = binary.BigEndian.AppendUint32(b, uint32(SecurityInvalid))
	}
	_, err = rw.Write(appendReason(b, reason))
	return wrap("write refusal", err)
}

// exchangeVersions offers the highest version and reads the viewer's.
func exchangeVersions(rw io.ReadWriter, highest Version) (Version, error) {
	if _, err := rw.Write(highest.Append(nil)); err != nil {
		return 0, wrap("write version", err)
	}
	var b [versionBytes]byte
	if _, err := io.ReadFull(rw, b[:]); err != nil {
		return 0, wrap("read version", err)
	}
	v, _, err := parseVersion(b[:])
	if highest < Version38 {
		v = min(v, highest)
	}
	return v, err
}

// offerSecurity sends the list and reads the choice. A type that was not
// offered ends the handshake, whatever it is: accepting one was CVE-2006-2369,
// and again CVE-2024-42458.
func offerSecurity(rw io.ReadWriter, types []byte) (SecurityType, error) {
	if _, err := rw.Write(append([]byte{byte(len(types))}, types...)); err != nil {
		return 0, wrap("write security types", err)
	}
	var b [1]byte
	if _, err := io.ReadFull(rw, b[:]); err != nil {
		return 0, wrap("read security type", err)
	}
	if bytes.IndexByte(types, b[0]) < 0 {
		return 0, protocolErrorf("security type %s was not offered", SecurityType(b[0]))
	}
	return SecurityType(b[0]), nil
}

// vncAuth runs VNC Authentication up to its result.
func (c ServerConfig) vncAuth(rw io.ReadWriter, v Version) (grant any, err error) {
	random := c.Rand
	if random == nil {
		random = rand.Reader
	}
	var challenge, response [challengeSize]byte
	if _, err := io.ReadFull(random, challenge[:]); err != nil {
		return nil, wrap("make challenge", err)
	}
	if _, err := rw.Write(challenge[:]); err != nil {
		return nil, wrap("write challenge", err)
	}
	if _, err := io.ReadFull(rw, response[:]); err != nil {
		return nil, wrap("read response", err)
	}
	if c.Verify != nil {
		grant, ok := c.Verify(challenge, response)
		if ok {
			return grant, writeResult(rw, securityOK)
		}
	} else if p, ok := MatchResponse(c.Passwords, challenge, response); ok {
		return p.Grant, writeResult(rw, securityOK)
	}
	reason := "Authentication failed"
	if c.OnAuthFailure != nil {
		reason = c.OnAuthFailure()
	}
	b := binary.BigEndian.AppendUint32(nil, securityFailed)
	if v.reasonOnFailure() {
		b = appendReason(b, reason)
	}
	// That the viewer is gone already does not make the password right.
	if _, err := rw.Write(b); err != nil {
		return nil, fmt.Errorf("%w; the viewer was not told: %v", ErrAuthentication, err)
	}
	return nil, ErrAuthentication
}

// writeResult sends a SecurityResult (RFC 6143, section 7.1.3).
func writeResult(w io.Writer, result uint32) error {
	_, err := w.Write(binary.BigEndian.AppendUint32(nil, result))
	return wrap("write security result", err)
}

// appendReason appends a reason: 32 bits of length and the text.
func appendReason(b []byte, reason string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(reason)))
	return append(b, reason...)
}

// wrap adds what was being done to an error of the connection. The end of the
// connection is unexpected wherever something is awaited.
func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%s: %w", what, err)
}
