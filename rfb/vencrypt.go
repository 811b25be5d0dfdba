package rfb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// VeNCrypt, security type 19: the viewer chooses how the connection is protected,
// and TLS begins in the middle of the handshake. It is described in rfbproto
// (section "VeNCrypt"), not in RFC 6143. Version 0.2 is the one in use.
//
// Of its subtypes there are those with a certificate. The ones with anonymous
// Diffie-Hellman protect from nobody who can change what is sent, and TLS 1.3 has
// none; those with a user's name are for servers that know users.

// veNCryptSubtype is how VeNCrypt protects and authenticates.
type veNCryptSubtype uint32

// Subtypes that are served.
const (
	veNCryptX509None veNCryptSubtype = 260 // TLS with a certificate, then security type None
	veNCryptX509Vnc  veNCryptSubtype = 261 // the same, then VNC Authentication
)

// veNCryptVersion is 0.2.
var veNCryptVersion = [2]byte{0, 2}

// Answers of the server. They do not agree on what is good.
const (
	veNCryptVersionOK  = 0
	veNCryptVersionBad = 255
	veNCryptSubtypeOK  = 1
	veNCryptSubtypeBad = 0
)

// maxVeNCryptSubtypes bounds what a viewer reads of a server's list: there are
// about a dozen.
const maxVeNCryptSubtypes = 64

// errWantsTLS is the end of viewers of RFB 3.3, to which VeNCrypt cannot be offered.
var errWantsTLS = errors.New("the viewer's version of RFB has no VeNCrypt, and the connection must be encrypted")

// subtypes returns the subtypes that stand for the security types in b.
func subtypes(b []byte) []veNCryptSubtype {
	var list []veNCryptSubtype
	for _, t := range b {
		switch SecurityType(t) {
		case SecurityVncAuth:
			list = append(list, veNCryptX509Vnc)
		case SecurityNone:
			list = append(list, veNCryptX509None)
		}
	}
	return list
}

// inner returns the security type that a subtype authenticates with.
func (t veNCryptSubtype) inner() SecurityType {
	if t == veNCryptX509Vnc {
		return SecurityVncAuth
	}
	return SecurityNone
}

// acceptVeNCrypt leads a viewer that chose VeNCrypt up to the beginning of TLS, and
// through it. It returns what goes on over TLS, and with which security type.
func (c ServerConfig) acceptVeNCrypt(rw io.ReadWriter, types []byte) (io.ReadWriter, SecurityType, error) {
	if _, err := rw.Write(veNCryptVersion[:]); err != nil {
		return nil, 0, wrap("write VeNCrypt version", err)
	}
	var version [2]byte
	if _, err := io.ReadFull(rw, version[:]); err != nil {
		return nil, 0, wrap("read VeNCrypt version", err)
	}
	if version != veNCryptVersion {
		rw.Write([]byte{veNCryptVersionBad}) //nolint:errcheck // it is the viewer's fault
		return nil, 0, protocolErrorf("VeNCrypt %d.%d", version[0], version[1])
	}
	list := subtypes(types)
	b := []byte{veNCryptVersionOK, byte(len(list))}
	for _, t := range list {
		b = binary.BigEndian.AppendUint32(b, uint32(t))
	}
	if _, err := rw.Write(b); err != nil {
		return nil, 0, wrap("write VeNCrypt subtypes", err)
	}
	n, err := readUint32(rw, "read VeNCrypt subtype")
	if err != nil {
		return nil, 0, err
	}
	chosen := veNCryptSubtype(n)
	if !slices.Contains(list, chosen) {
		rw.Write([]byte{veNCryptSubtypeBad}) //nolint:errcheck // as above
		return nil, 0, protocolErrorf("VeNCrypt subtype %d was not offered", n)
	}
	if _, err := rw.Write([]byte{veNCryptSubtypeOK}); err != nil {
		return nil, 0, wrap("accept VeNCrypt subtype", err)
	}
	secure, err := c.StartTLS()
	if err != nil {
		return nil, 0, fmt.Errorf("TLS: %w", err)
	}
	return secure, chosen.inner(), nil
}

// refuseClear tells a viewer of RFB 3.3 why it cannot come in.
func refuseClear(w io.Writer) error {
	b := binary.BigEndian.AppendUint32(nil, uint32(SecurityInvalid))
	if _, err := w.Write(appendReason(b, "this server wants TLS (VeNCrypt)")); err != nil {
		return wrap("write refusal", err)
	}
	return errWantsTLS
}

// connectVeNCrypt is the viewer's side of acceptVeNCrypt.
func (c ClientConfig) connectVeNCrypt(rw io.ReadWriter) (io.ReadWriter, SecurityType, error) {
	var version [2]byte
	if _, err := io.ReadFull(rw, version[:]); err != nil {
		return nil, 0, wrap("read VeNCrypt version", err)
	}
	if version != veNCryptVersion {
		return nil, 0, protocolErrorf("VeNCrypt %d.%d", version[0], version[1])
	}
	if _, err := rw.Write(version[:]); err != nil {
		return nil, 0, wrap("write VeNCrypt version", err)
	}
	var head [2]byte
	if _, err := io.ReadFull(rw, head[:]); err != nil {
		return nil, 0, wrap("read VeNCrypt subtypes", err)
	}
	if head[0] != veNCryptVersionOK || head[1] == 0 || head[1] > maxVeNCryptSubtypes {
		return nil, 0, protocolErrorf("VeNCrypt subtypes begin with %d", head)
	}
	var offered []veNCryptSubtype
	for range head[1] {
		n, err := readUint32(rw, "read VeNCrypt subtypes")
		if err != nil {
			return nil, 0, err
		}
		offered = append(offered, veNCryptSubtype(n))
	}
	want := veNCryptX509None
	if len(c.Password) > 0 && slices.Contains(offered, veNCryptX509Vnc) {
		want = veNCryptX509Vnc
	}
	if !slices.Contains(offered, want) {
		return nil, 0, fmt.Errorf("none of the VeNCrypt subtypes %d can be used", offered)
	}
	if _, err := rw.Write(binary.BigEndian.AppendUint32(nil, uint32(want))); err != nil {
		return nil, 0, wrap("write VeNCrypt subtype", err)
	}
	var ok [1]byte
	if _, err := io.ReadFull(rw, ok[:]); err != nil {
		return nil, 0, wrap("read answer to VeNCrypt subtype", err)
	}
	if ok[0] != veNCryptSubtypeOK {
		return nil, 0, protocolErrorf("VeNCrypt subtype %d is answered with %d", want, ok[0])
	}
	secure, err := c.StartTLS()
	if err != nil {
		return nil, 0, fmt.Errorf("TLS: %w", err)
	}
	return secure, want.inner(), nil
}
