package port

import (
	"encoding/binary"
	"strings"
)

// ICE over TCP (RFC 6544) sends its checks as STUN messages (RFC 8489) in RFC
// 4571's frames: 16 bits of length, then the message. The first one is a Binding
// request whose USERNAME is "ours:theirs", the fragments of both sides (RFC 8445,
// section 7.2.2), which is how a port that many sessions share knows whose it is.

const (
	frameHeader = 2  // RFC 4571, section 2
	stunHeader  = 20 // RFC 8489, section 5
	// maxSTUN bounds the first message: browsers' are 90 to 150 bytes, and STUN keeps
	// below 548 where the path is not known (RFC 8489, section 6.1). ICE stacks
	// read 512.
	maxSTUN = 512

	stunBinding  = 0x0001
	stunCookie   = 0x2112A442
	attrUsername = 0x0006
	// maxUsername is RFC 8489's bound, section 14.3.
	maxUsername = 508
)

// sniffICE decides once the first frame is complete, because whose it is stands
// in it.
func sniffICE(b []byte) Kind {
	if len(b) >= 2 {
		if n := int(binary.BigEndian.Uint16(b)); n < stunHeader || n > maxSTUN {
			return Other
		}
	}
	for i, c := range []byte{stunBinding >> 8, stunBinding & 0xff} {
		if len(b) > frameHeader+i && b[frameHeader+i] != c {
			return Other
		}
	}
	if len(b) >= 6 && binary.BigEndian.Uint16(b[4:]) != binary.BigEndian.Uint16(b)-stunHeader {
		return Other
	}
	var cookie [4]byte
	binary.BigEndian.PutUint32(cookie[:], stunCookie)
	for i, c := range cookie {
		if len(b) > 6+i && b[6+i] != c {
			return Other
		}
	}
	if len(b) < frameHeader || len(b) < frameHeader+int(binary.BigEndian.Uint16(b)) {
		return Undecided
	}
	return ICE
}

// ufrag returns our fragment in the USERNAME of a framed Binding request that
// sniffICE has seen whole.
func ufrag(b []byte) (string, bool) {
	b = b[frameHeader : frameHeader+int(binary.BigEndian.Uint16(b))]
	for b = b[stunHeader:]; len(b) >= 4; {
		kind, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		b = b[4:]
		if n > len(b) {
			return "", false
		}
		if kind == attrUsername {
			if n > maxUsername {
				return "", false
			}
			ours, _, ok := strings.Cut(string(b[:n]), ":")
			return ours, ok && ours != ""
		}
		b = b[min(len(b), (n+3)&^3):] // attributes are padded to 32 bits
	}
	return "", false
}
