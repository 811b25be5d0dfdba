//go:build !linux

package icetcp

import "net"

func setOptions(net.Conn) {}
