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
}

func TestCSV(t *testing.T) {
	r := sample()
	var b bytes.Buffer
	require.NoError(t, r.CSV(&b))
	c := csv.NewReader(&b)
	c.FieldsPerRecord = -1
	rows, err := c.ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 2+len(r.Results)+len(r.Encode))
	for i, row := range rows {
		if i <= len(r.Results) {
			require.Len(t, row, len(rows[0]))
		} else {
			require.Len(t, row, len(rows[1+len(r.Results)]))
		}
	}
	require.Equal(t, "framebridge", rows[1][0])
	require.Equal(t, "encoder", rows[1+len(r.Results)][0])
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
	for _, name := range append(append(Works(), EncoderNames()...), "framebridge", "x11vnc", "x0vncserver", "broken <server>", "framebridge bench <&>", "wrong <pixels>", "prefers-color-scheme", AxisShare, AxisViewers) {
		assert.Contains(t, text.String(), name)
	}
	// Latency and traffic of each work, four figures along two axes, two scenes.
	require.Equal(t, 2*len(Works())+8+2, svgs)

	b.Reset()
	require.NoError(t, (&Report{}).HTML(&b), "nothing was measured")
}
