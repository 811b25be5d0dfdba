package view_test

import (
	"image"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/capture/synth"
	"framebridge/capture/view"
)

func TestParseGeometry(t *testing.T) {
	for s, want := range map[string]image.Rectangle{
		"100x90+10+20":    image.Rect(10, 20, 110, 110),
		"1x1+0+0":         image.Rect(0, 0, 1, 1),
		"100x90-10-20":    image.Rect(530, 370, 630, 460),
		"100x90+10-20":    image.Rect(10, 370, 110, 460),
		"100x90+-10+20":   image.Rect(-10, 20, 90, 110),
		"100x90+-10+-20":  image.Rect(-10, -20, 90, 70),
		"32767x2+1+32767": image.Rect(1, 32767, 32768, 32769),
	} {
		g, err := view.ParseGeometry(s)
		require.NoError(t, err, s)
		assert.Equal(t, want, g.In(image.Pt(640, 480)), s)
	}
	for _, s := range []string{"", "x", "100x90", "100x90+10", "100x90+10+", "0x90+1+1", "100x-1+1+1", "40000x1+1+1",
		"1x1+1+1+1", "1x1++1+1", "ax1+1+1", "1x1+a+1", "1x1+1+1 ", " 1x1+1+1", "1x1+40000+1"} {
		_, err := view.ParseGeometry(s)
		assert.Error(t, err, s)
	}
}

func TestParseScale(t *testing.T) {
	for s, want := range map[string]view.Scale{
		"1/2":        {X: 0.5, Y: 0.5},
		"0.75":       {X: 0.75, Y: 0.75},
		"2":          {X: 2, Y: 2},
		"1":          {},
		"1:nb":       {},
		"2/3:pad":    {X: 2. / 3, Y: 2. / 3, Pad: 3},
		"2/3:nb,n4":  {X: 2. / 3, Y: 2. / 3, Nearest: true, AnyWidth: true},
		"1/3:nb:fb":  {X: 1. / 3, Y: 1. / 3},
		"1/3:in":     {X: 1. / 3, Y: 1. / 3, Interpolate: true},
		"300x200":    {Width: 300, Height: 200},
		"300x200:nb": {Width: 300, Height: 200, Nearest: true},
		"0.9x0.75":   {X: 0.9, Y: 0.75},
		"1/2x1/3":    {X: 0.5, Y: 1. / 3},
	} {
		got, err := view.ParseScale(s)
		require.NoError(t, err, s)
		assert.Equal(t, want, got, s)
	}
	for _, s := range []string{"", "x", "bad", "1/0", "0", "-1", "NaN", "Inf", "1e9", "101", "1x2x3", "0x5", "5x", "1/2:foo", "1/-2", "1/"} {
		_, err := view.ParseScale(s)
		assert.Error(t, err, s)
	}
}

func TestParseRotation(t *testing.T) {
	for s, want := range map[string]view.Rotation{
		"": 0, "x": view.FlipX, "y": view.FlipY, "xy": view.Half, "yx": view.Half, "180": view.Half, "-180": view.Half,
		"90": view.Right, "+90": view.Right, "-270": view.Right, "-90": view.Left, "270": view.Left, "+270": view.Left,
		"90x": view.RightFlip, "+90y": view.LeftFlip,
	} {
		for _, prefix := range []string{"", "nc:"} {
			r, keep, err := view.ParseRotation(prefix + s)
			require.NoError(t, err)
			assert.Equal(t, want, r, s)
			assert.Equal(t, prefix != "", keep)
		}
	}
	for _, s := range []string{"z", "91", "xyx", "NC:x"} {
		_, _, err := view.ParseRotation(s)
		assert.Error(t, err)
	}
}

func TestParseBlackout(t *testing.T) {
	areas, keepOut, err := view.ParseBlackout("10x20+1+2,noptr,3x4-5-6")
	require.NoError(t, err)
	assert.True(t, keepOut)
	assert.Equal(t, []view.Geometry{
		{Width: 10, Height: 20, X: 1, Y: 2}, {Width: 3, Height: 4, X: 5, Y: 6, FromRight: true, FromBottom: true},
	}, areas)
	for _, s := range []string{"", ",", "10x20+1+2,", "foo"} {
		_, _, err := view.ParseBlackout(s)
		assert.Error(t, err, s)
	}
}

// FuzzOptions reads options and looks through them at a picture.
func FuzzOptions(f *testing.F) {
	f.Add("100x90+10+20", "10x20+1+2,noptr,3x4-5-6", "2/3:pad", "90x")
	f.Add("1x1-1-1", "1x1+0+0", "300x200:nb,n4", "nc:-90")
	f.Add("", "", "0.9x0.75:in", "")
	f.Fuzz(func(t *testing.T, clip, blackout, scale, rotate string) {
		var o view.Options
		if g, err := view.ParseGeometry(clip); err == nil {
			o.Clip = g
		}
		if areas, keep, err := view.ParseBlackout(blackout); err == nil && len(areas) < 100 {
			o.Blackout, o.KeepOut = areas, keep
		}
		if s, err := view.ParseScale(scale); err == nil {
			if s.Width > 500 || s.Height > 500 || s.X > 5 || s.Y > 5 || s.Pad > 500 {
				return // only slow
			}
			o.Scale = s
		}
		if r, keep, err := view.ParseRotation(rotate); err == nil {
			o.Rotation, o.KeepCursor = r, keep
		}
		s, err := synth.New(synth.Options{Width: 40, Height: 30, Scene: synth.Still})
		require.NoError(t, err)
		defer s.Close()
		src, err := view.New(s, o)
		require.NoError(t, err)
		frame, err := src.Next(t.Context())
		require.NoError(t, err)
		n := 0
		for _, p := range frame.Patches {
			require.True(t, p.Rect.In(image.Rectangle{Max: frame.Size}))
			n += p.Rect.Dx() * p.Rect.Dy()
		}
		require.Equal(t, frame.Size.X*frame.Size.Y, n)
	})
}
