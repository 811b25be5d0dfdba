package xtest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// realMap returns the reply with a real server's map.
func realMap(tb testing.TB) []byte {
	tb.Helper()
	s := start(tb)
	i := open(tb, s, Options{})
	i.mu.Lock()
	defer i.mu.Unlock()
	r, err := i.wait(tb.Context(), i.c.QueueCall(appendXkbGetMap(nil, i.xkb, 0)))
	require.NoError(tb, err)
	return r
}

func TestParseXkbMap(t *testing.T) {
	b := realMap(t)
	m := &keymap{}
	require.NoError(t, parseXkbMap(b, m))
	m.index()
	assert.EqualValues(t, 8, m.min)
	assert.EqualValues(t, 255, m.max)
	assert.Greater(t, len(m.places), 200)
	assert.Contains(t, m.places['a'], place{code: 38})
	assert.True(t, m.evdev)
	assert.NotZero(t, m.numLock)
	assert.NotZero(t, m.shifts&(1<<7), "Mod5 is AltGr's")
	assert.Zero(t, m.shifts&(modControl|1<<3|1<<6), "neither Control, Alt nor Super")
	assert.EqualValues(t, 50, m.modifierKey(modShift, 0, func(byte) bool { return false }))
	assert.EqualValues(t, 62, m.modifierKey(modShift, 0, func(c byte) bool { return c == 50 }))
	assert.Zero(t, m.modifierKey(modShift, 0, func(c byte) bool { return true }))
	// Every proper prefix fails, but for the padding.
	for n := range len(b) - 4 {
		require.ErrorIs(t, parseXkbMap(b[:n], &keymap{}), errMap, "%d bytes", n)
	}
}

func FuzzParseXkbMap(f *testing.F) {
	f.Add(realMap(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := &keymap{}
		if parseXkbMap(b, m) != nil {
			return
		}
		m.index()
		m.spare()
		n := 0
		for sym := range m.places {
			if n++; n > 20 {
				break
			}
			for _, st := range []state{{}, {base: modShift}, {locked: modLock, lockedGr: 1}, {baseGroup: -3}} {
				m.lookup(sym, st, true)
			}
		}
	})
}

func FuzzParseCoreMap(f *testing.F) {
	f.Add(make([]byte, 64), make([]byte, 32+248*4))
	f.Fuzz(func(t *testing.T, modifiers, symbols []byte) {
		m, err := parseCoreMap(modifiers, symbols, 8, 255)
		if err != nil {
			return
		}
		m.index()
		for sym := range m.places {
			m.lookup(sym, state{base: modShift}, false)
		}
	})
}

func TestGroup(t *testing.T) {
	for _, tt := range []struct {
		info      byte
		g, expect int
	}{
		{0, 5, 0}, {2, 1, 1}, {2, 2, 0}, {2, -1, 1}, {3, 7, 1}, // wrap
		{0x40 | 2, 5, 1}, {0x40 | 2, -1, 0}, // clamp
		{0x80 | 0x10 | 2, 3, 1}, {0x80 | 0x30 | 2, 3, 0}, // redirect, also beyond the end
	} {
		k := key{groupInfo: tt.info}
		assert.Equal(t, tt.expect, k.group(tt.g), "%#x %d", tt.info, tt.g)
	}
}
