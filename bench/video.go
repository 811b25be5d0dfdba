package bench

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"framebridge/encode/vp8"
	"framebridge/encode/vp8/dsp"
	"framebridge/internal/pix"
)

// VideoOptions configures Video.
type VideoOptions struct {
	Works  []string // default all of VideoWorks; "none": none
	Size   string   // default "1920x1080"
	Frames int      // measured of each work, where its nature does not say otherwise; default 40
	Peers  bool     // measure ffmpeg's encoders, too, if it is installed
	Log    io.Writer
}

// VideoResult is one video encoder on one work.
type VideoResult struct {
	Encoder string `json:"encoder"`
	Work    string `json:"work"`
	Err     string `json:"error,omitempty"`

	Frames   int     `json:"frames"`
	P50      float64 `json:"p50_ms"` // per frame; 0: not known, of peers
	P95      float64 `json:"p95_ms"`
	CPU      float64 `json:"cpu_ms"`          // per frame, of all threads
	Bytes    float64 `json:"bytes"`           // per frame
	PSNR     float64 `json:"psnr_db"`         // of luma; 0: identical
	AreaPSNR float64 `json:"area_psnr_db"`    // of luma in the work's area; 0: it has none, or identical
	Passes   int     `json:"passes"`          // that refined, of work rest
	Ratio    float64 `json:"ratio,omitempty"` // of Bytes to libvpx's at the same PSNR of the area; 0: not known
	Target   string  `json:"target,omitempty"`

	Latency []float64 `json:"latency_ms,omitempty"`
}

// linkRate is that of the link over which a still picture is refined, in bytes a
// second: 20 Mbit/s, and with it the bytes of a frame that occupies it for 40 ms.
const (
	linkRate     = 20e6 / 8
	refineBudget = linkRate / 25
)

// Times of the server when nothing changes: it waits, then refines at this pace at
// most.
const (
	refineAfter = 120 * time.Millisecond
	refineEvery = 20 * time.Millisecond
)

// Video measures the VP8 encoder on works of a desktop, beside encoders of ffmpeg's
// on the same pictures. An encoder that fails has results that say so.
func Video(ctx context.Context, o VideoOptions) ([]VideoResult, error) {
	if o.Size == "" {
		o.Size = "1920x1080"
	}
	if o.Frames == 0 {
		o.Frames = 40
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	w, h, err := parseSize(o.Size)
	if err != nil {
		return nil, err
	}
	if slices.Equal(o.Works, []string{"none"}) {
		return nil, nil
	}
	var chosen []videoWork
	for _, work := range videoWorks() {
		if len(o.Works) == 0 || slices.Contains(o.Works, work.name) {
			chosen = append(chosen, work)
		}
	}
	if len(o.Works) > 0 && len(chosen) != len(o.Works) {
		return nil, fmt.Errorf("works %q: known are %s", o.Works, strings.Join(VideoWorks(), ", "))
	}
	var ff *ffmpeg
	if o.Peers {
		if ff, err = findFFmpeg(ctx); err != nil {
			fmt.Fprintf(o.Log, "without ffmpeg's encoders: %v\n", err)
		}
	}
	var out []VideoResult
	for i, work := range chosen {
		fmt.Fprintf(o.Log, "work %d of %d: %s, %s\n", i+1, len(chosen), work.name, work.what)
		b := videoBench{size: image.Pt(w, h), work: work, frames: work.frames(o.Frames), ffmpeg: ff}
		rs, err := b.run(ctx, o.Log)
		if err != nil {
			return nil, err
		}
		out = append(out, rs...)
	}
	return out, nil
}

// videoBench is a work on a screen.
type videoBench struct {
	size   image.Point
	work   videoWork
	frames int     // that are measured
	ffmpeg *ffmpeg // nil: there is none
	curve  []ratePoint
}

// ownCoder is our encoder as it is measured.
type ownCoder struct {
	name    string
	workers int
	quality vp8.Quality
	video   bool // of video alone
}

var ownCoders = []ownCoder{
	{name: "vp8, 1 worker", workers: 1},
	{name: "vp8, 2 workers", workers: 2},
	{name: "vp8 sharp, 1 worker", workers: 1, quality: vp8.Sharp, video: true},
	{name: "vp8 fast, 1 worker", workers: 1, quality: vp8.Fast, video: true},
}

// last is the number of the last frame.
func (b *videoBench) last() int { return b.work.warm + b.frames }

// run measures all encoders. Its errors are ctx's.
func (b *videoBench) run(ctx context.Context, log io.Writer) (out []VideoResult, err error) {
	add := func(r VideoResult, err error) {
		if err != nil {
			r.Err = err.Error()
		}
		fmt.Fprintf(log, "  %s\n", r.summary())
		out = append(out, r)
	}
	video := b.work.name == "video"
	for _, c := range ownCoders {
		if c.video && !video {
			continue
		}
		r, err := b.own(ctx, c)
		if video && b.ffmpeg != nil && err == nil {
			theirs, note := b.libvpxAt(ctx, r.AreaPSNR)
			if theirs > 0 {
				r.Ratio = r.Bytes / theirs
			}
			fmt.Fprintf(log, "  %s\n", note)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		add(r, err)
	}
	if b.ffmpeg == nil {
		return out, nil
	}
	reading, err := b.readingTime(ctx)
	if err != nil && ctx.Err() == nil {
		fmt.Fprintf(log, "  ffmpeg cannot be measured: %v\n", err)
		return out, nil
	}
	for _, p := range b.ffmpeg.peers {
		r, err := b.peer(ctx, p, reading)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		add(r, err)
	}
	return out, nil
}

// i420 is a screen's samples in I420, of whole macroblocks.
type i420 struct {
	size     image.Point
	y, u, v  []byte
	yStride  int
	uvStride int
}

func newI420(size image.Point) *i420 {
	w, h := (size.X+15)&^15, (size.Y+15)&^15
	return &i420{size: size, y: make([]byte, w*h), u: make([]byte, w*h/4), v: make([]byte, w*h/4), yStride: w, uvStride: w / 2}
}

// set converts m.
func (p *i420) set(m *pix.Image) {
	dsp.Convert(p.y, p.u, p.v, p.yStride, p.uvStride, m, image.Rect(0, 0, p.yStride, len(p.y)/p.yStride))
}

// write writes the picture as raw video: its samples without those beyond its size.
func (p *i420) write(w io.Writer) error {
	for y := range p.size.Y {
		if _, err := w.Write(p.y[y*p.yStride:][:p.size.X]); err != nil {
			return err
		}
	}
	for _, c := range [][]byte{p.u, p.v} {
		for y := range (p.size.Y + 1) / 2 {
			if _, err := w.Write(c[y*p.uvStride:][:(p.size.X+1)/2]); err != nil {
				return err
			}
		}
	}
	return nil
}

// rawSize is how many bytes write writes.
func rawSize(size image.Point) int {
	return size.X*size.Y + 2*((size.X+1)/2)*((size.Y+1)/2)
}

// fidelity adds up how far decoded pictures are from what they should show.
type fidelity struct {
	area      image.Rectangle // empty: none
	sum, part float64         // of squared errors of luma, of all and of the area
	samples   int
	parts     int
}

// add compares luma.
func (f *fidelity) add(want *i420, got []byte, stride int) {
	for y := range want.size.Y {
		a, b := want.y[y*want.yStride:][:want.size.X], got[y*stride:][:want.size.X]
		f.sum += float64(squares(a, b))
		if y >= f.area.Min.Y && y < f.area.Max.Y {
			f.part += float64(squares(a[f.area.Min.X:f.area.Max.X], b[f.area.Min.X:f.area.Max.X]))
		}
	}
	f.samples += want.size.X * want.size.Y
	f.parts += f.area.Dx() * f.area.Dy()
}

func squares(a, b []byte) (sum int) {
	for i, v := range a {
		d := int(v) - int(b[i])
		sum += d * d
	}
	return sum
}

// lumaPSNR is that of samples of eight bits; 0 where there is no error.
func lumaPSNR(sum float64, samples int) float64 {
	if sum == 0 || samples == 0 {
		return 0
	}
	return math.Round(1000*10*math.Log10(255*255*float64(samples)/sum)) / 1000
}

func (f *fidelity) set(r *VideoResult) {
	r.PSNR, r.AreaPSNR = lumaPSNR(f.sum, f.samples), lumaPSNR(f.part, f.parts)
}

func (b *videoBench) fidelity() (f fidelity) {
	if b.work.area != nil {
		f.area = b.work.area(image.Rectangle{Max: b.size})
	}
	return f
}

// judged tells whether frame n counts for the fidelity.
func (b *videoBench) judged(n int) bool {
	return n > b.work.warm && (!b.work.rest || n == b.last())
}

// processTime is the CPU time of this process.
func processTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

// coded is the stream that our encoder makes, with what it says that is shown.
type coded struct {
	enc   *vp8.Encoder
	size  image.Point
	clock time.Duration
	frame []byte
	ivf   []byte
	n     int
	sums  []uint32 // checksums of the reference pictures
}

// encode makes a frame and says how long it took.
func (c *coded) encode(m *pix.Image, change vp8.Change, o vp8.Options) (info vp8.Info, took, cpu time.Duration, err error) {
	o.Time = c.clock
	cpu = processTime()
	start := time.Now()
	c.frame, info, err = c.enc.Encode(c.frame[:0], m, change, o)
	took = time.Since(start)
	cpu = processTime() - cpu
	if err != nil {
		return info, 0, 0, err
	}
	c.ivf = vp8.AppendIVFFrame(c.ivf, c.frame, uint64(c.n))
	c.n++
	ref := c.reference()
	sum := crc32.NewIEEE()
	if err := ref.write(sum); err != nil {
		return info, 0, 0, err
	}
	c.sums = append(c.sums, sum.Sum32())
	return info, took, cpu, nil
}

func (c *coded) reference() *i420 {
	p := c.enc.Reference()
	return &i420{size: c.size, y: p.Y, u: p.U, v: p.V, yStride: p.YStride, uvStride: p.UVStride}
}

// maxPasses bounds refinement before a work begins.
const maxPasses = 100

// own measures our encoder.
func (b *videoBench) own(ctx context.Context, coder ownCoder) (r VideoResult, err error) {
	r = VideoResult{Encoder: coder.name, Work: b.work.name, Target: b.work.target}
	c := &coded{size: b.size, ivf: vp8.AppendIVFHeader(nil, b.size.X, b.size.Y, videoFPS)}
	if c.enc, err = vp8.New(b.size.X, b.size.Y, vp8.Config{Workers: coder.workers}); err != nil {
		return r, err
	}
	m := pix.New(image.Rectangle{Max: b.size})
	step := b.work.begin(m)
	if _, _, _, err := c.encode(m, vp8.Change{}, vp8.Options{}); err != nil {
		return r, err
	}
	for i := 0; ; i++ { // the desktop has been there for a while
		c.clock += time.Second
		info, _, _, err := c.encode(m, vp8.Change{}, vp8.Options{Refine: true})
		if err != nil {
			return r, err
		}
		if !info.Refining {
			break
		}
		if i == maxPasses {
			return r, fmt.Errorf("a still picture is not refined after %d passes", maxPasses)
		}
		if err := ctx.Err(); err != nil {
			return r, err
		}
	}
	runtime.GC()
	var bytes int
	var spent time.Duration
	fid, source := b.fidelity(), newI420(b.size)
	count := func(took, cpu time.Duration) {
		r.Latency = append(r.Latency, millis(took))
		bytes, spent = bytes+len(c.frame), spent+cpu
	}
	changes := b.last()
	if b.work.rest {
		changes = b.work.warm
	}
	for n := 1; n <= changes; n++ {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		c.clock += b.work.interval
		_, took, cpu, err := c.encode(m, step(n), vp8.Options{Quality: coder.quality})
		if err != nil {
			return r, err
		}
		if n <= b.work.warm {
			continue
		}
		count(took, cpu)
		source.set(m)
		ref := c.reference()
		fid.add(source, ref.y, ref.yStride)
	}
	if b.work.rest {
		if r.Passes, err = c.refine(m, count); err != nil {
			return r, err
		}
		source.set(m)
		ref := c.reference()
		fid.add(source, ref.y, ref.yStride)
	}
	r.Frames = len(r.Latency)
	slices.Sort(r.Latency)
	r.P50, r.P95 = percentile(r.Latency, 50), percentile(r.Latency, 95)
	if r.Frames > 0 {
		r.Bytes, r.CPU = float64(bytes)/float64(r.Frames), millis(spent)/float64(r.Frames)
	}
	fid.set(&r)
	if b.ffmpeg != nil {
		return r, b.ffmpeg.check(ctx, c)
	}
	return r, nil
}

// refine does what the server does in the second after the last change: passes at its
// pace, no faster than they are made and than the link carries them.
func (c *coded) refine(m *pix.Image, count func(took, cpu time.Duration)) (passes int, err error) {
	end := c.clock + time.Second
	c.clock += refineAfter
	for c.clock < end {
		info, took, cpu, err := c.encode(m, vp8.Change{}, vp8.Options{Refine: true, Budget: refineBudget})
		if err != nil {
			return passes, err
		}
		passes++
		count(took, cpu)
		if !info.Refining {
			break
		}
		sent := time.Duration(float64(len(c.frame)) / linkRate * float64(time.Second))
		c.clock += max(refineEvery, took, sent)
	}
	return passes, nil
}

// errWrongPicture is of an encoder that does not know what decoders show.
var errWrongPicture = errors.New("a decoder shows other pixels than the encoder says")
