package rfb

import "strconv"

// SecurityType is the number of a way to authenticate and to protect the
// connection (RFC 6143, section 7.1.2).
type SecurityType uint8

// Security types. None, VncAuth and VeNCrypt are served.
const (
	SecurityInvalid  SecurityType = 0 // "connection failed", a reason follows
	SecurityNone     SecurityType = 1
	SecurityVncAuth  SecurityType = 2
	SecurityRA2      SecurityType = 5
	SecurityRA2ne    SecurityType = 6
	SecurityTight    SecurityType = 16
	SecurityTLS      SecurityType = 18
	SecurityVeNCrypt SecurityType = 19
	SecurityAppleDH  SecurityType = 30
	SecurityRA256    SecurityType = 129
	SecurityRAne256  SecurityType = 130
)

var securityNames = map[SecurityType]string{
	SecurityInvalid:  "Invalid",
	SecurityNone:     "None",
	SecurityVncAuth:  "VNC Authentication",
	SecurityRA2:      "RA2",
	SecurityRA2ne:    "RA2ne",
	SecurityTight:    "Tight",
	SecurityTLS:      "TLS",
	SecurityVeNCrypt: "VeNCrypt",
	SecurityAppleDH:  "Apple DH",
	SecurityRA256:    "RA2_256",
	SecurityRAne256:  "RA2ne_256",
}

// String returns the name rfbproto gives t, else its number.
func (t SecurityType) String() string {
	if s, ok := securityNames[t]; ok {
		return s
	}
	return strconv.Itoa(int(t))
}

// Results of the security handshake (RFC 6143, section 7.1.3).
const (
	securityOK     = 0
	securityFailed = 1
)
