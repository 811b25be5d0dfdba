package bench

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"framebridge/bench/chart"
)

//go:embed report.html.tmpl
var reportTemplate string

// htmlPage is what the template shows.
type htmlPage struct {
	*Report
	When    string
	Servers []string // the legend of all charts but the encoders'
	Table   htmlTable
	Plots   []htmlGroup // of setups
	Curves  []htmlGroup // of axes
	Scenes  []htmlScene
	Works   []htmlWorks
}

// htmlWorks is a table of what is not of VNC servers, with plots.
type htmlWorks struct {
	Title, About string
	rows
	Legend []string
	Charts []template.HTML
}

type htmlTable struct {
	Head     []string
	Sections []htmlSection
}

type htmlSection struct {
	Title string
	Rows  [][]string
}

// htmlGroup is charts under one heading.
type htmlGroup struct {
	Title  string
	Charts []template.HTML
}

type htmlScene struct {
	Name    string
	Rows    []EncodeResult
	Chart   template.HTML
	Slowest float64 // p50
	Largest float64 // kB
}

// HTML writes one page with tables and plots that needs nothing else.
func (r *Report) HTML(w io.Writer) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"number": number,
		"series": func(i int) string { return fmt.Sprintf("s%d", i%seriesClasses) },
		"bar":    func(v, most float64) string { return fmt.Sprintf("%.1f", 100*v/max(most, 1e-9)) },
		"psnr":   func(x EncodeResult) string { return x.quality() },
	}).Parse(reportTemplate)
	if err != nil {
		return err
	}
	p := &htmlPage{Report: r, When: r.Made.UTC().Format(time.RFC1123), Servers: servers(r.Results)}
	p.table()
	p.plots()
	p.curves()
	p.scenes()
	p.works()
	return t.Execute(w, p)
}

// seriesClasses is how many colours the template has.
const seriesClasses = 9

func servers(rs []Result) (names []string) {
	for i := range rs {
		if !slices.Contains(names, rs[i].Server) {
			names = append(names, rs[i].Server)
		}
	}
	return names
}

func (p *htmlPage) class(server string) int { return slices.Index(p.Servers, server) % seriesClasses }

func (p *htmlPage) table() {
	t := arrange(p.Results)
	if len(t.sections) == 0 {
		return
	}
	compared := len(t.servers) > 1 && slices.Contains(t.servers, reference)
	p.Table.Head = append([]string{"work: figures"}, t.servers...)
	if compared {
		p.Table.Head = append(p.Table.Head, t.servers[0]+" to "+reference, "to reach")
	}
	for _, s := range t.sections {
		sec := htmlSection{Title: s.setup.String()}
		for _, r := range s.rows {
			cells := append([]string{r.name}, r.cells...)
			if compared {
				cells = append(cells, r.ratio, r.target)
			}
			sec.Rows = append(sec.Rows, cells)
		}
		p.Table.Sections = append(p.Table.Sections, sec)
	}
}

// plots draws the distribution of latencies, and the bytes over time, of each work.
func (p *htmlPage) plots() {
	type key struct {
		Setup
		work string
	}
	var keys []key
	groups := make(map[key][]*Result)
	for i := range p.Results {
		r := &p.Results[i]
		if r.Axis != "" || r.Err != "" {
			continue
		}
		k := key{r.Setup, r.Work}
		if groups[k] == nil {
			keys = append(keys, k)
		}
		groups[k] = append(groups[k], r)
	}
	at := make(map[Setup]int)
	for _, k := range keys {
		i, ok := at[k.Setup]
		if !ok {
			i = len(p.Plots)
			at[k.Setup] = i
			p.Plots = append(p.Plots, htmlGroup{Title: k.Setup.String()})
		}
		g := &p.Plots[i]
		cdf := chart.Chart{
			Title: k.work + ": latency distribution",
			X:     chart.Axis{Label: "ms from drawing to decoded", Log: true},
			Y:     chart.Axis{Label: "% of changes", Ticks: []float64{0, 25, 50, 75, 100}, Names: []string{"0", "25", "50", "75", "100"}},
		}
		flow := chart.Chart{
			Title: k.work + ": bytes over time",
			X:     chart.Axis{Label: "seconds", Zero: true},
			Y:     chart.Axis{Label: "kB in 0.1 s", Zero: true},
		}
		for _, r := range groups[k] {
			if len(r.Latency) > 0 {
				cdf.Series = append(cdf.Series, distribution(r.Server, p.class(r.Server), r.Latency))
			}
			s := chart.Series{Name: r.Server, Class: p.class(r.Server)}
			for i, v := range r.Traffic {
				s.X, s.Y = append(s.X, float64(i)*trafficStep.Seconds()), append(s.Y, v)
			}
			if len(s.X) > 1 && slices.Max(s.Y) > 0 {
				flow.Series = append(flow.Series, s)
			}
		}
		for _, c := range []*chart.Chart{&cdf, &flow} {
			if len(c.Series) > 0 {
				g.Charts = append(g.Charts, template.HTML(c.SVG())) //nolint:gosec // package chart escapes all text
			}
		}
	}
}

// curves draws the results of Scale.
func (p *htmlPage) curves() {
	for _, c := range curves(p.Results) {
		if len(p.Curves) == 0 || p.Curves[len(p.Curves)-1].Title != c.axis {
			p.Curves = append(p.Curves, htmlGroup{Title: c.axis})
		}
		x := chart.Axis{Label: c.axis, Log: true, Ticks: c.at, Names: c.labels}
		y := chart.Axis{Label: c.figure.name, Log: true}
		ch := chart.Chart{Title: c.title(), X: x, Y: y}
		for _, s := range c.servers {
			ch.Series = append(ch.Series, chart.Series{Name: s, Class: p.class(s), X: c.at, Y: c.values[s], Dots: true})
		}
		g := &p.Curves[len(p.Curves)-1]
		g.Charts = append(g.Charts, template.HTML(ch.SVG())) //nolint:gosec // package chart escapes all text
	}
}

// scenes draws the results of Encode: time against bytes for each scene.
func (p *htmlPage) scenes() {
	names, of := byScene(p.Encode)
	for _, name := range names {
		s := htmlScene{Name: name, Rows: of[name]}
		for _, r := range s.Rows {
			s.Slowest, s.Largest = max(s.Slowest, r.P50), max(s.Largest, r.KB)
		}
		p.Scenes = append(p.Scenes, s)
	}
	for i := range p.Scenes {
		s := &p.Scenes[i]
		ch := chart.Chart{
			Title: s.Name + ": time and bytes of a frame",
			X:     chart.Axis{Label: "kB per frame", Log: true}, Y: chart.Axis{Label: "p50 ms", Log: true},
		}
		byFamily := make(map[string]int)
		for _, r := range s.Rows {
			if r.Err != "" {
				continue
			}
			f := family(r.Encoder)
			k, ok := byFamily[f]
			if !ok {
				k = len(ch.Series)
				byFamily[f] = k
				ch.Series = append(ch.Series, chart.Series{Name: f, Class: k % seriesClasses, Dots: true})
			}
			l := &ch.Series[k]
			l.X, l.Y, l.Labels = append(l.X, r.KB), append(l.Y, r.P50), append(l.Labels, r.Encoder)
		}
		if len(ch.Series) > 0 {
			s.Chart = template.HTML(ch.SVG()) //nolint:gosec // package chart escapes all text
		}
	}
}

// works adds the results of Video, Pages and Browsers.
func (p *htmlPage) works() {
	add := func(w htmlWorks) {
		if len(w.Rows) > 0 {
			p.Works = append(p.Works, w)
		}
	}
	add(htmlWorks{Title: "Video", rows: videoRows(p.Video), About: "Works of a desktop. Peers get the same pictures through a pipe, which their CPU " +
		"time is without; all that was made is decoded by ffmpeg where it is installed."})
	add(htmlWorks{Title: "Pages", rows: pageRows(p.Pages), About: "Clients of /stream that acknowledge each frame at once."})
	w := htmlWorks{Title: "Browsers", rows: browserRows(p.Browsers), About: "From drawing on X to the pixel in a headless Chromium's page, which looks " +
		"once in a display frame, through a TCP forwarder; small changes of an idle screen."}
	c := chart.Chart{
		Title: "latency distribution",
		X:     chart.Axis{Label: "ms from drawing to seen", Log: true},
		Y:     chart.Axis{Label: "% of changes", Ticks: []float64{0, 25, 50, 75, 100}, Names: []string{"0", "25", "50", "75", "100"}},
	}
	for i, r := range p.Browsers {
		w.Legend = append(w.Legend, r.Way)
		if len(r.Latency) > 0 {
			c.Series = append(c.Series, distribution(r.Way, i%seriesClasses, r.Latency))
		}
	}
	if len(c.Series) > 0 {
		w.Charts = append(w.Charts, template.HTML(c.SVG())) //nolint:gosec // package chart escapes all text
	}
	add(w)
}

// distribution is the share of sorted values up to each of them.
func distribution(name string, class int, sorted []float64) chart.Series {
	s := chart.Series{Name: name, Class: class, Steps: true, X: []float64{sorted[0]}, Y: []float64{0}}
	for i, v := range sorted {
		s.X, s.Y = append(s.X, v), append(s.Y, 100*float64(i+1)/float64(len(sorted)))
	}
	return s
}

// family is an encoder's colour: its name without numbers, lossy Tight on its own.
func family(encoder string) string {
	name, rest, _ := strings.Cut(encoder, " ")
	if strings.Contains(rest, "q") {
		name += " q"
	}
	return name
}
