package xvfb_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"framebridge/internal/x11"
	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
)

// childEnv makes the test binary start a server and then wait to be killed.
const childEnv = "FRAMEBRIDGE_XVFB_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		s, err := xvfb.Start(context.Background(), xvfb.Options{Width: 64, Height: 64})
		fmt.Println(err, s.Pid(), filepath.Dir(s.AuthFile()))
		time.Sleep(time.Minute)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

func TestStartStop(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 320, Height: 200, Depth: 16})
	require.NoError(t, s.Err())
	dir := filepath.Dir(s.AuthFile())
	for path, want := range map[string]os.FileMode{dir: 0o700, s.AuthFile(): 0o600} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, want, info.Mode().Perm(), path)
	}

	c, err := x11.Dial(t.Context(), x11.Options{Display: s.Display(), AuthFile: s.AuthFile()})
	require.NoError(t, err)
	assert.EqualValues(t, 320, c.Screen().WidthInPixels)
	assert.EqualValues(t, 200, c.Screen().HeightInPixels)
	assert.EqualValues(t, 16, c.Screen().RootDepth)
	require.NoError(t, c.Close())

	_, err = x11.Dial(t.Context(), x11.Options{Display: s.Display(), AuthFile: os.DevNull})
	require.ErrorIs(t, err, x11.ErrAuth, "the server must want the cookie")

	s.Stop()
	s.Stop()
	select {
	case <-s.Done():
	default:
		t.Error("Done is not closed")
	}
	assert.Error(t, s.Err())
	assert.NoFileExists(t, s.AuthFile())
	assert.NoDirExists(t, dir)
	assertNoTraces(t, s)
}

// TestKilled checks that nothing of a server that could not clean up stays.
func TestKilled(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64})
	require.NoError(t, syscall.Kill(s.Pid(), syscall.SIGKILL))
	select {
	case <-s.Done():
	case <-time.After(time.Minute):
		t.Fatal("Done is not closed")
	}
	require.ErrorContains(t, s.Err(), "killed")
	s.Stop()
	assertNoTraces(t, s)
}

func assertNoTraces(t *testing.T, s *xvfb.Server) {
	t.Helper()
	// A server started in the meantime may have the number again.
	if c, err := net.Dial("unix", "/tmp/.X11-unix/X"+strings.TrimPrefix(s.Display(), ":")); err == nil {
		c.Close()
	} else {
		assert.ErrorIs(t, err, os.ErrNotExist)
	}
}

// TestDiesWithUs kills a process that has started a server.
func TestDiesWithUs(t *testing.T) {
	xvfbtest.Start(t, xvfb.Options{}) // or skip
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=1")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var failed, dir string
	var pid int
	_, err = fmt.Fscan(out, &failed, &pid, &dir)
	require.NoError(t, err)
	require.Equal(t, "<nil>", failed)
	defer os.RemoveAll(dir)
	require.NoError(t, syscall.Kill(pid, 0))
	require.NoError(t, cmd.Process.Kill())
	io.Copy(io.Discard, out)
	cmd.Wait()
	require.Eventually(t, func() bool { return gone(pid) }, time.Minute, 10*time.Millisecond)
}

// gone reports whether a process has ended. In a container without an init
// that reaps, it stays as a zombie.
func gone(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return errors.Is(err, os.ErrNotExist) || strings.Contains(string(b), ") Z ")
}

func TestStartErrors(t *testing.T) {
	_, err := xvfb.Start(t.Context(), xvfb.Options{Program: "no-such-x-server"})
	require.ErrorIs(t, err, xvfb.ErrNotInstalled)
	require.ErrorContains(t, err, "apt install xvfb")

	for want, o := range map[string]xvfb.Options{
		"Width":   {Width: -1},
		"Height":  {Height: 40000},
		"Depth":   {Depth: 33},
		"Timeout": {Timeout: -1},
	} {
		_, err := xvfb.Start(t.Context(), o)
		if !errors.Is(err, xvfb.ErrNotInstalled) {
			require.ErrorContains(t, err, want)
		}
	}

	xvfbtest.Start(t, xvfb.Options{}) // or skip
	_, err = xvfb.Start(t.Context(), xvfb.Options{Args: []string{"-no-such-option"}})
	require.ErrorContains(t, err, "no-such-option")

	_, err = xvfb.Start(t.Context(), xvfb.Options{Program: "sleep", Timeout: 100 * time.Millisecond})
	require.Error(t, err)
}
