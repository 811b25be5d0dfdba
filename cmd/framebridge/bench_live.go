package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"framebridge/bench"
)

func newBenchLive() *cobra.Command {
	var (
		o     bench.LiveOptions
		b     benchServers
		out   benchOutput
		works string
	)
	c := &cobra.Command{
		Use:   "live",
		Short: "Time from drawing on X to a viewer's framebuffer, beside other servers",
		Long: `Starts an X server for each VNC server, draws on it and measures the time until a
viewer has decoded the change, the bytes, and the CPU time of server and X server.
Other servers that are installed (x11vnc, X0tigervnc, Xtigervnc) are measured in
the same run. The works are ` + strings.Join(bench.Works(), ", ") + `.

With several viewers the first measures; the others decode everything, too, and
all are compared with the display at the end.`,
		Args: noArgs,
	}
	f := c.Flags()
	b.flags(f)
	b.viewingFlags(f, &o.Viewing)
	out.flags(f)
	f.StringVar(&works, "works", "", "works to run, separated by commas (default all)")
	f.StringVar(&o.Size, "size", "1920x1080", "size of the screen")
	f.IntVar(&o.Viewers, "viewers", 1, "viewers at the same time")
	f.IntVar(&o.Changes, "changes", 60, "changes per work")
	f.IntVar(&o.Runs, "runs", 1, "how often all is measured; medians are reported")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := b.set(cmd, &o); err != nil {
			return err
		}
		if o.Viewers < 1 {
			return usagef("--viewers takes 1 or more")
		}
		o.Works = lists(works)
		rs, err := bench.Live(cmd.Context(), o)
		if err != nil {
			return err
		}
		return errors.Join(out.write(cmd, &bench.Report{Results: rs}), judge(rs))
	}
	return c
}

func newBenchTable() *cobra.Command {
	var (
		o   = bench.LiveOptions{Viewing: bench.Viewing{Quality: -1, Compress: 1}}
		b   = benchServers{encoding: "tight"}
		out benchOutput
	)
	c := &cobra.Command{
		Use:   "table",
		Short: "The README's table: all works, JPEG, 16 viewers and a slow link in one run",
		Long: `Runs bench live four times and prints one table: all works lossless; popup, full and
video with JPEG quality 6; popup with 16 viewers; type, full and video with JPEG
and continuous updates over a link of 20 ms and 10 Mbit/s each way. The last columns are framebridge's
figures as ratios to x0vncserver's, and what they are to be.`,
		Args: noArgs,
	}
	f := c.Flags()
	b.flags(f)
	out.flags(f)
	f.IntVar(&o.Changes, "changes", 60, "changes per work")
	f.IntVar(&o.Runs, "runs", 1, "how often all is measured; medians are reported")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := b.set(cmd, &o); err != nil {
			return err
		}
		rs, err := bench.Parts(cmd.Context(), bench.TableParts(o))
		if err != nil {
			return err
		}
		return errors.Join(out.write(cmd, &bench.Report{Results: rs}), judge(rs))
	}
	return c
}

func newBenchScale() *cobra.Command {
	var (
		o    bench.ScaleOptions
		b    benchServers
		out  benchOutput
		axes string
	)
	c := &cobra.Command{
		Use:   "scale",
		Short: "How latency, CPU time, bytes and memory grow",
		Long: `Measures as bench live does along three axes: the size of the screen from 1280x720
to 7680x4320 (works type and full), the share of it that changes from a character
to all, and 1 to 64 viewers (work popup). All viewers decode on this machine: with
many of them the latency is the machine's, the server's CPU time its own.`,
		Args: noArgs,
	}
	f := c.Flags()
	b.flags(f)
	b.viewingFlags(f, &o.Viewing)
	out.flags(f)
	f.StringVar(&axes, "axes", "", "some of \""+strings.Join(bench.Axes, ",")+"\" (default all)")
	f.StringVar(&o.Size, "size", "1920x1080", "size of the screen where it does not grow")
	f.IntVar(&o.MaxViewers, "max-viewers", 64, "viewers at most")
	f.IntVar(&o.MaxPixels, "max-pixels", 7680*4320, "pixels of a screen at most")
	f.IntVar(&o.Changes, "changes", 20, "changes per work")
	f.IntVar(&o.Runs, "runs", 1, "how often all is measured; medians are reported")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := b.set(cmd, &o.LiveOptions); err != nil {
			return err
		}
		if o.MaxViewers < 1 || o.MaxPixels < 1280*720 {
			return usagef("--max-viewers takes 1 or more, --max-pixels 1280*720 or more")
		}
		o.Axes = lists(axes)
		rs, err := bench.Scale(cmd.Context(), o)
		if err != nil {
			return err
		}
		return errors.Join(out.write(cmd, &bench.Report{Results: rs}), judge(rs))
	}
	return c
}
