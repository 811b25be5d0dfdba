package xtest

import (
	"testing"

	"github.com/BurntSushi/xgb/xproto"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/input"
	"framebridge/internal/x11"
)

func autoRepeat(t *testing.T, c *x11.Conn) bool {
	t.Helper()
	r, err := xproto.GetKeyboardControl(c.X()).Reply()
	require.NoError(t, err)
	return r.GlobalAutoRepeat == 1
}

// TestHoldRepeat: off and on again, at the end in any case; who turned it off
// before us finds it off.
func TestHoldRepeat(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := dial(t, s)
	i := open(t, s, Options{})
	require.True(t, autoRepeat(t, c))
	sync := func() { require.NoError(t, i.c.Sync(t.Context())) }
	for range 2 {
		require.NoError(t, i.HoldRepeat(true))
		sync()
		require.False(t, autoRepeat(t, c))
	}
	require.NoError(t, i.HoldRepeat(false))
	sync()
	require.True(t, autoRepeat(t, c))
	require.NoError(t, i.HoldRepeat(true))
	require.NoError(t, i.Close())
	require.True(t, autoRepeat(t, c))
	require.ErrorIs(t, i.HoldRepeat(true), ErrClosed)

	require.NoError(t, xproto.ChangeKeyboardControlChecked(c.X(), xproto.KbAutoRepeatMode, []uint32{xproto.AutoRepeatModeOff}).Check())
	i = open(t, s, Options{})
	require.NoError(t, i.HoldRepeat(true))
	require.NoError(t, i.HoldRepeat(false))
	require.NoError(t, i.Close())
	require.False(t, autoRepeat(t, c))
}

// TestViewerRepeats: with auto-repeat off, the viewer's presses repeat the key.
func TestViewerRepeats(t *testing.T) {
	t.Parallel()
	s := start(t)
	j := startJudge(t, s)
	i := open(t, s, Options{ViewerRepeats: true})
	require.NoError(t, i.HoldRepeat(true))
	require.NoError(t, i.Key(input.KeysymShiftL, 0, true))
	require.NoError(t, i.Key(input.KeysymShiftL, 0, true))
	for range 3 {
		require.NoError(t, i.Key('A', 0, true))
	}
	require.NoError(t, i.Key('A', 0, false))
	tap(t, i, 'B')
	var got []uint32
	for len(got) == 0 || got[len(got)-1] != 'B' {
		got = append(got, j.press().sym)
	}
	assert.Equal(t, []uint32{'A', 'A', 'A', 'B'}, got)
}

// TestReleaseKeys: keys that others hold are let go of.
func TestReleaseKeys(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := dial(t, s)
	other := open(t, s, Options{})
	press := func() {
		t.Helper()
		require.NoError(t, other.Key(input.KeysymShiftL, 0, true))
		require.NoError(t, other.Key(0xff52, 0, true))
		list, _ := held(t, other, c)
		require.Len(t, list, 2)
	}
	press()
	i := open(t, s, Options{})
	require.NoError(t, i.ReleaseKeys(true, false))
	list, _ := held(t, i, c)
	require.Len(t, list, 1, "the key that is no modifier stays")
	require.NoError(t, i.ReleaseKeys(false, false))
	list, _ = held(t, i, c)
	require.Empty(t, list)

	tap(t, i, input.KeysymCapsLock)
	_, mask := held(t, i, c)
	require.NotZero(t, mask&modLock)
	require.NoError(t, i.ReleaseKeys(false, true))
	_, mask = held(t, i, c)
	require.Zero(t, mask&modLock)
}

// TestPlainOptions: no modifiers, no spare keys, keys that are left alone.
func TestPlainOptions(t *testing.T) {
	t.Parallel()
	s := start(t)
	j := startJudge(t, s)
	i := open(t, s, Options{NoModifiers: true})
	tap(t, i, 'A')
	assert.EqualValues(t, 'a', j.press().sym)
	require.NoError(t, i.Close())

	i = open(t, s, Options{NoSpares: true})
	tap(t, i, 0x1004e2d)
	tap(t, i, 'b')
	assert.EqualValues(t, 'b', j.press().sym)
	require.NoError(t, i.Close())

	i = open(t, s, Options{})
	places := i.m.places['c']
	require.Len(t, places, 1)
	require.NoError(t, i.Close())
	i = open(t, s, Options{SkipKeycodes: []byte{places[0].code}})
	tap(t, i, 'c')
	got := j.press()
	assert.EqualValues(t, 'c', got.sym, "from a spare key")
	assert.NotEqual(t, int(places[0].code), got.code)
}
