package x11_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"framebridge/internal/x11"
	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
)

// TestDialNames reaches one server by all the names that it has.
func TestDialNames(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64, Args: []string{"-listen", "tcp"}})
	n := strings.TrimPrefix(s.Display(), ":")
	for name, local := range map[string]bool{
		":" + n: true, ":" + n + ".0": true, "unix:" + n + ".0": true, "unix/somewhere:" + n: true,
		"/tmp/.X11-unix/X" + n: true, "localhost:" + n: false, "127.0.0.1:" + n + ".0": false,
	} {
		c, err := x11.Dial(t.Context(), x11.Options{Display: name, AuthFile: s.AuthFile(), Logger: quiet})
		require.NoError(t, err, name)
		require.Equal(t, local, c.Local(), name)
		require.NoError(t, c.Sync(t.Context()))
		require.NoError(t, c.Close())
	}
	t.Setenv("DISPLAY", s.Display())
	t.Setenv("XAUTHORITY", s.AuthFile())
	c, err := x11.Dial(t.Context(), x11.Options{Logger: quiet})
	require.NoError(t, err)
	require.NoError(t, c.Close())
	_, err = x11.Dial(t.Context(), x11.Options{Display: s.Display() + ".3", Logger: quiet})
	require.ErrorContains(t, err, "no screen 3")
}

// TestDialAbstract reaches a server that has no socket in the file system, as in
// another container of the same pod.
func TestDialAbstract(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64, Args: []string{"-nolisten", "unix"}})
	require.NoFileExists(t, "/tmp/.X11-unix/X"+strings.TrimPrefix(s.Display(), ":"))
	c, err := x11.Dial(t.Context(), x11.Options{Display: s.Display(), AuthFile: s.AuthFile(), Logger: quiet})
	require.NoError(t, err)
	defer c.Close()
	require.True(t, c.Local())
}

func TestDialAuth(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64})
	t.Setenv("XAUTHORITY", os.DevNull)
	_, err := x11.Dial(t.Context(), x11.Options{Display: s.Display(), Logger: quiet})
	require.ErrorIs(t, err, x11.ErrAuth)
	require.ErrorContains(t, err, "--auth")

	wrong := make([]byte, 16)
	_, err = x11.Dial(t.Context(), x11.Options{Display: s.Display(), Cookie: wrong, Logger: quiet})
	require.ErrorIs(t, err, x11.ErrAuth)
	require.ErrorContains(t, err, "not the one")

	_, err = x11.Dial(t.Context(), x11.Options{Display: s.Display(), AuthFile: "/no/such/file", Logger: quiet})
	require.ErrorIs(t, err, x11.ErrAuth)
	require.ErrorIs(t, err, os.ErrNotExist)

	// A stale entry before the right one, and the file is read at every Dial.
	file := filepath.Join(t.TempDir(), "auth")
	good, err := os.ReadFile(s.AuthFile())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, x11.AppendWildCookie(nil, wrong), 0o600))
	o := x11.Options{Display: s.Display(), AuthFile: file, Logger: quiet}
	_, err = x11.Dial(t.Context(), o)
	require.ErrorIs(t, err, x11.ErrAuth)
	require.NoError(t, os.WriteFile(file, append(x11.AppendWildCookie(nil, wrong), good...), 0o600))
	c, err := x11.Dial(t.Context(), o)
	require.NoError(t, err)
	require.NoError(t, c.Close())
}

func TestDialErrors(t *testing.T) {
	t.Setenv("DISPLAY", "")
	_, err := x11.Dial(t.Context(), x11.Options{})
	require.ErrorContains(t, err, "DISPLAY")
	_, err = x11.Dial(t.Context(), x11.Options{Display: "nonsense"})
	require.ErrorContains(t, err, "nonsense")
	// All that was tried is named.
	_, err = x11.Dial(t.Context(), x11.Options{Display: ":59000"})
	require.ErrorContains(t, err, " /tmp/.X11-unix/X59000")
	require.ErrorContains(t, err, "@/tmp/.X11-unix/X59000")
	_, err = x11.Dial(t.Context(), x11.Options{Display: "127.0.0.1:59000"})
	require.ErrorContains(t, err, "127.0.0.1:65000")
	require.ErrorContains(t, err, "-listen tcp")
}

// TestDialSilent meets servers that take the connection and then say nothing.
func TestDialSilent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "X1")
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = x11.Dial(ctx, x11.Options{Display: path})
	require.ErrorIs(t, err, context.DeadlineExceeded)

	s := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64})
	require.NoError(t, syscall.Kill(s.Pid(), syscall.SIGSTOP))
	defer syscall.Kill(s.Pid(), syscall.SIGCONT)
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	_, err = x11.Dial(ctx, x11.Options{Display: s.Display(), AuthFile: s.AuthFile()})
	require.ErrorIs(t, err, context.Canceled)
}
