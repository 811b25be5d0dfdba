package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"framebridge/bench/recording"
	"framebridge/capture/xshm"
)

func newBenchRecord() *cobra.Command {
	var (
		display, auth, out string
		seconds, fps       float64
	)
	c := &cobra.Command{
		Use:   "record --display :N --out FILE",
		Short: "Keep the frames of a display in a file, for bench encode",
		Long: `Captures a display as serve does and keeps the frames and their damage in a file:
a header and a zstd stream, whole seconds of a desktop in some hundred kilobytes.
bench encode measures the encoders on it. Ctrl+C ends the recording early.`,
		Args: noArgs,
	}
	f := c.Flags()
	f.StringVar(&display, "display", "", "display to record; default $DISPLAY")
	f.StringVar(&auth, "auth", "", "Xauthority file; default $XAUTHORITY, then ~/.Xauthority")
	f.StringVar(&out, "out", "", "file to write")
	f.Float64Var(&seconds, "seconds", 10, "how long")
	f.Float64Var(&fps, "fps", 30, "frames a second at most")
	c.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		if err := applyEnv(cmd.Flags()); err != nil {
			return err
		}
		if out == "" {
			return usagef("--out: want a file")
		}
		if !(seconds > 0 && seconds <= 3600) || !(fps >= 0.1 && fps <= 1000) {
			return usagef("--seconds takes up to 3600, --fps 0.1 to 1000")
		}
		ctx := cmd.Context()
		src, err := xshm.Open(ctx, xshm.Options{Display: display, AuthFile: auth})
		if err != nil {
			return err
		}
		defer src.Close()
		file, err := os.Create(out)
		if err != nil {
			return err
		}
		buf := bufio.NewWriter(file)
		limit, cancel := context.WithTimeout(ctx, time.Duration(seconds*float64(time.Second)))
		defer cancel()
		n, err := recording.Record(limit, buf, src, fps)
		err = errors.Join(err, buf.Flush())
		size := int64(0)
		if info, e := file.Stat(); e == nil {
			size = info.Size()
		}
		if err := errors.Join(err, file.Close()); err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.ErrOrStderr(), "%s: %d frames, %d kB\n", out, n, (size+1023)/1024)
		return err
	}
	return c
}
