package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"framebridge/bench/recording"
	"framebridge/capture"
	"framebridge/capture/synth"
	"framebridge/encode"
	"framebridge/internal/pix"
)

// EncodeOptions configures Encode.
type EncodeOptions struct {
	Encoders   []string // default all
	Scenes     []string // default all; "none": only recordings
	Recordings []string // files made by package recording
	Size       string   // of scenes; default "1280x720"
	Frames     int      // of a scene, at most of a recording; default 40
	Log        io.Writer
}

// EncodeResult is one encoder on one scene.
type EncodeResult struct {
	Encoder string `json:"encoder"`
	Scene   string `json:"scene"`
	Err     string `json:"error,omitempty"`

	Frames  int       `json:"frames"`
	P50     float64   `json:"p50_ms"` // per frame
	P95     float64   `json:"p95_ms"`
	P99     float64   `json:"p99_ms"`
	MBs     float64   `json:"mb_per_s"`          // of pixels, four bytes each
	KB      float64   `json:"kb"`                // per frame, with rectangles' headers
	Ratio   float64   `json:"ratio"`             // of pixels' bytes, four each, to those made
	PSNR    float64   `json:"psnr_db,omitempty"` // of what a viewer decodes; 0: identical
	Latency []float64 `json:"latency_ms,omitempty"`
}

// EncoderNames lists the encoders of bench encode.
func EncoderNames() (names []string) {
	for _, c := range coders() {
		names = append(names, c.name)
	}
	return names
}

// SceneNames lists the scenes of bench encode.
func SceneNames() (names []string) {
	for _, s := range synth.Scenes {
		names = append(names, string(s))
	}
	return append(names, "page", "photo", "ui")
}

// scene yields frames, from the first in each run.
type scene struct {
	name string
	open func() (capture.Source, func(), error) // func draws the next step; nil: it needs none
	// whole: every frame counts, also the first; else the first only brings the
	// viewer up to date.
	whole bool
}

// Encode measures the encoders on scenes and recordings, in one goroutine, and has
// viewers' decoders check what was made: it is an error of the result when a
// lossless encoder's pixels are not the scene's.
func Encode(ctx context.Context, o EncodeOptions) ([]EncodeResult, error) {
	if o.Size == "" {
		o.Size = "1280x720"
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
	var chosen []coder
	for _, c := range coders() {
		if len(o.Encoders) == 0 || slices.Contains(o.Encoders, c.name) {
			chosen = append(chosen, c)
		}
	}
	if len(o.Encoders) > 0 && len(chosen) != len(o.Encoders) {
		return nil, fmt.Errorf("encoders %q: known are %s", o.Encoders, strings.Join(EncoderNames(), ", "))
	}
	scenes, err := o.scenes(w, h)
	if err != nil {
		return nil, err
	}
	var out []EncodeResult
	for i, s := range scenes {
		fmt.Fprintf(o.Log, "scene %d of %d: %s\n", i+1, len(scenes), s.name)
		for _, c := range chosen {
			r := EncodeResult{Encoder: c.name, Scene: s.name}
			if err := r.run(ctx, c, s, o.Frames); err != nil {
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				r.Err = err.Error()
			}
			fmt.Fprintf(o.Log, "  %s\n", r.summary())
			out = append(out, r)
		}
	}
	return out, nil
}

func (o *EncodeOptions) scenes(w, h int) (list []scene, err error) {
	wanted := func(name string) bool { return len(o.Scenes) == 0 || slices.Contains(o.Scenes, name) }
	for _, kind := range synth.Scenes {
		if wanted(string(kind)) {
			list = append(list, scene{name: string(kind), whole: kind == synth.Still, open: func() (capture.Source, func(), error) {
				src, err := synth.New(synth.Options{Scene: kind, Width: w, Height: h})
				if err != nil {
					return nil, nil, err
				}
				if kind == synth.Still { // drawn anew, and the same, each time
					return src, func() {
						src.Draw(func(m *pix.Image) []image.Rectangle { return []image.Rectangle{m.Rect} })
					}, nil
				}
				return src, func() { src.Step() }, nil
			}})
		}
	}
	for _, p := range []struct {
		name string
		draw func(w, h int, seed uint64) *pix.Image
	}{{"page", page}, {"photo", photo}, {"ui", ui}} {
		if wanted(p.name) {
			list = append(list, scene{name: p.name, whole: true, open: func() (capture.Source, func(), error) {
				return newAlbum(w, h, p.draw)
			}})
		}
	}
	if n := len(o.Scenes); n > 0 && n != len(list) && !slices.Equal(o.Scenes, []string{"none"}) {
		return nil, fmt.Errorf("scenes %q: known are %s", o.Scenes, strings.Join(SceneNames(), ", "))
	}
	for _, path := range o.Recordings {
		if _, err := os.Stat(path); err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		list = append(list, scene{name: name, open: func() (capture.Source, func(), error) {
			f, err := os.Open(path)
			if err != nil {
				return nil, nil, err
			}
			src, err := recording.NewSource(f, recording.SourceOptions{})
			if err != nil {
				f.Close()
				return nil, nil, fmt.Errorf("%s: %w", path, err)
			}
			return closing{src, f}, nil, nil
		}})
	}
	return list, nil
}

// closing is a source with the file it reads.
type closing struct {
	capture.Source
	file io.Closer
}

func (c closing) Close() error { return errors.Join(c.Source.Close(), c.file.Close()) }

// newAlbum is a source whose every step shows the next of four pictures.
func newAlbum(w, h int, draw func(w, h int, seed uint64) *pix.Image) (capture.Source, func(), error) {
	src, err := synth.New(synth.Options{Width: w, Height: h})
	if err != nil {
		return nil, nil, err
	}
	album := make([]*pix.Image, 4)
	for i := range album {
		album[i] = draw(w, h, uint64(i))
	}
	n := 0
	turn := func() {
		src.Draw(func(m *pix.Image) []image.Rectangle {
			pix.Copy(m, album[n%len(album)], m.Rect)
			n++
			return []image.Rectangle{m.Rect}
		})
	}
	turn()
	return src, turn, nil
}

// run measures c on s.
func (r *EncodeResult) run(ctx context.Context, c coder, s scene, frames int) error {
	src, step, err := s.open()
	if err != nil {
		return err
	}
	defer src.Close()
	var (
		coding        coding
		screen        *pix.Image
		parts         []image.Rectangle
		bytes, pixels int
		sum           float64 // of squared errors
		spent         time.Duration
	)
	for n := 0; r.Frames < frames; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, err := src.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if screen == nil {
			screen = pix.New(image.Rectangle{Max: f.Size})
			if coding, err = c.open(f.Size); err != nil {
				return err
			}
			defer coding.close()
		}
		if screen.Rect.Max != f.Size {
			return errors.New("the screen is resized: not measured")
		}
		parts = parts[:0]
		for i := range f.Patches {
			p := &f.Patches[i]
			pix.Copy(screen, p, p.Rect)
			parts = encode.AppendSplit(parts, p.Rect, c.width, c.area)
		}
		if step != nil {
			step()
		}
		if len(parts) == 0 {
			continue // the pointer has moved
		}
		start := time.Now()
		made, err := coding.encode(screen, parts)
		took := time.Since(start)
		if err != nil {
			return err
		}
		frame, area := 0.0, 0
		err = coding.decode(func(i int, values []uint32, stride int) {
			frame += squareErrors(screen, parts[i], values, stride)
			area += parts[i].Dx() * parts[i].Dy()
		})
		if err != nil {
			return fmt.Errorf("frame %d: %w", n, err)
		}
		if frame > 0 && !c.lossy {
			return fmt.Errorf("frame %d: decoded pixels are not those encoded", n)
		}
		if n == 0 && !s.whole {
			continue
		}
		r.Frames++
		r.Latency = append(r.Latency, millis(took))
		bytes, pixels, sum, spent = bytes+made, pixels+area, sum+frame, spent+took
	}
	if r.Frames == 0 {
		return errors.New("nothing changes after the first frame")
	}
	r.finish(bytes, pixels, sum, spent)
	return nil
}

func (r *EncodeResult) finish(bytes, pixels int, sum float64, spent time.Duration) {
	slices.Sort(r.Latency)
	r.P50, r.P95, r.P99 = percentile(r.Latency, 50), percentile(r.Latency, 95), percentile(r.Latency, 99)
	r.MBs = float64(4*pixels) / 1e6 / max(spent.Seconds(), 1e-9)
	r.KB = float64(bytes) / 1024 / float64(r.Frames)
	r.Ratio = float64(4*pixels) / float64(max(1, bytes))
	if sum > 0 {
		r.PSNR = math.Round(100*psnrOf(sum, pixels)) / 100
	}
}

// squareErrors sums the squared errors of the decoded pixels of r.
func squareErrors(m *pix.Image, r image.Rectangle, values []uint32, stride int) (sum float64) {
	for y := range r.Dy() {
		row := m.Row(r.Min.Y+y, r.Min.X, r.Max.X)
		for x, got := range values[y*stride:][:r.Dx()] {
			want := binary.LittleEndian.Uint32(row[4*x:]) & pix.RGBMask
			if got &= pix.RGBMask; got != want {
				sum += squareError(got, want)
			}
		}
	}
	return sum
}

func (r *EncodeResult) summary() string {
	if r.Err != "" {
		return fmt.Sprintf("%-12s failed: %s", r.Encoder, r.Err)
	}
	s := fmt.Sprintf("%-12s p50 %7.3f ms  p95 %7.3f ms  p99 %7.3f ms  %6.0f MB/s  %8.1f kB  1:%.1f", r.Encoder, r.P50, r.P95, r.P99, r.MBs, r.KB, r.Ratio)
	if r.PSNR > 0 {
		s += fmt.Sprintf("  %.1f dB", r.PSNR)
	}
	return s
}

// byScene groups results, in the order in which scenes come first.
func byScene(rs []EncodeResult) (names []string, of map[string][]EncodeResult) {
	of = make(map[string][]EncodeResult)
	for _, r := range rs {
		if of[r.Scene] == nil {
			names = append(names, r.Scene)
		}
		of[r.Scene] = append(of[r.Scene], r)
	}
	return names, of
}

// EncodeTable returns the results as Markdown: a table per scene.
func EncodeTable(rs []EncodeResult) string {
	var b strings.Builder
	names, of := byScene(rs)
	for i, name := range names {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "| %s | p50 ms | p95 ms | p99 ms | MB/s | kB per frame | ratio | PSNR dB |\n|---|---|---|---|---|---|---|---|\n", name)
		for _, r := range of[name] {
			if r.Err != "" {
				fmt.Fprintf(&b, "| %s | %s | | | | | | |\n", r.Encoder, r.Err)
				continue
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", r.Encoder, number(r.P50), number(r.P95), number(r.P99),
				number(r.MBs), number(r.KB), number(r.Ratio), r.quality())
		}
	}
	return b.String()
}

// quality is the PSNR for people.
func (r *EncodeResult) quality() string {
	if r.PSNR == 0 {
		return "identical"
	}
	return fmt.Sprintf("%.1f", r.PSNR)
}
