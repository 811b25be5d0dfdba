package bench

import (
	"fmt"
	"slices"
	"strings"
)

// Table returns the results as a Markdown table: a row per work and figure, a
// column per server.
func Table(rs []Result) string {
	var servers, names []string
	cell := make(map[[2]string]*Result)
	for i := range rs {
		r := &rs[i]
		if !slices.Contains(servers, r.Server) {
			servers = append(servers, r.Server)
		}
		if !slices.Contains(names, r.Work) {
			names = append(names, r.Work)
		}
		cell[[2]string{r.Work, r.Server}] = r
	}
	var b strings.Builder
	fmt.Fprintf(&b, "| work | %s |\n|---%s|\n", strings.Join(servers, " | "), strings.Repeat("|---", len(servers)))
	row := func(name string, get func(*Result) string, work string) {
		fmt.Fprintf(&b, "| %s |", name)
		for _, s := range servers {
			v := "-"
			if r := cell[[2]string{work, s}]; r != nil {
				if v = r.Err; v == "" {
					v = get(r)
				}
			}
			fmt.Fprintf(&b, " %s |", v)
		}
		b.WriteByte('\n')
	}
	for _, w := range names {
		switch w {
		case "storm":
			row("storm: updates/s / server CPU %", func(r *Result) string { return fmt.Sprintf("%.0f / %.1f", r.PerSecond, r.Percent) }, w)
		case "video":
			row("video: frames missed / CPU ms per frame / kB", func(r *Result) string {
				return fmt.Sprintf("%d of %d / %.2f / %.1f", r.Missed, r.Changes, r.ServerCPU, r.KB)
			}, w)
		default:
			row(w+": p50 ms / p95 ms / kB / CPU ms", func(r *Result) string {
				return fmt.Sprintf("%.2f / %.2f / %.2f / %.2f", r.P50, r.P95, r.KB, r.ServerCPU)
			}, w)
		}
	}
	row("resident memory MB", func(r *Result) string { return fmt.Sprintf("%.0f", r.RSS) }, names[len(names)-1])
	row("pixels that differ at the end", func(r *Result) string {
		n := 0
		for i := range rs {
			if rs[i].Server == r.Server {
				n = max(n, rs[i].Differ)
			}
		}
		return fmt.Sprint(n)
	}, names[len(names)-1])
	return b.String()
}
