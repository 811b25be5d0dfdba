package xtest

import (
	"context"
	"encoding/binary"

	"framebridge/input"
	"framebridge/internal/x11"
)

// keyID names a pressed key as the viewer did: by its scancode if that is what
// was used, else by keysym. It is never 0.
func keyID(keysym uint32, byScancode bool, scancode uint32) uint64 {
	if byScancode {
		return 1<<32 | uint64(scancode)
	}
	return 1<<33 | uint64(keysym)
}

// temporary is what was changed around a key that is held.
type temporary struct {
	code              byte   // the key
	pressed, released []byte // modifier keys
	lock              *lockState
}

// Key presses or releases a key; see input.Sink. A scancode that the X server's
// keyboard has is used in place of the keysym: both keyboards then work as if
// they were one, with the X server's layout.
func (i *Injector) Key(keysym, code uint32, down bool) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if err := i.usable(); err != nil {
		return err
	}
	i.smu.Lock()
	dirty := i.keysDirty
	i.smu.Unlock()
	if dirty {
		if err := i.loadKeys(context.Background()); err != nil {
			return err
		}
	}
	scan := i.m.scancode(code)
	id := keyID(keysym, scan != 0, code)
	if !down {
		return i.release(keysym, id)
	}
	if _, repeated := i.pressed[id]; repeated && i.opts.ViewerRepeats {
		return i.repeat(id)
	} else if repeated || keysym == 0 && scan == 0 {
		return nil
	}
	i.undo()
	if scan != 0 {
		i.press(id, scan)
		return i.flush()
	}
	return i.typeSym(keysym, id)
}

// typeSym presses the key for a keysym.
func (i *Injector) typeSym(keysym uint32, id uint64) error {
	st, err := i.state()
	if err != nil {
		return err
	}
	c, ok := i.m.lookup(keysym, st, i.xkb != 0)
	if !ok && !i.opts.NoSpares {
		if ok, err = i.addSpare(keysym); err != nil {
			return err
		} else if ok {
			c, ok = i.m.lookup(keysym, st, i.xkb != 0)
		}
	}
	if !ok {
		if !i.warned[keysym] && len(i.warned) < 1000 {
			i.warned[keysym] = true
			i.log.Warn("no key for keysym", "keysym", keysym)
		}
		return i.flush()
	}
	i.useSpare(c.code)
	if !c.plain() && !i.opts.NoModifiers {
		if i.temp, err = i.change(c, st); err != nil {
			return err
		}
	}
	i.press(id, c.code)
	return i.flush()
}

// press queues the press of a key for id.
func (i *Injector) press(id uint64, code byte) {
	if old := i.owner[code]; old != 0 {
		// Another keysym of the same key, such as A while a is held.
		i.fakeKey(code, false)
		delete(i.pressed, old)
	}
	i.fakeKey(code, true)
	i.pressed[id], i.owner[code] = code, id
	if i.temp != nil || i.m.changes(code) {
		i.queueFence()
	}
}

// release releases the key that was pressed for id.
func (i *Injector) release(keysym uint32, id uint64) error {
	code, ok := i.pressed[id]
	if !ok {
		// A viewer may press A, release Shift, and release a: any key that has
		// the keysym and is held is meant.
		for _, p := range i.m.places[input.Canonical(keysym)] {
			if i.owner[p.code] != 0 {
				code, ok = p.code, true
				break
			}
		}
	}
	if !ok {
		return nil
	}
	if i.temp != nil && i.temp.code != code {
		i.undo()
	}
	i.fakeKey(code, false)
	delete(i.pressed, i.owner[code])
	i.owner[code] = 0
	if i.temp != nil {
		i.undo()
	} else if i.m.changes(code) {
		i.queueFence()
	}
	return i.flush()
}

// change queues what makes the choice c mean its keysym in the state st, and
// returns how to undo it.
func (i *Injector) change(c choice, st state) (*temporary, error) {
	t := &temporary{code: c.code}
	var lock lockState
	if c.clear&st.base != 0 {
		var err error
		if t.released, err = i.holders(c.clear&st.base, st.group()); err != nil {
			return nil, err
		}
	}
	lock.affect = c.clear & st.locked
	lock.unlatch = c.clear & st.latched
	group := st.group()
	if c.regroup {
		lock.setGroup, lock.group = true, c.group-st.baseGroup-st.latchedGroup
		group = c.group
	}
	for bit := byte(1); bit != 0; bit <<= 1 {
		if c.set&bit == 0 {
			continue
		}
		key := byte(0)
		if bit != modLock && bit&i.m.numLock == 0 {
			key = i.m.modifierKey(bit, group, i.isHeld)
		}
		if key != 0 {
			t.pressed = append(t.pressed, key)
		} else {
			lock.affect, lock.locks = lock.affect|bit, lock.locks|bit
		}
	}
	if lock != (lockState{}) {
		i.queueLock(lock)
		t.lock = &lockState{affect: lock.affect, locks: st.locked & lock.affect, setGroup: lock.setGroup, group: st.lockedGr}
	}
	for _, code := range t.released {
		i.fakeKey(code, false)
	}
	for _, code := range t.pressed {
		i.fakeKey(code, true)
	}
	return t, nil
}

func (i *Injector) isHeld(code byte) bool { return i.owner[code] != 0 }

// undo queues what takes the temporary changes back.
func (i *Injector) undo() {
	t := i.temp
	if t == nil {
		return
	}
	i.temp = nil
	for _, code := range t.pressed {
		i.fakeKey(code, false)
	}
	for _, code := range t.released {
		i.fakeKey(code, true)
	}
	if t.lock != nil {
		i.queueLock(*t.lock)
	}
	i.queueFence()
}

func (i *Injector) queueLock(l lockState) {
	if i.xkb == 0 {
		// Each tap of its key toggles a lock, and it is called for changes only.
		for bit := byte(1); bit != 0; bit <<= 1 {
			if key := i.m.modifierKey(bit, 0, i.isHeld); l.affect&bit != 0 && key != 0 {
				i.fakeKey(key, true)
				i.fakeKey(key, false)
			}
		}
		return
	}
	i.buf = appendXkbLatchLock(i.buf[:0], i.xkb, l)
	i.c.Queue(i.buf)
}

// holders returns the keys that are held and set one of the modifiers. Ours are
// known; those that others hold through XTEST too must be asked for.
func (i *Injector) holders(mods byte, group int) ([]byte, error) {
	var list []byte
	sets := func(code byte) byte {
		return i.m.modifiers(place{code: code, group: i.m.keys[code].group(group)})
	}
	left := mods
	for code, id := range i.owner {
		if m := sets(byte(code)); id != 0 && m&mods != 0 {
			list, left = append(list, byte(code)), left&^m
		}
	}
	if left == 0 {
		return list, nil
	}
	const opQueryKeymap = 44
	r, err := i.wait(context.Background(), i.c.QueueCall(x11.Request(nil, opQueryKeymap, 0, 4)))
	if err != nil {
		return nil, err
	}
	// A bit for each keycode, in the 32 bytes from byte 8 on.
	for code := int(i.m.min); code <= int(i.m.max) && 8+code/8 < len(r); code++ {
		if r[8+code/8]>>(code%8)&1 != 0 && i.owner[code] == 0 && sets(byte(code))&left != 0 {
			list = append(list, byte(code))
		}
	}
	return list, nil
}

// readKey reads what a single key means. i.mu is held.
func (i *Injector) readKey(code byte) error {
	if i.xkb != 0 {
		r, err := i.wait(context.Background(), i.c.QueueCall(appendXkbGetMap(nil, i.xkb, code)))
		if err != nil {
			return err
		}
		return parseXkbMap(r, i.m)
	}
	r, err := i.wait(context.Background(), i.c.QueueCall(appendGetKeyboardMapping(nil, code, 1)))
	if err != nil {
		return err
	}
	width := 0
	if len(r) >= 32 {
		width = int(r[1])
	}
	if width == 0 || len(r) < 32+4*width {
		return errMap
	}
	row := make([]uint32, max(width, 4))
	for n := range width {
		row[n] = binary.LittleEndian.Uint32(r[32+4*n:])
	}
	i.m.setCoreKey(code, row)
	return nil
}
