package xtest

import (
	"context"
	"slices"
	"time"

	"github.com/BurntSushi/xgb/xproto"

	"framebridge/input"
)

// A keysym that no key has is put on a spare keycode: one without any meaning.
// Programs learn of it by MappingNotify (or XKB's MapNotify), which the server
// sends before the key's press, in order. But they do not get the map with it;
// they ask for it when they handle the event, or the press. Here are two races
// that an injector cannot win, only make unlikely:
//
//   - A keycode that changes its meaning twice before a slow program has looked:
//     the program takes the first press for the second keysym. So keycodes keep
//     their meaning as long as possible, and the one not used for longest is
//     changed first, not before reuseAfter.
//   - Xlib forgets about a change that comes while it waits for the map because
//     of the one before (_XkbCheckPendingRefresh). So changes have changeEvery
//     between them.

// reuseAfter is how long a spare keycode keeps its meaning after its last use
// at least: some frames of a program that is busy drawing.
const reuseAfter = 100 * time.Millisecond

// changeEvery is the time between changes. A program has handled a key within
// it, unless it is busy; 50 new characters in a second are more than people
// type, and what an input method commits at once is a few.
const changeEvery = 20 * time.Millisecond

// spare is a keycode that we have given a meaning.
type spare struct {
	code byte
	sym  uint32 // canonical; the lower case for letters
	used time.Time
}

// addSpare gives a keysym a key, and reports whether it could.
func (i *Injector) addSpare(keysym uint32) (bool, error) {
	if keysym == 0 || keysym > 0x1fffffff || input.IsModifier(keysym) {
		// Keysyms have 29 bits. A modifier key without modifiers makes no sense.
		return false, nil
	}
	code, ok := i.takeSpare()
	if !ok {
		return false, nil
	}
	i.pause(changeEvery - time.Since(i.changed))
	i.changed = time.Now()
	lower, upper := input.ConvertCase(keysym)
	s := spare{code: code, sym: lower, used: time.Now()}
	i.smu.Lock()
	i.ownChange = code
	i.smu.Unlock()
	i.c.Queue(appendChangeKeyboardMapping(nil, code, common(lower), common(upper)))
	err := i.readKey(code)
	i.smu.Lock()
	i.ownChange = 0
	i.smu.Unlock()
	// Ours in any case: the request may have been carried out.
	i.spares = append(i.spares, s)
	i.record()
	if err != nil {
		return false, err
	}
	i.m.indexKey(code)
	return true, nil
}

// common returns the form of a canonical keysym that programs know best: some
// old ones know nothing of Unicode.
func common(sym uint32) uint32 {
	if r := input.Rune(sym); r != 0 {
		return input.Keysym(r)
	}
	return sym
}

// takeSpare returns a keycode that can get a new meaning.
func (i *Injector) takeSpare() (byte, bool) {
	if n := len(i.free); n > 0 {
		code := i.free[0]
		i.free = i.free[1:]
		return code, true
	}
	oldest := -1
	for n, s := range i.spares {
		if i.owner[s.code] == 0 && (oldest < 0 || s.used.Before(i.spares[oldest].used)) {
			oldest = n
		}
	}
	if oldest < 0 {
		return 0, false
	}
	s := i.spares[oldest]
	i.pause(reuseAfter - time.Since(s.used))
	i.spares = append(i.spares[:oldest], i.spares[oldest+1:]...)
	i.m.unindexKey(s.code)
	return s.code, true
}

// pause lets programs catch up.
func (i *Injector) pause(d time.Duration) {
	if d > 0 {
		i.c.Flush() // what was queued need not wait
		time.Sleep(d)
	}
}

// useSpare notes that a keycode is used.
func (i *Injector) useSpare(code byte) {
	for n := range i.spares {
		if i.spares[n].code == code {
			i.spares[n].used = time.Now()
		}
	}
}

// checkSpares forgets the keycodes whose meaning someone else has changed: a
// new keyboard map replaces all of them.
func (i *Injector) checkSpares() {
	kept := i.spares[:0]
	for _, s := range i.spares {
		if i.isOurs(s) {
			kept = append(kept, s)
		}
	}
	i.spares = kept
	i.free = i.m.spare()
}

func (i *Injector) isOurs(s spare) bool {
	syms := i.m.keys[s.code].syms
	return len(syms) > 0 && input.Canonical(syms[0]) == s.sym
}

// clearSpares queues the requests that take back our keycodes' meanings.
func (i *Injector) clearSpares() {
	i.smu.Lock()
	dirty := i.keysDirty
	i.smu.Unlock()
	if dirty && len(i.spares) > 0 && i.loadKeys(context.Background()) != nil {
		return // what is ours is not known
	}
	for _, s := range i.spares {
		i.c.Queue(appendChangeKeyboardMapping(nil, s.code, 0, 0))
	}
	i.spares = nil
	i.record()
}

// recordName is the property of the root window that lists our keycodes, for
// whoever comes after us if we cannot clean up: without it each crash would
// leave the keyboard with fewer spare keycodes.
const recordName = "_FRAMEBRIDGE_SPARE_KEYCODES"

// record writes the list.
func (i *Injector) record() {
	var codes []byte
	for _, s := range i.spares {
		codes = append(codes, s.code)
	}
	if len(codes) == 0 {
		xproto.DeleteProperty(i.c.X(), xproto.Window(i.root), i.recordAtom)
		return
	}
	xproto.ChangeProperty(i.c.X(), xproto.PropModeReplace, xproto.Window(i.root), i.recordAtom,
		xproto.AtomCardinal, 8, uint32(len(codes)), codes)
}

// adopt takes over the keycodes that one before us has left behind.
func (i *Injector) adopt() error {
	atom, err := xproto.InternAtom(i.c.X(), false, uint16(len(recordName)), recordName).Reply()
	if err != nil {
		return err
	}
	i.recordAtom = atom.Atom
	r, err := xproto.GetProperty(i.c.X(), false, xproto.Window(i.root), i.recordAtom, xproto.AtomCardinal, 0, 64).Reply()
	if err != nil {
		return err
	}
	if r.Format != 8 {
		return nil
	}
	for _, code := range r.Value {
		k := &i.m.keys[code]
		if len(k.syms) < 2 || k.syms[0] == 0 || i.m.changes(code) {
			continue
		}
		// Only what has the form that addSpare gives: the map may be another by now.
		lower, upper := input.ConvertCase(k.syms[0])
		if s := (spare{code: code, sym: lower}); lower == input.Canonical(k.syms[0]) && upper == input.Canonical(k.syms[1]) &&
			k.groups() == 1 && !slices.Contains(i.spares, s) {
			i.spares = append(i.spares, s)
		}
	}
	return nil
}
