package input

import (
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
)

func TestKeysymRune(t *testing.T) {
	for _, tt := range []struct {
		keysym uint32
		r      rune
	}{
		{'a', 'a'}, {0xe9, 'é'}, {0xff, 'ÿ'}, // Latin-1
		{0x1b1, 'ą'}, {0x1ff, '˙'}, {0x2a1, 'Ħ'}, {0x3bd, 'Ŋ'}, {0x3fe, 'ū'}, // Latin-2, 3, 4
		{0x4b1, 'ア'}, {0x4df, '゜'}, {0x5ac, '،'}, {0x5c8, 'ب'}, {0x6c1, 'а'}, {0x6ff, 'Ъ'}, {0x6d1, 'я'},
		{0x7e1, 'α'}, {0x7f9, 'ω'}, {0xce0, 'א'}, {0xcfa, 'ת'}, {0xda1, 'ก'}, {0xea1, 'ㄱ'},
		{0x13bc, 'Œ'}, {0x13be, 'Ÿ'}, {0x20ac, '€'}, {0xaa9, '—'}, {0xad0, '‘'}, {0xad3, '”'}, {0x8fb, '←'},
		{0x0100_4e2d, '中'}, {0x0101_f600, '😀'},
	} {
		assert.Equal(t, tt.r, Rune(tt.keysym), "%#x", tt.keysym)
		assert.Equal(t, tt.keysym, Keysym(tt.r), "%c", tt.r)
	}
	for _, none := range []uint32{0, 1, 0x7f, 0x9f, 0x1a4, 0x100, 0xff0d, 0xffb1, 0xfe51, 0x0100_0000, 0x0100_001f,
		0x0100_d800, 0x0111_0000, 0xffff_ffff, 0x2100} {
		assert.Zero(t, Rune(none), "%#x", none)
	}
	for r, k := range map[rune]uint32{'\b': 0xff08, '\t': 0xff09, '\n': 0xff0d, '\r': 0xff0d, 0x1b: 0xff1b,
		0x7f: 0xffff, 0: 0, 1: 0, 0x80: 0, -1: 0, 0xd800: 0, unicode.MaxRune + 1: 0} {
		assert.Equal(t, k, Keysym(r), "%#x", r)
	}
}

// Every character has one keysym that leads back to it, and all its keysyms
// have the same canonical one.
func TestKeysymRoundTrip(t *testing.T) {
	n := 0
	for r := rune(0x20); r <= unicode.MaxRune; r++ {
		k := Keysym(r)
		if k == 0 || r == 0x7f {
			continue
		}
		n++
		if Rune(k) != r || Canonical(k) != Canonical(unicodeKeysyms+uint32(r)) || Rune(Canonical(k)) != r {
			t.Fatalf("%#x: keysym %#x, back %#x", r, k, Rune(k))
		}
	}
	assert.Greater(t, n, 1_000_000)
	legacy := 0
	for k := uint32(0x100); k < firstFunction; k++ {
		if r := Rune(k); r != 0 {
			legacy++
			assert.Equal(t, Canonical(unicodeKeysyms+uint32(r)), Canonical(k), "%#x", k)
		}
	}
	assert.Greater(t, legacy, 700)
}

func TestConvertCase(t *testing.T) {
	for _, tt := range [][3]uint32{
		{'a', 'a', 'A'}, {'A', 'a', 'A'}, {0xe9, 0xe9, 0xc9}, {'1', '1', '1'}, {0xff0d, 0xff0d, 0xff0d},
		{0x6c1, 0x0100_0430, 0x0100_0410}, {0x6e1, 0x0100_0430, 0x0100_0410}, {0xff, 0xff, 0x0100_0178},
		{0xdf, 0xdf, 0xdf}, {0xb5, 0xb5, 0xb5}, {0x0100_01c5, 0x0100_01c5, 0x0100_01c5}, {0, 0, 0},
	} {
		lower, upper := ConvertCase(tt[0])
		assert.Equal(t, tt[1:], []uint32{lower, upper}, "%#x", tt[0])
	}
}

func TestKeysymKinds(t *testing.T) {
	for _, k := range []uint32{KeysymShiftL, KeysymHyperR, KeysymNumLock, KeysymModeSwitch, KeysymLevel3Shift, KeysymLevel5Lock} {
		assert.True(t, IsModifier(k), "%#x", k)
		assert.True(t, IsFunction(k), "%#x", k)
	}
	for _, k := range []uint32{'a', 0xff0d, KeysymISOLeftTab, KeysymKP0, 0xffff} {
		assert.False(t, IsModifier(k), "%#x", k)
	}
	assert.True(t, IsKeypad(KeysymKPEnter))
	assert.False(t, IsKeypad(0xffbe), "F1")
	for k, r := range map[uint32]rune{KeysymKP0: '0', KeysymKP9: '9', KeysymKPMultiply: '*', KeysymKPDivide: '/',
		KeysymKPEqual: '=', KeysymKPSpace: ' ', KeysymKPEnter: 0, 0xff95: 0, 'a': 0} {
		assert.Equal(t, r, KeypadRune(k), "%#x", k)
	}
}

func TestLatin1Names(t *testing.T) {
	for name, want := range map[string]uint32{"nobreakspace": 0xa0, "acute": 0xb4, "Agrave": 0xc0, "ssharp": 0xdf, "eacute": 0xe9, "division": 0xf7, "ydiaeresis": 0xff} {
		k, ok := KeysymByName(name)
		assert.True(t, ok, name)
		assert.Equal(t, want, k, name)
	}
}
