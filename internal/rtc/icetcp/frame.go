package icetcp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A frame is 16 bits of length and that many bytes (RFC 4571, section 2).

const (
	frameHeader = 2
	// maxPacket bounds what one frame holds. Datagrams of WebRTC keep below an
	// Ethernet packet; ICE stacks read 8192 bytes.
	maxPacket = 8192

	stunHeader  = 20 // RFC 8489, section 5
	stunBinding = 0x0001
	stunCookie  = 0x2112A442
	// maxSTUN bounds a connection's first message: browsers' are 90 to 150 bytes.
	maxSTUN = 512

	attrUsername = 0x0006
)

var errTooLong = errors.New("frame is too long")

// readFrame reads a frame into buf and returns its bytes, at most limit.
func readFrame(r io.Reader, buf []byte, limit int) ([]byte, error) {
	if _, err := io.ReadFull(r, buf[:frameHeader]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(buf))
	if n > limit {
		return nil, fmt.Errorf("%w: %d bytes", errTooLong, n)
	}
	if _, err := io.ReadFull(r, buf[:n]); err != nil {
		return nil, err
	}
	return buf[:n], nil
}

func appendFrame(b, packet []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(packet)))
	return append(b, packet...)
}

// ufrag returns the receiver's username fragment in a STUN Binding request: USERNAME
// is "receiver's:sender's" (RFC 8445, section 7.2.2).
func ufrag(b []byte) (string, bool) {
	if len(b) < stunHeader || binary.BigEndian.Uint16(b) != stunBinding ||
		int(binary.BigEndian.Uint16(b[2:])) != len(b)-stunHeader ||
		binary.BigEndian.Uint32(b[4:]) != stunCookie {
		return "", false
	}
	for b = b[stunHeader:]; len(b) >= 4; {
		kind, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		b = b[4:]
		if n > len(b) {
			return "", false
		}
		if kind == attrUsername {
			ours, _, ok := strings.Cut(string(b[:n]), ":")
			if !ok || ours == "" {
				return "", false
			}
			return ours, true
		}
		b = b[min(len(b), (n+3)&^3):] // attributes are padded to 32 bits
	}
	return "", false
}

// isMedia tells RTP and RTCP from STUN, DTLS and what is inside that (RFC 7983,
// section 7).
func isMedia(b []byte) bool { return len(b) > 0 && b[0] >= 128 && b[0] <= 191 }
