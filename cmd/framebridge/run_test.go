package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/rfb"
)

// run is a framebridge that runs an X server and a program.
type run struct {
	*server
	mark string // in the environment of everything it started
}

// startRun runs a shell script in a display of its own.
func startRun(t testing.TB, script string, flags ...string) *run {
	t.Helper()
	peer(t, "Xvfb")
	mark := fmt.Sprintf("FRAMEBRIDGE_TEST_MARK=%s/%d", t.Name(), time.Now().UnixNano())
	args := append([]string{"run", "--geometry", "200x160"}, flags...)
	cmd := command(t, []string{mark}, binary, listening(append(args, "--", "sh", "-c", script))...)
	r := &run{startServerCmd(t, cmd), mark}
	t.Cleanup(func() {
		for _, pid := range marked(mark) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	return r
}

// leavesNothing checks that no process, no X server's socket and no file is
// left.
func (r *run) leavesNothing() {
	r.t.Helper()
	assert.Empty(r.t, marked(r.mark), "processes")
	assertNoDisplay(r.t, r.display)
	assertEmptyTemp(r.t, r.cmd)
}

// child returns the process id of the X server or the program.
func (r *run) child(name string) int {
	r.t.Helper()
	found := 0
	poll(r.t, name, func() (bool, string) {
		for _, pid := range descendants(r.pid()) {
			comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
			if strings.TrimSpace(string(comm)) == name {
				found = pid
				return true, ""
			}
		}
		return false, "not there"
	})
	return found
}

// TestRunExitCode: the program's exit code is the run's.
func TestRunExitCode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		script string
		code   int
	}{
		{"exit 0", 0},
		{"exit 3", 3},
		{"exit 255", 255},
		{"kill -KILL $$", 128 + int(syscall.SIGKILL)},
		{"kill -TERM $$", 128 + int(syscall.SIGTERM)},
		{"setsid sleep 1000 & setsid sh -c 'sleep 1000 & sleep 1000' & exit 4", 4},
	} {
		t.Run(c.script, func(t *testing.T) {
			t.Parallel()
			r := startRun(t, c.script)
			assert.Equal(t, c.code, r.wait(timeout))
			r.leavesNothing()
			for _, l := range r.stderr.lines() {
				assert.NotContains(t, l, "framebridge: ", "the exit code says it all")
			}
		})
	}
}

// daemons starts what programs leave behind: children, and daemons that have
// left their parents, their session and their process group. They say when they
// are all there.
const daemons = `
	sleep 1000 &
	setsid sleep 1000 &
	setsid sh -c 'setsid sleep 1000 & exec sleep 1000' &
	(setsid sh -c 'trap "" TERM INT HUP; echo daemon; while :; do sleep 1000; done' &)
	trap '' HUP
	echo started
	wait`

// soon is for what takes less than two seconds on a machine that has the time, and
// would take for ever, or until the test's end, if nobody saw to it.
const soon = 15 * time.Second

// TestRunEnds: however it ends, nothing is left, and viewers see the end.
func TestRunEnds(t *testing.T) {
	t.Parallel()
	tested := make(chan string, 16)
	t.Run("all", func(t *testing.T) {
		for _, c := range []struct {
			name   string
			script string
			code   int
			end    func(r *run)
		}{
			{"SIGTERM", daemons, 0, func(r *run) { r.signal(syscall.SIGTERM) }},
			{"SIGINT", daemons, 0, func(r *run) { r.signal(syscall.SIGINT) }},
			{"SIGTERM to a stubborn program", "trap '' TERM INT; " + daemons + "; while :; do sleep 1000; done", 0,
				func(r *run) { r.signal(syscall.SIGTERM) }},
			{"the program is killed", daemons, 128 + 9, func(r *run) {
				for _, pid := range descendants(r.pid()) {
					if s, err := readStat(pid); err == nil && s.ppid == r.pid() && pid != r.child("Xvfb") && len(descendants(pid)) > 0 {
						syscall.Kill(pid, syscall.SIGKILL)
					}
				}
			}},
			{"the X server is killed", daemons, 1, func(r *run) { syscall.Kill(r.child("Xvfb"), syscall.SIGKILL) }},
			{"the X server ends", daemons, 1, func(r *run) { syscall.Kill(r.child("Xvfb"), syscall.SIGTERM) }},
			{"the program ends", "echo started daemon; read x; exit 0", 0, nil},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				socket := filepath.Join(t.TempDir(), "s")
				r := startRunWithInput(t, c.script, "--unix-socket", socket)
				r.await(r.stdout, "started")
				r.await(r.stdout, "daemon")
				v := connect(t, r.server, viewer{Encodings: withCursor(rfb.EncodingZRLE)})
				whole(t, v)
				begin := time.Now()
				if c.end != nil {
					c.end(r.run)
				} else {
					r.stdin.Close()
				}
				assert.Equal(t, c.code, r.wait(timeout), r.stderr)
				assert.Less(t, time.Since(begin), soon)
				r.leavesNothing()
				assert.NoFileExists(t, socket)
				var err error
				for err == nil {
					_, err = v.ReadMessage()
				}
				assert.ErrorContains(t, err, "EOF")
				if c.code == 1 {
					assert.Contains(t, r.stderr.String(), "framebridge: the X server Xvfb ended")
				}
				tested <- c.name
			})
		}
	})
	require.Len(t, tested, 7)
}

// runWithInput is a run whose program has something to read.
type runWithInput struct {
	*run
	stdin *os.File
}

func startRunWithInput(t testing.TB, script string, flags ...string) *runWithInput {
	t.Helper()
	peer(t, "Xvfb")
	pr, pw, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { pw.Close() })
	defer pr.Close()
	mark := fmt.Sprintf("FRAMEBRIDGE_TEST_MARK=%s/%d", t.Name(), time.Now().UnixNano())
	args := append([]string{"run", "--geometry", "200x160"}, flags...)
	cmd := command(t, []string{mark}, binary, listening(append(args, "--", "sh", "-c", script))...)
	cmd.Stdin = pr
	r := &runWithInput{&run{startServerCmd(t, cmd), mark}, pw}
	t.Cleanup(func() {
		for _, pid := range marked(mark) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	return r
}

// TestRunKilled: nobody can clean up after SIGKILL, but the X server at least
// ends with its parent.
func TestRunKilled(t *testing.T) {
	t.Parallel()
	r := startRun(t, "exec sleep 1000")
	x := r.child("Xvfb")
	r.kill()
	poll(t, "the X server ends", func() (bool, string) {
		s, err := readStat(x)
		return err != nil || s.state == "Z", fmt.Sprint(s)
	})
	// Now and then it leaves its socket; the next server of that number takes it.
	removeStaleSocket(r.display)
}

// TestRunDepths: every depth that is on offer shows a picture of its size.
func TestRunDepths(t *testing.T) {
	t.Parallel()
	tested := 0
	for _, depth := range []int{8, 16, 24, 30} {
		r := startRun(t, "exec sleep 1000", "--depth", strconv.Itoa(depth), "--geometry", "123x77")
		v := connect(t, r.server, viewer{Encodings: withCursor(rfb.EncodingZRLE)})
		whole(t, v)
		require.Equal(t, 123, v.Bounds().Dx())
		require.Equal(t, 77, v.Bounds().Dy())
		tested++
	}
	require.Equal(t, 4, tested)
}

// TestRunFbdir: the framebuffer file of our own X server.
func TestRunFbdir(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	root := peer(t, "xsetroot")
	r := startRun(t, root+" -solid '#123456'; echo painted; exec sleep 1000", "--capture", "fbdir", "--fbdir", dir)
	r.await(r.stdout, "painted")
	v := connect(t, r.server, viewer{Encodings: withCursor(rfb.EncodingZRLE)})
	whole(t, v)
	for v.Image().At(100, 80) != 0x123456 {
		require.NoError(t, v.RequestUpdate(true, v.Bounds()))
		_, err := v.ReadUpdate()
		require.NoError(t, err)
	}
}

// TestRunEnvironment: the program finds its display and its arguments, and its
// output is not mixed up with ours.
func TestRunEnvironment(t *testing.T) {
	t.Parallel()
	info := peer(t, "xdpyinfo")
	r := startRun(t, `echo "display $DISPLAY"; `+info+` >/dev/null && echo connected; echo "arguments $0 $*"; echo complaint >&2`)
	require.Equal(t, 0, r.wait(timeout))
	lines := r.stdout.lines()
	require.Len(t, lines, 4)
	assert.Equal(t, "display "+r.display, lines[1])
	assert.Equal(t, "connected", lines[2])
	assert.Equal(t, "arguments sh ", lines[3])
	assert.Contains(t, r.stderr.String(), "complaint\n")
	r.leavesNothing()
}

// removeStaleSocket removes an X server's socket if nobody answers there.
func removeStaleSocket(display string) {
	path := "/tmp/.X11-unix/X" + strings.TrimPrefix(display, ":")
	c, err := net.Dial("unix", path)
	if err == nil {
		c.Close()
	} else if errors.Is(err, syscall.ECONNREFUSED) {
		os.Remove(path)
	}
}
