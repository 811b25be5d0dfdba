package rfb

// Bell rings the viewer's bell (RFC 6143, section 7.6.3).
type Bell struct{}

func parseBell(b []byte) (m Bell, n int, err error) {
	if len(b) < 1 {
		return m, 0, errShort
	}
	return m, 1, nil
}

// Append appends the message's one byte.
func (Bell) Append(b []byte) []byte { return append(b, byte(ServerBell)) }
