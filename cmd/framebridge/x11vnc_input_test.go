package main

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/internal/x11vnc"
)

// heard is a sink that writes down what it gets.
type heard []string

func (h *heard) Key(k, _ uint32, down bool) error {
	*h = append(*h, fmt.Sprintf("key %#x %v", k, down))
	return nil
}

func (h *heard) Pointer(x, y int, b uint16) error {
	*h = append(*h, fmt.Sprintf("pointer %d,%d %#x", x, y, b))
	return nil
}

// TestInputFilter: keys that click, and buttons that type.
func TestInputFilter(t *testing.T) {
	var h heard
	f := &inputFilter{Sink: &h, log: slog.Default(), cfg: &x11vnc.InputCfg{}}
	var err error
	f.keys, f.clicks, err = readRemap("Super_R-Button22,Menu-Button4,q-None,DEAD=ga")
	require.NoError(t, err)
	f.buttons, err = x11vnc.ParseButtonMap("12345-123:Up+Up::Shift_L+t+Shift_L+h+Button1:")
	require.NoError(t, err)
	expect := func(want ...string) {
		t.Helper()
		assert.Equal(t, heard(want), h)
		h = nil
	}
	require.NoError(t, f.Pointer(5, 6, 1))
	expect("pointer 5,6 0x1")
	require.NoError(t, f.Key(0xffec, 0, true))
	require.NoError(t, f.Key(0xffec, 0, false))
	expect("pointer 5,6 0x3", "pointer 5,6 0x1", "pointer 5,6 0x3", "pointer 5,6 0x1")
	require.NoError(t, f.Key('q', 0, true))
	require.NoError(t, f.Key('`', 0, true))
	require.NoError(t, f.Key(0xb4, 0, true))
	expect("key 0xfe50 true", "key 0xfe51 true")
	require.NoError(t, f.Pointer(5, 6, 0))
	require.NoError(t, f.Pointer(5, 6, 8))
	expect("pointer 5,6 0x0", "pointer 5,6 0x0", "key 0xff52 true", "key 0xff52 false", "key 0xff52 true", "key 0xff52 false")
	require.NoError(t, f.Pointer(5, 6, 8|16))
	expect("pointer 5,6 0x0", "key 0xffe1 true", "key 0x74 true", "key 0x74 false", "key 0xffe1 false",
		"key 0x68 true", "key 0x68 false", "pointer 5,6 0x1", "pointer 5,6 0x0")
	for _, bad := range []string{"a-Button", "a-Button0", "nokey-b", "a-nokey", "DEAD=z", "a", ""} {
		_, _, err := readRemap(bad)
		assert.Error(t, err, bad)
	}
}
