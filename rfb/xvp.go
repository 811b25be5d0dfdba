package rfb

// XvpCode is what an xvp message asks for or reports.
type XvpCode uint8

// Codes of the xvp message (rfbproto, "xvp Client Message" and "xvp Server
// Message").
const (
	XvpFail     XvpCode = 0 // server
	XvpInit     XvpCode = 1 // server
	XvpShutdown XvpCode = 2 // viewer
	XvpReboot   XvpCode = 3 // viewer
	XvpReset    XvpCode = 4 // viewer
)

// Xvp asks the machine behind the framebuffer to shut down or restart; the
// same form goes both ways.
type Xvp struct {
	Version uint8 // 1
	Code    XvpCode
}

// Type returns ClientXvp.
func (Xvp) Type() ClientMessageType { return ClientXvp }

func parseXvp(b []byte) (m Xvp, n int, err error) {
	const size = 4
	if len(b) < size {
		return m, 0, errShort
	}
	return Xvp{Version: b[2], Code: XvpCode(b[3])}, size, nil
}

// Append appends the message's four bytes.
func (m Xvp) Append(b []byte) []byte {
	return append(b, byte(ClientXvp), 0, m.Version, byte(m.Code))
}
