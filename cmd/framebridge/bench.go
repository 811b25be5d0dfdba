package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"framebridge/bench"
	"framebridge/rfb"
)

func newBench() *cobra.Command {
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure VNC servers",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newBenchLive(), newBenchRecord())
	return c
}

// benchEncodings are the encodings that can be measured by name.
var benchEncodings = map[string]rfb.Encoding{
	"tight": rfb.EncodingTight, "zrle": rfb.EncodingZRLE, "hextile": rfb.EncodingHextile,
	"zlib": rfb.EncodingZlib, "raw": rfb.EncodingRaw,
}

func newBenchLive() *cobra.Command {
	var (
		o        bench.LiveOptions
		servers  []string
		peers    bool
		encoding string
		works    string
	)
	c := &cobra.Command{
		Use:   "live",
		Short: "Time from drawing on X to a viewer's framebuffer, beside other servers",
		Long: `Starts an X server for each VNC server, draws on it and measures the time until a
viewer has decoded the change, the bytes, and the CPU time of server and X server.
Other servers that are installed (x11vnc, X0tigervnc, Xtigervnc) are measured in
the same run. The works are ` + strings.Join(bench.Works(), ", ") + `.`,
		Args: noArgs,
	}
	f := c.Flags()
	f.StringVar(&works, "works", "", "works to run, separated by commas (default all)")
	f.StringVar(&o.Size, "size", "1920x1080", "size of the screen")
	f.IntVar(&o.Viewers, "viewers", 1, "viewers at the same time")
	f.StringVar(&encoding, "encoding", "tight", "encoding that the viewers prefer: tight, zrle, hextile, zlib, raw")
	f.IntVar(&o.Viewing.Quality, "quality", -1, "JPEG quality level 0 to 9; -1: lossless")
	f.IntVar(&o.Viewing.Compress, "compress", 1, "compression level 0 to 9")
	f.IntVar(&o.Changes, "changes", 60, "changes per work")
	f.IntVar(&o.Runs, "runs", 1, "how often all is measured; medians are reported")
	f.StringArrayVar(&servers, "server", nil, "another server: NAME='COMMAND with {display} and {port}'")
	f.BoolVar(&peers, "peers", true, "measure the other servers that are installed")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := applyEnv(cmd.Flags()); err != nil {
			return err
		}
		var ok bool
		if o.Viewing.Encoding, ok = benchEncodings[encoding]; !ok {
			return usagef("--encoding %s: want tight, zrle, hextile, zlib or raw", encoding)
		}
		if o.Viewing.Compress < 0 || o.Viewing.Compress > 9 || o.Viewing.Quality < -1 || o.Viewing.Quality > 9 {
			return usagef("--compress takes 0 to 9, --quality -1 to 9")
		}
		if o.Viewers < 1 || o.Changes < 4 || o.Runs < 1 {
			return usagef("--viewers and --runs take 1 or more, --changes 4 or more")
		}
		if works != "" {
			o.Works = strings.Split(works, ",")
		}
		self, err := os.Executable()
		if err != nil {
			return err
		}
		o.Servers = []bench.Server{bench.Own(self)}
		for _, s := range servers {
			p, err := bench.ParseServer(s)
			if err != nil {
				return usageError{err}
			}
			o.Servers = append(o.Servers, p)
		}
		if peers {
			o.Servers = append(o.Servers, bench.Peers()...)
		}
		o.Log = cmd.ErrOrStderr()
		results, err := bench.Live(cmd.Context(), o)
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(cmd.OutOrStdout(), bench.Table(results))
		return err
	}
	return c
}
