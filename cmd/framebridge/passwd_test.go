package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
)

// TestPasswdFromPipe: the file is what vncpasswd writes, for us alone, and lets
// the password in.
func TestPasswdFromPipe(t *testing.T) {
	t.Parallel()
	vncpasswd := peer(t, "vncpasswd")
	x := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 48})
	tested := 0
	for _, password := range []string{"sesame", "a", "12345678", "123456789abc", "p\u00e4ss", "with space"} {
		file := filepath.Join(t.TempDir(), "pw")
		for _, end := range []string{"\n", "\r\n", "", "\nsecond line\n"} {
			cmd := command(t, nil, binary, "passwd", file)
			cmd.Stdin = strings.NewReader(password + end)
			p := start(t, cmd)
			require.Equal(t, 0, p.wait(timeout), p.stderr)
			got, err := os.ReadFile(file)
			require.NoError(t, err)
			info, err := os.Stat(file)
			require.NoError(t, err)
			assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

			cmd = command(t, nil, vncpasswd, "-f")
			cmd.Stdin = strings.NewReader(password + "\n")
			v := start(t, cmd)
			require.Equal(t, 0, v.wait(timeout), v.stderr)
			assert.Equal(t, v.stdout.String(), string(got), "%q", password)
			tested++

			// "-" is standard output, as with vncpasswd -f.
			cmd = command(t, nil, binary, "passwd", "-")
			cmd.Stdin = strings.NewReader(password + end)
			p = start(t, cmd)
			require.Equal(t, 0, p.wait(timeout), p.stderr)
			assert.Equal(t, v.stdout.String(), p.stdout.String())
		}
		s := serve(t, x, "--password-file", file)
		connect(t, s, viewer{Password: password})
	}
	require.Equal(t, 24, tested)
}

func TestPasswdRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, c := range []struct{ stdin, file, says string }{
		{"", filepath.Join(dir, "pw"), "password"},
		{"\n", filepath.Join(dir, "pw"), "password"},
		{"sesame\n", filepath.Join(dir, "no", "where"), "no such file"},
		{"sesame\n", dir, dir},
	} {
		cmd := command(t, nil, binary, "passwd", c.file)
		cmd.Stdin = strings.NewReader(c.stdin)
		p := start(t, cmd)
		assert.Equal(t, 1, p.wait(timeout))
		assert.Len(t, p.stderr.lines(), 1, p.stderr)
		assert.Contains(t, p.stderr.String(), c.says)
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Empty(t, left, "left behind")
	}
}

// openTerminal opens a pseudo-terminal: our end and the program's.
func openTerminal(t testing.TB) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { master.Close() })
	require.NoError(t, unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

// TestPasswdOnTerminal: it asks twice and shows nothing of what is typed.
func TestPasswdOnTerminal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		first, second string
		code          int
		says          string
	}{
		{"sesame", "sesame", 0, ""},
		{"sesame", "sesami", 1, "differ"},
		{"", "", 1, "password"},
	} {
		file := filepath.Join(t.TempDir(), "pw")
		master, slave := openTerminal(t)
		cmd := command(t, nil, binary, "passwd", file)
		// A session of its own, with the terminal as its own.
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
		cmd.Stdin = slave
		p := start(t, cmd)
		// Who types before the prompt's echo is off sees it.
		silent := func() {
			poll(t, "echo off", func() (bool, string) {
				tio, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
				require.NoError(t, err)
				return tio.Lflag&unix.ECHO == 0, "still on"
			})
		}
		p.await(p.stderr, "Password: ")
		silent()
		_, err := io.WriteString(master, c.first+"\n")
		require.NoError(t, err)
		p.await(p.stderr, "Again: ")
		silent()
		_, err = io.WriteString(master, c.second+"\n")
		require.NoError(t, err)
		require.Equal(t, c.code, p.wait(timeout), p.stderr)
		assert.Contains(t, p.stderr.String(), c.says)
		assert.NotContains(t, p.stderr.String()+p.stdout.String(), "sesam")
		b, err := os.ReadFile(file)
		if c.code == 0 {
			require.NoError(t, err)
			assert.Len(t, b, 8)
		} else {
			assert.ErrorIs(t, err, os.ErrNotExist)
		}
		slave.Close()
		// What the terminal echoed is what we read: nothing but line ends.
		echo := make([]byte, 1024)
		n, _ := master.Read(echo)
		assert.NotContains(t, string(echo[:n]), "sesam")
	}
}
