package view_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/capture/view"
	"framebridge/internal/peertest"
	"framebridge/internal/pix"
	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
	"framebridge/rfb/rfbtest"
)

// TestAsX11vnc compares with what x11vnc makes of the same options: exactly where
// pixels only change places, and the size where they are blended. Blackouts are
// left out: x11vnc shows them only where something was drawn after its start.
func TestAsX11vnc(t *testing.T) {
	peertest.Program(t, "x11vnc")
	s := xvfbtest.Start(t, xvfb.Options{Width: 203, Height: 101})
	p := xvfbtest.NewPainter(t, s)
	p.Noise(image.Rect(0, 0, 203, 101))
	truth := p.Truth()
	for _, tt := range []struct {
		rotate, clip, scale string
	}{
		{rotate: "x"}, {rotate: "y"}, {rotate: "xy"}, {rotate: "90"}, {rotate: "-90"}, {rotate: "+90x"}, {rotate: "+90y"},
		{clip: "100x50+20+30"}, {clip: "100x50+150+80"}, {clip: "64x50+7+3", rotate: "90"},
		{scale: "1/2"}, {scale: "0.333"}, {scale: "2"}, {scale: "57x33"}, {scale: "58x33"}, {scale: "59x33"}, {scale: "61x33"},
		{scale: "1/2:n4"}, {scale: "2/3:pad"}, {scale: "0.9x0.75"}, {scale: "58x33", rotate: "90"},
		{scale: "1/2", clip: "100x90+10+10"},
	} {
		name := tt.rotate + " " + tt.clip + " " + tt.scale
		t.Run(name, func(t *testing.T) {
			var o view.Options
			var args []string
			var err error
			if tt.rotate != "" {
				o.Rotation, _, err = view.ParseRotation(tt.rotate)
				require.NoError(t, err)
				args = append(args, "-rotate", tt.rotate)
			}
			if tt.clip != "" {
				o.Clip, err = view.ParseGeometry(tt.clip)
				require.NoError(t, err)
				args = append(args, "-clip", tt.clip)
			}
			if tt.scale != "" {
				o.Scale, err = view.ParseScale(tt.scale)
				require.NoError(t, err)
				args = append(args, "-scale", tt.scale)
			}
			want := slow(truth, o)
			got := x11vncPicture(t, s, args...)
			require.Equal(t, got.Rect, want.Rect, "size")
			if tt.scale == "" {
				assert.True(t, pix.Equal(got, want, want.Rect), "picture differs in %v", pix.Diff(got, want, want.Rect))
			}
		})
	}
}

// x11vncPicture returns what a viewer of x11vnc sees.
func x11vncPicture(t *testing.T, s *xvfb.Server, args ...string) *pix.Image {
	t.Helper()
	// Below the ports that the kernel gives to who asks for any: nobody gets it meanwhile.
	var port, addr string
	for port == "" {
		addr = fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(10000))
		if l, err := net.Listen("tcp", addr); err == nil {
			l.Close()
			_, port, _ = net.SplitHostPort(addr)
		}
	}
	args = append([]string{"-norc", "-display", s.Display(), "-rfbport", port, "-no6", "-localhost", "-nopw", "-quiet",
		"-nocursor", "-noxdamage", "-noncache", "-forever"}, args...)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	cmd := exec.CommandContext(ctx, "x11vnc", args...)
	// Killed outright it would leave its shared memory, of which there is only so much.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	cmd.Env = append(os.Environ(), s.Env()...)
	require.NoError(t, cmd.Start())
	defer cmd.Wait() //nolint:errcheck // ended by a signal
	defer cancel()
	for {
		c, err := rfbtest.Dial(ctx, addr, rfbtest.Options{DirtyPadding: true})
		if err != nil {
			require.NoError(t, errors.Join(ctx.Err()), err)
			time.Sleep(20 * time.Millisecond) // between attempts: it has not begun to listen
			continue
		}
		defer c.Close()
		require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
		require.NoError(t, c.RequestUpdate(false, c.Bounds()))
		_, err = c.ReadUpdate()
		require.NoError(t, err)
		return c.Image()
	}
}
