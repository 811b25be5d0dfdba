package x11

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/BurntSushi/xgb/xproto"
)

// ErrAuth says that the X server refused us. The error that wraps it has the
// server's reason and what to do.
var ErrAuth = errors.New("refused by the X server")

// appendSetup appends the connection setup request (X protocol, section 8,
// "Connection Initiation"), little-endian, with a cookie if there is one.
func appendSetup(b, cookie []byte) []byte {
	name := cookieName
	if len(cookie) == 0 {
		name = ""
	}
	b = append(b, 'l', 0)
	b = binary.LittleEndian.AppendUint16(b, 11) // protocol 11.0
	b = binary.LittleEndian.AppendUint16(b, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(name)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(cookie)))
	b = append(b, 0, 0)
	b = appendPadded(b, name)
	return appendPadded(b, string(cookie))
}

// appendPadded appends s with zeros up to a multiple of four bytes.
func appendPadded(b []byte, s string) []byte {
	b = append(b, s...)
	for i := len(s); i%4 != 0; i++ {
		b = append(b, 0)
	}
	return b
}

// readSetup reads the server's answer to the setup request and returns its
// bytes as xgb keeps them. A refusal is an error that wraps ErrAuth.
func readSetup(r io.Reader) ([]byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("setup reply: %w", err)
	}
	// The length is 16 bits of 4-byte units: at most 256 KB, so no further bound.
	b := make([]byte, 8+4*int(binary.LittleEndian.Uint16(head[6:])))
	copy(b, head[:])
	if _, err := io.ReadFull(r, b[8:]); err != nil {
		return nil, fmt.Errorf("setup reply: %w", err)
	}
	const failed, success, authenticate = 0, 1, 2
	switch head[0] {
	case success:
	case failed:
		reason := b[8:min(len(b), 8+int(head[1]))]
		return nil, fmt.Errorf("%w: %s", ErrAuth, cleanReason(reason))
	case authenticate:
		return nil, fmt.Errorf("%w: it asks for more: %s", ErrAuth, cleanReason(b[8:]))
	default:
		return nil, fmt.Errorf("setup reply: status %d: not an X server?", head[0])
	}
	if major := binary.LittleEndian.Uint16(head[2:]); major != 11 {
		return nil, fmt.Errorf("setup reply: X protocol %d, want 11", major)
	}
	return b, nil
}

func cleanReason(b []byte) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.TrimSpace(string(b)))
}

// parseSetup decodes a setup reply and checks what the rest of the package
// relies on.
func parseSetup(b []byte) (info *xproto.SetupInfo, err error) {
	// xgb's generated reader indexes without looking at the length. The counts
	// that it trusts are at most 16 bits wide, so that it runs off the end of b
	// before it can ask for much memory.
	defer func() {
		if recover() != nil {
			info, err = nil, errors.New("setup reply: truncated")
		}
	}()
	info = new(xproto.SetupInfo)
	xproto.SetupInfoRead(b, info)
	switch {
	case len(info.Roots) == 0:
		return nil, errors.New("setup reply: no screens")
	case info.ResourceIdMask == 0:
		return nil, errors.New("setup reply: no resource ids")
	}
	return info, nil
}
