package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/rfb"
)

// FuzzParsePasswords: whatever a password file holds, it is an error or gives at
// least one password, and none that is empty.
func FuzzParsePasswords(f *testing.F) {
	obscured, err := rfb.ObscurePassword([]byte("secret"))
	require.NoError(f, err)
	for _, b := range [][]byte{
		nil, []byte("\n"), []byte("\n\nx"), []byte("password"), []byte("full\nview\n"), []byte("full\r\nview\r\n"),
		obscured, append(obscured[:8:8], obscured...), obscured[:7], []byte("12345678"), []byte("1234567890123456"), {0}, make([]byte, 8),
	} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		full, view, err := parsePasswords(b)
		if err != nil {
			return
		}
		require.NotEmpty(t, full)
		for _, p := range append(full, view...) {
			require.NotEmpty(t, p)
		}
	})
}
