package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"framebridge/internal/xvfb"
)

// runOptions are run's flags beyond serve's.
type runOptions struct {
	serveOptions
	geometry string
	depth    int
	xserver  string
}

func newRun() *cobra.Command {
	o := &runOptions{}
	c := &cobra.Command{
		Use:   "run [flags] -- PROGRAM [ARGS]",
		Short: "Start an X server with a program in it, and serve it",
		Long: `Starts an X server on a free display, runs the program in it and serves it. Ends
with the program, and with its exit code; SIGTERM and SIGINT end the program.
Nothing is left running.`,
		Example: `  framebridge run -- xterm
  framebridge run --geometry 1920x1080 --listen :5900 --password-file pw -- firefox`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("no program: see '%s --help'", cmd.CommandPath())
			}
			return nil
		},
	}
	c.Flags().SetInterspersed(false) // the program's flags are its own
	c.Flags().StringVar(&o.geometry, "geometry", "1280x800", "size of the screen, WIDTHxHEIGHT")
	c.Flags().IntVar(&o.depth, "depth", 24, "bits per pixel of the screen: 8, 16, 24 or 30")
	c.Flags().StringVar(&o.xserver, "xserver", "Xvfb", "X server program, with Xvfb's options")
	return o.command(c, true, func(cmd *cobra.Command, args []string, log *slog.Logger) error {
		return o.run(cmd, args, log)
	})
}

func (o *runOptions) run(cmd *cobra.Command, args []string, log *slog.Logger) error {
	w, h, err := parseGeometry(o.geometry)
	if err != nil {
		return err
	}
	switch o.depth {
	case 8, 16, 24, 30:
	default:
		return usagef("--depth %d: want 8, 16, 24 or 30", o.depth)
	}
	program, err := exec.LookPath(args[0])
	if err != nil {
		return fmt.Errorf("program %s: %w: install it or give its path", args[0], lookReason(err))
	}
	// What can be wrong with serving is found before anything is started.
	if _, err := o.passwords(); err != nil {
		return err
	}
	ls, err := o.openListeners()
	if err != nil {
		return err
	}
	closeListeners := func() {
		for _, l := range ls {
			l.Close()
		}
	}
	so := xvfb.Options{Program: o.xserver, Width: w, Height: h, Depth: o.depth}
	if o.capture == "fbdir" {
		so.Args = []string{"-fbdir", o.fbdir}
	}
	x, err := xvfb.Start(cmd.Context(), so)
	if err != nil {
		closeListeners()
		if cmd.Context().Err() != nil {
			return nil
		}
		return err
	}
	defer x.Stop()
	o.display, o.auth = x.Display(), x.AuthFile()
	o.waitDisplay = 10 * time.Second
	b, err := newBridge(&o.serveOptions, log)
	if err != nil {
		closeListeners()
		return err
	}

	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	up := make(chan struct{})
	b.up = func() { o.ready(cmd.OutOrStdout(), ls); close(up) }
	served := make(chan error, 1)
	go func() { served <- b.serve(ctx, ls) }()
	select {
	case <-up:
	case err := <-served:
		return err
	}

	p, err := startProgram(program, args, x.Env())
	if err != nil {
		cancel()
		<-served
		return fmt.Errorf("program %s: %w", args[0], err)
	}
	result := o.watch(ctx, p, x, served)
	cancel()
	p.kill(x.Pid())
	select {
	case <-served:
	case <-time.After(2 * time.Second):
		log.Warn("viewers did not end in time")
	}
	return result
}

// watch waits for the first thing that ends the run.
func (o *runOptions) watch(ctx context.Context, p *program, x *xvfb.Server, served <-chan error) error {
	select {
	case <-p.done:
		if code := p.exitCode(); code != 0 {
			return exitCode(code)
		}
		return nil
	case <-x.Done():
		return fmt.Errorf("the X server %s ended: %w", o.xserver, x.Err())
	case <-ctx.Done():
		return nil
	case err := <-served:
		return err
	}
}

// parseGeometry reads WIDTHxHEIGHT.
func parseGeometry(s string) (w, h int, err error) {
	a, b, ok := strings.Cut(s, "x")
	w, err1 := strconv.Atoi(a)
	h, err2 := strconv.Atoi(b)
	if !ok || err1 != nil || err2 != nil || w < 1 || h < 1 || w > maxGeometry || h > maxGeometry {
		return 0, 0, usagef("--geometry %s: want WIDTHxHEIGHT in pixels, such as 1280x800, up to %d", s, maxGeometry)
	}
	return w, h, nil
}

// maxGeometry is the largest side of an X screen.
const maxGeometry = 32767

func lookReason(err error) error {
	var e *exec.Error
	if errors.As(err, &e) {
		if errors.Is(e.Err, exec.ErrNotFound) {
			return errors.New("not found")
		}
		return e.Err
	}
	return err
}

// program is the program that runs in the display.
type program struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// killAfter is how long the program has between SIGTERM and SIGKILL.
const killAfter = 400 * time.Millisecond

func startProgram(path string, args, env []string) (*program, error) {
	cmd := exec.Command(path, args[1:]...)
	cmd.Args[0] = args[0]
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		// In a process group of its own the program could not read the terminal.
		cmd.Stdin = os.Stdin
	}
	// stdout is for READY and what the program prints; its group is what we signal.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p := &program{cmd: cmd, done: make(chan struct{})}
	adoptOrphans()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		cmd.Wait() //nolint:errcheck // the exit code is asked for below
		close(p.done)
	}()
	return p, nil
}

// exitCode returns the program's exit code, 128 and the signal's number if a
// signal ended it, as shells have it. Valid when done is closed.
func (p *program) exitCode() int {
	if ws, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return p.cmd.ProcessState.ExitCode()
}

// kill ends the program and everything that it started; keep is the one child of
// ours that stays.
func (p *program) kill(keep int) {
	group := -p.cmd.Process.Pid
	syscall.Kill(group, syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(killAfter):
	}
	syscall.Kill(group, syscall.SIGKILL)
	<-p.done
	killOrphans(keep)
}
