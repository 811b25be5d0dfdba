package bench

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"framebridge/bench/link"
)

// reference is the server that ratios are taken to.
const reference = "x0vncserver"

// figure is one number of a cell.
type figure struct {
	name string
	get  func(*Result) float64
}

var (
	figP50      = figure{"p50 ms", func(r *Result) float64 { return r.P50 }}
	figKB       = figure{"kB", func(r *Result) float64 { return r.KB }}
	figCPU      = figure{"server CPU ms", func(r *Result) float64 { return r.ServerCPU }}
	figFrameCPU = figure{"server CPU ms per frame", func(r *Result) float64 { return r.ServerCPU }}
	figFrameKB  = figure{"kB per frame", func(r *Result) float64 { return r.KB }}
	figPercent  = figure{"server CPU %", func(r *Result) float64 { return r.Percent }}
	figRate     = figure{"updates/s", func(r *Result) float64 { return r.PerSecond }}
	figMissed   = figure{"frames missed", func(r *Result) float64 { return float64(r.Missed) }}
	figRSS      = figure{"resident MB", func(r *Result) float64 { return r.RSS }}
)

// figures are what the table says of a work.
func figures(work string) []figure {
	switch work {
	case "idle":
		return []figure{figRSS, figPercent}
	case "storm":
		return []figure{figRate, figPercent}
	case "video":
		return []figure{figMissed, figFrameKB, figFrameCPU}
	}
	return []figure{figP50, figKB, figCPU}
}

// kind is what a setup is in the table of targets.
func (s Setup) kind() string {
	switch {
	case s.Link != "":
		return "link"
	case s.Viewers > 1:
		return "viewers"
	case s.Quality >= 0:
		return "jpeg"
	}
	return "lossless"
}

// targets are the ratios to the reference that this project wants to reach, in the
// order of the work's figures. A dash is no target.
var targets = map[[2]string]string{
	{"lossless", "idle"}:   "1.35 / -",
	{"lossless", "type"}:   "0.11 / - / -",
	{"lossless", "popup"}:  "0.37 / - / 0.43",
	{"lossless", "full"}:   "0.51 / - / 0.48",
	{"lossless", "scroll"}: "0.19 / 0.05 / 0.25",
	{"lossless", "storm"}:  "60 per s / 0.43",
	{"lossless", "video"}:  "none missed / - / 0.40",
	{"jpeg", "popup"}:      "- / - / 0.21",
	{"jpeg", "full"}:       "- / - / 0.19",
	{"jpeg", "video"}:      "- / - / 0.32",
	{"link", "type"}:       "0.72 / - / -",
	{"link", "full"}:       "0.59 / - / -",
	{"link", "video"}:      "none missed / - / -",
}

// table is the results arranged for people.
type table struct {
	servers  []string
	sections []section
}

// section is the rows of one setup.
type section struct {
	setup Setup
	rows  []row
}

// row is one work, or a comparison of works.
type row struct {
	name   string
	cells  []string // by server
	ratio  string   // of the first server to the reference; empty: none
	target string
}

// arrange makes the table of results that are no points of curves.
func arrange(rs []Result) table {
	var t table
	find := make(map[Setup]map[string]map[string]*Result) // setup, work, server
	works := make(map[Setup][]string)
	var setups []Setup
	for i := range rs {
		r := &rs[i]
		if r.Axis != "" {
			continue
		}
		if !slices.Contains(t.servers, r.Server) {
			t.servers = append(t.servers, r.Server)
		}
		if find[r.Setup] == nil {
			find[r.Setup] = make(map[string]map[string]*Result)
			setups = append(setups, r.Setup)
		}
		if find[r.Setup][r.Work] == nil {
			find[r.Setup][r.Work] = make(map[string]*Result)
			works[r.Setup] = append(works[r.Setup], r.Work)
		}
		find[r.Setup][r.Work][r.Server] = r
	}
	for _, s := range setups {
		sec := section{setup: s}
		for _, w := range works[s] {
			sec.rows = append(sec.rows, t.row(s, w, find[s][w]))
		}
		one := s
		one.Viewers = 1
		if s.Viewers > 1 {
			for _, w := range works[s] {
				if find[one][w] != nil {
					sec.rows = append(sec.rows, t.growth(s, w, find[s][w], find[one][w]))
				}
			}
		}
		if r, ok := t.differ(s, find[s]); ok {
			sec.rows = append(sec.rows, r)
		}
		t.sections = append(t.sections, sec)
	}
	return t
}

// row is a work's figures.
func (t *table) row(s Setup, work string, of map[string]*Result) row {
	fs := figures(work)
	names := make([]string, len(fs))
	for i, f := range fs {
		names[i] = f.name
	}
	out := row{name: work + ": " + strings.Join(names, " / "), target: targets[[2]string{s.kind(), work}]}
	for _, server := range t.servers {
		r := of[server]
		switch {
		case r == nil:
			out.cells = append(out.cells, "-")
		case r.Err != "":
			out.cells = append(out.cells, shortError(r.Err))
		default:
			values := make([]string, len(fs))
			for i, f := range fs {
				values[i] = number(f.get(r))
			}
			if work == "video" {
				values[0] = fmt.Sprintf("%d of %d", r.Missed, r.Changes)
			}
			out.cells = append(out.cells, strings.Join(values, " / "))
		}
	}
	own, ref := of[t.servers[0]], of[reference]
	if own != nil && ref != nil && own != ref && own.Err == "" && ref.Err == "" {
		values := make([]string, len(fs))
		for i, f := range fs {
			values[i] = ratio(f.get(own), f.get(ref))
		}
		out.ratio = strings.Join(values, " / ")
	}
	return out
}

// shortError is what of an error fits a table; all of it is in the other outputs.
func shortError(s string) string {
	const most = 60
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return "failed: " + s
}

// ratio formats a to b.
func ratio(a, b float64) string {
	if b == 0 {
		return "-"
	}
	return number(math.Round(a/b*1000) / 1000)
}

// growth is what more viewers cost against one.
func (t *table) growth(s Setup, work string, many, one map[string]*Result) row {
	out := row{name: fmt.Sprintf("%s: server CPU of %d viewers to that of one", work, s.Viewers), target: "below 2"}
	for _, server := range t.servers {
		m, o := many[server], one[server]
		if m == nil || o == nil || m.Err != "" || o.Err != "" {
			out.cells = append(out.cells, "-")
			continue
		}
		out.cells = append(out.cells, ratio(m.ServerCPU, o.ServerCPU))
	}
	return out
}

// differ is the pixels that were wrong at the end of a work, if any were.
func (t *table) differ(s Setup, of map[string]map[string]*Result) (row, bool) {
	out := row{name: "pixels that differ from the display at the end"}
	if s.Quality < 0 {
		out.target = "0"
	}
	found := false
	for _, server := range t.servers {
		n, psnr := 0, 0.0
		for _, rs := range of {
			if r := rs[server]; r != nil && r.Differ > n {
				n, psnr = r.Differ, r.PSNR
			}
		}
		cell := fmt.Sprint(n)
		if n > 0 {
			found = true
			cell += fmt.Sprintf(" (%.1f dB)", psnr)
		}
		out.cells = append(out.cells, cell)
	}
	return out, found
}

// Table returns the results as a Markdown table: a row per work, a column per
// server, the first server's figures as ratios to x0vncserver's and what these are
// to be. Points of curves are left to Curves.
func Table(rs []Result) string {
	t := arrange(rs)
	if len(t.sections) == 0 {
		return ""
	}
	compared := len(t.servers) > 1 && slices.Contains(t.servers, reference)
	head := append([]string{"work: figures"}, t.servers...)
	if compared {
		head = append(head, t.servers[0]+" to "+reference, "to reach")
	}
	var b strings.Builder
	line := func(cells []string) { markdownLine(&b, cells) }
	line(head)
	b.WriteString(strings.Repeat("|---", len(head)) + "|\n")
	for _, s := range t.sections {
		line(append([]string{"**" + s.setup.String() + "**"}, make([]string, len(head)-1)...))
		for _, r := range s.rows {
			cells := append([]string{r.name}, r.cells...)
			if compared {
				cells = append(cells, r.ratio, r.target)
			}
			line(cells)
		}
	}
	return b.String()
}

// TableParts are the measurements of the README's table: o's servers, changes and
// runs in four setups.
func TableParts(o LiveOptions) []LiveOptions {
	lossless := o
	lossless.Works, lossless.Viewers, lossless.Link = nil, 1, link.Options{}
	lossless.Viewing.Quality, lossless.Viewing.Compress = -1, 1
	lossy := lossless
	lossy.Viewing.Quality = 6
	lossy.Works = []string{"popup", "full", "video"}
	many := lossless
	many.Viewers = 16
	many.Works = []string{"popup"}
	far := lossy
	far.Link = link.Options{Delay: 20 * time.Millisecond, Rate: 10e6}
	far.Viewing.Continuous = true
	far.Works = []string{"type", "full", "video"}
	return []LiveOptions{lossless, lossy, many, far}
}
