package xtest

import (
	"encoding/binary"
	"errors"
)

var errMap = errors.New("xtest: the X server's keyboard map is damaged")

// Sizes of the parts of an xkbGetMap reply (section 16.3.8).
const (
	xkbMapHead   = 40 // the reply's fixed part
	xkbTypeSize  = 8
	xkbEntrySize = 8 // an entry of a type's map
	xkbModsSize  = 4 // its preserved modifiers
	xkbSymSize   = 8 // head of a key's symbols
	xkbActSize   = 8
)

// reader takes fields off a reply; running off its end sets bad and gives zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.bad, r.b = true, nil
		return make([]byte, n) // n is at most 64 KB*8: counts in the reply have 16 bits
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

// parseXkbMap reads the reply of xkbGetMap into m: all of the map, or parts of
// it, which then replace those of the same keys. The reply holds, in this order
// and each only when present says so: types, symbols, actions, and later the
// modifier map.
func parseXkbMap(b []byte, m *keymap) error {
	if len(b) < xkbMapHead {
		return errMap
	}
	h := b[:xkbMapHead]
	present := binary.LittleEndian.Uint16(h[12:])
	minKey, maxKey := h[10], h[11]
	if minKey < 8 || maxKey < minKey {
		return errMap // X protocol, section 8: keycodes are 8 to 255
	}
	m.min, m.max = minKey, maxKey
	r := &reader{b: b[xkbMapHead:]}
	if present&xkbPartTypes != 0 {
		first, n := int(h[14]), int(h[15])
		// Keys that this reply does not hold keep referring to the old ones.
		types := make([]keyType, max(first+n, len(m.types)))
		copy(types, m.types)
		for i := range n {
			types[first+i] = parseXkbType(r)
		}
		m.types = types
	}
	if present&xkbPartSyms != 0 {
		first, n := int(h[17]), int(h[20])
		if first+n > 256 {
			return errMap
		}
		for k := first; k < first+n; k++ {
			parseXkbSyms(r, m, &m.keys[k])
		}
	}
	if present&xkbPartActions != 0 {
		first, n := int(h[21]), int(h[24])
		if first+n > 256 {
			return errMap
		}
		counts := r.take((n + 3) &^ 3)
		for i := range n {
			k := &m.keys[first+i]
			k.acts = make([]action, counts[i])
			for a := range k.acts {
				k.acts[a] = parseXkbAction(r.take(xkbActSize))
			}
		}
	}
	if present&xkbPartModMap != 0 {
		first, n, total := int(h[31]), int(h[32]), int(h[33])
		if first+n > 256 {
			return errMap
		}
		for k := first; k < first+n; k++ {
			m.keys[k].modmap = 0
		}
		for range total {
			kv := r.take(2)
			m.keys[kv[0]].modmap = kv[1]
		}
	}
	if r.bad {
		return errMap
	}
	return nil
}

// parseXkbType reads a key type: which modifiers matter, and which of their
// combinations gives which level (section 7.2.1). Combinations not listed give
// the first.
func parseXkbType(r *reader) (t keyType) {
	h := r.take(xkbTypeSize)
	t.mods = h[0]
	entries, preserve := r.take(int(h[5])*xkbEntrySize), []byte(nil)
	if h[6] != 0 {
		preserve = r.take(int(h[5]) * xkbModsSize)
	}
	t.level = make([]uint8, 256)
	t.keep = make([]byte, 256)
	for i := range int(h[5]) {
		// An entry is inactive when its virtual modifiers have no real ones.
		if e := entries[i*xkbEntrySize:]; e[0] != 0 {
			t.level[e[1]] = e[2]
			if preserve != nil {
				t.keep[e[1]] = preserve[i*xkbModsSize]
			}
		}
	}
	return t
}

// parseXkbSyms reads the symbols of a key: for each group one type and as many
// symbols as the widest type has levels (section 7.2.2).
func parseXkbSyms(r *reader, m *keymap, k *key) {
	h := r.take(xkbSymSize)
	n := int(binary.LittleEndian.Uint16(h[6:]))
	syms := r.take(4 * n)
	*k = key{groupInfo: h[4], width: int(h[5]), modmap: k.modmap, acts: k.acts}
	groups := int(h[4] & 0x0f)
	if groups > maxGroups || groups*k.width != n {
		r.bad = true
		return
	}
	for g := range groups {
		if int(h[g]) >= len(m.types) {
			r.bad = true
			return
		}
		k.types[g] = h[g]
	}
	k.syms = make([]uint32, n)
	for i := range k.syms {
		k.syms[i] = binary.LittleEndian.Uint32(syms[4*i:])
	}
}

// parseXkbAction reads what pressing a key does to the keyboard's state
// (section 16.3.7, "Key Actions").
func parseXkbAction(b []byte) action {
	const useModMap = 4
	a := action{kind: b[0]}
	switch a.kind {
	case actSetMods, actLatchMods, actLockMods:
		a.mods, a.modMap = b[2], b[1]&useModMap != 0
	}
	return a
}
