package main

import (
	"errors"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"framebridge/bench"
)

func newBenchBrowser() *cobra.Command {
	var (
		p                  bench.PageOptions
		b                  bench.BrowserOptions
		out                benchOutput
		works, pages, ways string
	)
	c := &cobra.Command{
		Use:   "browser",
		Short: "What browsers cost the server, and how soon they show a change",
		Long: `Measures the server's CPU time, frames and bytes with pages of /stream that
acknowledge each frame at once, then the time from drawing on X to the pixel in a
headless Chromium's page, 1280x800, through a TCP forwarder: one small change of an
idle screen at random times. noVNC over x11vnc is measured the same way. The page looks
once in a display frame of 16.7 ms: half of that is the least that a median can be.

The browser is driven by the programs of the page's tests: run in the source tree,
after npm ci in internal/web (make bench-browser does both).

Works: ` + strings.Join(bench.PageWorks(), ", ") + `.
Ways to the browser: ` + strings.Join(bench.BrowserWays(), "; ") + `.`,
		Args: noArgs,
	}
	f := c.Flags()
	out.flags(f)
	f.StringVar(&works, "works", "", "works that pages watch, separated by commas; none: no pages (default all)")
	f.StringVar(&pages, "pages", "1,8", "how many pages at once, separated by commas")
	f.StringVar(&p.Size, "size", "1920x1080", "size of the screen that pages watch")
	f.IntVar(&p.Changes, "page-changes", 60, "changes per work")
	f.StringVar(&ways, "ways", "", "ways to the browser, separated by semicolons; none: no browser (default all)")
	f.IntVar(&b.Changes, "changes", 100, "changes per way")
	f.StringVar(&b.Web, "web", "internal/web", "folder of the page's tests, with node_modules")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := applyEnv(cmd.Flags()); err != nil {
			return err
		}
		if p.Changes < 1 || b.Changes < 1 {
			return usagef("--changes and --page-changes take 1 or more")
		}
		for _, s := range lists(pages) {
			n, err := strconv.Atoi(s)
			if err != nil || n < 1 || n > maxBenchPages {
				return usagef("--pages %s: want numbers from 1 to %d, separated by commas", pages, maxBenchPages)
			}
			p.Pages = append(p.Pages, n)
		}
		self, err := os.Executable()
		if err != nil {
			return err
		}
		p.Program, b.Program = self, self
		p.Works, p.Log, b.Log = lists(works), cmd.ErrOrStderr(), cmd.ErrOrStderr()
		if ways != "" {
			b.Ways = strings.Split(ways, ";")
		}
		var r bench.Report
		if r.Pages, err = bench.Pages(cmd.Context(), p); err != nil {
			return err
		}
		if r.Browsers, err = bench.Browsers(cmd.Context(), b); err != nil {
			return errors.Join(out.write(cmd, &r), err)
		}
		err = out.write(cmd, &r)
		for _, x := range r.Pages {
			if x.Err != "" {
				err = errors.Join(err, errors.New(x.Work+": "+x.Err))
			}
		}
		for _, x := range r.Browsers {
			if x.Err != "" && !strings.Contains(x.Way, "x11vnc") { // others may fail
				err = errors.Join(err, errors.New(x.Way+": "+x.Err))
			}
		}
		return err
	}
	return c
}

// maxBenchPages bounds --pages: all are read on this machine.
const maxBenchPages = 256
