package rfb

import "encoding/binary"

// MaxFencePayload is the most a fence may carry: rfbproto's number. TurboVNC
// once trusted the length byte up to 255 (CVE class "stack buffer").
const MaxFencePayload = 64

// FenceFlags say what a fence orders.
type FenceFlags uint32

// Flags of a fence (rfbproto, "ClientFence"). Unknown ones are cleared in an
// answer.
const (
	FenceBlockBefore FenceFlags = 1 << 0 // everything before is done before the answer
	FenceBlockAfter  FenceFlags = 1 << 1 // nothing after begins before the answer
	FenceSyncNext    FenceFlags = 1 << 2 // the message after it is done at the same time
	FenceRequest     FenceFlags = 1 << 31
	FenceKnown                  = FenceBlockBefore | FenceBlockAfter | FenceSyncNext
)

// Fence is the message to synchronise the two directions, the same both ways
// (rfbproto, "ClientFence" and "ServerFence").
type Fence struct {
	Flags   FenceFlags
	Payload []byte // at most MaxFencePayload bytes, returned unchanged
}

// Type returns ClientFence.
func (Fence) Type() ClientMessageType { return ClientFence }

// parseFence leaves Payload a part of b.
func parseFence(b []byte) (m Fence, n int, err error) {
	const header = 9
	if len(b) < header {
		return m, 0, errShort
	}
	size := int(b[8])
	if size > MaxFencePayload {
		return m, 0, protocolErrorf("fence payload of %d bytes, limit %d", size, MaxFencePayload)
	}
	if len(b) < header+size {
		return m, 0, errShort
	}
	return Fence{Flags: FenceFlags(binary.BigEndian.Uint32(b[4:])), Payload: b[header : header+size]}, header + size, nil
}

// Append appends the message; more payload than MaxFencePayload is our own
// mistake and panics.
func (m Fence) Append(b []byte) []byte {
	if len(m.Payload) > MaxFencePayload {
		panic("rfb: fence payload over 64 bytes")
	}
	b = append(b, byte(ServerFence), 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(m.Flags))
	b = append(b, byte(len(m.Payload)))
	return append(b, m.Payload...)
}
