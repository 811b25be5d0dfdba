package input

import (
	"sync"
	"unicode"
)

// Keysyms that have a meaning here beyond being looked up in the keyboard map
// (X protocol, appendix A; X11/keysymdef.h).
const (
	KeysymTab         = 0xff09
	KeysymISOLeftTab  = 0xfe20 // what Shift+Tab gives
	KeysymKPSpace     = 0xff80
	KeysymKPEnter     = 0xff8d
	KeysymKPMultiply  = 0xffaa
	KeysymKPDivide    = 0xffaf
	KeysymKP0         = 0xffb0
	KeysymKP9         = 0xffb9
	KeysymKPEqual     = 0xffbd
	KeysymModeSwitch  = 0xff7e
	KeysymNumLock     = 0xff7f
	KeysymShiftL      = 0xffe1
	KeysymShiftR      = 0xffe2
	KeysymCapsLock    = 0xffe5
	KeysymMetaL       = 0xffe7
	KeysymHyperR      = 0xffee
	KeysymLevel3Shift = 0xfe03
	KeysymLevel3Latch = 0xfe04
	KeysymLevel3Lock  = 0xfe05
	KeysymLevel5Shift = 0xfe11
	KeysymLevel5Latch = 0xfe12
	KeysymLevel5Lock  = 0xfe13
)

// unicodeKeysyms is added to a character's number to get its keysym, when it is
// not in Latin-1 (appendix A, "Unicode KeySyms").
const unicodeKeysyms = 0x01000000

// firstFunction and lastFunction bound the keysyms of keys that do something
// other than to write a character: 0xfeXX and 0xffXX.
const (
	firstFunction = 0xfe00
	lastFunction  = 0xffff
)

// Rune returns the character that a keysym stands for, 0 if it stands for
// none: for function and modifier keys, dead accents, and what is no keysym.
// The keypad's digits and operators are functions here: they have keys of
// their own.
func Rune(keysym uint32) rune {
	switch {
	case keysym >= 0x20 && keysym <= 0x7e, keysym >= 0xa0 && keysym <= 0xff:
		return rune(keysym) // Latin-1: the keysym is the character
	case keysym > unicodeKeysyms && keysym <= unicodeKeysyms+unicode.MaxRune:
		r := rune(keysym - unicodeKeysyms)
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0xd800 && r < 0xe000 {
			return 0
		}
		return r
	}
	for _, run := range legacyKeysyms {
		if keysym < run.first {
			break
		}
		if n := keysym - run.first; n < 0x100 {
			for _, r := range run.runes {
				if n == 0 {
					if r == ' ' {
						return 0
					}
					return r
				}
				n--
			}
		}
	}
	return 0
}

// legacyRunes maps characters to their keysyms from before Unicode.
var legacyRunes = sync.OnceValue(func() map[rune]uint32 {
	m := map[rune]uint32{}
	for _, run := range legacyKeysyms {
		if run.first>>8 == 0x0b {
			continue // APL repeats characters of other sets, and nobody has its keys
		}
		k := run.first
		for _, r := range run.runes {
			if _, dup := m[r]; !dup && r != ' ' {
				m[r] = k
			}
			k++
		}
	}
	return m
})

// Keysym returns the keysym of a character in the form that keyboard maps and
// viewers use most: the old one where there is one, else the Unicode one.
// Control characters that have a key give that key; others give 0.
func Keysym(r rune) uint32 {
	switch {
	case r >= 0x20 && r <= 0x7e, r >= 0xa0 && r <= 0xff:
		return uint32(r)
	case r == '\b', r == '\t', r == '\r', r == 0x1b:
		return 0xff00 + uint32(r) // the TTY function keys mirror ASCII
	case r == '\n':
		return 0xff0d // Return; Linefeed has no key
	case r == 0x7f:
		return 0xffff // Delete
	case r < 0xa0 || r > unicode.MaxRune || r >= 0xd800 && r < 0xe000:
		return 0
	}
	if k, ok := legacyRunes()[r]; ok {
		return k
	}
	return unicodeKeysyms + uint32(r)
}

// Canonical returns one keysym for all that mean the same: the characters that
// have an old and a Unicode keysym get the Unicode one. Others stay.
func Canonical(keysym uint32) uint32 {
	if keysym >= 0x20 && keysym <= 0xff || keysym >= firstFunction && keysym <= lastFunction {
		return keysym
	}
	if r := Rune(keysym); r > 0xff {
		return unicodeKeysyms + uint32(r)
	} else if r != 0 {
		return uint32(r)
	}
	return keysym
}

// ConvertCase returns the lower and the upper case of a letter's keysym in the
// form of Canonical; both are the canonical keysym for what has no cases, and
// for the few letters whose other case is not a single character of its own.
func ConvertCase(keysym uint32) (lower, upper uint32) {
	keysym = Canonical(keysym)
	r := Rune(keysym)
	if r == 0 {
		return keysym, keysym
	}
	lo, up := unicode.ToLower(r), unicode.ToUpper(r)
	if unicode.ToLower(up) != lo || r != lo && r != up {
		return keysym, keysym // such as U+01C5, which is a third case
	}
	return runeKeysym(lo), runeKeysym(up)
}

// runeKeysym returns the canonical keysym of a printable character.
func runeKeysym(r rune) uint32 {
	if r <= 0xff {
		return uint32(r)
	}
	return unicodeKeysyms + uint32(r)
}

// IsModifier reports whether a keysym is of a key that is held, or locks,
// to change what others do. See X11/Xutil.h, IsModifierKey.
func IsModifier(keysym uint32) bool {
	return keysym >= KeysymShiftL && keysym <= KeysymHyperR ||
		keysym == KeysymModeSwitch || keysym == KeysymNumLock ||
		keysym >= 0xfe01 && keysym <= KeysymLevel5Lock
}

// IsKeypad reports whether a keysym is of a key of the numeric keypad.
func IsKeypad(keysym uint32) bool {
	return keysym >= KeysymKPSpace && keysym <= KeysymKPEqual
}

// KeypadRune returns what a key of the keypad writes, 0 if nothing.
func KeypadRune(keysym uint32) rune {
	switch {
	case keysym == KeysymKPSpace:
		return ' '
	case keysym == KeysymKPEqual,
		keysym >= KeysymKPMultiply && keysym <= KeysymKP9:
		return rune(keysym - KeysymKPSpace)
	}
	return 0
}

// IsFunction reports whether a keysym is of a key that does something other
// than to write a character.
func IsFunction(keysym uint32) bool {
	return keysym >= firstFunction && keysym <= lastFunction
}
