package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"framebridge/bench"
	"framebridge/bench/link"
	"framebridge/rfb"
)

func newBench() *cobra.Command {
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure servers and encoders",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newBenchLive(), newBenchTable(), newBenchScale(), newBenchEncode(), newBenchBrowser(), newBenchRecord())
	return c
}

// benchOutput is where a measurement's results go, besides the tables on standard
// output.
type benchOutput struct{ json, csv, html string }

func (o *benchOutput) flags(f *pflag.FlagSet) {
	f.StringVar(&o.json, "json", "", "write all results to this file as JSON")
	f.StringVar(&o.csv, "csv", "", "the same as CSV")
	f.StringVar(&o.html, "html", "", "the same as one HTML page with plots")
}

// write prints the tables and writes the files.
func (o *benchOutput) write(cmd *cobra.Command, r *bench.Report) error {
	r.Made, r.Program, r.Machine = time.Now(), version, bench.ThisMachine()
	r.Command = strings.Join(append([]string{"framebridge"}, os.Args[1:]...), " ")
	_, err := fmt.Fprint(cmd.OutOrStdout(), r.Markdown())
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{{o.json, r.JSON}, {o.csv, r.CSV}, {o.html, r.HTML}} {
		if f.name == "" {
			continue
		}
		file, e := os.Create(f.name)
		if e == nil {
			e = errors.Join(f.write(file), file.Close())
		}
		err = errors.Join(err, e)
	}
	return err
}

// benchServers are the flags that say what is measured how.
type benchServers struct {
	servers  []string
	peers    bool
	encoding string
	link     string
}

func (b *benchServers) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&b.servers, "server", nil, "another server: NAME='COMMAND with {display} and {port}'")
	f.BoolVar(&b.peers, "peers", true, "measure the other servers that are installed")
}

func (b *benchServers) viewingFlags(f *pflag.FlagSet, v *bench.Viewing) {
	f.StringVar(&b.encoding, "encoding", "tight", "encoding that the viewers prefer: tight, zrle, hextile, zlib, raw")
	f.IntVar(&v.Quality, "quality", -1, "JPEG quality level 0 to 9; -1: lossless")
	f.IntVar(&v.Compress, "compress", 1, "compression level 0 to 9")
	f.BoolVar(&v.Continuous, "continuous", false, "take updates without requests from servers that can (ContinuousUpdates)")
	f.StringVar(&b.link, "link", "", "a slow link between viewers and server: DELAY,RATE each way, such as 20ms,10mbit")
}

// benchEncodings are the encodings that can be measured by name.
var benchEncodings = map[string]rfb.Encoding{
	"tight": rfb.EncodingTight, "zrle": rfb.EncodingZRLE, "hextile": rfb.EncodingHextile,
	"zlib": rfb.EncodingZlib, "raw": rfb.EncodingRaw,
}

// set fills in o what the flags say.
func (b *benchServers) set(cmd *cobra.Command, o *bench.LiveOptions) error {
	if err := applyEnv(cmd.Flags()); err != nil {
		return err
	}
	var ok bool
	if o.Viewing.Encoding, ok = benchEncodings[b.encoding]; !ok {
		return usagef("--encoding %s: want tight, zrle, hextile, zlib or raw", b.encoding)
	}
	if o.Viewing.Compress < 0 || o.Viewing.Compress > 9 || o.Viewing.Quality < -1 || o.Viewing.Quality > 9 {
		return usagef("--compress takes 0 to 9, --quality -1 to 9")
	}
	if o.Changes < 4 || o.Runs < 1 {
		return usagef("--runs takes 1 or more, --changes 4 or more")
	}
	var err error
	if o.Link, err = link.Parse(b.link); err != nil {
		return usageError{err}
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	o.Servers = []bench.Server{bench.Own(self)}
	for _, s := range b.servers {
		p, err := bench.ParseServer(s)
		if err != nil {
			return usageError{err}
		}
		o.Servers = append(o.Servers, p)
	}
	if b.peers {
		o.Servers = append(o.Servers, bench.Peers()...)
	}
	o.Log = cmd.ErrOrStderr()
	return nil
}

// judge is an error when our own server failed: others may.
func judge(rs []bench.Result) error {
	for _, r := range rs {
		if r.Server != rs[0].Server {
			continue
		}
		if r.Err != "" {
			return fmt.Errorf("%s: %s: %s", r.Server, r.Work, r.Err)
		}
		if r.Differ > 0 && r.Quality < 0 {
			return fmt.Errorf("%s: %s: %d pixels differ from the display", r.Server, r.Work, r.Differ)
		}
	}
	return nil
}

// lists splits flags of names separated by commas.
func lists(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}
