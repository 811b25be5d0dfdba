package port

import "bytes"

// Kind is what a client speaks.
type Kind int

const (
	// Undecided: the bytes so far are the beginning of something we know.
	Undecided Kind = iota
	// RFB is a viewer that spoke before it was greeted. Those that wait, as RFC
	// 6143 wants it, are told by their silence.
	RFB
	// HTTP is a request of HTTP/1, WebSocket handshakes among them.
	HTTP
	// TLS is a ClientHello.
	TLS
	// ICE is a framed STUN request: a browser that checks an ICE-TCP candidate.
	ICE
	// Other is nothing that we speak.
	Other
)

func (k Kind) String() string {
	switch k {
	case Undecided:
		return "undecided"
	case RFB:
		return "rfb"
	case HTTP:
		return "http"
	case TLS:
		return "tls"
	case ICE:
		return "ice"
	}
	return "other"
}

// methods are the beginnings of HTTP/1 requests (RFC 9110, section 9; WebDAV's
// methods are for other servers). "PRI" begins HTTP/2 without TLS, which the HTTP
// server refuses in its own words.
var methods = [][]byte{
	[]byte("GET "), []byte("HEAD "), []byte("POST "), []byte("OPTIONS "), []byte("PUT "),
	[]byte("DELETE "), []byte("PATCH "), []byte("CONNECT "), []byte("TRACE "), []byte("PRI "),
}

var rfbHello = []byte("RFB ")

// Sniff tells from a client's first bytes what it speaks. The classes do not
// collide: the first byte is a letter, 0x16 (RFC 8446, section 5.1), or the high
// byte of a length below maxSTUN.
func Sniff(b []byte) Kind {
	if len(b) == 0 {
		return Undecided
	}
	switch c := b[0]; {
	case c == 'R':
		return begins(b, rfbHello, RFB)
	case c == recordHandshake:
		return sniffTLS(b)
	case c <= maxSTUN>>8:
		return sniffICE(b)
	}
	kind := Other
	for _, m := range methods {
		switch begins(b, m, HTTP) {
		case HTTP:
			return HTTP
		case Undecided:
			kind = Undecided
		}
	}
	return kind
}

// begins reports kind when b begins with prefix, Undecided when b is too short to
// tell.
func begins(b, prefix []byte, kind Kind) Kind {
	if len(b) < len(prefix) {
		if bytes.HasPrefix(prefix, b) {
			return Undecided
		}
		return Other
	}
	if bytes.HasPrefix(b, prefix) {
		return kind
	}
	return Other
}

const (
	// recordHandshake is the type of the TLS record that holds a ClientHello.
	recordHandshake = 0x16
	// recordMajor is the first byte of all TLS versions; the second one goes from 0
	// (SSL 3.0) to 4 (TLS 1.3), and is 1 or 3 in practice.
	recordMajor    = 0x03
	recordMinorMax = 0x04
)

func sniffTLS(b []byte) Kind {
	if len(b) >= 2 && b[1] != recordMajor || len(b) >= 3 && b[2] > recordMinorMax {
		return Other
	}
	if len(b) < 3 {
		return Undecided
	}
	return TLS
}
