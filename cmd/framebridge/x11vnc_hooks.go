package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"framebridge/internal/vnc"
	"framebridge/internal/x11vnc"
)

// Commands that x11vnc runs for viewers. What is known of the viewer is passed in
// the environment only, never as a part of the command, and nobody but that viewer
// waits for them.

const (
	// hookLimit ends commands that hang; a person may answer a question in it.
	hookLimit = 120 * time.Second
	// hookOutput bounds what is read of a command's output.
	hookOutput = 64 << 10
	// hookGrace is how long commands that still run have when the server ends.
	hookGrace = 5 * time.Second
)

// hooks runs commands for a server.
type hooks struct {
	s       *x11vncServer
	running sync.WaitGroup
}

// environment describes a viewer.
func (h *hooks) environment(mode string, p vnc.Peer, viewers int) []string {
	ip, port := addrOf(p.Remote)
	myIP, myPort := addrOf(p.Local)
	viewOnly := "0"
	if !p.Rights.Control {
		viewOnly = "1"
	}
	state := "NORMAL"
	if mode == "accept" {
		state = "INITIALISATION"
	}
	return append(os.Environ(),
		"RFB_MODE="+mode,
		"RFB_CLIENT_IP="+ip, "RFB_CLIENT_PORT="+port,
		"RFB_SERVER_IP="+myIP, "RFB_SERVER_PORT="+myPort,
		"RFB_X11VNC_PID="+strconv.Itoa(os.Getpid()),
		fmt.Sprintf("RFB_CLIENT_ID=0x%x", p.ID),
		"RFB_CLIENT_COUNT="+strconv.Itoa(viewers),
		"RFB_STATE="+state,
		"RFB_LOGIN_VIEWONLY="+viewOnly,
		"RFB_USERNAME=unknown-user",
		"RFB_LOGIN_TIME="+strconv.FormatInt(p.Since.Unix(), 10),
		"RFB_CURRENT_TIME="+strconv.FormatInt(time.Now().Unix(), 10),
		"DISPLAY="+h.s.display(),
	)
}

// addrOf splits an address; a unix socket has none.
func addrOf(a net.Addr) (ip, port string) {
	if t, ok := a.(*net.TCPAddr); ok {
		addr := t.AddrPort()
		return addr.Addr().Unmap().String(), strconv.Itoa(int(addr.Port()))
	}
	return "unix", "0"
}

// run runs a command of the shell and returns its output and exit code.
func (h *hooks) run(ctx context.Context, command string, env []string, stdin []byte) (out []byte, code int, err error) {
	ctx, cancel := context.WithTimeout(ctx, hookLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", command)
	return runCommand(cmd, env, stdin)
}

func runCommand(cmd *exec.Cmd, env []string, stdin []byte) (out []byte, code int, err error) {
	cmd.Env, cmd.Stdin = env, bytes.NewReader(stdin)
	w := &bounded{limit: hookOutput}
	cmd.Stdout, cmd.Stderr = w, os.Stderr
	cmd.WaitDelay = time.Second // what it left in the background must not hold us up
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return w.b, exit.ExitCode(), nil
	}
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil
	}
	return w.b, 0, err
}

// bounded keeps the beginning of what is written.
type bounded struct {
	b     []byte
	limit int
}

func (w *bounded) Write(p []byte) (int, error) {
	w.b = append(w.b, p[:min(len(p), w.limit-len(w.b))]...)
	return len(p), nil
}

// accept asks -accept's command.
func (h *hooks) accept(ctx context.Context, p vnc.Peer) (x11vnc.Verdict, error) {
	env := h.environment("accept", p, h.s.viewers())
	var code int
	var err error
	command, codes, perr := x11vnc.ParseAccept(h.s.cfg.Accept)
	if perr != nil {
		return x11vnc.Reject, perr
	}
	if name, _, _ := strings.Cut(command, ":"); name == "popup" || name == "xmessage" {
		codes = map[int]x11vnc.Verdict{-1: x11vnc.Reject, 2: x11vnc.Admit, 3: x11vnc.Reject, 4: x11vnc.AdmitView}
		code, err = h.ask(ctx, command, env, p)
	} else {
		_, code, err = h.run(ctx, command, env, nil)
	}
	if err != nil {
		return x11vnc.Reject, fmt.Errorf("-accept: %w", err)
	}
	if v, ok := codes[code]; ok && code >= 0 {
		return v, nil
	}
	return codes[-1], nil
}

// popupWait is how long xmessage is shown.
const popupWait = 120

// ask shows a question on the display.
func (h *hooks) ask(ctx context.Context, how string, env []string, p vnc.Peer) (int, error) {
	wait := popupWait
	if _, n, ok := strings.Cut(how, ":"); ok {
		if v, err := strconv.Atoi(n); err == nil && v > 0 {
			wait = v
		}
	}
	ip, _ := addrOf(p.Remote)
	ctx, cancel := context.WithTimeout(ctx, time.Duration(wait)*time.Second+hookGrace)
	defer cancel()
	cmd := exec.CommandContext(ctx, "xmessage", "-buttons", "yes:2,no:3,view:4", "-center",
		"-timeout", strconv.Itoa(wait), "A VNC viewer at "+ip+" wants to see this screen.")
	_, code, err := runCommand(cmd, env, nil)
	return code, err
}

// after runs a command that nobody waits for.
func (h *hooks) after(mode, command string, p vnc.Peer, viewers int) {
	if command == "" || !h.s.mayRun(mode) {
		return
	}
	env := h.environment(mode, p, viewers)
	h.running.Go(func() {
		if _, code, err := h.run(context.Background(), command, env, nil); err != nil || code != 0 {
			h.s.log.Warn("-"+mode+": the command failed", "code", code, "error", err)
		}
	})
}

// wait waits for commands that still run, not for ever.
func (h *hooks) wait() {
	done := make(chan struct{})
	go func() { h.running.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(hookGrace):
	}
}

// mayRun reports whether commands of a kind may be run.
func (s *x11vncServer) mayRun(kind string) bool {
	if !s.cfg.NoCmds {
		return true
	}
	for k := range strings.SplitSeq(s.cfg.AllowedCmds, ",") {
		if k == kind {
			return true
		}
	}
	return false
}
