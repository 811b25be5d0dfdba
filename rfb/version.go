package rfb

import (
	"fmt"
	"strconv"
)

// Version is a protocol version whose handshake differs from the others':
// thousand times the major number and the minor number.
type Version uint16

// The versions spoken here. All others are read as one of them.
const (
	Version33    Version = 3003 // the server chooses the security type
	Version37    Version = 3007 // the viewer chooses; no result for None
	Version38    Version = 3008 // a result always, with a reason
	Version3Mac  Version = 3889 // macOS: as 3.8, but no result for None
	versionBytes         = 12
)

// String returns "3.8" and the like.
func (v Version) String() string { return fmt.Sprintf("%d.%d", v/1000, v%1000) }

// reads reports how the version shapes the handshake.
func (v Version) choosesSecurity() bool { return v >= Version37 } // a list, and the viewer's choice
func (v Version) resultAfterNone() bool { return v == Version38 }
func (v Version) reasonOnFailure() bool { return v >= Version38 }

// parseVersion reads a ProtocolVersion, "RFB xxx.yyy\n" (RFC 6143, section
// 7.1.1), as one of the versions above. RFC 6143 wants unknown minors read as
// 3.3; what is met is UltraVNC's 3.4 and 3.6, for which that is right, minors
// of 8 and more, and RealVNC's 4.x and 5.x, which speak 3.8.
func parseVersion(b []byte) (v Version, n int, err error) {
	if len(b) < versionBytes {
		return 0, 0, errShort
	}
	b = b[:versionBytes]
	major, ok1 := decimal(b[4:7])
	minor, ok2 := decimal(b[8:11])
	if string(b[:4]) != "RFB " || b[7] != '.' || b[11] != '\n' || !ok1 || !ok2 || major < 3 {
		return 0, 0, protocolErrorf("not a protocol version: %s", strconv.QuoteToASCII(string(b)))
	}
	switch {
	case major > 3:
		return Version38, versionBytes, nil
	case minor == 889:
		return Version3Mac, versionBytes, nil
	case minor >= 8:
		return Version38, versionBytes, nil
	case minor == 7:
		return Version37, versionBytes, nil
	}
	return Version33, versionBytes, nil
}

// decimal reads three digits.
func decimal(b []byte) (v int, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + int(c-'0')
	}
	return v, true
}

// Append appends the ProtocolVersion's twelve bytes.
func (v Version) Append(b []byte) []byte {
	return fmt.Appendf(b, "RFB %03d.%03d\n", v/1000, v%1000)
}
