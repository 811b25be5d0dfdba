package xtest

import (
	"slices"

	"framebridge/input"
)

// maxGroups is how many groups a key can have (XKB, section 2.2).
const maxGroups = 4

// Real modifiers, by their bit.
const (
	modShift   = 1 << 0
	modLock    = 1 << 1
	modControl = 1 << 2
)

// Kinds of actions that matter here (XKB, section 16.3.7).
const (
	actNone      = 0
	actSetMods   = 1
	actLatchMods = 2
	actLockMods  = 3
)

// action is what pressing a key does to the modifiers.
type action struct {
	kind   byte
	mods   byte
	modMap bool // the modifiers are those of the key's modifier map instead
}

// keyType says which level of a key a combination of modifiers selects.
type keyType struct {
	mods  byte    // modifiers that matter
	level []uint8 // level by the combination of these modifiers
	keep  []byte  // modifiers that remain in effect beyond the choice of a level, by combination
}

// key is what one keycode can mean.
type key struct {
	groupInfo byte // number of groups, and what a group beyond them becomes
	width     int
	types     [maxGroups]uint8
	syms      []uint32 // width symbols for each group
	acts      []action // as many as symbols, or none
	modmap    byte
}

func (k *key) groups() int { return int(k.groupInfo & 0x0f) }

// group maps the keyboard's group to one of the key's (XKB, section 7.2.2).
func (k *key) group(g int) int {
	const clamp, redirect = 0x40, 0x80
	n := k.groups()
	switch {
	case n == 0:
		return 0
	case g >= 0 && g < n:
		return g
	case k.groupInfo&redirect != 0:
		if g = int(k.groupInfo >> 4 & 3); g >= n {
			g = 0
		}
		return g
	case k.groupInfo&clamp != 0:
		return min(max(g, 0), n-1)
	}
	return ((g % n) + n) % n
}

// place is where a keysym is.
type place struct {
	code  byte
	group int
	level int
}

// keymap is the X server's keyboard map.
type keymap struct {
	min, max byte
	types    []keyType
	keys     [256]key
	skip     [256]bool // never to be pressed for a keysym

	// The rest follows from the above, by index.
	places  map[uint32][]place // by canonical keysym
	shifts  byte               // modifiers that only choose a level: they may be changed around a key
	numLock byte
	evdev   bool // keycodes are the Linux kernel's
}

// index makes what is looked up while typing.
func (m *keymap) index() {
	m.places = make(map[uint32][]place, 512)
	m.shifts, m.numLock = modShift|modLock, 0
	var others byte = modControl
	for c := int(m.min); c <= int(m.max); c++ {
		m.indexKey(byte(c))
		k := &m.keys[c]
		for i, sym := range k.syms {
			mods := m.modifiers(place{byte(c), i / k.width, i % k.width})
			switch sym {
			case input.KeysymLevel3Shift, input.KeysymLevel3Latch, input.KeysymLevel3Lock,
				input.KeysymLevel5Shift, input.KeysymLevel5Latch, input.KeysymLevel5Lock,
				input.KeysymModeSwitch:
				m.shifts |= mods
			case input.KeysymNumLock:
				m.shifts |= mods
				m.numLock |= mods
			case input.KeysymShiftL, input.KeysymShiftR, input.KeysymCapsLock:
			default:
				if input.IsModifier(sym) {
					others |= mods
				}
			}
		}
	}
	m.shifts &^= others
	m.numLock &= m.shifts
	m.evdev = m.findEvdev()
}

// indexKey adds the places of one key.
func (m *keymap) indexKey(code byte) {
	if m.skip[code] {
		return
	}
	k := &m.keys[code]
	for i, sym := range k.syms {
		if sym != 0 {
			sym = input.Canonical(sym)
			m.places[sym] = append(m.places[sym], place{code, i / k.width, i % k.width})
		}
	}
}

// unindexKey removes the places of one key.
func (m *keymap) unindexKey(code byte) {
	for _, sym := range m.keys[code].syms {
		sym = input.Canonical(sym)
		m.places[sym] = slices.DeleteFunc(m.places[sym], func(p place) bool { return p.code == code })
		if len(m.places[sym]) == 0 {
			delete(m.places, sym)
		}
	}
}

// modifiers returns the modifiers that a key acts on at one of its places.
func (m *keymap) modifiers(p place) byte {
	k := &m.keys[p.code]
	if i := p.group*k.width + p.level; i < len(k.acts) {
		switch a := k.acts[i]; a.kind {
		case actSetMods, actLatchMods, actLockMods:
			if a.modMap {
				return k.modmap
			}
			return a.mods
		}
		return 0
	}
	if k.acts == nil {
		return k.modmap
	}
	return 0
}

// changes reports whether pressing or releasing a key may change modifiers,
// locks or the group.
func (m *keymap) changes(code byte) bool {
	k := &m.keys[code]
	if k.modmap != 0 {
		return true
	}
	for _, a := range k.acts {
		if a.kind != actNone {
			return true
		}
	}
	return false
}

// modifierKey returns a key that sets exactly the modifier with this bit while
// it is held, 0 if there is none. It must not be one that is held already.
func (m *keymap) modifierKey(bit byte, group int, held func(byte) bool) byte {
	var other byte
	for c := int(m.min); c <= int(m.max); c++ {
		k, code := &m.keys[c], byte(c)
		if len(k.syms) == 0 || k.syms[0] == 0 || held(code) {
			continue
		}
		p := place{code: code, group: k.group(group)}
		if m.modifiers(p) != bit || len(k.acts) > 0 && k.acts[p.group*k.width].kind != actSetMods {
			continue
		}
		switch k.syms[p.group*k.width] {
		case input.KeysymShiftL, input.KeysymLevel3Shift, input.KeysymLevel5Shift, input.KeysymModeSwitch:
			return code
		}
		if other == 0 {
			other = code
		}
	}
	return other
}

// spare returns the keycodes that mean nothing, last first: keyboards have
// their keys at low codes.
func (m *keymap) spare() []byte {
	var list []byte
	for c := int(m.max); c >= int(m.min); c-- {
		if m.unused(byte(c)) {
			list = append(list, byte(c))
		}
	}
	return list
}

func (m *keymap) unused(code byte) bool {
	if m.skip[code] {
		return false
	}
	k := &m.keys[code]
	for _, s := range k.syms {
		if s != 0 {
			return false
		}
	}
	return !m.changes(code)
}
