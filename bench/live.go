package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"framebridge/bench/link"
)

// LiveOptions configures Live. Servers must not be empty.
type LiveOptions struct {
	Servers []Server
	Works   []string // default all
	Size    string   // default "1920x1080"
	Viewers int      // default 1; the first measures, the others only keep up
	Viewing Viewing
	Link    link.Options // between each viewer and the server; default none
	Changes int          // per work; default 60
	Runs    int          // of everything; default 1; medians are reported
	Log     io.Writer    // progress; nil: none

	chosen []work // in place of Works
	at     mark   // of all results
}

// mark is the place of results on a curve.
type mark struct {
	axis string
	at   float64
}

// setDefaults fills in the defaults and looks the works up.
func (o *LiveOptions) setDefaults() error {
	if len(o.Servers) == 0 {
		return errors.New("bench: no Servers")
	}
	if o.Size == "" {
		o.Size = "1920x1080"
	}
	o.Viewers, o.Changes, o.Runs = max(1, o.Viewers), max(4, o.Changes), max(1, o.Runs)
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.chosen != nil {
		return nil
	}
	for _, w := range works {
		if len(o.Works) == 0 || slices.Contains(o.Works, w.name) {
			o.chosen = append(o.chosen, w)
		}
	}
	if len(o.Works) > 0 && len(o.chosen) != len(o.Works) {
		return fmt.Errorf("works %v: known are %v", o.Works, Works())
	}
	return nil
}

func (o *LiveOptions) setup() Setup {
	return Setup{
		Size: o.Size, Viewers: o.Viewers, Encoding: strings.ToLower(o.Viewing.Encoding.String()),
		Compress: o.Viewing.Compress, Quality: max(-1, o.Viewing.Quality), Link: o.Link.String(), Continuous: o.Viewing.Continuous,
	}
}

// Live runs the works on the servers and returns a result for each, in the order
// of works, then of servers. A server that fails has results that say so; an error
// is of the harness itself, or of ctx.
func Live(ctx context.Context, o LiveOptions) ([]Result, error) {
	if o.Changes == 0 {
		o.Changes = 60
	}
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	all := make([][][]Result, len(o.chosen)) // work, server, run
	for i := range all {
		all[i] = make([][]Result, len(o.Servers))
	}
	fmt.Fprintf(o.Log, "%v\n", o.setup())
	begin := time.Now()
	for run := range o.Runs {
		for si, s := range o.Servers {
			fmt.Fprintf(o.Log, "%3.0f s  run %d of %d, server %d of %d: %s\n",
				time.Since(begin).Seconds(), run+1, o.Runs, si+1, len(o.Servers), s.Name)
			rs := make([]Result, len(o.chosen))
			for i, w := range o.chosen {
				rs[i] = Result{Server: s.Name, Work: w.name, Setup: o.setup(), Axis: o.at.axis, At: o.at.at}
				if w.at != (mark{}) {
					rs[i].Axis, rs[i].At = w.at.axis, w.at.at
				}
			}
			if err := liveServer(ctx, &o, s, rs); err != nil {
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				fmt.Fprintf(o.Log, "       %v\n", err)
				for i := range rs {
					if rs[i].Changes == 0 && rs[i].Err == "" {
						rs[i].Err = firstLine(err)
					}
				}
			}
			for wi := range rs {
				all[wi][si] = append(all[wi][si], rs[wi])
			}
		}
	}
	var out []Result
	for wi := range o.chosen {
		for si := range o.Servers {
			out = append(out, median(all[wi][si]))
		}
	}
	return out, nil
}

func firstLine(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	return s
}

// liveServer runs the works on one server and fills in their results.
func liveServer(ctx context.Context, o *LiveOptions, s Server, results []Result) error {
	r, err := start(ctx, s, o.Size)
	if err != nil {
		return err
	}
	defer r.stop()
	st, err := openStage(ctx, r.x.Display(), r.x.AuthFile())
	if err != nil {
		return err
	}
	defer st.close()
	addr := r.addr
	if o.Link != (link.Options{}) {
		l, err := link.Listen(r.addr, o.Link)
		if err != nil {
			return err
		}
		defer l.Close()
		addr = l.Addr()
	}
	t := &take{stage: st, changes: o.Changes}
	for range o.Viewers {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			return err
		}
		viewing := o.Viewing
		viewing.Continuous = viewing.Continuous || o.Link != (link.Options{})
		v, err := connect(ctx, nc, viewing, s.strict)
		if err != nil {
			return fmt.Errorf("server %s: %w", s.Name, err)
		}
		defer v.close()
		t.viewers = append(t.viewers, v)
	}
	for i, w := range o.chosen {
		if err := t.settle(ctx); err != nil {
			return fmt.Errorf("server %s: before %s: %w", s.Name, w.name, err)
		}
		res := &results[i]
		res.server, res.x = r.pid(), r.x.Pid()
		t.result, t.rnd = res, rand.New(rand.NewPCG(1, 2))
		err := w.run(ctx, t)
		if err == nil {
			err = t.verify(ctx)
		}
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			res.Err = err.Error()
		}
		fmt.Fprintf(o.Log, "       %s\n", res.summary())
		if err := st.clear(ctx); err != nil {
			return err
		}
	}
	return nil
}

// measure runs f between two readings of the counters.
func (t *take) measure(ctx context.Context, f func() error) error {
	first := t.viewers[0]
	bytes0, updates0 := first.stats()
	cpu0, x0, start := cpuTime(t.result.server), cpuTime(t.result.x), time.Now()
	r := t.result
	ctx, cancel := context.WithCancel(ctx)
	var sampler sync.WaitGroup
	sampler.Go(func() {
		tick := time.NewTicker(trafficStep)
		defer tick.Stop()
		for last := bytes0; ; {
			select {
			case <-tick.C:
				now := first.bytes.Load()
				r.Traffic = append(r.Traffic, float64(now-last)/1024)
				last = now
			case <-ctx.Done():
				return
			}
		}
	})
	err := f()
	elapsed := time.Since(start).Seconds()
	cancel()
	sampler.Wait()
	if err != nil {
		return err
	}
	cpu, x := cpuTime(r.server)-cpu0, cpuTime(r.x)-x0
	bytes1, updates1 := first.stats()
	n := float64(max(1, r.Changes))
	r.KB = float64(bytes1-bytes0) / 1024 / n
	r.ServerCPU = cpu.Seconds() * 1e3 / n
	if r.x != r.server {
		r.XCPU = x.Seconds() * 1e3 / n
	}
	r.Percent = cpu.Seconds() / elapsed * 100
	r.PerSecond = float64(updates1-updates0) / elapsed
	r.RSS = float64(residentMemory(r.server)) / (1 << 20)
	r.finish()
	return nil
}

// settleTime is how long a server has to bring a lossy viewer up to date when nothing
// changes any more: x11vnc takes its time.
const settleTime = 4 * time.Second

// settle waits until all viewers show the stage.
func (t *take) settle(ctx context.Context) error {
	if err := t.stage.conn.Sync(ctx); err != nil {
		return err
	}
	truth := t.stage.truth
	deadline := time.Now().Add(startTimeout)
	for _, v := range t.viewers {
		for {
			if differ, _ := v.compare(truth); differ == 0 || v.lossy && differ*100 < truth.Rect.Dx()*truth.Rect.Dy() {
				break
			}
			if err := v.gone(); err != nil {
				return err
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

// verify compares all viewers' pictures with the stage at the end of a work.
// Lossy ones have settleTime to get there, as they may never.
func (t *take) verify(ctx context.Context) error {
	begin := time.Now()
	for _, v := range t.viewers {
		limit := startTimeout // a busy machine's
		if v.lossy {
			limit = settleTime
		}
		for {
			differ, psnr := v.compare(t.stage.truth)
			if differ == 0 || time.Since(begin) > limit {
				if differ > t.result.Differ {
					t.result.Differ, t.result.PSNR = differ, psnr
				}
				break
			}
			if err := sleep(ctx, 50*time.Millisecond); err != nil {
				return err
			}
		}
		if err := v.gone(); err != nil {
			return err
		}
	}
	return nil
}
