// Package chart draws plots as SVG for HTML pages. Colours come from the page: each
// series has the class s0, s1 and so on, axes and text the classes axis, grid and
// label, so that a page can be light or dark.
package chart

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Chart is a plot of series over two axes.
type Chart struct {
	Title string
	X, Y  Axis
	// Series are drawn in their order.
	Series []Series
}

// Axis is one of a chart's axes.
type Axis struct {
	Label string
	Log   bool // values must be positive; others are left out
	Zero  bool // a linear axis begins at zero
	// Ticks replace those found by themselves; with Names they are called so.
	Ticks []float64
	Names []string
}

// Series is a line or points. Points that are NaN are gaps.
type Series struct {
	Name   string // shown where the pointer is
	Class  int    // colour
	X, Y   []float64
	Dots   bool     // a dot at each point
	NoLine bool     // no line between points
	Steps  bool     // the line goes right, then up
	Labels []string // of the points, drawn beside them; may be nil
}

// Sizes in SVG units.
const (
	width, height = 460, 280
	left, right   = 54, 14
	top, bottom   = 30, 44
)

// SVG returns the chart as an svg element.
func (c *Chart) SVG() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %d %d" role="img" aria-label="%s">`, width, height, html.EscapeString(c.Title))
	fmt.Fprintf(&b, `<text class="title" x="%d" y="16">%s</text>`, left, html.EscapeString(c.Title))
	x := newScale(c.X, c.values(func(s *Series) []float64 { return s.X }), left, width-right)
	y := newScale(c.Y, c.values(func(s *Series) []float64 { return s.Y }), height-bottom, top)
	if x.lo == x.hi && y.lo == y.hi && len(c.Series) == 0 {
		b.WriteString(`</svg>`)
		return b.String()
	}
	for i, v := range x.ticks {
		p := x.at(v)
		fmt.Fprintf(&b, `<path class="grid" d="M%s %dV%d"/>`, coordinate(p), top, height-bottom)
		anchor, name := "middle", x.name(i)
		if p+3*float64(len(name)) > width { // about six units a letter
			anchor, p = "end", width-2
		}
		fmt.Fprintf(&b, `<text class="label" text-anchor="%s" x="%s" y="%d">%s</text>`, anchor, coordinate(p), height-bottom+15, html.EscapeString(name))
	}
	for i, v := range y.ticks {
		p := y.at(v)
		fmt.Fprintf(&b, `<path class="grid" d="M%d %sH%d"/>`, left, coordinate(p), width-right)
		fmt.Fprintf(&b, `<text class="label" text-anchor="end" x="%d" y="%s">%s</text>`, left-5, coordinate(p+4), html.EscapeString(y.name(i)))
	}
	fmt.Fprintf(&b, `<path class="axis" d="M%d %dV%dH%d"/>`, left, top, height-bottom, width-right)
	fmt.Fprintf(&b, `<text class="label" text-anchor="middle" x="%d" y="%d">%s</text>`, (left+width-right)/2, height-8, html.EscapeString(c.X.Label))
	fmt.Fprintf(&b, `<text class="label" text-anchor="middle" transform="translate(12 %d) rotate(-90)">%s</text>`, (top+height-bottom)/2, html.EscapeString(c.Y.Label))
	for i := range c.Series {
		c.Series[i].draw(&b, x, y)
	}
	b.WriteString(`</svg>`)
	return b.String()
}

// values returns all values of an axis.
func (c *Chart) values(get func(*Series) []float64) (all []float64) {
	for i := range c.Series {
		all = append(all, get(&c.Series[i])...)
	}
	return all
}

func (s *Series) draw(b *strings.Builder, x, y scale) {
	fmt.Fprintf(b, `<g class="s%d"><title>%s</title>`, s.Class, html.EscapeString(s.Name))
	var line, dots, labels strings.Builder
	pen := false
	for i := range min(len(s.X), len(s.Y)) {
		if !x.shows(s.X[i]) || !y.shows(s.Y[i]) {
			pen = false
			continue
		}
		px, py := coordinate(x.at(s.X[i])), coordinate(y.at(s.Y[i]))
		switch {
		case !pen:
			fmt.Fprintf(&line, "M%s %s", px, py)
		case s.Steps:
			fmt.Fprintf(&line, "H%sV%s", px, py)
		default:
			fmt.Fprintf(&line, "L%s %s", px, py)
		}
		pen = true
		if s.Dots {
			fmt.Fprintf(&dots, `<circle cx="%s" cy="%s" r="3"/>`, px, py)
		}
		if s.Labels != nil {
			at, anchor := x.at(s.X[i])+5, "start"
			if at > width-80 { // it would leave the picture
				at, anchor = at-10, "end"
			}
			fmt.Fprintf(&labels, `<text class="point" text-anchor="%s" x="%s" y="%s">%s</text>`, anchor, coordinate(at), coordinate(y.at(s.Y[i])-4), html.EscapeString(s.Labels[i]))
		}
	}
	if !s.NoLine {
		fmt.Fprintf(b, `<path class="line" d="%s"/>`, line.String())
	}
	b.WriteString(dots.String() + labels.String() + `</g>`)
}

// coordinate formats a place to a tenth of a unit.
func coordinate(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// scale maps values to places.
type scale struct {
	log      bool
	lo, hi   float64
	from, to float64
	ticks    []float64
	names    []string
}

func newScale(a Axis, values []float64, from, to float64) scale {
	s := scale{log: a.Log, from: from, to: to, lo: math.Inf(1), hi: math.Inf(-1)}
	for _, v := range append(slices.Clone(values), a.Ticks...) {
		if math.IsNaN(v) || math.IsInf(v, 0) || s.log && v <= 0 {
			continue
		}
		s.lo, s.hi = min(s.lo, v), max(s.hi, v)
	}
	if s.lo > s.hi {
		s.lo, s.hi = 1, 10
	}
	if a.Zero && !s.log {
		s.lo = min(0, s.lo)
	}
	switch {
	case a.Ticks != nil:
		s.ticks, s.names = a.Ticks, a.Names
		if s.lo == s.hi {
			s.hi++
		}
	case s.log:
		s.logTicks()
	default:
		s.linearTicks()
	}
	return s
}

// linearTicks widens the scale to round numbers, about five steps.
func (s *scale) linearTicks() {
	if s.lo == s.hi {
		s.hi = s.lo + max(1, math.Abs(s.lo))
	}
	raw := (s.hi - s.lo) / 5
	step := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, k := range []float64{2, 5, 10} {
		if step*k/2 < raw && raw <= step*k {
			step *= k
			break
		}
	}
	s.lo, s.hi = math.Floor(s.lo/step)*step, math.Ceil(s.hi/step)*step
	for i := 0.; s.lo+i*step <= s.hi+step/2 && i < 20; i++ {
		s.ticks = append(s.ticks, s.lo+i*step)
	}
}

// logTicks widens the scale to 1, 2 or 5 times powers of ten. Where there are many,
// only powers of ten are named.
func (s *scale) logTicks() {
	var all []float64
	for e := math.Floor(math.Log10(s.lo)); e <= math.Ceil(math.Log10(s.hi)); e++ {
		for _, k := range []float64{1, 2, 5} {
			all = append(all, k*math.Pow(10, e))
		}
	}
	first, last := 0, len(all)-1
	for first+1 < len(all) && all[first+1] <= s.lo {
		first++
	}
	for last > first+1 && all[last-1] >= s.hi {
		last--
	}
	s.lo, s.hi = all[first], all[last]
	for i, v := range all[first : last+1] {
		if last-first <= 7 || (first+i)%3 == 0 {
			s.ticks = append(s.ticks, v)
		}
	}
}

// shows reports whether v has a place.
func (s *scale) shows(v float64) bool {
	return !math.IsNaN(v) && !math.IsInf(v, 0) && (!s.log || v > 0)
}

// at returns v's place.
func (s *scale) at(v float64) float64 {
	lo, hi := s.lo, s.hi
	if s.log {
		lo, hi, v = math.Log(lo), math.Log(hi), math.Log(v)
	}
	return s.from + (v-lo)/(hi-lo)*(s.to-s.from)
}

func (s *scale) name(i int) string {
	if s.names != nil {
		return s.names[i]
	}
	v := s.ticks[i]
	if math.Abs(v) >= 1e6 {
		return strconv.FormatFloat(v/1e6, 'g', 4, 64) + "M"
	}
	if math.Abs(v) >= 1e4 {
		return strconv.FormatFloat(v/1e3, 'g', 4, 64) + "k"
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}
