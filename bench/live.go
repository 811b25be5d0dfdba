package bench

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"slices"
	"time"
)

// LiveOptions configures Live. Servers must not be empty.
type LiveOptions struct {
	Servers []Server
	Works   []string // default all
	Size    string   // default "1920x1080"
	Viewers int      // default 1
	Viewing Viewing
	Changes int       // per work; default 60
	Runs    int       // of everything; default 1; medians are reported
	Log     io.Writer // progress; nil: none
}

// Result is one work on one server.
type Result struct {
	Server  string
	Work    string
	Viewers int
	Err     string `json:",omitempty"`

	Changes   int
	Latency   []time.Duration `json:"-"` // per change, from draw to decoded
	P50       float64         // ms
	P95       float64         // ms
	P99       float64         // ms
	KB        float64         // per change and viewer
	ServerCPU float64         // ms per change
	XCPU      float64         // ms per change, of the X server
	Percent   float64         // of a core, of the server, while the work ran
	PerSecond float64         // updates a second
	Missed    int             // frames that were never seen
	Differ    int             // pixels that differ at the end
	PSNR      float64         // dB at the end; 0 where the pictures are equal
	RSS       float64         // MB, of the server, after the work

	server, x int // processes
	elapsed   time.Duration
}

// measure runs f between two readings of the counters.
func (t *take) measure(_ context.Context, f func() error) error {
	bytes0, updates0 := t.viewers[0].stats()
	cpu0, x0, start := cpuTime(t.result.server), cpuTime(t.result.x), time.Now()
	if err := f(); err != nil {
		return err
	}
	r := t.result
	r.elapsed = time.Since(start)
	cpu, x := cpuTime(r.server)-cpu0, cpuTime(r.x)-x0
	bytes1, updates1 := t.viewers[0].stats()
	n := float64(max(1, r.Changes))
	r.KB = float64(bytes1-bytes0) / 1024 / n
	r.ServerCPU = cpu.Seconds() * 1e3 / n
	if r.x != r.server {
		r.XCPU = x.Seconds() * 1e3 / n
	}
	r.Percent = cpu.Seconds() / r.elapsed.Seconds() * 100
	r.PerSecond = float64(updates1-updates0) / r.elapsed.Seconds()
	r.RSS = float64(residentMemory(r.server)) / (1 << 20)
	slices.Sort(r.Latency)
	r.P50, r.P95, r.P99 = percentile(r.Latency, 50), percentile(r.Latency, 95), percentile(r.Latency, 99)
	return nil
}

// percentile of sorted durations in ms; 0 where there are none.
func percentile(d []time.Duration, p int) float64 {
	if len(d) == 0 {
		return 0
	}
	return d[min(len(d)-1, len(d)*p/100)].Seconds() * 1e3
}

// Live runs the works on the servers and returns a result for each, in the order
// of works, then of servers.
func Live(ctx context.Context, o LiveOptions) ([]Result, error) {
	if o.Size == "" {
		o.Size = "1920x1080"
	}
	if o.Viewers == 0 {
		o.Viewers = 1
	}
	if o.Changes == 0 {
		o.Changes = 60
	}
	if o.Runs == 0 {
		o.Runs = 1
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	var chosen []work
	for _, w := range works {
		if len(o.Works) == 0 || slices.Contains(o.Works, w.name) {
			chosen = append(chosen, w)
		}
	}
	if len(o.Works) > 0 && len(chosen) != len(o.Works) {
		return nil, fmt.Errorf("works %v: known are %v", o.Works, Works())
	}
	all := make([][][]Result, len(chosen)) // work, server, run
	for i := range all {
		all[i] = make([][]Result, len(o.Servers))
	}
	for run := range o.Runs {
		for si, s := range o.Servers {
			fmt.Fprintf(o.Log, "run %d of %d: %s\n", run+1, o.Runs, s.Name)
			rs, err := liveServer(ctx, o, s, chosen)
			if err != nil {
				return nil, err
			}
			for wi := range rs {
				all[wi][si] = append(all[wi][si], rs[wi])
			}
		}
	}
	var out []Result
	for wi := range chosen {
		for si := range o.Servers {
			out = append(out, median(all[wi][si]))
		}
	}
	return out, nil
}

// liveServer runs the works on one server.
func liveServer(ctx context.Context, o LiveOptions, s Server, chosen []work) ([]Result, error) {
	r, err := start(ctx, s, o.Size)
	if err != nil {
		return nil, err
	}
	defer r.stop()
	st, err := openStage(ctx, r.x.Display(), r.x.AuthFile())
	if err != nil {
		return nil, err
	}
	defer st.close()
	t := &take{stage: st, changes: o.Changes}
	for range o.Viewers {
		nc, err := net.Dial("tcp", r.addr)
		if err != nil {
			return nil, err
		}
		v, err := connect(ctx, nc, o.Viewing)
		if err != nil {
			return nil, fmt.Errorf("server %s: %w", s.Name, err)
		}
		defer v.close()
		t.viewers = append(t.viewers, v)
	}
	var out []Result
	for _, w := range chosen {
		if err := t.settle(ctx); err != nil {
			return nil, fmt.Errorf("server %s: before %s: %w", s.Name, w.name, err)
		}
		res := Result{Server: s.Name, Work: w.name, Viewers: o.Viewers, server: r.pid(), x: r.x.Pid()}
		t.result, t.rnd = &res, rand.New(rand.NewPCG(1, 2))
		if err := w.run(ctx, t); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			res.Err = err.Error()
		} else {
			t.verify(ctx)
		}
		fmt.Fprintf(o.Log, "  %s\n", res.summary())
		out = append(out, res)
		if err := st.clear(ctx); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// settleTime is how long a server has to bring a viewer up to date when nothing
// changes any more: x11vnc takes its time.
const settleTime = 4 * time.Second

// settle waits until all viewers show the stage.
func (t *take) settle(ctx context.Context) error {
	if err := t.stage.conn.Sync(ctx); err != nil {
		return err
	}
	deadline := time.Now().Add(startTimeout)
	for _, v := range t.viewers {
		for {
			if differ, _ := v.compare(t.stage.truth); differ == 0 || v.lossy && differ*100 < t.stage.truth.Rect.Dx()*t.stage.truth.Rect.Dy() {
				break
			}
			select {
			case <-v.done:
				return fmt.Errorf("viewer: %w", v.err)
			default:
			}
			if time.Now().After(deadline) {
				return errNeverSeen
			}
			if err := sleep(ctx, 50*time.Millisecond); err != nil {
				return err
			}
		}
	}
	return sleep(ctx, 200*time.Millisecond)
}

// verify compares the viewers' pictures with the stage at the end of a work.
func (t *take) verify(ctx context.Context) {
	for _, v := range t.viewers {
		deadline := time.Now().Add(settleTime)
		for {
			differ, psnr := v.compare(t.stage.truth)
			if differ == 0 || time.Now().After(deadline) {
				if differ > t.result.Differ {
					t.result.Differ, t.result.PSNR = differ, psnr
				}
				break
			}
			if sleep(ctx, 50*time.Millisecond) != nil {
				return
			}
		}
	}
}

// median returns the result of the runs whose every figure is the median.
func median(rs []Result) Result {
	out := rs[0]
	if len(rs) == 1 {
		return out
	}
	pick := func(get func(*Result) float64) float64 {
		vs := make([]float64, len(rs))
		for i := range rs {
			vs[i] = get(&rs[i])
		}
		slices.Sort(vs)
		return vs[len(vs)/2]
	}
	for i := range rs {
		if rs[i].Err != "" {
			return rs[i]
		}
		out.Latency = append(out.Latency, rs[i].Latency...)
		out.Differ = max(out.Differ, rs[i].Differ)
	}
	out.P50 = pick(func(r *Result) float64 { return r.P50 })
	out.P95 = pick(func(r *Result) float64 { return r.P95 })
	out.P99 = pick(func(r *Result) float64 { return r.P99 })
	out.KB = pick(func(r *Result) float64 { return r.KB })
	out.ServerCPU = pick(func(r *Result) float64 { return r.ServerCPU })
	out.XCPU = pick(func(r *Result) float64 { return r.XCPU })
	out.Percent = pick(func(r *Result) float64 { return r.Percent })
	out.PerSecond = pick(func(r *Result) float64 { return r.PerSecond })
	out.RSS = pick(func(r *Result) float64 { return r.RSS })
	out.Missed = int(pick(func(r *Result) float64 { return float64(r.Missed) }))
	return out
}

// summary is a line for the progress log.
func (r *Result) summary() string {
	if r.Err != "" {
		return fmt.Sprintf("%-7s %s", r.Work, r.Err)
	}
	s := fmt.Sprintf("%-7s p50 %6.2f ms  p95 %6.2f ms  %7.1f kB  server %6.2f ms  X %5.2f ms  %5.1f %%  %5.1f/s",
		r.Work, r.P50, r.P95, r.KB, r.ServerCPU, r.XCPU, r.Percent, r.PerSecond)
	if r.Work == "video" {
		s += fmt.Sprintf("  missed %d of %d", r.Missed, r.Changes)
	}
	if r.Differ > 0 {
		s += fmt.Sprintf("  %d pixels differ (%.1f dB)", r.Differ, math.Min(r.PSNR, 99))
	}
	return s + fmt.Sprintf("  %.0f MB", r.RSS)
}
