package bench

import (
	"image"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"framebridge/bench/recording"
	"framebridge/encode/jpeg"
	"framebridge/internal/pix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recordings are the files of real programs.
func recordings(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("../testdata/recordings/*.fbr")
	require.NoError(t, err)
	require.Len(t, files, 3)
	return files
}

func TestRecordings(t *testing.T) {
	for _, name := range recordings(t) {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Less(t, info.Size(), int64(500_000), name)
		f, err := os.Open(name)
		require.NoError(t, err)
		defer f.Close()
		r, err := recording.NewReader(f)
		require.NoError(t, err)
		defer r.Close()
		frames := 0
		for ; err == nil; frames++ {
			_, _, err = r.Next()
		}
		require.EqualError(t, err, "EOF")
		require.Greater(t, frames, 20, name)
	}
}

// TestEncode runs every encoder, and every scene and recording. That lossless ones
// come out identical is Encode's own business; here it must have looked.
func TestEncode(t *testing.T) {
	var rs []EncodeResult
	for _, o := range []EncodeOptions{
		{Scenes: []string{"typing", "photo"}},
		{Encoders: []string{"tight 1", "zrle 1"}},
		{Encoders: []string{"hextile", "tight 1 q6"}, Scenes: []string{"none"}, Recordings: recordings(t)},
	} {
		o.Size, o.Frames = "640x480", 2
		some, err := Encode(t.Context(), o)
		require.NoError(t, err)
		rs = append(rs, some...)
	}
	require.Len(t, rs, 2*len(EncoderNames())+2*len(SceneNames())+2*3)
	lossy := make(map[string]bool)
	for _, c := range coders() {
		lossy[c.name] = c.lossy
	}
	degraded := make(map[string]bool)
	for _, r := range rs {
		assert.Empty(t, r.Err, "%s: %s", r.Encoder, r.Scene)
		assert.Equal(t, 2, r.Frames, "%s: %s", r.Encoder, r.Scene)
		assert.Positive(t, r.KB)
		assert.Positive(t, r.MBs)
		if r.PSNR > 0 {
			degraded[r.Encoder] = true
			// Noise of full contrast is what JPEG is worst at.
			if r.Scene != "noise" {
				assert.Greater(t, r.PSNR, 15.0, "%s: %s", r.Encoder, r.Scene)
			}
		}
	}
	for name, l := range lossy {
		assert.Equal(t, l, degraded[name], name)
	}
}

// TestEncodeFindsWrongPixels: an encoder that says to be lossless and is not.
func TestEncodeFindsWrongPixels(t *testing.T) {
	c := coder{name: "liar", width: 2048, area: 1 << 16, open: func(image.Point) (coding, error) {
		return &jpegCoding{quality: 95, sub: jpeg.S444}, nil
	}}
	o := EncodeOptions{Scenes: []string{"photo"}}
	scenes, err := o.scenes(640, 480)
	require.NoError(t, err)
	r := EncodeResult{}
	require.ErrorContains(t, r.run(t.Context(), c, scenes[0], 3), "decoded pixels are not those encoded")
}

func TestEncodeRefuses(t *testing.T) {
	for _, o := range []EncodeOptions{
		{Encoders: []string{"tight 77"}}, {Scenes: []string{"nothing"}}, {Size: "1x1"}, {Recordings: []string{"/nowhere"}},
	} {
		_, err := Encode(t.Context(), o)
		require.Error(t, err, "%+v", o)
	}
	rs, err := Encode(t.Context(), EncodeOptions{Scenes: []string{"none"}, Recordings: []string{"encode_test.go"}, Encoders: []string{"raw"}})
	require.NoError(t, err)
	require.Contains(t, rs[0].Err, "not a valid recording")
}

func TestPictures(t *testing.T) {
	for name, draw := range map[string]func(w, h int, seed uint64) *pix.Image{"page": page, "photo": photo, "ui": ui} {
		a, b, c := draw(300, 200, 1), draw(300, 200, 1), draw(300, 200, 2)
		require.True(t, pix.Equal(a, b, a.Rect), "%s is the same in every run", name)
		require.False(t, pix.Equal(a, c, a.Rect), name)
		draw(9, 18, 3)
		draw(1, 1, 3)
	}
}

func TestServers(t *testing.T) {
	s, err := ParseServer("mine=prog -d {display} -p {port}")
	require.NoError(t, err)
	require.Equal(t, Server{Name: "mine", Command: []string{"prog", "-d", "{display}", "-p", "{port}"}}, s)
	for _, bad := range []string{"", "x", "=prog {port}", "a=", "a=prog"} {
		_, err := ParseServer(bad)
		require.Error(t, err, bad)
	}
	for _, bad := range []string{"", "640", "639x480", "640x479", "16385x1000", "axb"} {
		_, _, err := parseSize(bad)
		require.Error(t, err, bad)
	}
}

func TestLiveRefuses(t *testing.T) {
	_, err := Live(t.Context(), LiveOptions{})
	require.ErrorContains(t, err, "Servers")
	_, err = Live(t.Context(), LiveOptions{Servers: []Server{{Name: "x"}}, Works: []string{"dance"}})
	require.ErrorContains(t, err, "dance")
	_, err = Scale(t.Context(), ScaleOptions{Axes: []string{"time"}})
	require.ErrorContains(t, err, "time")
}
