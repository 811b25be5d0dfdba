//go:build !unix

package mdns

import (
	"context"
	"net"
)

// listen opens multicast DNS's port.
func listen(ctx context.Context) (net.PacketConn, error) {
	var lc net.ListenConfig
	return lc.ListenPacket(ctx, "udp4", ":5353")
}
