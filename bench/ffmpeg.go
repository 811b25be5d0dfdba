package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"io"
	"math"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"framebridge/internal/pix"
)

// ffmpeg is the installed program, which encodes pictures that come through a pipe,
// and decodes.
//
// What an encoder takes is the difference of two runs: of all frames, and of those
// before the ones that are measured. It is free of starting, of the first picture,
// and, less a run that only reads, of the pipe. The same difference of the outputs'
// lengths is the frames' bytes.
type ffmpeg struct {
	path  string
	peers []videoPeer
	vpx   []string // libvpx's options but for its rate; nil: it is not built in
}

// videoPeer is an encoder of others.
type videoPeer struct {
	name   string
	args   []string
	format string // of its output
}

// findFFmpeg looks for ffmpeg and what it can do.
func findFFmpeg(ctx context.Context) (*ffmpeg, error) {
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		return nil, errors.New("ffmpeg is not installed")
	}
	f := &ffmpeg{path: path}
	list, err := exec.CommandContext(ctx, path, "-hide_banner", "-encoders").Output()
	if err != nil {
		return nil, fmt.Errorf("ffmpeg -encoders: %w", err)
	}
	if bytes.Contains(list, []byte(" libvpx ")) {
		f.vpx = strings.Fields("-c:v libvpx -threads 1 -deadline realtime -cpu-used 8 -lag-in-frames 0 -static-thresh 100 -g 10000")
		name := "libvpx"
		// Only later ones let it be told that it codes a screen.
		if help, err := exec.CommandContext(ctx, path, "-hide_banner", "-h", "encoder=libvpx").Output(); err != nil {
			return nil, fmt.Errorf("ffmpeg -h encoder=libvpx: %w", err)
		} else if bytes.Contains(help, []byte("-screen-content-mode")) {
			f.vpx = append(f.vpx, "-screen-content-mode", "1")
			name += " for screens"
		}
		f.peers = append(f.peers, videoPeer{name: name, format: "ivf",
			args: slices.Concat(f.vpx, strings.Fields("-b:v 8M -qmin 4 -qmax 48"))})
	}
	if bytes.Contains(list, []byte(" libx264 ")) {
		f.peers = append(f.peers, videoPeer{name: "x264 ultrafast", format: "h264",
			args: strings.Fields("-c:v libx264 -threads 1 -preset ultrafast -tune zerolatency -crf 23 -g 10000")})
	}
	if len(f.peers) == 0 {
		return nil, errors.New("ffmpeg has neither libvpx nor libx264")
	}
	return f, nil
}

// stillFrames is how many frames peers get of the first picture: half a second.
const stillFrames = videoFPS / 2

// play calls yield with the first picture stillFrames times, then with those of the
// work's frames up to last, numbered from 1; before them numbers are 0.
func (b *videoBench) play(last int, yield func(n int, p *i420) error) error {
	m, p := pix.New(image.Rectangle{Max: b.size}), newI420(b.size)
	step := b.work.begin(m)
	p.set(m)
	for range stillFrames {
		if err := yield(0, p); err != nil {
			return err
		}
	}
	for n := 1; n <= last; n++ {
		if c := step(n); len(c.Damage)+len(c.Moves) > 0 {
			p.set(m)
		}
		if err := yield(n, p); err != nil {
			return err
		}
	}
	return nil
}

// ffmpegRun has ffmpeg read the work's frames up to last and returns its output and its
// CPU time.
func (b *videoBench) ffmpegRun(ctx context.Context, last int, args ...string) ([]byte, time.Duration, error) {
	cmd := exec.CommandContext(ctx, b.ffmpeg.path, append([]string{
		"-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", fmt.Sprintf("%dx%d", b.size.X, b.size.Y),
		"-r", strconv.Itoa(videoFPS), "-i", "-",
	}, args...)...)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, 0, err
	}
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Start(); err != nil {
		return nil, 0, err
	}
	w := bufio.NewWriterSize(in, 1<<20)
	err = b.play(last, func(_ int, p *i420) error { return p.write(w) })
	err = errors.Join(err, w.Flush(), in.Close())
	if e := cmd.Wait(); e != nil {
		err = fmt.Errorf("ffmpeg: %w: %s", e, lastLine(stderr.String())) // it closed the pipe
	}
	if err != nil {
		return nil, 0, err
	}
	return out.Bytes(), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}

// ffmpegCost is what ffmpeg with args takes for the measured frames.
func (b *videoBench) ffmpegCost(ctx context.Context, args ...string) (out []byte, more int, cpu time.Duration, err error) {
	before, cpu0, err := b.ffmpegRun(ctx, b.work.warm, args...)
	if err != nil {
		return nil, 0, 0, err
	}
	out, cpu1, err := b.ffmpegRun(ctx, b.last(), args...)
	return out, len(out) - len(before), cpu1 - cpu0, err
}

// readingTime is what ffmpeg takes to read the measured frames.
func (b *videoBench) readingTime(ctx context.Context) (time.Duration, error) {
	_, _, cpu, err := b.ffmpegCost(ctx, "-c:v", "copy", "-f", "null", "-")
	return cpu, err
}

// peer measures an encoder of others.
func (b *videoBench) peer(ctx context.Context, p videoPeer, reading time.Duration) (r VideoResult, err error) {
	r = VideoResult{Encoder: p.name, Work: b.work.name, Frames: b.frames}
	out, bytes, cpu, err := b.ffmpegCost(ctx, append(slices.Clone(p.args), "-f", p.format, "-")...)
	if err != nil {
		return r, err
	}
	if p.format == "ivf" {
		bytes -= b.frames * ivfFrameHeader
	}
	r.Bytes = float64(bytes) / float64(b.frames)
	r.CPU = max(0, millis(cpu-reading)/float64(b.frames))
	f, err := b.judge(ctx, out, p.format)
	f.set(&r)
	return r, err
}

// judge decodes a stream of all frames.
func (b *videoBench) judge(ctx context.Context, stream []byte, format string) (f fidelity, err error) {
	f = b.fidelity()
	raw := make([]byte, rawSize(b.size))
	err = b.ffmpeg.decode(ctx, stream, format, func(r io.Reader) error {
		return b.play(b.last(), func(n int, want *i420) error {
			if _, err := io.ReadFull(r, raw); err != nil {
				return fmt.Errorf("decoding frame %d: %w", n, err)
			}
			if b.judged(n) {
				f.add(want, raw, b.size.X)
			}
			return nil
		})
	})
	return f, err
}

// decode decodes a stream and gives read its raw frames, all of which it must read.
func (f *ffmpeg) decode(ctx context.Context, stream []byte, format string, read func(r io.Reader) error) error {
	cmd := exec.CommandContext(ctx, f.path, "-v", "error", "-threads", "1", "-f", format, "-i", "-",
		"-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-")
	cmd.Stdin = bytes.NewReader(stream)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	frames := bufio.NewReaderSize(out, 1<<20)
	err = read(frames)
	more, _ := io.Copy(io.Discard, frames)
	if err == nil && more > 0 {
		err = fmt.Errorf("%d bytes more than frames were decoded", more)
	}
	if e := cmd.Wait(); e != nil || stderr.Len() > 0 {
		err = fmt.Errorf("ffmpeg: %w: %s", errors.Join(e, err), lastLine(stderr.String()))
	}
	return err
}

// check decodes what our encoder made and compares every picture with the one that
// it said a decoder has.
func (f *ffmpeg) check(ctx context.Context, c *coded) error {
	raw := make([]byte, rawSize(c.size))
	return f.decode(ctx, c.ivf, "ivf", func(r io.Reader) error {
		for n, want := range c.sums {
			if _, err := io.ReadFull(r, raw); err != nil {
				return fmt.Errorf("decoding frame %d: %w", n, err)
			}
			if crc32.ChecksumIEEE(raw) != want {
				return fmt.Errorf("frame %d: %w", n, errWrongPicture)
			}
		}
		return nil
	})
}

// Lengths of the headers of IVF, of the file and of a frame.
const (
	ivfHeader      = 32
	ivfFrameHeader = 12
)

// ivfSizes are the sizes of the frames of an IVF file.
func ivfSizes(b []byte) (sizes []int, err error) {
	for b = b[min(ivfHeader, len(b)):]; len(b) > 0; {
		if len(b) < ivfFrameHeader {
			return nil, io.ErrUnexpectedEOF
		}
		n := int(binary.LittleEndian.Uint32(b))
		if n > len(b)-ivfFrameHeader {
			return nil, io.ErrUnexpectedEOF
		}
		sizes, b = append(sizes, n), b[ivfFrameHeader+n:]
	}
	return sizes, nil
}

// ratePoint is what an encoder makes of a work with one setting.
type ratePoint struct{ bytes, psnr float64 }

// quantisers are those of libvpx's that the curve of its bytes is made of.
var quantisers = []int{60, 52, 44, 36, 28, 22, 16, 10, 4}

// libvpxAt returns the bytes per frame with which libvpx has the same PSNR of the
// area, between two of its quantisers; 0 where it cannot be said. The note is for
// people.
func (b *videoBench) libvpxAt(ctx context.Context, psnr float64) (bytes float64, note string) {
	if b.ffmpeg.vpx == nil {
		return 0, "ffmpeg has no libvpx to compare bytes with"
	}
	for n := len(b.curve); n < len(quantisers) && (n == 0 || b.curve[n-1].psnr < psnr); n++ {
		p, err := b.libvpxPoint(ctx, quantisers[n])
		if err != nil {
			return 0, fmt.Sprintf("libvpx with quantiser %d: %v", quantisers[n], err)
		}
		b.curve = append(b.curve, p)
	}
	bytes, ok := bytesAt(b.curve, psnr)
	if !ok {
		return 0, fmt.Sprintf("libvpx does not have %.2f dB with any quantiser: %.2f to %.2f", psnr, b.curve[0].psnr, b.curve[len(b.curve)-1].psnr)
	}
	return bytes, fmt.Sprintf("libvpx has %.2f dB of the area with %.0f bytes per frame", psnr, bytes)
}

// bytesAt interpolates the points, whose PSNR grows: the logarithm of bytes is about
// linear in it.
func bytesAt(points []ratePoint, psnr float64) (bytes float64, ok bool) {
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		if a.psnr <= psnr && psnr <= b.psnr && a.psnr < b.psnr && a.bytes > 0 && b.bytes > 0 {
			at := (psnr - a.psnr) / (b.psnr - a.psnr)
			return math.Exp(math.Log(a.bytes)*(1-at) + math.Log(b.bytes)*at), true
		}
	}
	return 0, false
}

// libvpxPoint codes the work with one quantiser.
func (b *videoBench) libvpxPoint(ctx context.Context, quantiser int) (p ratePoint, err error) {
	q := strconv.Itoa(quantiser)
	args := slices.Concat(b.ffmpeg.vpx, []string{"-qmin", q, "-qmax", q, "-b:v", "50M", "-f", "ivf", "-"})
	out, _, err := b.ffmpegRun(ctx, b.last(), args...)
	if err != nil {
		return p, err
	}
	sizes, err := ivfSizes(out)
	if err != nil || len(sizes) != stillFrames+b.last() {
		return p, fmt.Errorf("%d frames of %d: %w", len(sizes), stillFrames+b.last(), err)
	}
	for _, n := range sizes[stillFrames+b.work.warm:] {
		p.bytes += float64(n) / float64(b.frames)
	}
	f, err := b.judge(ctx, out, "ivf")
	p.psnr = lumaPSNR(f.part, f.parts)
	return p, err
}
