package bench

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPercentile(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(i + 1)
	}
	for _, c := range []struct {
		values []float64
		p      float64
		want   float64
	}{
		{nil, 50, 0},
		{[]float64{7}, 1, 7},
		{[]float64{7}, 99, 7},
		{[]float64{1, 2}, 50, 1},
		{[]float64{1, 2, 3}, 50, 2},
		{[]float64{1, 2, 3}, 95, 3},
		{[]float64{1, 2, 3}, 0, 1},
		{[]float64{1, 2, 3}, 100, 3},
		{hundred, 50, 50},
		{hundred, 95, 95},
		{hundred, 99, 99},
		{hundred[:20], 95, 19},
	} {
		require.Equal(t, c.want, percentile(c.values, c.p), "%v of %v", c.p, c.values)
	}
}

func TestMedian(t *testing.T) {
	run := func(v float64, differ int) Result {
		return Result{Server: "s", P50: v, KB: 10 - v, Missed: int(v), Differ: differ, Latency: []float64{v, v + 1}}
	}
	m := median([]Result{run(3, 0), run(1, 4), run(2, 0)})
	require.Equal(t, 2.0, m.P50)
	require.Equal(t, 8.0, m.KB)
	require.Equal(t, 2, m.Missed)
	require.Equal(t, 4, m.Differ, "a wrong picture is never averaged away")
	require.Equal(t, []float64{1, 2, 2, 3, 3, 4}, m.Latency)
	bad := run(1, 0)
	bad.Err = "broken"
	require.Equal(t, "broken", median([]Result{run(1, 0), bad, run(2, 0)}).Err)
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 1: "1.00", 0.5: "0.50", 12.345: "12.3", 9.999: "10.0", 99.96: "100", 1234.5: "1234", 0.0123: "0.012", 0.00123: "0.0012", -2: "-2.00",
	} {
		require.Equal(t, want, number(v))
	}
}

// sample is a report with everything in it.
func sample() *Report {
	lossless := Setup{Size: "1920x1080", Viewers: 1, Encoding: "tight", Compress: 1, Quality: -1}
	many, far := lossless, lossless
	many.Viewers = 16
	far.Link, far.Quality = "20ms,10mbit", 6
	r := &Report{Made: time.Unix(1e9, 0), Program: "v1", Command: "framebridge bench <&>", Machine: ThisMachine()}
	for i, server := range []string{"framebridge", "x11vnc", "x0vncserver"} {
		f := float64(i + 1)
		for _, w := range Works() {
			r.Results = append(r.Results, Result{
				Server: server, Work: w, Setup: lossless, Changes: 4, P50: f, P95: 2 * f, KB: 10 * f, ServerCPU: f / 2, Percent: f,
				PerSecond: 60, RSS: 26, Latency: []float64{f, f + 1, f + 2}, Traffic: []float64{0, f, 2},
			})
		}
		r.Results = append(r.Results,
			Result{Server: server, Work: "popup", Setup: many, Changes: 4, ServerCPU: 2 * f, Differ: i, PSNR: 40},
			Result{Server: server, Work: "full", Setup: far, Changes: 4, P50: 100 * f})
		for _, n := range []int{1, 64} {
			s := lossless
			s.Viewers = n
			r.Results = append(r.Results, Result{Server: server, Work: "popup", Setup: s, Axis: AxisViewers, At: float64(n), P50: f * float64(n), ServerCPU: 1, KB: 1, RSS: 20})
		}
		for _, share := range shares(1920, 1080) {
			r.Results = append(r.Results, Result{Server: server, Work: share.name, Setup: lossless, Axis: share.at.axis, At: share.at.at, P50: f})
		}
	}
	broken := r.Results[0]
	broken.Server, broken.Err = "broken <server>", strings.Repeat("it|ended ", 50)
	r.Results = append(r.Results, broken)
	for _, e := range EncoderNames() {
		r.Encode = append(r.Encode,
			EncodeResult{Encoder: e, Scene: "typing", Frames: 3, P50: 0.01, KB: 0.2, MBs: 100, Latency: []float64{0.01}},
			EncodeResult{Encoder: e, Scene: "video", Frames: 3, P50: 4, KB: 200, PSNR: 38.5})
	}
	r.Encode[0].Err = "wrong <pixels>"
	for i, w := range VideoWorks() {
		f := float64(i + 1)
		r.Video = append(r.Video,
			VideoResult{Encoder: "vp8, 1 worker", Work: w, Frames: 9, P50: f, P95: 2 * f, CPU: f, Bytes: 100 * f, PSNR: 50, AreaPSNR: 40, Ratio: 0.9, Target: "6 ms"},
			VideoResult{Encoder: "libvpx", Work: w, Frames: 9, CPU: f, Bytes: 100 * f})
	}
	r.Video = append(r.Video, VideoResult{Encoder: "x264 ultrafast", Work: "rest", Err: "broken <pipe>"})
	for _, w := range PageWorks() {
		r.Pages = append(r.Pages, PageResult{Work: w, Pages: 1, Changes: 60, ServerCPU: 0.5, Percent: 1.5, Frames: 59.5, KB: 0.25},
			PageResult{Work: w, Pages: 8, Changes: 60, ServerCPU: 0.6, Growth: 1.2, Target: "growth below 1.3"})
	}
	for i, w := range BrowserWays() {
		r.Browsers = append(r.Browsers, BrowserResult{Way: w, Changes: 3, P50: float64(i), P95: 20, Target: "17 ms", Latency: []float64{1, 2, 20}})
	}
	r.Browsers[len(r.Browsers)-1] = BrowserResult{Way: "noVNC, <peer>", Err: "it ended"}
	return r
}

func TestTable(t *testing.T) {
	r := sample()
	s := Table(r.Results)
	lines := strings.Split(strings.TrimSpace(s), "\n")
	for _, l := range lines {
		require.Equal(t, strings.Count(lines[0], "|"), strings.Count(l, "|")-strings.Count(l, "\\|"), l)
	}
	for _, w := range Works() {
		require.Contains(t, s, "| "+w+": ")
	}
	for _, want := range []string{
		"| framebridge | x11vnc | x0vncserver | broken <server> | framebridge to x0vncserver | to reach |",
		"16 viewers", "link 20ms,10mbit",
		"type: p50 ms / kB / server CPU ms | 1.00 / 10.0 / 0.50 | 2.00 / 20.0 / 1.00 | 3.00 / 30.0 / 1.50 | - | 0.33 / 0.33 / 0.33 | 0.11 / - / - |",
		"popup: server CPU of 16 viewers to that of one | 4.00 | 4.00 | 4.00 | - |  | below 2 |",
		"pixels that differ from the display at the end | 0 | 1 (40.0 dB) | 2 (40.0 dB) | 0 |  | 0 |",
		`failed: it\|ended`,
	} {
		require.Contains(t, s, want)
	}
	require.Empty(t, Table(nil))
	alone := Table(r.Results[:1])
	require.NotContains(t, alone, "to reach", "there is nothing to compare with")
}

func TestCurves(t *testing.T) {
	s := Curves(sample().Results)
	require.Contains(t, s, "| popup: p50 ms by viewers | framebridge | x11vnc | x0vncserver |")
	require.Contains(t, s, "| 64 | 64.0 | 128 | 192 |")
	require.Contains(t, s, "| last to first | 64.0 | 64.0 | 64.0 |")
	for _, w := range shares(1920, 1080) {
		require.Contains(t, s, "| "+w.name+" |")
	}
}

func TestEncodeTable(t *testing.T) {
	s := EncodeTable(sample().Encode)
	require.Equal(t, 2, strings.Count(s, "p50 ms"), "one table per scene")
	require.Contains(t, s, "| raw | wrong <pixels> |")
	require.Contains(t, s, "| tight 9 | 0.010 | 0 | 0 | 100 | 0.20 | 0 | identical |")
	require.Contains(t, s, "| tight 9 | 4.00 | 0 | 0 | 0 | 200 | 0 | 38.5 |")
}

func TestVideoTable(t *testing.T) {
	s := videoRows(sample().Video).markdown()
	require.Contains(t, s, "| idle: vp8, 1 worker | 1.00 | 2.00 | 1.00 | 100 | 50.00 | 40.00 | 0.90 | 6 ms |")
	require.Contains(t, s, "| type: libvpx | - | - | 2.00 | 200 | identical | - | - |  |")
	require.Contains(t, s, "| rest: libvpx | - | - | 6.00 | 600 in 9 frames | identical | - | - |  |")
	require.Contains(t, s, "| rest: x264 ultrafast | failed: broken <pipe> |")
	require.Empty(t, videoRows(nil).markdown())
}

func TestBrowserTables(t *testing.T) {
	s := pageRows(sample().Pages).markdown()
	require.Contains(t, s, "| type: 1 | 1.50 | 0.50 | 0 | 59.5 of 60 | 0.25 | 0 | - |  |")
	require.Contains(t, s, "| video: 8 | 0 | 0.60 | 0 | 0.0 of 60 | 0 | 0 | 1.20 | growth below 1.3 |")
	s = browserRows(sample().Browsers).markdown()
	require.Contains(t, s, "| WebRTC | 1.00 | 20.0 | 3 | 0 | 17 ms |")
	require.Contains(t, s, "| noVNC, <peer> | failed: it ended |")
	for _, table := range []string{videoRows(sample().Video).markdown(), pageRows(sample().Pages).markdown(), s} {
		lines := strings.Split(strings.TrimSpace(table), "\n")
		for _, l := range lines {
			require.Equal(t, strings.Count(lines[0], "|"), strings.Count(l, "|"), l)
		}
	}
}

func TestJSON(t *testing.T) {
	r := sample()
	var b bytes.Buffer
	require.NoError(t, r.JSON(&b))
	var back Report
	require.NoError(t, json.Unmarshal(b.Bytes(), &back))
	require.Len(t, back.Results, len(r.Results))
	for i := range back.Results {
		require.Equal(t, r.Results[i], back.Results[i])
	}
	require.Equal(t, r.Encode, back.Encode)
	require.Equal(t, r.Video, back.Video)
	require.Equal(t, r.Pages, back.Pages)
	require.Equal(t, r.Browsers, back.Browsers)
}

func TestCSV(t *testing.T) {
	r := sample()
	var b bytes.Buffer
	require.NoError(t, r.CSV(&b))
	c := csv.NewReader(&b)
	c.FieldsPerRecord = -1
	rows, err := c.ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 5+len(r.Results)+len(r.Encode)+len(r.Video)+len(r.Pages)+len(r.Browsers))
	at := 0
	for _, part := range []struct {
		head  string
		lines int
		first string
	}{
		{"server", len(r.Results), "framebridge"}, {"encoder", len(r.Encode), EncoderNames()[0]}, {"encoder", len(r.Video), "vp8, 1 worker"},
		{"work", len(r.Pages), "idle"}, {"way", len(r.Browsers), "/stream"},
	} {
		require.Equal(t, part.head, rows[at][0])
		require.Equal(t, part.first, rows[at+1][0])
		for _, row := range rows[at : at+1+part.lines] {
			require.Len(t, row, len(rows[at]))
		}
		at += 1 + part.lines
	}
}

// TestHTML: the page is well-formed, needs nothing from elsewhere, and has all
// works, servers and encoders, and as many plots as there are.
func TestHTML(t *testing.T) {
	r := sample()
	var b bytes.Buffer
	require.NoError(t, r.HTML(&b))
	s := b.String()
	d := xml.NewDecoder(strings.NewReader(s))
	var text strings.Builder
	svgs := 0
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		switch tok := tok.(type) {
		case xml.StartElement:
			if tok.Name.Local == "svg" {
				svgs++
			}
			require.NotContains(t, []string{"script", "link", "img", "iframe", "object"}, tok.Name.Local)
			for _, a := range tok.Attr {
				require.NotContains(t, []string{"src", "href"}, a.Name.Local)
			}
		case xml.CharData:
			text.Write(tok)
		}
	}
	require.NotContains(t, s, "url(")
	require.NotContains(t, s, "@import")
	require.NotContains(t, s, "ZgotmplZ", "html/template refused a value")
	for _, name := range append(append(Works(), EncoderNames()...), "framebridge", "x11vnc", "x0vncserver", "broken <server>", "framebridge bench <&>", "wrong <pixels>", "prefers-color-scheme", AxisShare, AxisViewers,
		"type: vp8, 1 worker", "scroll: 8", "/stream", "noVNC, <peer>", "broken <pipe>") {
		assert.Contains(t, text.String(), name)
	}
	// Latency and traffic of each work, four figures along two axes, two scenes, the
	// browsers' latencies.
	require.Equal(t, 2*len(Works())+8+2+1, svgs)

	b.Reset()
	require.NoError(t, (&Report{}).HTML(&b), "nothing was measured")
	require.Empty(t, (&Report{}).Markdown())
}
