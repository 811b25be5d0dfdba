package x11

import (
	"context"
	"encoding/binary"

	"github.com/BurntSushi/xgb"
)

// XInput 2 (XI2proto.txt): raw motion tells of every movement of the pointer,
// whoever caused it and whichever window it is over, without polling.
const (
	xiSelectEvents     = 46
	xiRawMotion        = 17
	xiAllMasterDevices = 1
)

// SelectRawMotion asks for an event whenever the pointer moves: IsRawMotion
// tells it from others. It fails where the server has no XInput 2.
func (c *Conn) SelectRawMotion(ctx context.Context) error {
	e, err := c.Extension(ctx, XInput)
	if err != nil {
		return err
	}
	if !e.AtLeast(2, 0) {
		return NoExtensionError(XInput + " 2")
	}
	b := Request(nil, e.Opcode, xiSelectEvents, 20)
	b = binary.LittleEndian.AppendUint32(b, uint32(c.Root()))
	b = binary.LittleEndian.AppendUint16(b, 1) // one mask
	b = append(b, 0, 0)
	b = binary.LittleEndian.AppendUint16(b, xiAllMasterDevices)
	b = binary.LittleEndian.AppendUint16(b, 1) // of 4 bytes
	b = binary.LittleEndian.AppendUint32(b, 1<<xiRawMotion)
	return c.Call(ctx, b)
}

// IsRawMotion reports whether an event is one that SelectRawMotion asked for.
func (c *Conn) IsRawMotion(ev xgb.Event) bool {
	g, ok := ev.(GenericEvent)
	return ok && g.Type == xiRawMotion && g.Major == byte(c.xinput.Load())
}
