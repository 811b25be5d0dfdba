package xtest

import (
	"context"
	"encoding/binary"

	"framebridge/internal/x11"
)

// Opcodes of core requests about the keyboard as a whole.
const (
	opQueryKeymap           = 44
	opChangeKeyboardControl = 102
	opGetKeyboardControl    = 103
)

// kbAutoRepeatMode is the bit of the global auto-repeat in ChangeKeyboardControl
// (core protocol, section 9, "ChangeKeyboardControl").
const kbAutoRepeatMode = 1 << 7

// HoldRepeat turns the X server's auto-repeat off, or back on if it was on when it
// was turned off. Close turns it back on, too.
func (i *Injector) HoldRepeat(off bool) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if err := i.usable(); err != nil {
		return err
	}
	return i.holdRepeat(off)
}

// holdRepeat is HoldRepeat; i.mu is held.
func (i *Injector) holdRepeat(off bool) error {
	if off == i.repeatHeld {
		return nil
	}
	if off {
		r, err := i.wait(context.Background(), i.c.QueueCall(x11.Request(nil, opGetKeyboardControl, 0, 4)))
		if err != nil {
			return err
		}
		if r[1] == 0 {
			return nil // somebody else turned it off, and will want it so
		}
	}
	i.repeatHeld = off
	mode := uint32(1)
	if off {
		mode = 0
	}
	b := binary.LittleEndian.AppendUint32(x11.Request(nil, opChangeKeyboardControl, 0, 12), kbAutoRepeatMode)
	i.c.Queue(binary.LittleEndian.AppendUint32(b, mode))
	return i.flush()
}

// ReleaseKeys releases all keys that are down on the X server, whoever pressed
// them; with onlyModifiers those alone. With locks Caps_Lock, Num_Lock and the
// like are turned off as well.
func (i *Injector) ReleaseKeys(onlyModifiers, locks bool) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if err := i.usable(); err != nil {
		return err
	}
	i.undo()
	r, err := i.wait(context.Background(), i.c.QueueCall(x11.Request(nil, opQueryKeymap, 0, 4)))
	if err != nil {
		return err
	}
	const bits = 8 // where the reply has a bit for each keycode
	for code := int(i.m.min); code <= int(i.m.max); code++ {
		if bits+code/8 >= len(r) || r[bits+code/8]&(1<<(code%8)) == 0 {
			continue
		}
		if onlyModifiers && i.m.keys[code].modmap == 0 {
			continue
		}
		i.fakeKey(byte(code), false)
		delete(i.pressed, i.owner[code])
		i.owner[code] = 0
	}
	if locks {
		i.queueFence()
		st, err := i.state()
		if err != nil {
			return err
		}
		if st.locked|st.latched != 0 {
			i.queueLock(lockState{affect: st.locked, unlatch: st.latched})
		}
	}
	i.queueFence()
	return i.flush()
}

// repeat presses a held key once more.
func (i *Injector) repeat(id uint64) error {
	code := i.pressed[id]
	if i.m.keys[code].modmap != 0 || i.m.changes(code) {
		return nil // modifiers do not repeat
	}
	i.fakeKey(code, false)
	i.fakeKey(code, true)
	return i.flush()
}
