package bench

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// Setup is what results have in common besides the work: only results of the same
// setup can be compared.
type Setup struct {
	Size     string `json:"size"`
	Viewers  int    `json:"viewers"`
	Encoding string `json:"encoding"`
	Compress int    `json:"compress"`
	Quality  int    `json:"quality"`        // negative: lossless
	Link     string `json:"link,omitempty"` // as package link writes it

	Continuous bool `json:"continuous,omitempty"` // updates without requests, where the server can
}

// String names the setup in a report.
func (s Setup) String() string {
	name := "lossless"
	if s.Quality >= 0 {
		name = fmt.Sprintf("JPEG quality %d", s.Quality)
	}
	name = fmt.Sprintf("%s, %s level %d, %s", s.Size, s.Encoding, s.Compress, name)
	if s.Viewers > 1 {
		name += fmt.Sprintf(", %d viewers", s.Viewers)
	}
	if s.Link != "" {
		name += ", link " + s.Link
	}
	if s.Continuous {
		name += ", continuous updates"
	}
	return name
}

// Result is one work on one server.
type Result struct {
	Server string `json:"server"`
	Work   string `json:"work"`
	Setup
	// Axis and At place the result on a curve of bench scale, where it is one.
	Axis string  `json:"axis,omitempty"`
	At   float64 `json:"at,omitempty"`

	Err string `json:"error,omitempty"` // why there are no figures

	Changes   int       `json:"changes"`
	P50       float64   `json:"p50_ms"` // of the time from draw to decoded
	P95       float64   `json:"p95_ms"`
	P99       float64   `json:"p99_ms"`
	KB        float64   `json:"kb"`             // per change and viewer
	ServerCPU float64   `json:"server_cpu_ms"`  // per change
	XCPU      float64   `json:"x_cpu_ms"`       // per change, of the X server
	Percent   float64   `json:"server_percent"` // of a core, of the server, while the work ran
	PerSecond float64   `json:"updates_per_s"`
	Missed    int       `json:"missed"`               // frames that were never seen
	Differ    int       `json:"differ"`               // pixels that differ at the end
	PSNR      float64   `json:"psnr_db"`              // at the end; 0 where the pictures are equal
	RSS       float64   `json:"rss_mb"`               // of the server, after the work
	Latency   []float64 `json:"latency_ms,omitempty"` // of every change, sorted
	Traffic   []float64 `json:"traffic_kb,omitempty"` // to the first viewer, in each trafficStep

	server, x int // processes
}

// trafficStep is the time that one value of Result.Traffic covers.
const trafficStep = 100 * time.Millisecond

// millis is d in milliseconds, to a tenth of a microsecond.
func millis(d time.Duration) float64 { return math.Round(d.Seconds()*1e7) / 1e4 }

// percentile of sorted values, by the nearest rank; 0 where there are none.
func percentile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// finish computes the percentiles.
func (r *Result) finish() {
	slices.Sort(r.Latency)
	r.P50, r.P95, r.P99 = percentile(r.Latency, 50), percentile(r.Latency, 95), percentile(r.Latency, 99)
}

// median returns the result of the runs whose every figure is the median. Where a
// run failed it is that run's.
func median(rs []Result) Result {
	out := rs[0]
	if len(rs) == 1 {
		return out
	}
	out.Latency = nil
	for i := range rs {
		if rs[i].Err != "" {
			return rs[i]
		}
		out.Latency = append(out.Latency, rs[i].Latency...)
		if rs[i].Differ > out.Differ {
			out.Differ, out.PSNR = rs[i].Differ, rs[i].PSNR
		}
	}
	slices.Sort(out.Latency)
	for _, field := range []func(*Result) *float64{
		func(r *Result) *float64 { return &r.P50 },
		func(r *Result) *float64 { return &r.P95 },
		func(r *Result) *float64 { return &r.P99 },
		func(r *Result) *float64 { return &r.KB },
		func(r *Result) *float64 { return &r.ServerCPU },
		func(r *Result) *float64 { return &r.XCPU },
		func(r *Result) *float64 { return &r.Percent },
		func(r *Result) *float64 { return &r.PerSecond },
		func(r *Result) *float64 { return &r.RSS },
	} {
		vs := make([]float64, len(rs))
		for i := range rs {
			vs[i] = *field(&rs[i])
		}
		slices.Sort(vs)
		*field(&out) = percentile(vs, 50)
	}
	missed := make([]int, len(rs))
	for i := range rs {
		missed[i] = rs[i].Missed
	}
	slices.Sort(missed)
	out.Missed = missed[len(missed)/2]
	return out
}

// summary is a line for the progress log.
func (r *Result) summary() string {
	if r.Err != "" {
		return fmt.Sprintf("%-7s failed: %s", r.Work, r.Err)
	}
	s := fmt.Sprintf("%-7s", r.Work)
	if len(r.Latency) > 0 {
		s += fmt.Sprintf(" p50 %6.2f ms  p95 %6.2f ms ", r.P50, r.P95)
	}
	s += fmt.Sprintf(" %7.1f kB  server %6.2f ms  X %5.2f ms  %5.1f %%  %5.1f/s", r.KB, r.ServerCPU, r.XCPU, r.Percent, r.PerSecond)
	if r.Work == "video" {
		s += fmt.Sprintf("  missed %d of %d", r.Missed, r.Changes)
	}
	if r.Differ > 0 {
		s += fmt.Sprintf("  %d pixels differ (%.1f dB)", r.Differ, r.PSNR)
	}
	return s + fmt.Sprintf("  %.0f MB", r.RSS)
}

// number formats v with two or three significant digits.
func number(v float64) string {
	switch a := math.Abs(v); {
	case v == 0 || math.IsInf(v, 0) || math.IsNaN(v):
		return strconv.FormatFloat(v, 'f', -1, 64)
	case a >= 99.95:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case a >= 0.0995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case a >= 0.00995:
		return strconv.FormatFloat(v, 'f', 3, 64)
	}
	return strconv.FormatFloat(v, 'f', 4, 64)
}
