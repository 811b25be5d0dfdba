package bench

import (
	"fmt"
	"strings"
)

var (
	pageHead    = []string{"work: pages", "server CPU %", "server CPU ms", "X CPU ms", "frames per page", "kB per change and page", "resident MB", "server CPU to one page's", "to reach"}
	browserHead = []string{"way to the browser", "median ms", "p95 ms", "changes", "not seen", "to reach"}
)

// cells are a result's, but for the first column.
func (r *PageResult) cells() []string {
	if r.Err != "" {
		return append([]string{shortError(r.Err)}, make([]string, len(pageHead)-2)...)
	}
	growth := "-"
	if r.Growth > 0 {
		growth = number(r.Growth)
	}
	return []string{
		number(r.Percent), number(r.ServerCPU), number(r.XCPU), fmt.Sprintf("%.1f of %d", r.Frames, r.Changes), number(r.KB), number(r.RSS), growth, r.Target,
	}
}

func (r *PageResult) name() string { return fmt.Sprintf("%s: %d", r.Work, r.Pages) }

// summary is a line for the progress log.
func (r *PageResult) summary() string {
	if r.Err != "" {
		return fmt.Sprintf("%-7s failed: %s", r.Work, r.Err)
	}
	return fmt.Sprintf("%-7s server %5.1f %%  %6.2f ms  X %5.2f ms  %6.1f frames of %d  %7.2f kB  %.0f MB",
		r.Work, r.Percent, r.ServerCPU, r.XCPU, r.Frames, r.Changes, r.KB, r.RSS)
}

// cells are a result's, but for the first column.
func (r *BrowserResult) cells() []string {
	if r.Err != "" {
		return append([]string{shortError(r.Err)}, make([]string, len(browserHead)-2)...)
	}
	return []string{number(r.P50), number(r.P95), fmt.Sprint(r.Changes), fmt.Sprint(r.Missed), r.Target}
}

// summary is a line for the progress log.
func (r *BrowserResult) summary() string {
	if r.Err != "" {
		return "failed: " + r.Err
	}
	return fmt.Sprintf("median %.1f ms  p95 %.1f ms  %d changes, %d not seen", r.P50, r.P95, r.Changes, r.Missed)
}

// rows is a table, in Markdown and in HTML.
type rows struct {
	Head []string
	Rows [][]string
}

// markdown writes the table.
func (t rows) markdown() string {
	if len(t.Rows) == 0 {
		return ""
	}
	var b strings.Builder
	markdownLine(&b, t.Head)
	b.WriteString(strings.Repeat("|---", len(t.Head)) + "|\n")
	for _, r := range t.Rows {
		markdownLine(&b, r)
	}
	return b.String()
}

// videoRows, pageRows and browserRows are the tables of the results of Video, Pages
// and Browsers.
func videoRows(rs []VideoResult) rows {
	t := rows{Head: videoHead}
	for i := range rs {
		t.Rows = append(t.Rows, append([]string{rs[i].Work + ": " + rs[i].Encoder}, rs[i].cells()...))
	}
	return t
}

func pageRows(rs []PageResult) rows {
	t := rows{Head: pageHead}
	for i := range rs {
		t.Rows = append(t.Rows, append([]string{rs[i].name()}, rs[i].cells()...))
	}
	return t
}

func browserRows(rs []BrowserResult) rows {
	t := rows{Head: browserHead}
	for i := range rs {
		t.Rows = append(t.Rows, append([]string{rs[i].Way}, rs[i].cells()...))
	}
	return t
}
