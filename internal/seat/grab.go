package seat

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"framebridge/internal/x11"
)

// Devices are grabbed one by one (XI2proto.txt): a slave that is grabbed is detached
// from the master until it is released, or the connection ends, so that its events
// reach no program. A core grab of the keyboard would take the viewers' keys, too.
const (
	xiQueryDevice  = 48
	xiGrabDevice   = 51
	xiUngrabDevice = 52

	xiAllDevices    = 0
	xiSlavePointer  = 3
	xiSlaveKeyboard = 4

	grabAsync = 1
)

// device is a part of XIQueryDevice's reply.
type device struct {
	id, use uint16
	name    string
}

// errDevices says that the X server's list of devices ends too early.
var errDevices = errors.New("bad list of devices")

// parseDevices reads XIQueryDevice's reply.
func parseDevices(r []byte) ([]device, error) {
	const head, info, class = 32, 12, 4
	if len(r) < head {
		return nil, errDevices
	}
	n := binary.LittleEndian.Uint16(r[8:])
	r = r[head:]
	var list []device
	for range n {
		if len(r) < info {
			return nil, errDevices
		}
		d := device{id: binary.LittleEndian.Uint16(r), use: binary.LittleEndian.Uint16(r[2:])}
		classes, length := binary.LittleEndian.Uint16(r[6:]), int(binary.LittleEndian.Uint16(r[8:]))
		r = r[info:]
		padded := (length + 3) &^ 3
		if len(r) < padded {
			return nil, errDevices
		}
		d.name = string(r[:length])
		r = r[padded:]
		for range classes {
			if len(r) < class {
				return nil, errDevices
			}
			size := 4 * int(binary.LittleEndian.Uint16(r[2:]))
			if size < class || size > len(r) {
				return nil, errDevices
			}
			r = r[size:]
		}
		list = append(list, d)
	}
	return list, nil
}

// own reports whether a device belongs to the display's user and is to be grabbed.
func (o Options) own(d device) bool {
	if strings.Contains(d.name, "XTEST") {
		return false // the viewers'
	}
	return o.Keyboard && d.use == xiSlaveKeyboard || o.Pointer && d.use == xiSlavePointer
}

func (s *seat) grab(ctx context.Context) error {
	b := x11.Request(nil, s.xinput, xiQueryDevice, 8)
	b = binary.LittleEndian.AppendUint16(b, xiAllDevices)
	r, err := s.call(ctx, append(b, 0, 0), 32)
	if err != nil {
		return err
	}
	list, err := parseDevices(r)
	if err != nil {
		return err
	}
	for _, d := range list {
		if !s.o.own(d) {
			continue
		}
		r, gerr := s.call(ctx, appendGrab(nil, s.xinput, uint32(s.c.Root()), d.id), 9)
		if gerr == nil && r[8] != 0 {
			gerr = fmt.Errorf("somebody else has it (status %d)", r[8])
		}
		if gerr != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", d.name, gerr))
			continue
		}
		s.grabbed = append(s.grabbed, d.id)
	}
	return err
}

func appendGrab(b []byte, opcode byte, root uint32, id uint16) []byte {
	b = x11.Request(b, opcode, xiGrabDevice, 24)
	b = binary.LittleEndian.AppendUint32(b, root)
	b = binary.LittleEndian.AppendUint32(b, 0) // now
	b = binary.LittleEndian.AppendUint32(b, 0) // no cursor
	b = binary.LittleEndian.AppendUint16(b, id)
	return append(b, grabAsync, grabAsync, 0, 0, 0, 0) // modes, no owner events, no mask
}

func (s *seat) ungrab(ctx context.Context) error {
	var err error
	for _, id := range s.grabbed {
		b := x11.Request(nil, s.xinput, xiUngrabDevice, 12)
		b = binary.LittleEndian.AppendUint32(b, 0) // now
		b = binary.LittleEndian.AppendUint16(b, id)
		err = errors.Join(err, s.c.Call(ctx, append(b, 0, 0)))
	}
	s.grabbed = nil
	return err
}
