package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/internal/x11"
)

// FuzzX11vncFiles: what finders print, sizes in the environment, lists of hosts and
// files of keys.
func FuzzX11vncFiles(f *testing.F) {
	for _, s := range []string{
		"DISPLAY=:1\nXAUTHORITY=/a\n", "DISPLAY=:0.0,XAUTHORITY=/x y", "1280x1024x16", "1x1", "127.0.0.1,10.\n::1 # me", "a b\nCaps_Lock Escape # c",
	} {
		f.Add(s)
	}
	file := filepath.Join(f.TempDir(), "file")
	remote := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}
	ctx, cancel := context.WithCancel(f.Context())
	cancel() // names of hosts are not looked up
	f.Fuzz(func(t *testing.T, s string) {
		if display, _, err := parseFound(s); err == nil {
			_, err := x11.ParseDisplay(display)
			require.NoError(t, err)
		}
		if w, h, depth, err := parseScreen(s); err == nil {
			require.True(t, w >= 1 && w <= maxGeometry && h >= 1 && h <= maxGeometry && depth >= 8 && depth <= 30)
		}
		require.NoError(t, os.WriteFile(file, []byte(s), 0o600))
		_ = allowed(ctx, file, remote)
		if keys, clicks, err := readRemap(file); err == nil {
			require.True(t, len(keys) > 0 || len(clicks) > 0)
		}
	})
}
