package bench

import (
	"fmt"
	"strings"
)

// videoHead are the columns of the table of Video, in Markdown and in HTML.
var videoHead = []string{
	"work: encoder", "p50 ms", "p95 ms", "CPU ms", "bytes per frame", "luma dB", "of the area", "bytes to libvpx's at that dB", "to reach",
}

// cells are a result's, but for the first column.
func (r *VideoResult) cells() []string {
	if r.Err != "" {
		return append([]string{shortError(r.Err)}, make([]string, len(videoHead)-2)...)
	}
	known := func(v float64) string {
		if v == 0 {
			return "-"
		}
		return number(v)
	}
	psnr := func(v float64) string {
		if v == 0 {
			return "identical"
		}
		return fmt.Sprintf("%.2f", v)
	}
	area := "-"
	if r.AreaPSNR != 0 {
		area = psnr(r.AreaPSNR)
	}
	bytes := fmt.Sprintf("%.0f", r.Bytes)
	if r.Passes > 0 {
		bytes += fmt.Sprintf(" in %d passes", r.Passes)
	} else if r.Work == "rest" {
		bytes += fmt.Sprintf(" in %d frames", r.Frames)
	}
	return []string{known(r.P50), known(r.P95), number(r.CPU), bytes, psnr(r.PSNR), area, known(r.Ratio), r.Target}
}

// markdownLine writes a row of a table.
func markdownLine(b *strings.Builder, cells []string) {
	escaped := make([]string, len(cells))
	for i, c := range cells {
		escaped[i] = strings.ReplaceAll(c, "|", "\\|")
	}
	fmt.Fprintf(b, "| %s |\n", strings.Join(escaped, " | "))
}

// summary is a line for the progress log.
func (r *VideoResult) summary() string {
	if r.Err != "" {
		return fmt.Sprintf("%-16s failed: %s", r.Encoder, r.Err)
	}
	s := fmt.Sprintf("%-16s", r.Encoder)
	if r.P50 > 0 {
		s += fmt.Sprintf(" p50 %7.3f ms  p95 %7.3f ms ", r.P50, r.P95)
	}
	s += fmt.Sprintf(" CPU %7.3f ms  %8.0f bytes  %.2f dB", r.CPU, r.Bytes, r.PSNR)
	if r.AreaPSNR > 0 {
		s += fmt.Sprintf("  area %.2f dB", r.AreaPSNR)
	}
	if r.Passes > 0 {
		s += fmt.Sprintf("  %d passes", r.Passes)
	}
	return s
}
