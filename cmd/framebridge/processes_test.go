package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What /proc tells of the programs under test.

// procStat is the part of /proc/PID/stat that the tests look at.
type procStat struct {
	pid, ppid int
	state     string
	ticks     int // utime + stime
}

func readStat(pid int) (procStat, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return procStat{}, err
	}
	// pid (comm) state ppid ...; comm may hold anything.
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) < 13 {
		return procStat{}, errors.New("short stat")
	}
	s := procStat{pid: pid, state: f[0]}
	s.ppid, _ = strconv.Atoi(f[1])
	utime, _ := strconv.Atoi(f[11])
	stime, _ := strconv.Atoi(f[12])
	s.ticks = utime + stime
	return s, nil
}

// ticks returns the processor time that a process has used, in ticks of 10 ms.
func ticks(t testing.TB, pid int) int {
	t.Helper()
	s, err := readStat(pid)
	require.NoError(t, err)
	return s.ticks
}

// allProcs returns every process that is not a zombie.
func allProcs() (ps []procStat) {
	dirs, _ := os.ReadDir("/proc")
	for _, d := range dirs {
		pid, err := strconv.Atoi(d.Name())
		if err != nil {
			continue
		}
		if s, err := readStat(pid); err == nil && s.state != "Z" {
			ps = append(ps, s)
		}
	}
	return ps
}

// descendants returns the living descendants of a process.
func descendants(pid int) (found []int) {
	children := map[int][]int{}
	for _, p := range allProcs() {
		children[p.ppid] = append(children[p.ppid], p.pid)
	}
	queue := children[pid]
	for len(queue) > 0 {
		found = append(found, queue[0])
		queue = append(queue[1:], children[queue[0]]...)
	}
	return found
}

// marked returns the living processes whose environment has a variable with this
// value: it follows them wherever they went.
func marked(variable string) (pids []int) {
	for _, p := range allProcs() {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.pid))
		if err != nil {
			continue
		}
		for _, v := range bytes.Split(b, []byte{0}) {
			if string(v) == variable {
				pids = append(pids, p.pid)
			}
		}
	}
	return pids
}

// memory returns the resident set of a process in kB.
func memory(t testing.TB, pid int) int {
	t.Helper()
	return statusField(t, pid, "VmRSS:")
}

func threads(t testing.TB, pid int) int { return statusField(t, pid, "Threads:") }

func statusField(t testing.TB, pid int, name string) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	for _, l := range strings.Split(string(b), "\n") {
		if f := strings.Fields(l); len(f) >= 2 && f[0] == name {
			n, err := strconv.Atoi(f[1])
			require.NoError(t, err)
			return n
		}
	}
	t.Fatalf("no %s", name)
	return 0
}

// descriptors returns how many files a process has open.
func descriptors(t testing.TB, pid int) int {
	t.Helper()
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	require.NoError(t, err)
	return len(fds)
}

// assertEmptyTemp checks that a program left nothing in its TMPDIR, which is its
// HOME, too.
func assertEmptyTemp(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	for _, v := range cmd.Env {
		dir, ok := strings.CutPrefix(v, "TMPDIR=")
		if !ok || !strings.HasPrefix(dir, os.TempDir()) {
			continue
		}
		filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && path != dir {
				assert.Fail(t, "left behind", path)
			}
			return nil
		})
	}
}

// assertNoDisplay checks that neither the socket nor the lock of an X server is
// left. A server that answers is another one, which has got the number since.
func assertNoDisplay(t testing.TB, display string) {
	t.Helper()
	n := strings.TrimPrefix(display, ":")
	require.NotEmpty(t, n)
	socket, lock := "/tmp/.X11-unix/X"+n, "/tmp/.X"+n+"-lock"
	// It may be that other one's first moment.
	pollFor(t, 5*time.Second, "the X server's traces", func() (bool, string) {
		if c, err := net.Dial("unix", socket); err == nil {
			c.Close()
			return true, ""
		}
		_, err1 := os.Lstat(socket)
		_, err2 := os.Lstat(lock)
		return errors.Is(err1, fs.ErrNotExist) && errors.Is(err2, fs.ErrNotExist), fmt.Sprint(err1, err2)
	})
}
