package input

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestKeysymByName(t *testing.T) {
	for name, want := range map[string]uint32{
		"a": 'a', "A": 'A', "é": 0xe9, "€": 0x20ac, "0xff1b": 0xff1b, "0XFF1B": 0xff1b, "U20AC": 0x20ac, "U4e2d": 0x1004e2d,
		"Escape": 0xff1b, "Delete": 0xffff, "F1": 0xffbe, "F12": 0xffc9, "F35": 0xffe0, "KP_0": KeysymKP0, "KP_9": KeysymKP9, "KP_Enter": KeysymKPEnter,
		"space": ' ', "Shift_L": KeysymShiftL, "ISO_Level3_Shift": KeysymLevel3Shift, "minus": '-',
	} {
		k, ok := KeysymByName(name)
		assert.True(t, ok, name)
		assert.Equal(t, want, k, name)
	}
	for _, name := range []string{"", "Nokey", "F0", "F36", "KP_10", "0x", "0x0", "0xffffffff", "UD800", "U110000", "UZZZZ", "\xff", "ab"} {
		_, ok := KeysymByName(name)
		assert.False(t, ok, name)
	}
}
