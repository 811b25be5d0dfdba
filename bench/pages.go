package bench

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"framebridge/internal/pix"
)

// PageOptions configures Pages. Program must be set.
type PageOptions struct {
	Program string   // framebridge's path
	Works   []string // default all of PageWorks; "none": none
	Size    string   // default "1920x1080"
	Pages   []int    // how many at once, one after the other; default 1 and 8
	Changes int      // per work; default 60
	Log     io.Writer
}

// PageResult is one work watched by some pages.
type PageResult struct {
	Work  string `json:"work"`
	Pages int    `json:"pages"`
	Err   string `json:"error,omitempty"`

	Changes   int     `json:"changes"`
	ServerCPU float64 `json:"server_cpu_ms"`  // per change
	XCPU      float64 `json:"x_cpu_ms"`       // per change, of the X server
	Percent   float64 `json:"server_percent"` // of a core, of the server, while the work ran
	Frames    float64 `json:"frames"`         // that a page got
	KB        float64 `json:"kb"`             // per change and page
	RSS       float64 `json:"rss_mb"`         // of the server, after the work
	// Growth is the server's CPU time to that with the first number of pages.
	Growth float64 `json:"growth,omitempty"`
	Target string  `json:"target,omitempty"`
}

// A pageWork draws on the stage at its own pace, whatever viewers do.
type pageWork struct {
	name, what string
	target     string
	// prepare uploads what is drawn. draw draws change i and says after what time
	// the next one comes.
	prepare func(st *stage, changes int, rnd *rand.Rand) (n int, draw func(i int) time.Duration, pictures []*picture, err error)
}

var pageWorks = []pageWork{
	{name: "idle", what: "nothing, for three seconds", prepare: func(*stage, int, *rand.Rand) (int, func(int) time.Duration, []*picture, error) {
		return 1, func(int) time.Duration { return 3 * time.Second }, nil, nil
	}},
	{name: "type", what: "one character, random pauses of 60 to 120 ms", target: "3 % of a core", prepare: preparePageType},
	{name: "scroll", what: "text area of 1000x785 up by 15 pixels with a new line, 25 times a second", prepare: preparePageScroll},
	{name: "video", what: "640x360 at 30 frames a second", prepare: preparePageVideo},
}

// PageWorks are the works of Pages by name.
func PageWorks() (names []string) {
	for _, w := range pageWorks {
		names = append(names, w.name)
	}
	return names
}

// uploads uploads pictures.
func (s *stage) uploads(images ...*pix.Image) (ps []*picture, err error) {
	for _, m := range images {
		p, err := s.upload(m)
		if err != nil {
			return ps, err
		}
		ps = append(ps, p)
	}
	return ps, nil
}

func preparePageType(st *stage, changes int, rnd *rand.Rand) (int, func(int) time.Duration, []*picture, error) {
	images := make([]*pix.Image, glyphs)
	for i := range images {
		images[i] = glyph(i)
	}
	ps, err := st.uploads(images...)
	return changes, func(i int) time.Duration {
		st.show(ps[rnd.IntN(len(ps))], glyphPlace(i))
		return 60*time.Millisecond + time.Duration(rnd.IntN(60))*time.Millisecond
	}, ps, err
}

func preparePageScroll(st *stage, changes int, rnd *rand.Rand) (int, func(int) time.Duration, []*picture, error) {
	area := scrollArea(st.truth.Rect)
	images := []*pix.Image{page(area.Dx(), area.Dy(), 77)}
	for range 20 {
		images = append(images, scrollLine(area.Dx(), rnd))
	}
	ps, err := st.uploads(images...)
	if err == nil {
		st.show(ps[0], area.Min)
	}
	return changes, func(i int) time.Duration {
		st.scroll(area, scrollStep, ps[1+i%(len(ps)-1)])
		return 40 * time.Millisecond
	}, ps, err
}

func preparePageVideo(st *stage, changes int, _ *rand.Rand) (int, func(int) time.Duration, []*picture, error) {
	area, f := filmArea(st.truth.Rect), newFilm(5)
	images := make([]*pix.Image, 24)
	for i := range images {
		images[i] = f.frame(area.Size(), i)
	}
	ps, err := st.uploads(images...)
	return changes, func(i int) time.Duration {
		// Forth and back: no cut.
		k := i % (2*len(ps) - 2)
		if k >= len(ps) {
			k = 2*len(ps) - 2 - k
		}
		st.show(ps[k], area.Min)
		return time.Second / videoFPS
	}, ps, err
}

// webServer is framebridge with browsers on {port}.
func webServer(program string, args ...string) Server {
	return Server{Name: "framebridge", strict: true, Command: append([]string{
		program, "serve", "--display", "{display}", "--listen", "127.0.0.1:{port}", "--rfb-delay", "1s", "--webrtc-udp", "off", "--log-level", "warn",
	}, args...)}
}

// Pages measures what pages of /stream cost the server: clients that acknowledge
// each frame as soon as it is there. A work that fails has a result that says so.
func Pages(ctx context.Context, o PageOptions) ([]PageResult, error) {
	if o.Program == "" {
		return nil, errors.New("bench: no Program")
	}
	if o.Size == "" {
		o.Size = "1920x1080"
	}
	if o.Pages == nil {
		o.Pages = []int{1, 8}
	}
	if o.Changes == 0 {
		o.Changes = 60
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	if slices.Equal(o.Works, []string{"none"}) {
		return nil, nil
	}
	var chosen []pageWork
	for _, w := range pageWorks {
		if len(o.Works) == 0 || slices.Contains(o.Works, w.name) {
			chosen = append(chosen, w)
		}
	}
	if len(o.Works) > 0 && len(chosen) != len(o.Works) {
		return nil, fmt.Errorf("works %q: known are %s", o.Works, strings.Join(PageWorks(), ", "))
	}
	r, err := start(ctx, webServer(o.Program), o.Size)
	if err != nil {
		return nil, err
	}
	defer r.stop()
	st, err := openStage(ctx, r.x.Display(), r.x.AuthFile())
	if err != nil {
		return nil, err
	}
	defer st.close()
	// A desktop, not an empty screen: it is what is refined and kept.
	desk, err := st.upload(page(st.truth.Rect.Dx(), st.truth.Rect.Dy(), 1))
	if err != nil {
		return nil, err
	}
	var out []PageResult
	for _, n := range o.Pages {
		fmt.Fprintf(o.Log, "%d pages\n", n)
		rs, err := r.pages(ctx, &o, st, desk, chosen, n)
		if err != nil {
			return nil, err
		}
		for _, x := range rs {
			if x.Work == "idle" { // next to nothing has no ratio
				out = append(out, x)
				continue
			}
			if i := slices.IndexFunc(out, func(y PageResult) bool { return y.Work == x.Work && y.ServerCPU > 0 }); i >= 0 && x.Err == "" {
				x.Growth = x.ServerCPU / out[i].ServerCPU
				x.Target = fmt.Sprintf("growth below 1.3 with %d pages", n)
			}
			out = append(out, x)
		}
	}
	return out, nil
}

// pages measures the works with n pages.
func (r *running) pages(ctx context.Context, o *PageOptions, st *stage, desk *picture, works []pageWork, n int) (out []PageResult, err error) {
	var viewers []*pageViewer
	defer func() {
		for _, v := range viewers {
			v.close()
		}
	}()
	for range n {
		v, err := openPage(ctx, r.addr)
		if err != nil {
			return nil, err
		}
		viewers = append(viewers, v)
	}
	for _, w := range works {
		res := PageResult{Work: w.name, Pages: n, Target: w.target}
		st.show(desk, image.Point{})
		if err := r.pageWork(ctx, o, st, w, viewers, &res); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			res.Err = err.Error()
		}
		fmt.Fprintf(o.Log, "  %s\n", res.summary())
		out = append(out, res)
	}
	return out, nil
}

const (
	// quietFor is how long no page must get a frame until the server counts as being
	// at rest: longer than it waits to serve pages together.
	quietFor = 1500 * time.Millisecond
	// quietLimit is how long that may take.
	quietLimit = 30 * time.Second
)

// quiet waits until no page gets frames any more.
func quiet(ctx context.Context, viewers []*pageViewer) error {
	frames := func() (n int64, err error) {
		for _, v := range viewers {
			n += v.frames.Load()
			err = errors.Join(err, v.gone())
		}
		return n, err
	}
	last, since := int64(-1), time.Now()
	for deadline := since.Add(quietLimit); ; {
		n, err := frames()
		switch {
		case err != nil:
			return err
		case n != last:
			last, since = n, time.Now()
		case time.Since(since) > quietFor && n >= int64(len(viewers)):
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("pages get frames of a still screen for %v, or none at all", quietLimit)
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// pageWork measures one work.
func (r *running) pageWork(ctx context.Context, o *PageOptions, st *stage, w pageWork, viewers []*pageViewer, res *PageResult) error {
	n, draw, pictures, err := w.prepare(st, o.Changes, rand.New(rand.NewPCG(1, 2)))
	defer func() {
		for _, p := range pictures {
			st.free(p)
		}
	}()
	if err != nil {
		return err
	}
	if err := st.conn.Sync(ctx); err != nil {
		return err
	}
	if err := quiet(ctx, viewers); err != nil {
		return err
	}
	var frames, bytes int64
	for _, v := range viewers {
		frames -= v.frames.Load()
		bytes -= v.bytes.Load()
	}
	cpu0, x0, begin := cpuTime(r.pid()), cpuTime(r.x.Pid()), time.Now()
	next := begin
	for i := range n {
		next = next.Add(draw(i))
		st.conn.Flush()
		if err := sleep(ctx, time.Until(next)); err != nil {
			return err
		}
	}
	cpu, x, elapsed := cpuTime(r.pid())-cpu0, cpuTime(r.x.Pid())-x0, time.Since(begin)
	for _, v := range viewers {
		frames += v.frames.Load()
		bytes += v.bytes.Load()
		if err := v.gone(); err != nil {
			return err
		}
	}
	res.Changes = n
	res.ServerCPU, res.XCPU = millis(cpu)/float64(n), millis(x)/float64(n)
	res.Percent = 100 * cpu.Seconds() / elapsed.Seconds()
	res.Frames = float64(frames) / float64(len(viewers))
	res.KB = float64(bytes) / 1024 / float64(len(viewers)*n)
	res.RSS = float64(residentMemory(r.pid())) / (1 << 20)
	return nil
}
