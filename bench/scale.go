package bench

import (
	"context"
	"fmt"
	"image"
	"math"
	"slices"
	"strconv"
	"strings"
)

// The axes of Scale.
const (
	AxisPixels  = "screen size"   // megapixels
	AxisShare   = "share changed" // percent of the screen
	AxisViewers = "viewers"       // number
)

// Axes lists the axes.
var Axes = []string{AxisPixels, AxisShare, AxisViewers}

var (
	scaleSizes   = []string{"1280x720", "1920x1080", "3840x2160", "7680x4320"}
	scaleViewers = []int{1, 2, 4, 8, 16, 32, 64}
	scaleShares  = []float64{0.01, 0.1, 0.5, 1} // after one character
)

// shareOfCharacter is that of a character of 9x18 on 1080p.
const shareOfCharacter = 9 * 18 / 1920. / 1080

// ScaleOptions configures Scale.
type ScaleOptions struct {
	LiveOptions          // Works and Link are ignored, Size holds where it does not grow
	Axes        []string // default all
	MaxViewers  int      // default 64
	MaxPixels   int      // default that of 7680x4320
}

// Scale measures how latency, CPU time, bytes and memory grow: with the screen's
// size (works type and full), the share of it that changes, and the number of
// viewers (work popup).
//
// All viewers decode on this machine, so with many of them the latency is the
// machine's; the server's CPU time is its own.
func Scale(ctx context.Context, o ScaleOptions) ([]Result, error) {
	if o.MaxViewers == 0 {
		o.MaxViewers = slices.Max(scaleViewers)
	}
	if o.MaxPixels == 0 {
		o.MaxPixels = 7680 * 4320
	}
	if len(o.Axes) == 0 {
		o.Axes = Axes
	}
	if o.Changes == 0 {
		o.Changes = 20
	}
	if o.Size == "" {
		o.Size = "1920x1080"
	}
	w, h, err := parseSize(o.Size)
	if err != nil {
		return nil, err
	}
	var parts []LiveOptions
	for _, axis := range o.Axes {
		part := o.LiveOptions
		switch axis {
		case AxisPixels:
			part.chosen = named("type", "full")
			for _, size := range scaleSizes {
				w, h, err := parseSize(size)
				if err != nil {
					return nil, err
				}
				if w*h <= o.MaxPixels {
					part.Size, part.at = size, mark{axis, float64(w*h) / 1e6}
					parts = append(parts, part)
				}
			}
		case AxisShare:
			part.chosen = shares(w, h)
			parts = append(parts, part)
		case AxisViewers:
			part.chosen = named("popup")
			for _, n := range scaleViewers {
				if n <= o.MaxViewers {
					part.Viewers, part.at = n, mark{axis, float64(n)}
					parts = append(parts, part)
				}
			}
		default:
			return nil, fmt.Errorf("axis %q: known are %s", axis, strings.Join(Axes, ", "))
		}
	}
	return Parts(ctx, parts)
}

// named returns works by name.
func named(names ...string) (out []work) {
	for _, w := range works {
		if slices.Contains(names, w.name) {
			out = append(out, w)
		}
	}
	return out
}

// shares returns works that change parts of a screen.
func shares(w, h int) []work {
	out := []work{{
		name: "1 char", what: "a rectangle of 9x18", run: pictures(image.Pt(9, 18), 4),
		at: mark{AxisShare, 100 * shareOfCharacter},
	}}
	for _, share := range scaleShares {
		side := math.Sqrt(share)
		size := image.Pt(int(float64(w)*side), int(float64(h)*side))
		out = append(out, work{
			name: fmt.Sprintf("%g %%", share*100), what: "a page or photo of that share of the screen",
			run: pictures(size, 4), at: mark{AxisShare, 100 * share},
		})
	}
	return out
}

// Parts runs several measurements as one.
func Parts(ctx context.Context, parts []LiveOptions) ([]Result, error) {
	var out []Result
	for i, o := range parts {
		if o.Log != nil {
			fmt.Fprintf(o.Log, "part %d of %d: ", i+1, len(parts))
		}
		rs, err := Live(ctx, o)
		if err != nil {
			return nil, err
		}
		out = append(out, rs...)
	}
	return out, nil
}

// curve is a figure of one work as it grows along an axis, for each server.
type curve struct {
	axis, work string // work is empty where the axis is made of works
	figure     figure
	at         []float64
	labels     []string // of the points
	servers    []string
	values     map[string][]float64 // NaN: no result
}

// curves arranges points: a curve per axis, work and figure.
func curves(rs []Result) (out []curve) {
	type key struct{ axis, work string }
	var keys []key
	groups := make(map[key][]*Result)
	for i := range rs {
		r := &rs[i]
		if r.Axis == "" {
			continue
		}
		k := key{r.Axis, r.Work}
		if r.Axis == AxisShare {
			k.work = ""
		}
		if groups[k] == nil {
			keys = append(keys, k)
		}
		groups[k] = append(groups[k], r)
	}
	for _, k := range keys {
		for _, f := range []figure{figP50, figCPU, figKB, figRSS} {
			c := curve{axis: k.axis, work: k.work, figure: f, values: make(map[string][]float64)}
			for _, r := range groups[k] {
				if !slices.Contains(c.at, r.At) {
					c.at, c.labels = append(c.at, r.At), append(c.labels, r.point())
				}
				if !slices.Contains(c.servers, r.Server) {
					c.servers = append(c.servers, r.Server)
				}
			}
			for _, s := range c.servers {
				c.values[s] = slices.Repeat([]float64{math.NaN()}, len(c.at))
			}
			for _, r := range groups[k] {
				if r.Err == "" {
					c.values[r.Server][slices.Index(c.at, r.At)] = f.get(r)
				}
			}
			out = append(out, c)
		}
	}
	return out
}

// point names a result's place on its axis.
func (r *Result) point() string {
	switch r.Axis {
	case AxisShare:
		return r.Work
	case AxisPixels:
		return r.Size
	}
	return strconv.FormatFloat(r.At, 'g', -1, 64)
}

func (c *curve) title() string {
	if c.work == "" {
		return c.figure.name + " by " + c.axis
	}
	return c.work + ": " + c.figure.name + " by " + c.axis
}

// Curves returns the points of curves as Markdown tables: a row per point, a column
// per server, the last row the growth from the first point to the last.
func Curves(rs []Result) string {
	var b strings.Builder
	for _, c := range curves(rs) {
		fmt.Fprintf(&b, "\n| %s | %s |\n%s|\n", c.title(), strings.Join(c.servers, " | "), strings.Repeat("|---", len(c.servers)+1))
		for i, label := range c.labels {
			fmt.Fprintf(&b, "| %s |", label)
			for _, s := range c.servers {
				fmt.Fprintf(&b, " %s |", orDash(c.values[s][i]))
			}
			b.WriteByte('\n')
		}
		b.WriteString("| last to first |")
		for _, s := range c.servers {
			v := c.values[s]
			fmt.Fprintf(&b, " %s |", orDash(v[len(v)-1]/v[0]))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func orDash(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "-"
	}
	return number(v)
}
