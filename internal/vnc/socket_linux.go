package vnc

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// unsentLimit is how many bytes may wait in the socket without having been sent.
// What waits there can neither be replaced by something newer nor overtaken.
const unsentLimit = 128 << 10

// limitUnsent makes writes to conn block once unsentLimit bytes wait. Sockets
// that do not know the option work without it.
func limitUnsent(conn net.Conn) {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsentLimit)
	})
}
