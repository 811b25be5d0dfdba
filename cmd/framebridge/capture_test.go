package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
	"framebridge/rfb"
)

// TestCaptureMethods: the picture is the same in whatever way it is had.
func TestCaptureMethods(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := furnish(t, xvfbtest.Start(t, xvfb.Options{Width: 400, Height: 300, Args: []string{"-fbdir", dir}}), 400, 300)
	tested := 0
	for _, method := range captureMethods {
		args := []string{"--capture", method, "--log-level", "debug"}
		if method == "fbdir" {
			args = append(args, "--fbdir", dir)
		}
		s := serve(t, d.x, args...)
		c := connect(t, s, viewer{Encodings: withCursor(rfb.EncodingZRLE, rfb.EncodingCopyRect)})
		whole(t, c)
		follow(t, c, d)
		for _, change := range changes {
			change.do(d)
			follow(t, c, d)
		}
		d.pattern(1)
		d.move(d.size.X-90, d.size.Y-70)
		if method != "auto" && method != "fbdir" {
			assert.Contains(t, s.stderr.String(), "method="+method)
		}
		tested++
	}
	require.Equal(t, 5, tested)
}

// TestDepths: displays of other depths, as the X protocol's rules for their
// pixels have them.
func TestDepths(t *testing.T) {
	t.Parallel()
	tested := 0
	for _, depth := range []int{8, 16, 24, 30} {
		x := xvfbtest.Start(t, xvfb.Options{Width: 150, Height: 100, Depth: depth})
		p := xvfbtest.NewPainter(t, x)
		p.Noise(at(10, 10, 60, 60))
		s := serve(t, x)
		c := connect(t, s, viewer{Encodings: withCursor(rfb.EncodingZRLE)})
		whole(t, c)
		for i := range 3 {
			p.Fill(at(40+i, 30, 20, 20), uint32(i+1)*37)
			p.Noise(at(80, 10*i, 50, 50))
			want := p.Truth()
			require.Greater(t, colours(want, 50), 30)
			for !equal(c.Image(), want) {
				require.NoError(t, c.RequestUpdate(true, c.Bounds()))
				_, err := c.ReadUpdate()
				require.NoError(t, err, "depth %d: %s", depth, differences(c.Image(), want))
			}
			tested++
		}
	}
	require.Equal(t, 12, tested)
}

// TestColourMappedViewer: a viewer of 256 colours that takes the server's.
func TestColourMappedViewer(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, 200, 150)
	d.Fill(at(0, 0, 200, 150), 0xff0000)
	s := serve(t, d.x)
	c := connect(t, s, viewer{Format: &pix.Format{BitsPerPixel: 8, Depth: 8}, Encodings: withCursor(rfb.EncodingHextile)})
	whole(t, c)
	// Few colours only: red is one of them.
	require.Equal(t, uint32(0xff0000), c.Image().At(100, 75))
	require.Equal(t, 1, colours(c.Image(), 10))
	d.pattern(1)
	for want := d.grab(); colours(c.Image(), 50) <= 20 || psnr(c.Image(), want) <= 12; {
		require.NoError(t, c.RequestUpdate(true, c.Bounds()))
		_, err := c.ReadUpdate()
		require.NoError(t, err, "%d colours, %.1f dB", colours(c.Image(), 50), psnr(c.Image(), want))
	}
}
