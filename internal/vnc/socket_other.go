//go:build !linux

package vnc

import "net"

func limitUnsent(net.Conn) {}
