//go:build unix

package x11

import "golang.org/x/sys/unix"

// fdRights returns the control message that carries a file descriptor.
func fdRights(fd int) []byte { return unix.UnixRights(fd) }
