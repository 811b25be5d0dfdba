package rfb

import (
	"errors"
	"fmt"
)

// errShort says that the bytes are a proper prefix of a message: more are
// needed. It never leaves the package.
var errShort = errors.New("message is not complete")

// ErrAuthentication says that the viewer did not prove that it knows a
// password. The refusal has been sent; callers count these to slow down
// guessing, and close the connection.
var ErrAuthentication = errors.New("authentication failed")

// ProtocolError says that the peer broke the protocol: the connection cannot
// go on, and it is not our fault.
type ProtocolError struct {
	Err error // what was wrong, without the words "protocol error"
}

func (e *ProtocolError) Error() string { return "protocol error: " + e.Err.Error() }

func (e *ProtocolError) Unwrap() error { return e.Err }

func protocolErrorf(format string, args ...any) error {
	return &ProtocolError{Err: fmt.Errorf(format, args...)}
}
