package bench

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Report is what a run of the harness found, with what one must know to judge it.
type Report struct {
	Made    time.Time `json:"made"`
	Program string    `json:"program"` // version
	Command string    `json:"command"`
	Machine Machine   `json:"machine"`

	Results []Result       `json:"results,omitempty"` // of Live and Scale
	Encode  []EncodeResult `json:"encode,omitempty"`
	Video   []VideoResult  `json:"video,omitempty"`

	Pages    []PageResult    `json:"pages,omitempty"`
	Browsers []BrowserResult `json:"browsers,omitempty"`
}

// Machine is where it ran.
type Machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Kernel string `json:"kernel"`
	Arch   string `json:"arch"`
}

// ThisMachine describes the machine.
func ThisMachine() Machine {
	m := Machine{CPU: "unknown", Cores: runtime.NumCPU(), Arch: runtime.GOARCH}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(b))
	}
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return m
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if k, v, _ := strings.Cut(s.Text(), ":"); strings.TrimSpace(k) == "model name" {
			m.CPU = strings.TrimSpace(v)
			break
		}
	}
	return m
}

// Markdown returns all tables.
func (r *Report) Markdown() string {
	var parts []string
	for _, s := range []string{Table(r.Results), Curves(r.Results), EncodeTable(r.Encode), videoRows(r.Video).markdown(),
		pageRows(r.Pages).markdown(), browserRows(r.Browsers).markdown()} {
		if s != "" {
			parts = append(parts, strings.TrimPrefix(s, "\n"))
		}
	}
	return strings.Join(parts, "\n")
}

// JSON writes everything, single latencies included.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "\t")
	return e.Encode(r)
}

// CSV writes a line per result: those of Live and Scale under one header, those of
// Encode, Video, Pages and Browsers under others.
func (r *Report) CSV(w io.Writer) error {
	c := csv.NewWriter(w)
	var err error
	line := func(cells ...string) { err = errors.Join(err, c.Write(cells)) }
	f := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	if len(r.Results) > 0 {
		line("server", "work", "size", "viewers", "encoding", "compress", "quality", "link", "continuous", "axis", "at", "error",
			"changes", "p50_ms", "p95_ms", "p99_ms", "kb", "server_cpu_ms", "x_cpu_ms", "server_percent", "updates_per_s",
			"missed", "differ", "psnr_db", "rss_mb")
	}
	for _, x := range r.Results {
		line(x.Server, x.Work, x.Size, strconv.Itoa(x.Viewers), x.Encoding, strconv.Itoa(x.Compress), strconv.Itoa(x.Quality),
			x.Link, strconv.FormatBool(x.Continuous), x.Axis, f(x.At), x.Err, strconv.Itoa(x.Changes), f(x.P50), f(x.P95), f(x.P99), f(x.KB), f(x.ServerCPU),
			f(x.XCPU), f(x.Percent), f(x.PerSecond), strconv.Itoa(x.Missed), strconv.Itoa(x.Differ), f(x.PSNR), f(x.RSS))
	}
	if len(r.Encode) > 0 {
		line("encoder", "scene", "error", "frames", "p50_ms", "p95_ms", "p99_ms", "mb_per_s", "kb", "ratio", "psnr_db")
	}
	for _, x := range r.Encode {
		line(x.Encoder, x.Scene, x.Err, strconv.Itoa(x.Frames), f(x.P50), f(x.P95), f(x.P99), f(x.MBs), f(x.KB), f(x.Ratio), f(x.PSNR))
	}
	if len(r.Video) > 0 {
		line("encoder", "work", "error", "frames", "p50_ms", "p95_ms", "cpu_ms", "bytes", "psnr_db", "area_psnr_db", "passes", "ratio", "target")
	}
	for _, x := range r.Video {
		line(x.Encoder, x.Work, x.Err, strconv.Itoa(x.Frames), f(x.P50), f(x.P95), f(x.CPU), f(x.Bytes), f(x.PSNR), f(x.AreaPSNR),
			strconv.Itoa(x.Passes), f(x.Ratio), x.Target)
	}
	if len(r.Pages) > 0 {
		line("work", "pages", "error", "changes", "server_cpu_ms", "x_cpu_ms", "server_percent", "frames", "kb", "rss_mb", "growth", "target")
	}
	for _, x := range r.Pages {
		line(x.Work, strconv.Itoa(x.Pages), x.Err, strconv.Itoa(x.Changes), f(x.ServerCPU), f(x.XCPU), f(x.Percent), f(x.Frames), f(x.KB),
			f(x.RSS), f(x.Growth), x.Target)
	}
	if len(r.Browsers) > 0 {
		line("way", "error", "changes", "missed", "p50_ms", "p95_ms", "target")
	}
	for _, x := range r.Browsers {
		line(x.Way, x.Err, strconv.Itoa(x.Changes), strconv.Itoa(x.Missed), f(x.P50), f(x.P95), x.Target)
	}
	c.Flush()
	return errors.Join(err, c.Error())
}
