package main

import (
	"encoding/json"
	"image"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/bench"
	"framebridge/bench/recording"
	"framebridge/internal/peertest"
	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
)

// benchTimeout is for measurements, which draw in real time.
const benchTimeout = 3 * time.Minute

// TestBenchLive measures our own binary for a moment, with several viewers and over
// a link; exit code 0 says that all viewers showed the display in the end.
func TestBenchLive(t *testing.T) {
	peer(t, "Xvfb")
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	p := start(t, command(t, nil, binary, "bench", "live", "--peers=false", "--size", "640x480", "--changes", "6",
		"--works", "idle,type,popup,full,scroll", "--viewers", "3", "--link", "2ms,100mbit",
		"--json", file("r.json"), "--csv", file("r.csv"), "--html", file("r.html")))
	require.Equal(t, 0, p.wait(benchTimeout))
	assert.Contains(t, p.stderr.String(), "server 1 of 1: framebridge", "progress")
	for _, w := range []string{"idle", "type", "popup", "full", "scroll"} {
		assert.Contains(t, p.stdout.String(), "| "+w+": ")
	}
	b, err := os.ReadFile(file("r.json"))
	require.NoError(t, err)
	var r bench.Report
	require.NoError(t, json.Unmarshal(b, &r))
	require.Len(t, r.Results, 5)
	for _, res := range r.Results {
		assert.Empty(t, res.Err)
		assert.Zero(t, res.Differ)
		assert.Equal(t, 3, res.Viewers)
		assert.Equal(t, "2ms,100mbit", res.Link)
		assert.Positive(t, res.RSS)
		if res.Work != "idle" {
			assert.GreaterOrEqual(t, res.P50, 2.0, "%s: the link's delay", res.Work)
			assert.Positive(t, res.KB, res.Work)
			assert.Positive(t, res.ServerCPU, res.Work)
		}
	}
	for _, name := range []string{"r.csv", "r.html"} {
		b, err := os.ReadFile(file(name))
		require.NoError(t, err)
		assert.Contains(t, string(b), "scroll", name)
	}
}

func TestBenchJudge(t *testing.T) {
	t.Parallel()
	fine := bench.Result{Server: "ours", Work: "type", Setup: bench.Setup{Quality: -1}}
	failed, wrong, theirs := fine, fine, fine
	failed.Err = "broken"
	wrong.Differ = 3
	theirs.Server, theirs.Err = "theirs", "broken"
	lossy := wrong
	lossy.Quality = 6
	assert.NoError(t, judge(nil))
	assert.NoError(t, judge([]bench.Result{fine, theirs, lossy}))
	assert.ErrorContains(t, judge([]bench.Result{fine, failed}), "type: broken")
	assert.ErrorContains(t, judge([]bench.Result{fine, wrong}), "3 pixels differ")
}

// TestBenchLiveFails: a server that cannot be measured does not end the run.
func TestBenchLiveFails(t *testing.T) {
	peer(t, "Xvfb")
	p := start(t, command(t, nil, binary, "bench", "live", "--peers=false", "--size", "640x480", "--changes", "4",
		"--works", "type", "--server", "none=false {port}"))
	require.Equal(t, 0, p.wait(benchTimeout))
	assert.Contains(t, p.stdout.String(), "failed: server none: it ended at once")
}

func TestBenchScale(t *testing.T) {
	peer(t, "Xvfb")
	p := start(t, command(t, nil, binary, "bench", "scale", "--peers=false", "--size", "640x480", "--changes", "4",
		"--max-viewers", "2", "--max-pixels", "921600"))
	require.Equal(t, 0, p.wait(benchTimeout))
	for _, s := range []string{"by screen size", "by share changed", "by viewers", "1280x720", "1 char", "100 %", "last to first"} {
		assert.Contains(t, p.stdout.String(), s)
	}
}

// TestBenchRecord records a display and measures encoders on what it got.
func TestBenchRecord(t *testing.T) {
	x := xvfbtest.Start(t, xvfb.Options{Width: 200, Height: 160})
	out := filepath.Join(t.TempDir(), "out.fbr")
	p := start(t, command(t, nil, binary, "bench", "record", "--display", x.Display(), "--auth", x.AuthFile(),
		"--out", out, "--seconds", "0.5"))
	require.Equal(t, 0, p.wait(timeout))
	f, err := os.Open(out)
	require.NoError(t, err)
	defer f.Close()
	rec, err := recording.NewReader(f)
	require.NoError(t, err)
	defer rec.Close()
	fr, _, err := rec.Next()
	require.NoError(t, err)
	require.Equal(t, image.Pt(200, 160), fr.Size)
}

// TestBenchEncode measures the video encoder alone.
func TestBenchEncode(t *testing.T) {
	t.Parallel()
	p := start(t, command(t, nil, binary, "bench", "encode", "--scenes", "none", "--works", "type,page", "--video-size", "640x480",
		"--frames", "3", "--peers=false"))
	require.Equal(t, 0, p.wait(benchTimeout))
	for _, s := range []string{"| type: vp8, 1 worker | ", "| type: vp8, 2 workers | ", "| page: vp8, 2 workers | "} {
		assert.Contains(t, p.stdout.String(), s)
	}
}

// TestBenchBrowser measures pages, and real browsers in all ways, for a moment.
func TestBenchBrowser(t *testing.T) {
	for _, program := range []string{"Xvfb", "node", "chromium", "x11vnc"} {
		peer(t, program)
	}
	if _, err := os.Stat("../../internal/web/node_modules/@novnc/novnc"); err != nil {
		peertest.Missing(t, "npm ci in internal/web installs what drives the browser: "+err.Error())
	}
	out := filepath.Join(t.TempDir(), "r.json")
	p := start(t, command(t, nil, binary, "bench", "browser", "--size", "640x480", "--pages", "1,3", "--page-changes", "8",
		"--web", "../../internal/web", "--changes", "6", "--json", out))
	require.Equal(t, 0, p.wait(2*benchTimeout), p.stderr.String())
	b, err := os.ReadFile(out)
	require.NoError(t, err)
	var r bench.Report
	require.NoError(t, json.Unmarshal(b, &r))
	require.Len(t, r.Pages, 2*len(bench.PageWorks()))
	for _, x := range r.Pages {
		assert.Empty(t, x.Err)
		assert.Positive(t, x.RSS)
		if x.Work != "idle" {
			assert.Positive(t, x.Frames, x.Work)
			assert.Positive(t, x.ServerCPU, x.Work)
			assert.Positive(t, x.KB, x.Work)
			assert.Equal(t, x.Pages > 1, x.Growth > 0)
		}
	}
	require.Len(t, r.Browsers, len(bench.BrowserWays()))
	for _, x := range r.Browsers {
		if assert.Empty(t, x.Err, x.Way) {
			assert.Equal(t, 6, x.Changes)
			assert.Equal(t, x.Changes-x.Missed, len(x.Latency))
			assert.Positive(t, x.P50)
		}
	}
}

func TestBenchUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"live", "--encoding", "none"}, {"live", "--quality", "10"}, {"live", "--link", "fast"}, {"live", "--viewers", "0"},
		{"live", "--server", "x"}, {"live", "extra"}, {"table", "--changes", "1"}, {"scale", "--max-viewers", "0"},
		{"encode", "--frames", "0"}, {"browser", "--changes", "0"}, {"browser", "--pages", "0"}, {"browser", "--pages", "x"}, {"record"}, {"record", "--out", "x", "--seconds", "-1"}, {"record", "--out", "x", "--fps", "0"},
	} {
		p := start(t, command(t, nil, binary, append([]string{"bench"}, args...)...))
		assert.Equal(t, 2, p.wait(timeout), args)
	}
}
