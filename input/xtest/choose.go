package xtest

import (
	"unicode"

	"framebridge/input"
)

// choice is a way to type a keysym: a key, and what must be different from the
// keyboard's present state when it is pressed.
type choice struct {
	place
	set, clear byte // modifiers that must be on, and off
	regroup    bool // the group must be the place's
	cost       int
}

func (c choice) plain() bool { return c.set|c.clear == 0 && !c.regroup }

// Costs of what a choice needs. Their order is what matters: an extra Shift
// disturbs programs least, then a change of locks, which shows on desktops,
// then to let go of a modifier that the viewer holds.
const (
	costNumLock   = 1  // on the keypad a Shift would mean something else
	costPress     = 2  // hold a modifier key
	costUnlock    = 3  // clear a lock or latch
	costOddKey    = 3  // use a key that ordinary keyboards lack
	costRelease   = 4  // let go of a held modifier key
	costLock      = 6  // set a lock
	costGroup     = 20 // switch to another group
	firstOddKey   = 128
	letterModes   = modShift | modLock
	impossibleFor = 1 << 20
)

// choose finds the cheapest way to type a canonical keysym in the state st. With
// canLock, locks and the group can be changed.
func (m *keymap) choose(sym uint32, st state, canGroup bool) (best choice, ok bool) {
	lower, upper := input.ConvertCase(sym)
	// Some letters, such as ß, are made upper case by some programs only.
	function := input.IsFunction(sym) && !input.IsKeypad(sym)
	isLower := unicode.IsLower(input.Rune(sym))
	for _, p := range m.places[sym] {
		k := &m.keys[p.code]
		c := choice{place: p}
		if p.code >= firstOddKey && !input.IsFunction(sym) {
			c.cost += costOddKey
		}
		if k.group(st.group()) != p.group {
			if !canGroup {
				continue
			}
			c.regroup, c.cost = true, c.cost+costGroup
		}
		if input.IsModifier(sym) {
			// Modifier keys are pressed as they are: a Shift around Meta_L, which
			// is often on Alt's second level, would undo the viewer's own.
			c.regroup, c.cost = false, c.cost+p.level
		} else if p.level == 0 && function {
			// Nor does F1 need a modifier: with Control and Alt it may mean another
			// thing, but then that is what the viewer wants.
		} else if !m.combine(&c, sym, st, isLower) {
			continue
		}
		if !ok || c.cost < best.cost {
			best, ok = c, true
		}
	}
	if held := (st.base | st.latched) &^ m.shifts; held != 0 && lower != upper {
		// Control+C from a viewer with Caps_Lock on says C without Shift. It must
		// not become Control+Shift+C.
		best.set, best.clear = best.set&^letterModes, best.clear&^letterModes
	}
	return best, ok
}

// combine adds to c the cheapest combination of modifiers that selects its
// level, and reports whether there is one. Only modifiers that choose levels are
// changed, never Control, Alt and the like.
func (m *keymap) combine(c *choice, sym uint32, st state, lower bool) bool {
	k := &m.keys[c.code]
	t := &m.types[k.types[c.group]]
	now, best := st.mods(), impossibleFor
	var set, clear byte
	// sub runs through all subsets of t.mods, largest first.
	for sub := t.mods; ; sub = (sub - 1) & t.mods {
		diff := now&t.mods ^ sub
		on, off := diff&sub, diff&now
		// A Lock that the type does not use up makes programs capitalize what
		// the key gives (XKB, section 12.1.3).
		if consumed := t.mods &^ t.keep[sub]; lower && (now^diff)&modLock != 0 && consumed&modLock == 0 {
			off, on = off|modLock, on&^modLock
		}
		if int(t.level[sub]) == c.level && (on|off)&^m.shifts == 0 {
			if cost := m.cost(sym, on, off, st); cost < best {
				best, set, clear = cost, on, off
			}
		}
		if sub == 0 {
			break
		}
	}
	c.set, c.clear, c.cost = set, clear, c.cost+best
	return best < impossibleFor
}

// cost returns what it costs to switch modifiers on and off.
func (m *keymap) cost(sym uint32, on, off byte, st state) int {
	cost := 0
	for bit := byte(1); bit != 0; bit <<= 1 {
		switch {
		case on&bit != 0:
			switch {
			case bit != modLock && bit&m.numLock == 0:
				cost += costPress
			case bit == modLock:
				cost += costLock
			default:
				cost += costNumLock
			}
		case off&bit != 0:
			if st.base&bit != 0 {
				if input.IsFunction(sym) && !input.IsKeypad(sym) {
					// Shift+Home is Home with Shift, whatever its levels are.
					return impossibleFor
				}
				cost += costRelease
			}
			if (st.locked|st.latched)&bit != 0 {
				if bit&m.numLock != 0 {
					cost += costNumLock
				} else {
					cost += costUnlock
				}
			}
		}
	}
	return cost
}

// lookup finds a way to type a keysym or the nearest that the map has.
func (m *keymap) lookup(sym uint32, st state, canGroup bool) (choice, bool) {
	sym = input.Canonical(sym)
	if sym == input.KeysymTab && st.mods()&modShift != 0 {
		// Viewers send Shift and Tab; on X the shifted key is ISO_Left_Tab, and
		// without it we would have to take the Shift away.
		if c, ok := m.choose(input.KeysymISOLeftTab, st, canGroup); ok && c.plain() {
			return c, true
		}
	}
	if c, ok := m.choose(sym, st, canGroup); ok {
		return c, true
	}
	if places := m.places[sym]; len(places) > 0 {
		// The keysym can only be had by letting go of Control or Alt, or of Shift
		// with a function key: press the key as it is, as a keyboard would.
		for _, p := range places {
			if m.keys[p.code].group(st.group()) == p.group {
				return choice{place: p}, true
			}
		}
		return choice{place: places[0]}, true
	}
	if r := input.KeypadRune(sym); r != 0 {
		return m.choose(uint32(r), st, canGroup)
	}
	return choice{}, false
}
