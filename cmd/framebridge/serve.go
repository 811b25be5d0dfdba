package main

import (
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"framebridge/internal/x11"
)

func newServe() *cobra.Command {
	o := &serveOptions{}
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve an X display that is or will be there",
		Long: `Serves the X display to VNC viewers until SIGTERM or SIGINT. If the display is not
up yet it is waited for; if it goes away, viewers stay and see it again when it
is back. When all is up, one line on stdout says where:

    READY rfb=127.0.0.1:5900 http=http://127.0.0.1:5900/ display=:1`,
		Example: `  framebridge serve --display :1
  framebridge serve --listen :5900 --password-file ~/.vnc/passwd`,
		Args: noArgs,
	}
	return o.command(c, false, func(cmd *cobra.Command, _ []string, log *slog.Logger) error {
		if o.display == "" {
			o.display = os.Getenv("DISPLAY")
		}
		if o.display == "" {
			return usagef("no display: give --display :N or set DISPLAY")
		}
		if _, err := x11.ParseDisplay(o.display); err != nil {
			return usagef("--display: %w", err)
		}
		b, err := newBridge(o, log)
		if err != nil {
			return err
		}
		ls, err := o.openListeners()
		if err != nil {
			return err
		}
		b.up = func() { o.ready(cmd.OutOrStdout(), ls) }
		return b.serve(cmd.Context(), ls)
	})
}
