package xshm_test

import (
	"image"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"framebridge/capture/capturetest"
	"framebridge/capture/xshm"
	"framebridge/internal/peertest"
	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
)

// relay stands between a client and a server's socket and counts what the
// client sends. It loses file descriptors, as relays do.
func relay(t *testing.T, s *xvfb.Server) (path string, sent *atomic.Int64) {
	t.Helper()
	// The number at the end lets the client find the display's cookie.
	path = filepath.Join(t.TempDir(), "X"+strings.TrimPrefix(s.Display(), ":"))
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	sent = new(atomic.Int64)
	var wg sync.WaitGroup
	t.Cleanup(func() { l.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("unix", "@/tmp/.X11-unix/X"+strings.TrimPrefix(s.Display(), ":"))
			if err != nil {
				client.Close()
				return
			}
			wg.Go(func() { io.Copy(client, server); client.Close() })
			wg.Go(func() { io.Copy(server, io.TeeReader(client, counter{sent})); server.Close() })
		}
	})
	return path, sent
}

type counter struct{ n *atomic.Int64 }

func (c counter) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}

// TestSilence checks that nothing is asked of the server while nobody asks us,
// and while nothing changes.
func TestSilence(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 640, Height: 480})
	path, sent := relay(t, s)
	src, err := xshm.Open(t.Context(), xshm.Options{Display: path, AuthFile: s.AuthFile(), Logger: quiet})
	require.NoError(t, err)
	defer src.Close()
	require.Equal(t, xshm.Shm, src.Method(), "a lost descriptor is no end of the line")
	p := xvfbtest.NewPainter(t, s)
	v := capturetest.NewViewer(t, src)
	v.Next()
	v.Idle()
	before := int64(-1)
	for range 20 { // what was sent before may be counted late
		if before == sent.Load() {
			break
		}
		before = sent.Load()
		v.Idle()
	}
	require.Equal(t, before, sent.Load(), "an idle screen")
	for i := range 100 {
		p.Fill(image.Rect(0, i, 100, i+1), uint32(i+1))
	}
	time.Sleep(50 * time.Millisecond)
	require.Equal(t, before, sent.Load(), "nobody looks")
	v.Next()
	v.Idle()
	require.True(t, v.Shows(p.Truth))
	require.Less(t, sent.Load()-before, int64(1000), "a hundred drawings, seen once")
}

// TestXterm captures a program as people use it.
func TestXterm(t *testing.T) {
	xterm := peertest.Program(t, "xterm")
	s := xvfbtest.Start(t, xvfb.Options{Width: 800, Height: 600})
	p := xvfbtest.NewPainter(t, s)
	forMethods(t, func(t *testing.T, m xshm.Method) {
		v := capturetest.NewViewer(t, open(t, s, m))
		v.Next()
		done := filepath.Join(t.TempDir(), "done")
		cmd := exec.Command(xterm, "-e", "for i in $(seq 2000); do echo line $i; done; touch "+done+"; sleep 60")
		cmd.Env = append(os.Environ(), s.Env()...)
		require.NoError(t, cmd.Start())
		defer func() { cmd.Process.Kill(); cmd.Wait() }()
		for start := time.Now(); ; {
			v.Idle()
			if _, err := os.Stat(done); err == nil {
				break
			}
			require.Less(t, time.Since(start), time.Minute)
		}
		v.Idle()
		require.True(t, v.Shows(p.Truth))
	})
}
