package xshm_test

import (
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"framebridge/capture/capturetest"
	"framebridge/capture/xshm"
	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
)

// TestNoLeaks opens and closes many sources: descriptors go with Close, mappings
// when the garbage collector has seen that nobody can read them.
func TestNoLeaks(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 640, Height: 480})
	count := func() (mappings, files int) {
		maps, err := os.ReadFile("/proc/self/maps")
		require.NoError(t, err)
		list, err := os.ReadDir("/proc/self/fd")
		require.NoError(t, err)
		return strings.Count(string(maps), "memfd:framebridge") + strings.Count(string(maps), "SYSV"), len(list)
	}
	_, files := count()
	for i := range 40 {
		src, err := xshm.Open(t.Context(), xshm.Options{Display: s.Display(), AuthFile: s.AuthFile(), Method: methods[i%2], Logger: quiet})
		require.NoError(t, err)
		f, err := src.Next(t.Context())
		require.NoError(t, err)
		require.NoError(t, src.Close())
		_ = f.Patches[0].At(639, 479) // still there
	}
	require.Eventually(t, func() bool {
		runtime.GC()
		m, n := count()
		return m == 0 && n <= files
	}, time.Minute, 10*time.Millisecond)
}

// TestOtherIPCNamespace has the server in another IPC namespace, as in another
// pod or on the host: SysV ids mean nothing there, or something else.
func TestOtherIPCNamespace(t *testing.T) {
	xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64}) // or skip
	if out, err := exec.Command("unshare", "--ipc", "true").CombinedOutput(); err != nil {
		t.Skipf("cannot make namespaces here: %v %s", err, out)
	}
	script := filepath.Join(t.TempDir(), "xvfb-elsewhere")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\nexec unshare --ipc Xvfb \"$@\"\n"), 0o700))
	s := xvfbtest.Start(t, xvfb.Options{Program: script, Width: 640, Height: 480})
	_, err := xshm.Open(t.Context(), xshm.Options{Display: s.Display(), AuthFile: s.AuthFile(), Method: xshm.Shm, Logger: quiet})
	require.Error(t, err)
	p := xvfbtest.NewPainter(t, s)
	v := capturetest.NewViewer(t, open(t, s, xshm.ShmFd))
	p.Noise(image.Rect(0, 0, 640, 50))
	v.Next()
	v.Idle()
	require.True(t, v.Shows(p.Truth))
}
