package xtest

import (
	"encoding/binary"
	"unicode"

	"framebridge/input"
	"framebridge/internal/x11"
)

// Servers without XKB are rare (old Xvnc), and have the keyboard model of the
// core protocol (section 5, "Keyboards"). It is expressed here in XKB's terms, a
// key type for each key, so that the rest of the package knows one model only.

// Opcodes of the core requests for the keyboard.
const (
	opQueryPointer       = 38
	opChangeKeyboardMap  = 100
	opGetKeyboardMapping = 101
	opGetPointerMapping  = 117
	opGetModifierMapping = 119
)

func appendGetKeyboardMapping(b []byte, first, n byte) []byte {
	b = x11.Request(b, opGetKeyboardMapping, 0, 8)
	return append(b, first, n, 0, 0)
}

// appendChangeKeyboardMapping gives one key the same symbols in one group.
func appendChangeKeyboardMapping(b []byte, code byte, syms ...uint32) []byte {
	b = x11.Request(b, opChangeKeyboardMap, 1, 8+4*len(syms))
	b = append(b, code, byte(len(syms)), 0, 0)
	for _, s := range syms {
		b = binary.LittleEndian.AppendUint32(b, s)
	}
	return b
}

func appendQueryPointer(b []byte, root uint32) []byte {
	b = x11.Request(b, opQueryPointer, 0, 8)
	return binary.LittleEndian.AppendUint32(b, root)
}

// stateOfPointer decodes the reply of QueryPointer. It does not tell held from
// locked modifiers; those that have no keys to hold them are locks.
func stateOfPointer(b []byte, m *keymap) state {
	mask := byte(binary.LittleEndian.Uint16(b[24:]))
	locks := mask & (modLock | m.numLock)
	return state{base: mask &^ locks, locked: locks}
}

// parseCoreMap makes a keymap from the replies of GetModifierMapping and
// GetKeyboardMapping (for the keycodes from first on).
func parseCoreMap(modifiers, symbols []byte, first, last byte) (*keymap, error) {
	if len(modifiers) < 32 || len(symbols) < 32 {
		return nil, errMap
	}
	m := &keymap{min: first, max: last}
	perMod, rest := int(modifiers[1]), modifiers[32:]
	if len(rest) < 8*perMod {
		return nil, errMap
	}
	for i := range 8 * perMod {
		if c := rest[i]; c != 0 {
			m.keys[c].modmap |= 1 << (i / perMod)
		}
	}
	width, rest := int(symbols[1]), symbols[32:]
	if n := int(last) - int(first) + 1; width == 0 || len(rest) < 4*width*n {
		return nil, errMap
	}
	table := make([][]uint32, 256)
	for c := int(first); c <= int(last); c++ {
		row := make([]uint32, max(width, 4))
		for i := range width {
			row[i] = binary.LittleEndian.Uint32(rest)
			rest = rest[4:]
		}
		table[c] = row
	}
	m.setCore(table)
	return m, nil
}

// setCore fills in keys and types from the core protocol's table.
func (m *keymap) setCore(table [][]uint32) {
	var modeSwitch, numLock byte
	for c, row := range table {
		for _, s := range row {
			switch s {
			case input.KeysymModeSwitch:
				modeSwitch |= m.keys[c].modmap
			case input.KeysymNumLock:
				numLock |= m.keys[c].modmap
			}
		}
	}
	// Types by: may Lock be applied, is it of the keypad.
	m.types = []keyType{
		coreType(modeSwitch, 0), coreType(modeSwitch, modLock), coreType(modeSwitch, numLock),
	}
	for c, row := range table {
		m.setCoreKey(byte(c), row)
	}
}

// setCoreKey fills in one key. row is nil or has at least four symbols: two
// groups of two; further ones are not reachable in the core protocol.
func (m *keymap) setCoreKey(code byte, row []uint32) {
	k := &m.keys[code]
	*k = key{modmap: k.modmap}
	if row == nil || row[0]|row[1]|row[2]|row[3] == 0 {
		return
	}
	k.groupInfo, k.width = 1, 4
	k.syms = append([]uint32(nil), row[:4]...)
	expand(k.syms[0:2])
	if k.syms[2] == 0 && k.syms[3] == 0 {
		copy(k.syms[2:], k.syms[:2])
	}
	expand(k.syms[2:4])
	lower, upper := input.ConvertCase(k.syms[0])
	switch {
	case input.IsKeypad(k.syms[1]):
		k.types[0] = 2
	case lower != upper && input.Canonical(k.syms[1]) == upper:
		// With others Lock chooses no level but makes upper case of what is there.
		k.types[0] = 1
	}
}

// expand fills in the second symbol of a group that has one only: a letter
// stands for both its cases, others for themselves.
func expand(g []uint32) {
	if g[1] != 0 || g[0] == 0 {
		return
	}
	g[1] = g[0]
	if r := input.Rune(g[0]); r != 0 && unicode.IsLetter(r) {
		if lower, upper := input.ConvertCase(g[0]); lower != upper {
			g[0], g[1] = lower, upper
		}
	}
}

// coreType returns a type of four levels: Shift, or lock in its place, adds
// one, and Mode_switch adds two.
func coreType(modeSwitch, lock byte) keyType {
	t := keyType{mods: modShift | lock | modeSwitch, level: make([]uint8, 256), keep: make([]byte, 256)}
	for i := range 256 {
		mods := byte(i)
		if mods&^t.mods != 0 {
			continue
		}
		// With a letter Shift and Lock both mean upper case; on the keypad Shift
		// and Num_Lock cancel out.
		shift := mods&modShift != 0
		if lock == modLock {
			shift = shift || mods&modLock != 0
		} else if mods&lock != 0 {
			shift = !shift
		}
		if shift {
			t.level[i] = 1
		}
		if mods&modeSwitch != 0 {
			t.level[i] += 2
		}
	}
	return t
}
