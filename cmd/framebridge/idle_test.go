package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/rfb"
)

// What nobody looks at, and what does not change, costs nothing. These tests
// measure for some seconds each and do not run beside others.

// switches returns how often a process's threads have woken up. Every request to
// the X server and every event from it costs at least one.
func switches(t testing.TB, pid int) (n int) {
	t.Helper()
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	require.NoError(t, err)
	for _, task := range tasks {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", pid, task.Name()))
		if err != nil {
			continue // it has just ended
		}
		for _, l := range strings.Split(string(b), "\n") {
			if f := strings.Fields(l); len(f) == 2 && f[0] == "voluntary_ctxt_switches:" {
				k, err := strconv.Atoi(f[1])
				require.NoError(t, err)
				n += k
			}
		}
	}
	return n
}

// usage is what a server and its display use within the time.
type usage struct{ ticks, switches, xTicks int }

func measure(t testing.TB, s *server, d *desktop, f func()) usage {
	t.Helper()
	a := usage{ticks(t, s.pid()), switches(t, s.pid()), ticks(t, d.x.Pid())}
	f()
	b := usage{ticks(t, s.pid()), switches(t, s.pid()), ticks(t, d.x.Pid())}
	u := usage{b.ticks - a.ticks, b.switches - a.switches, b.xTicks - a.xTicks}
	t.Logf("%+v", u)
	return u
}

// paintFor draws small things for a while and returns how many.
func paintFor(t testing.TB, d *desktop, long time.Duration) (n int) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(long); time.Now().Before(end); <-tick.C {
		d.Fill(at(n%100, n%90, 20, 20), uint32(n*7919)&0xffffff)
		n++
	}
	return n
}

// TestNoViewer: without a viewer there is no capture and no X request, however
// much is drawn.
func TestNoViewer(t *testing.T) {
	d := newDesktop(t, 640, 480)
	s := serve(t, d.x)
	// Alone, the display uses this much for the drawing: the reference.
	for _, visited := range []bool{false, true} {
		if visited {
			c := connect(t, s, viewer{Encodings: withCursor(rfb.EncodingZRLE)})
			whole(t, c)
			follow(t, c, d)
			require.NoError(t, c.RequestUpdate(true, c.Bounds()))
			require.NoError(t, c.Close())
			s.await(s.stderr, "viewer left")
		}
		paintFor(t, d, 100*time.Millisecond) // the one report that damage begins
		drawn := 0
		u := measure(t, s, d, func() { drawn = paintFor(t, d, 2*time.Second) })
		assert.Greater(t, drawn, 100, "the test draws too little")
		assert.LessOrEqual(t, u.ticks, 1, "after a viewer: %v", visited)
		assert.Less(t, u.switches, 60, "after a viewer: %v", visited) // the program shrinks once; a poll has hundreds
	}
}

// TestStillScreen: a viewer that waits and a screen that does not change cost
// nothing but the check for missed damage.
func TestStillScreen(t *testing.T) {
	d := newDesktop(t, 640, 480)
	s := serve(t, d.x)
	c := connect(t, s, viewer{Encodings: withCursor(rfb.EncodingZRLE)})
	whole(t, c)
	follow(t, c, d)
	require.NoError(t, c.RequestUpdate(true, c.Bounds()))
	wait := func() {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		<-ctx.Done()
	}
	u := measure(t, s, d, wait)
	assert.LessOrEqual(t, u.ticks, 2)
	assert.LessOrEqual(t, u.xTicks, 2)
	assert.Less(t, u.switches, 300) // a poll at 60 Hz has more, a busy machine adds some
	// It was not asleep for good.
	d.Fill(at(300, 200, 8, 13), 0xffffff)
	follow(t, c, d)
}

// TestChangeAtOnce: a character on an idle screen reaches the viewer at once. The
// bound is wide, for busy machines; the benchmarks have the exact one.
func TestChangeAtOnce(t *testing.T) {
	d := newDesktop(t, 640, 480)
	s := serve(t, d.x)
	c := connect(t, s, viewer{Encodings: withCursor(rfb.EncodingZRLE)})
	whole(t, c)
	follow(t, c, d)
	best := time.Hour
	for i := range 20 {
		require.NoError(t, c.RequestUpdate(true, c.Bounds()))
		drawn, done := make(chan time.Time, 1), make(chan struct{})
		colour := uint32(i+1) * 0x0a0b0c
		go func() {
			defer close(done) // the viewer may be quicker than the answer to Fill
			drawn <- time.Now()
			d.Fill(at(400, 200, 8, 13), colour)
		}()
		for {
			_, err := c.ReadUpdate()
			require.NoError(t, err)
			if c.Image().At(404, 206) == colour {
				break
			}
			require.NoError(t, c.RequestUpdate(true, c.Bounds()))
		}
		best = min(best, time.Since(<-drawn))
		<-done
	}
	t.Logf("drawn to decoded: %v", best)
	require.Less(t, best, 20*time.Millisecond)
}

// TestShrinks: what the start needed does not stay in memory.
func TestShrinks(t *testing.T) {
	d := newDesktop(t, 640, 480)
	s := serve(t, d.x)
	c := connect(t, s, viewer{Encodings: withCursor(rfb.EncodingZRLE)})
	whole(t, c)
	before := fileMemory(t, s.pid())
	require.Eventually(t, func() bool { return fileMemory(t, s.pid()) < before*3/4 }, 20*time.Second, 50*time.Millisecond,
		"%d kB of the program are resident", before)
	// It goes on as before.
	follow(t, c, d)
	d.Fill(at(300, 200, 8, 13), 0xffffff)
	follow(t, c, d)
}

// fileMemory returns how much of a process's files is resident, in kB.
func fileMemory(t testing.TB, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	for l := range strings.Lines(string(b)) {
		if f := strings.Fields(l); f[0] == "RssFile:" {
			kb, err := strconv.Atoi(f[1])
			require.NoError(t, err)
			return kb
		}
	}
	require.Fail(t, "no RssFile in /proc/PID/status")
	return 0
}
