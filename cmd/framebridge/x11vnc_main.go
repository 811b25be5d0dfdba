package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"framebridge/internal/x11vnc"
)

// "framebridge x11vnc ..." and a framebridge that is called x11vnc take x11vnc's
// options, print what it prints and end as it does.
//
// A process of it has one of three parts. The one that was started reads the
// options and, unless one of the others is needed, serves. With -loop it stays
// to start servers one after the other; with -bg it starts one in a session of
// its own and ends when that listens (x11vnc_start.go).

// Exit codes of x11vnc.
const (
	exitSignal   = 2 // SIGTERM, SIGHUP
	exitXServer  = 3 // the X server has gone
	exitImpolite = 4 // a second signal
)

// x11vncName is the name that makes the program x11vnc.
const x11vncName = "x11vnc"

// x11vncArgs returns x11vnc's arguments if the program is called as x11vnc.
func x11vncArgs(argv []string) (args []string, ok bool) {
	if len(argv) > 0 && filepath.Base(argv[0]) == x11vncName {
		return argv[1:], true
	}
	if len(argv) > 1 && argv[1] == x11vncName {
		return argv[2:], true
	}
	return nil, false
}

// newX11vnc is the entry in the list of commands; main takes x11vnc's command
// lines before they get here.
func newX11vnc() *cobra.Command {
	return &cobra.Command{
		Use:                "x11vnc [options]",
		Short:              "Serve an X display with x11vnc's command line",
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return exitCode(x11vncMain(args))
		},
	}
}

// x11vncMain is the whole program when it is x11vnc.
func x11vncMain(args []string) int {
	// Whoever reads our output may have gone: that must not end the server.
	signal.Ignore(syscall.SIGPIPE)
	inherited, role, err := takeRole()
	if err != nil {
		fmt.Fprintln(os.Stderr, "x11vnc:", err)
		return exitError
	}
	if role != nil {
		args = inherited
	} else {
		args = takeArgs(args)
	}
	c, err := x11vnc.Reader{}.Read(args)
	if err != nil {
		printReadError(os.Stderr, err)
		return exitError
	}
	if c.Utility != "" {
		return x11vncUtility(c)
	}
	if len(c.Remote) > 0 {
		return remoteUtility(c)
	}
	if refused := notSupported(c); refused != "" {
		fmt.Fprintf(os.Stderr, "x11vnc: not supported: %s\n", refused)
		return exitError
	}
	switch {
	case role == nil && (c.Loop.On || c.BG):
		return superviseX11vnc(c, args)
	case role != nil && role.name == roleLoop:
		return loopX11vnc(c, args, role)
	}
	s := &x11vncServer{cfg: c, role: role}
	return s.main()
}

// printReadError prints what is wrong with the command line.
func printReadError(w io.Writer, err error) {
	var unknown *x11vnc.UnknownError
	if !errors.As(err, &unknown) {
		fmt.Fprintln(w, err)
		return
	}
	say := func(format string, args ...any) { fmt.Fprintln(w, logStamp()+fmt.Sprintf(format, args...)) }
	say("*** unrecognized option(s) ***")
	for i, a := range unknown.Args {
		say("\t[%d]  %s", i+1, x11vnc.Printable(a))
	}
	say("For a list of options run: x11vnc -opts")
	say("or for the full help: x11vnc -help")
}

// notSupported returns the options without which a server would not be what was
// asked for; empty if there are none.
func notSupported(c *x11vnc.Config) string {
	var list []string
	for _, n := range c.Unread {
		if n.Option.State == x11vnc.Refused {
			list = append(list, n.As)
		}
	}
	return strings.Join(list, ", ")
}

// signals returns a context that ends with the first signal, and the exit code
// that this signal asks for. A second signal ends the program at once.
func signals() (ctx context.Context, code func() int) {
	ch := make(chan os.Signal, 4)
	signal.Notify(ch, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	ctx, cancel := context.WithCancelCause(context.Background())
	go func() {
		first := <-ch
		n, _ := first.(syscall.Signal)
		fmt.Fprintf(os.Stderr, "caught signal: %d\n", n)
		cancel(signalError(n))
		<-ch
		os.Exit(exitImpolite)
	}()
	return ctx, func() int {
		var s signalError
		if errors.As(context.Cause(ctx), &s) && syscall.Signal(s) != syscall.SIGINT {
			return exitSignal
		}
		return exitOK
	}
}

// signalError is the cause of a context that a signal ended.
type signalError syscall.Signal

func (s signalError) Error() string { return "signal " + syscall.Signal(s).String() }

// logUnread says in one line which options have no effect.
func logUnread(log *slog.Logger, c *x11vnc.Config) {
	var ignored []string
	for _, n := range c.Unread {
		ignored = append(ignored, n.As)
	}
	if len(ignored) > 0 {
		log.Info("ignored: " + strings.Join(ignored, " "))
	}
}
