package bench

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/BurntSushi/xgb/xproto"

	"framebridge/bench/link"
)

// BrowserOptions configures Browsers. Program and Web must be set.
type BrowserOptions struct {
	Program string   // framebridge's path
	Web     string   // folder of the page's tests, with node_modules: internal/web
	Ways    []string // default all of BrowserWays; "none": none
	Changes int      // per way; default 100
	Log     io.Writer
}

// BrowserResult is one way to show a display in a browser.
type BrowserResult struct {
	Way string `json:"way"`
	Err string `json:"error,omitempty"`

	Changes int       `json:"changes"`
	Missed  int       `json:"missed"` // that were never seen
	P50     float64   `json:"p50_ms"` // from drawing to the pixel in the page
	P95     float64   `json:"p95_ms"`
	Target  string    `json:"target,omitempty"`
	Latency []float64 `json:"latency_ms,omitempty"`
}

// browserSize is that of the display and of the browser's window.
var browserSize = image.Pt(1280, 800)

// A browserWay is a server and the page that shows its display.
type browserWay struct {
	name   string
	target string
	server func(o *BrowserOptions) Server
	// novnc has the page served beside the server, which speaks RFB in WebSockets
	// and nothing else.
	novnc bool
	open  string // body of a function of page; %v is the address of the server's site
}

const (
	openOwn = `await page.goto(%v); await page.waitForSelector('body.pictured[data-state=live]')`
	// The choice of the page's menu.
	openWebRTC = `const at = %v;
		await page.addInitScript(() => { localStorage.framebridge = '{"collapsed":false,"transport":"webrtc"}' });
		await page.goto(at); await page.waitForSelector('body.pictured[data-state=live] video')`
	// The page notes the last event; a name and a clipboard come after connect.
	openNoVNC = `await page.goto(%v + 'browsertest/novnc.html');
		await page.waitForSelector(['connect', 'desktopname', 'clipboard'].map(e => 'body[data-event=' + e + ']').join())`
)

var browserWays = []browserWay{
	{
		name: "/stream", target: "17 ms, p95 25 ms", open: openOwn,
		server: func(o *BrowserOptions) Server { return webServer(o.Program) },
	},
	{
		// Its own addresses lead nowhere, as those of a pod: the page finds the
		// forwarder by itself.
		name: "WebRTC", target: "35 ms", open: openWebRTC,
		server: func(o *BrowserOptions) Server { return webServer(o.Program, "--webrtc-public-ip", "192.0.2.1") },
	},
	{
		name: "noVNC, framebridge", open: openNoVNC,
		server: func(o *BrowserOptions) Server { return webServer(o.Program, "--web-dir", o.Web) },
	},
	{
		name: "noVNC, x11vnc", open: openNoVNC, novnc: true,
		server: func(*BrowserOptions) Server { return x11vncServer() },
	},
	{
		name: "noVNC, x11vnc -wait 5", open: openNoVNC, novnc: true,
		server: func(*BrowserOptions) Server { return x11vncServer("-wait", "5", "-defer", "5") },
	},
}

// BrowserWays are the ways of Browsers by name.
func BrowserWays() (names []string) {
	for _, w := range browserWays {
		names = append(names, w.name)
	}
	return names
}

// Browsers measures the time from drawing on X to the pixel in a page, in a headless
// Chromium at 60 Hz, through a TCP forwarder: small changes of an idle screen at
// random times. The page looks in each animation frame, so half a display frame, 8
// ms, is the least that a median can be. A way that fails has a result that says so.
func Browsers(ctx context.Context, o BrowserOptions) (out []BrowserResult, err error) {
	if slices.Equal(o.Ways, []string{"none"}) {
		return nil, nil
	}
	if o.Program == "" || o.Web == "" {
		return nil, errors.New("bench: no Program or no Web")
	}
	if o.Changes == 0 {
		o.Changes = 100
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.Web, err = filepath.Abs(o.Web); err != nil {
		return nil, err
	}
	var chosen []browserWay
	for _, w := range browserWays {
		if len(o.Ways) == 0 || slices.Contains(o.Ways, w.name) {
			chosen = append(chosen, w)
		}
	}
	if len(o.Ways) > 0 && len(chosen) != len(o.Ways) {
		return nil, fmt.Errorf("ways %q: known are %s", o.Ways, strings.Join(BrowserWays(), ", "))
	}
	if err := findBrowser(o.Web); err != nil {
		return nil, err
	}
	for i, w := range chosen {
		fmt.Fprintf(o.Log, "way %d of %d: %s\n", i+1, len(chosen), w.name)
		r := BrowserResult{Way: w.name, Target: w.target}
		if p := w.server(&o).Command[0]; p != o.Program {
			if _, err := exec.LookPath(p); err != nil {
				fmt.Fprintf(o.Log, "  left out: %s is not installed\n", p)
				continue
			}
		}
		if err := r.measure(ctx, &o, w); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			r.Err = err.Error()
		}
		fmt.Fprintf(o.Log, "  %s\n", r.summary())
		out = append(out, r)
	}
	return out, nil
}

// measure starts everything and measures.
func (r *BrowserResult) measure(ctx context.Context, o *BrowserOptions, w browserWay) error {
	run, err := start(ctx, w.server(o), fmt.Sprintf("%dx%d", browserSize.X, browserSize.Y))
	if err != nil {
		return err
	}
	defer run.stop()
	st, err := openStage(ctx, run.x.Display(), run.x.AuthFile())
	if err != nil {
		return err
	}
	defer st.close()
	// All go through one forwarder of bytes, as kubectl port-forward's and ssh's.
	forwarder, err := link.Listen(run.addr, link.Options{})
	if err != nil {
		return err
	}
	defer forwarder.Close()
	addr := forwarder.Addr()
	if w.novnc {
		site, err := serveNoVNC(o.Web, addr)
		if err != nil {
			return err
		}
		defer site.close()
		addr = site.addr
	}
	c, err := startChromium(ctx, o.Web, browserSize.X, browserSize.Y)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.do(ctx, nil, w.open, "http://"+addr+"/"); err != nil {
		return err
	}
	if err := c.sameClock(ctx); err != nil {
		return err
	}
	if err := c.do(ctx, nil, watchPixel, blinker.Min.Add(blinker.Size().Div(2))); err != nil {
		return err
	}
	if err := st.appear(ctx, c); err != nil {
		return err
	}
	draws, err := st.blink(ctx, o.Changes)
	if err != nil {
		return err
	}
	if _, err := c.shows(ctx, draws[len(draws)-1].colour); err != nil {
		return err
	}
	var seen []sight
	if err := c.do(ctx, &seen, `return page.evaluate(() => seen)`); err != nil {
		return err
	}
	r.Changes = len(draws)
	r.Latency, r.Missed = latencies(draws, seen)
	slices.Sort(r.Latency)
	r.P50, r.P95 = percentile(r.Latency, 50), percentile(r.Latency, 95)
	if r.Missed > max(2, r.Changes/10) {
		return fmt.Errorf("the page never showed %d of %d changes", r.Missed, r.Changes)
	}
	return nil
}

// watchPixel has the page look at a pixel of its picture in each animation frame and
// keep when it changed and to what: which of red, green and blue are bright.
const watchPixel = `await page.evaluate(({ X, Y }) => {
	const source = document.querySelector('#frame > canvas, #frame > video, #novnc canvas');
	const own = document.createElement('canvas');
	own.width = own.height = 1;
	const g = own.getContext('2d', { willReadFrequently: true });
	let last = -1;
	window.seen = [];
	const look = () => {
		g.drawImage(source, X, Y, 1, 1, 0, 0, 1, 1);
		const d = g.getImageData(0, 0, 1, 1).data;
		const colour = d[0] >> 7 << 2 | d[1] >> 7 << 1 | d[2] >> 7;
		if (colour !== last) window.seen.push({ at: performance.timeOrigin + performance.now(), colour });
		last = colour;
		requestAnimationFrame(look);
	};
	requestAnimationFrame(look);
}, %v)`

// sight is a change that the page saw.
type sight struct {
	At     float64 `json:"at"` // Unix time in milliseconds
	Colour int     `json:"colour"`
}

// drawn is a change that was drawn.
type drawn struct {
	at     time.Time
	colour int
}

// latencies returns the times from drawing to seeing, in milliseconds, and how many
// changes were not seen before their colour was drawn again.
func latencies(draws []drawn, seen []sight) (took []float64, missed int) {
	unix := func(t time.Time) float64 { return float64(t.UnixNano()) / 1e6 }
	for i, d := range draws {
		end := math.Inf(1)
		if i+colours < len(draws) {
			end = unix(draws[i+colours].at)
		}
		k := slices.IndexFunc(seen, func(s sight) bool {
			return s.Colour == d.colour && s.At > unix(d.at)-clockTolerance && s.At < end
		})
		if k < 0 {
			missed++
			continue
		}
		took = append(took, seen[k].At-unix(d.at))
	}
	return took, missed
}

// blinker is where the change is, in the middle of the screen.
var blinker = image.Rect(640, 400, 656, 416)

// colours is how many there are. They take turns, so that a colour tells which change
// is seen even if the one after it is drawn meanwhile.
const colours = 8

// blinkColour is the pixel value of a colour.
func blinkColour(c int) uint32 {
	v := uint32(0)
	for s := range 3 {
		level := uint32(0x18)
		if c>>s&1 != 0 {
			level = 0xe0
		}
		v |= level << (8 * s)
	}
	return v
}

// paint draws the blinker and returns when the request was sent.
func (s *stage) paint(colour int) time.Time {
	x := s.conn.X()
	xproto.ChangeGC(x, s.gc, xproto.GcForeground, []uint32{blinkColour(colour)})
	xproto.PolyFillRectangle(x, xproto.Drawable(s.win), s.gc, []xproto.Rectangle{{
		X: int16(blinker.Min.X), Y: int16(blinker.Min.Y), Width: uint16(blinker.Dx()), Height: uint16(blinker.Dy()),
	}})
	at := time.Now()
	s.conn.Flush()
	return at
}

// appear waits until the page shows what is drawn.
func (s *stage) appear(ctx context.Context, c *chromium) error {
	for colour := 1; ; colour++ {
		s.paint(colour % colours)
		shown, err := c.shows(ctx, colour%colours)
		switch {
		case err != nil:
			return err
		case shown && colour > 3 && colour%colours != 0: // with which blink begins
			return sleep(ctx, time.Second) // until all is refined
		case !shown && colour > colours:
			return errors.New("the page does not show what is drawn")
		}
	}
}

// shows waits for a moment until the page sees a colour.
func (c *chromium) shows(ctx context.Context, colour int) (shown bool, err error) {
	err = c.do(ctx, &shown, `return page.waitForFunction(c => seen.at(-1)?.colour === c, %v, { timeout: 3000 }).then(() => true, () => false)`, colour)
	return shown, err
}

// Pauses between two changes: long enough for the screen to be idle again.
const (
	blinkPause  = 200 * time.Millisecond
	blinkRandom = 200 * time.Millisecond
)

// blink draws n changes at random times.
func (s *stage) blink(ctx context.Context, n int) (draws []drawn, err error) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		colour := i % colours
		draws = append(draws, drawn{at: s.paint(colour), colour: colour})
		if err := sleep(ctx, blinkPause+time.Duration(rnd.Int64N(int64(blinkRandom)))); err != nil {
			return nil, err
		}
	}
	return draws, nil
}

// clockTolerance is how far the page's clock may be off, in milliseconds.
const clockTolerance = 1.0

// sameClock checks that the page's clock is this program's.
func (c *chromium) sameClock(ctx context.Context) error {
	early, late := -1e18, 1e18 // what the page's clock is ahead lies between
	for range 8 {
		var there float64
		before := time.Now()
		if err := c.do(ctx, &there, `return page.evaluate(() => performance.timeOrigin + performance.now())`); err != nil {
			return err
		}
		after := time.Now()
		early = max(early, there-float64(after.UnixNano())/1e6)
		late = min(late, there-float64(before.UnixNano())/1e6)
	}
	if early > clockTolerance || late < -clockTolerance {
		return fmt.Errorf("the page's clock is %.1f to %.1f ms ahead", early, late)
	}
	return nil
}

// noVNCSite serves noVNC for a server that has no web server.
type noVNCSite struct {
	addr    string
	server  *http.Server
	running sync.WaitGroup
}

// serveNoVNC serves the files of the folder, and /websockify from the server at addr.
func serveNoVNC(folder, addr string) (*noVNCSite, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &noVNCSite{addr: l.Addr().String()}
	files, proxy := http.FileServer(http.Dir(folder)), httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: addr})
	proxy.Transport = &http.Transport{DisableKeepAlives: true}
	mux := http.NewServeMux()
	mux.Handle("/", files)
	mux.Handle("/websockify", proxy)
	ctx, cancel := context.WithCancel(context.Background())
	s.server = &http.Server{
		ReadHeaderTimeout: time.Minute,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.running.Add(1)
			defer s.running.Done()
			mux.ServeHTTP(w, r)
		}),
	}
	s.server.RegisterOnShutdown(cancel)
	s.running.Go(func() {
		s.server.Serve(l) //nolint:errcheck // it is closed
		cancel()
	})
	return s, nil
}

// close ends all connections and waits for them.
func (s *noVNCSite) close() {
	s.server.Close()
	s.running.Wait()
}
