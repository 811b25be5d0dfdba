package jpeg

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/encode/encodetest"
	"framebridge/internal/peertest"
	"framebridge/internal/pix"
)

// The benchmarks take whole screens and quality 75, libjpeg-turbo's usual measure;
// Mpixel/s is the figure to compare.
const benchQuality = 75

var (
	benchScreen   = image.Rect(0, 0, 1920, 1080)
	benchContents = []string{"text", "ui", "photo", "detail", "noise"}
	subsamplings  = []string{S444: "444", S422: "422", S420: "420"}
)

// benchPicture is a screen of a kind; "detail" is a photograph with more of it than
// encodetest's smooth one: about a bit and a half for a pixel.
func benchPicture(name string) *pix.Image {
	if name != "detail" {
		return encodetest.Find(name).New(benchScreen, 1)
	}
	m := encodetest.Find("photo").New(benchScreen, 1)
	noise := encodetest.Find("noise").New(benchScreen, 2)
	for i, v := range noise.Pix {
		m.Pix[i] = byte((7*int(m.Pix[i]) + int(v)) / 8)
	}
	return m
}

func mpixels(b *testing.B, m *pix.Image) {
	b.ReportMetric(float64(m.Rect.Dx()*m.Rect.Dy())*float64(b.N)/1e6/b.Elapsed().Seconds(), "Mpixel/s")
}

func BenchmarkEncode(b *testing.B) {
	for _, name := range benchContents {
		m := benchPicture(name)
		for s, sub := range subsamplings {
			for _, kernels := range kernelSets() {
				b.Run(name+"/"+sub+"/"+kernels.name, func(b *testing.B) {
					defer kernels.use()()
					var e Encoder
					var dst []byte
					b.SetBytes(int64(len(m.Pix)))
					b.ReportAllocs()
					for b.Loop() {
						dst = e.AppendEncode(dst[:0], m, m.Rect, benchQuality, Subsampling(s))
					}
					mpixels(b, m)
					b.ReportMetric(float64(len(dst)), "out-B")
					b.ReportMetric(psnr(b, dst, m, m.Rect), "dB")
				})
			}
		}
	}
}

// BenchmarkStandard is image/jpeg on the same pictures, which knows 4:2:0 alone.
func BenchmarkStandard(b *testing.B) {
	for _, name := range benchContents {
		m := benchPicture(name)
		b.Run(name+"/420", func(b *testing.B) {
			src := image.NewRGBA(m.Rect)
			for y := range m.Rect.Dy() {
				for x := range m.Rect.Dx() {
					v := m.At(x, y)
					src.SetRGBA(x, y, color.RGBA{byte(v >> 16), byte(v >> 8), byte(v), 255})
				}
			}
			var dst bytes.Buffer
			b.SetBytes(int64(len(m.Pix)))
			b.ReportAllocs()
			for b.Loop() {
				dst.Reset()
				if err := stdjpeg.Encode(&dst, src, &stdjpeg.Options{Quality: benchQuality}); err != nil {
					b.Fatal(err)
				}
			}
			mpixels(b, m)
			b.ReportMetric(float64(dst.Len()), "out-B")
			b.ReportMetric(psnr(b, dst.Bytes(), m, m.Rect), "dB")
		})
	}
}

var turboFigures = regexp.MustCompile(`(?m)^BGRX \(TD\) +\S+ +\d+ +\d+ +\d+ +(\S+) +(\S+) `)

// BenchmarkTurbo is libjpeg-turbo on the same pictures, one core, from BGRX: its
// own program measures. Skipped without tjbench (Debian: libjpeg-turbo-progs).
func BenchmarkTurbo(b *testing.B) {
	program := peertest.Program(b, "tjbench")
	for _, name := range benchContents {
		m := benchPicture(name)
		file := filepath.Join(b.TempDir(), "picture.ppm")
		ppm := fmt.Appendf(nil, "P6\n%d %d\n255\n", m.Rect.Dx(), m.Rect.Dy())
		for i := 0; i < len(m.Pix); i += 4 {
			ppm = append(ppm, m.Pix[i+2], m.Pix[i+1], m.Pix[i])
		}
		require.NoError(b, os.WriteFile(file, ppm, 0o600))
		for _, sub := range subsamplings {
			b.Run(name+"/"+sub, func(b *testing.B) {
				out, err := exec.CommandContext(b.Context(), program, file, strconv.Itoa(benchQuality), "-bgrx", "-subsamp", sub,
					"-quiet", "-nowrite", "-componly", "-warmup", "0.2", "-benchtime", "1").CombinedOutput()
				require.NoError(b, err, "%s", out)
				got := turboFigures.FindSubmatch(out)
				require.NotNil(b, got, "%s", out)
				speed, err := strconv.ParseFloat(string(got[1]), 64)
				require.NoError(b, err)
				ratio, err := strconv.ParseFloat(string(got[2]), 64)
				require.NoError(b, err)
				b.ReportMetric(0, "ns/op") // means nothing here
				b.ReportMetric(speed, "Mpixel/s")
				b.ReportMetric(float64(m.Rect.Dx()*m.Rect.Dy())*4/ratio, "out-B")
			})
		}
	}
}

func BenchmarkConvert(b *testing.B) {
	m := benchPicture("photo")
	var e Encoder
	part := image.Rect(0, 0, segmentWidth, 16)
	for s, sub := range subsamplings {
		for _, kernels := range kernelSets() {
			b.Run(sub+"/"+kernels.name, func(b *testing.B) {
				defer kernels.use()()
				e.sub = Subsampling(s)
				b.SetBytes(4 * segmentWidth * 16)
				for b.Loop() {
					e.convert(m, part)
					if e.sub != S420 {
						e.convert(m, part) // only half as high
					}
				}
			})
		}
	}
}

func BenchmarkTransform(b *testing.B) {
	m := benchPicture("photo")
	var e Encoder
	e.convert(m, image.Rect(0, 0, segmentWidth, 8))
	var q quantiser
	q.set(&quantBase[0], benchQuality)
	for _, kernels := range kernelSets() {
		b.Run(kernels.name, func(b *testing.B) {
			defer kernels.use()()
			const pairs = segmentWidth / 16
			b.SetBytes(pairs * 128)
			for b.Loop() {
				q.transform(e.blocks[:], e.planes.luma[:], segmentWidth, pairs, layout{8, 16, 1, 2})
			}
		})
	}
}

func BenchmarkHuffman(b *testing.B) {
	for _, name := range benchContents {
		m := benchPicture(name)
		var e Encoder
		e.AppendEncode(nil, m, image.Rect(0, 500, segmentWidth, 508), benchQuality, S420)
		for _, kernels := range kernelSets() {
			b.Run(name+"/"+kernels.name, func(b *testing.B) {
				defer kernels.use()()
				n := 0
				for b.Loop() {
					n = e.bits.huffman(e.raw[:], e.blocks[:], leadBlocks)
				}
				b.SetBytes(int64(n))
				b.ReportMetric(float64(n), "out-B")
			})
		}
	}
}
