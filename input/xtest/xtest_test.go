package xtest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/input"
)

// layouts are those that the typing tests go through.
var layouts = map[string][]string{
	"us":      {"-layout", "us", "-option", ""},
	"de":      {"-layout", "de", "-option", ""},
	"fr":      {"-layout", "fr", "-option", ""},
	"us-intl": {"-layout", "us", "-variant", "altgr-intl", "-option", ""},
	"ru,us":   {"-layout", "ru,us", "-option", "grp:alt_shift_toggle"},
}

func ascii() []uint32 {
	var list []uint32
	for s := uint32(0x20); s < 0x7f; s++ {
		list = append(list, s)
	}
	return list
}

func TestTypeLayouts(t *testing.T) {
	s := start(t)
	i := open(t, s, Options{})
	j := startJudge(t, s)
	c := dial(t, s)
	for name, args := range layouts {
		for _, mode := range []string{"plain", "shift held", "capslock", "numlock"} {
			t.Run(name+"/"+mode, func(t *testing.T) {
				j.tb = t
				layout(t, s, i, args...)
				switch mode {
				case "shift held":
					require.NoError(t, i.Key(input.KeysymShiftL, 0, true))
				case "capslock":
					tap(t, i, input.KeysymCapsLock)
				case "numlock":
					tap(t, i, input.KeysymNumLock)
				}
				before, mask := held(t, i, c)
				for _, sym := range append(ascii(), 0xe9, 0xdf, 0xfc, 0xdc, 0x20ac, 0x6c1, 0x6e1, 0x1000431, 0xff0d, 0xff51, 0xffb7, 0xff95) {
					tap(t, i, sym)
					got := j.press()
					want := input.Canonical(sym)
					assert.Equal(t, fmt.Sprintf("%#x", want), fmt.Sprintf("%#x", input.Canonical(got.sym)), "state %#x keycode %d", got.state, got.code)
				}
				after, afterMask := held(t, i, c)
				assert.Equal(t, before, after)
				assert.Equal(t, mask, afterMask)
				switch mode {
				case "shift held":
					require.NoError(t, i.Key(input.KeysymShiftL, 0, false))
				case "capslock":
					tap(t, i, input.KeysymCapsLock)
				case "numlock":
					tap(t, i, input.KeysymNumLock)
				}
				after, afterMask = held(t, i, c)
				assert.Empty(t, after)
				assert.Zero(t, afterMask&0xff)
			})
		}
	}
}

func tap(tb testing.TB, i *Injector, sym uint32) {
	tb.Helper()
	require.NoError(tb, i.Key(sym, 0, true))
	require.NoError(tb, i.Key(sym, 0, false))
}
