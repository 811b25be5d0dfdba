package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"framebridge/bench"
)

func newBenchEncode() *cobra.Command {
	var (
		o                       bench.EncodeOptions
		v                       bench.VideoOptions
		out                     benchOutput
		encoders, scenes, works string
	)
	c := &cobra.Command{
		Use:   "encode [RECORDING...]",
		Short: "Time, bytes and fidelity of the encoders on scenes and recordings",
		Long: `Encodes the frames of scenes, and of recordings that bench record made, with every
encoder in one goroutine. All that is made is decoded as a viewer does; a lossless
encoder whose pixels come out different is an error.

The video encoder is measured on works of a 1920x1080 desktop, with one goroutine and
with two, beside ffmpeg's libvpx and x264 on the same pictures where ffmpeg is
installed, which also decodes what was made. Peers' times are CPU times, their pictures
come through a pipe. For video, libvpx's bytes at the same PSNR of the area are found.

Encoders: ` + strings.Join(bench.EncoderNames(), ", ") + `.
Scenes: ` + strings.Join(bench.SceneNames(), ", ") + `.
Works: ` + strings.Join(bench.VideoWorks(), ", ") + `.`,
		Args: cobra.ArbitraryArgs,
	}
	f := c.Flags()
	out.flags(f)
	f.StringVar(&encoders, "encoders", "", "encoders, separated by commas (default all)")
	f.StringVar(&scenes, "scenes", "", "scenes, separated by commas; none: recordings only (default all)")
	f.StringVar(&o.Size, "size", "1280x720", "size of the scenes")
	f.StringVar(&works, "works", "", "works of the video encoder, separated by commas; none: no video (default all)")
	f.StringVar(&v.Size, "video-size", "1920x1080", "size of the works' screen")
	f.BoolVar(&v.Peers, "peers", true, "measure ffmpeg's video encoders, too")
	f.IntVar(&o.Frames, "frames", 40, "frames of each scene and work")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if err := applyEnv(cmd.Flags()); err != nil {
			return err
		}
		if o.Frames < 1 {
			return usagef("--frames takes 1 or more")
		}
		o.Encoders, o.Scenes, o.Recordings, o.Log = lists(encoders), lists(scenes), args, cmd.ErrOrStderr()
		v.Works, v.Frames, v.Log = lists(works), o.Frames, o.Log
		rs, err := bench.Encode(cmd.Context(), o)
		if err != nil {
			return err
		}
		vs, err := bench.Video(cmd.Context(), v)
		if err != nil {
			return err
		}
		err = out.write(cmd, &bench.Report{Encode: rs, Video: vs})
		for _, r := range rs {
			if r.Err != "" {
				err = errors.Join(err, errors.New(r.Encoder+": "+r.Scene+": "+r.Err))
			}
		}
		for _, r := range vs {
			if r.Err != "" && strings.HasPrefix(r.Encoder, "vp8") { // others may fail
				err = errors.Join(err, errors.New(r.Encoder+": "+r.Work+": "+r.Err))
			}
		}
		return err
	}
	return c
}
