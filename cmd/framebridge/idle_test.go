package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

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

// still is the most that a server and its display cost while nothing changes. A poll
// of the display at 60 Hz costs more of each.
var still = usage{ticks: 2, switches: 300, xTicks: 2}

// costs looks whether something costs no more than most: in one of some attempts, as
// a machine with other work adds something of its own now and then. before, unless
// nil, prepares an attempt; do reports whether it went as it should.
func costs(t testing.TB, s *server, d *desktop, most usage, before, do func() bool) {
	t.Helper()
	var u usage
	for range 8 {
		if before != nil && !before() {
			continue
		}
		fine := false
		u = measure(t, s, d, func() { fine = do() })
		if fine && u.ticks <= most.ticks && u.switches <= most.switches && u.xTicks <= most.xTicks {
			return
		}
	}
	require.Fail(t, "it costs more", "%+v, allowed %+v", u, most)
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
		t.Log("after a viewer:", visited)
		paintFor(t, d, 100*time.Millisecond) // the one report that damage begins
		// The program shrinks once; a poll has hundreds of switches, and the display works.
		costs(t, s, d, usage{ticks: 1, switches: 60, xTicks: math.MaxInt}, nil, func() bool {
			return paintFor(t, d, 2*time.Second) > 100
		})
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
	costs(t, s, d, still, nil, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		<-ctx.Done()
		return true
	})
	// It was not asleep for good.
	d.Fill(at(300, 200, 8, 13), 0xffffff)
	follow(t, c, d)
}

// TestChangeAtOnce: a character on an idle screen reaches the viewer at once: if not
// each, on a busy machine, then one of many. The benchmarks have the exact figure.
func TestChangeAtOnce(t *testing.T) {
	d := newDesktop(t, 640, 480)
	s := serve(t, d.x)
	c := connect(t, s, viewer{Encodings: withCursor(rfb.EncodingZRLE)})
	whole(t, c)
	follow(t, c, d)
	best := time.Hour
	for i, end := 0, time.Now().Add(timeout); i < 20 || best >= 20*time.Millisecond && time.Now().Before(end); i++ {
		require.NoError(t, c.SetDeadline(time.Now().Add(timeout)))
		require.NoError(t, c.RequestUpdate(true, c.Bounds()))
		drawn, done := make(chan time.Time, 1), make(chan struct{})
		colour := uint32(i%20+1) * 0x0a0b0c
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
	most := fileMemory(t, s.pid())
	c := connect(t, s, viewer{Encodings: withCursor(rfb.EncodingZRLE)})
	whole(t, c)
	poll(t, "less memory", func() (bool, string) {
		now := fileMemory(t, s.pid())
		most = max(most, now)
		return now < most*3/4, fmt.Sprintf("%d kB of the program are resident, of %d", now, most)
	})
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
