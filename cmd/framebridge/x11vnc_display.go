package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"framebridge/internal/x11"
	"framebridge/internal/xvfb"
)

// Which display x11vnc serves, and with which cookie.

// displayWait is how long a display that is named is waited for. x11vnc gives up
// at once, which is why people write "sleep 2" in front of it.
const displayWait = 10 * time.Second

// chooseDisplay returns the display that the options name and whether it is only
// to be opened for the first viewer.
func (s *x11vncServer) chooseDisplay() (display string, wait bool, err error) {
	c := s.cfg
	if c.Find {
		return "", true, nil
	}
	display = c.Display
	if rest, ok := strings.CutPrefix(display, "WAIT:"); ok {
		display, wait = rest, true
		if strings.HasPrefix(display, "cmd=") {
			if !s.mayRun("WAIT") {
				return "", false, errors.New("-display WAIT:cmd=: no commands are allowed")
			}
			return "", true, nil
		}
	}
	if display == "" {
		if os.Getenv("WAYLAND_DISPLAY") != "" && c.Display == "" {
			return "", false, errors.New("a Wayland desktop cannot be served ($WAYLAND_DISPLAY is set): name an X display with -display")
		}
		if display = os.Getenv("DISPLAY"); display == "" {
			display = ":0"
			s.log.Info("no -display and no $DISPLAY: taking " + display)
		}
	}
	if _, err := x11.ParseDisplay(display); err != nil {
		return "", false, fmt.Errorf("-display %s: %w", display, err)
	}
	return display, wait, nil
}

// lateDisplay finds the display of -find, -create and WAIT:cmd=.
func (s *x11vncServer) lateDisplay(ctx context.Context) (display, auth string, err error) {
	c := s.cfg
	if command, ok := strings.CutPrefix(c.Display, "WAIT:cmd="); ok && !c.Find {
		out, code, err := s.hooks.run(ctx, command, os.Environ(), nil)
		if err == nil && code != 0 {
			err = fmt.Errorf("exit code %d", code)
		}
		if err != nil {
			return "", "", fmt.Errorf("-display WAIT:cmd=: %w", err)
		}
		return parseFound(string(out))
	}
	first := c.Display
	if strings.HasPrefix(first, "WAIT:") {
		first = ""
	}
	if found := findDisplays(ctx, first, c.Auth); len(found) > 0 && os.Getenv("X11VNC_FINDDISPLAY_ALWAYS_FAILS") != "1" {
		return found[0], c.Auth, nil
	}
	if !c.Create {
		return "", "", errors.New("-find: no display of yours answers: start an X server, or use -create")
	}
	return s.createDisplay(ctx)
}

// parseFound reads what a finder prints: DISPLAY=:N and perhaps XAUTHORITY=FILE,
// on lines of their own or behind each other.
func parseFound(out string) (display, auth string, err error) {
	for f := range strings.FieldsFuncSeq(out, func(r rune) bool { return r == '\n' || r == ',' || r == ' ' || r == '\r' }) {
		name, v, _ := strings.Cut(f, "=")
		switch name {
		case "DISPLAY":
			display = v
		case "XAUTHORITY":
			auth = v
		}
	}
	if _, err := x11.ParseDisplay(display); err != nil {
		return "", "", fmt.Errorf("the finder named no display (DISPLAY=:N): %w", err)
	}
	return display, auth, nil
}

// createDisplay starts Xvfb, and the program in it.
func (s *x11vncServer) createDisplay(ctx context.Context) (display, auth string, err error) {
	o := xvfb.Options{Width: 1280, Height: 1024, Depth: 24}
	if kinds := strings.FieldsFunc(s.cfg.XSrv, func(r rune) bool { return r == ',' || r == '-' || r == '.' }); len(kinds) > 0 &&
		!slices.Contains(kinds, "Xvfb") {
		s.log.Info("Xvfb is started in place of " + strings.Join(kinds, ", "))
	}
	for _, name := range []string{"X11VNC_CREATE_GEOM", "FD_GEOM"} {
		if v := os.Getenv(name); v != "" {
			if o.Width, o.Height, o.Depth, err = parseScreen(v); err != nil {
				return "", "", fmt.Errorf("$%s=%s: %w", name, v, err)
			}
			break
		}
	}
	x, err := xvfb.Start(ctx, o)
	if err != nil {
		return "", "", fmt.Errorf("-create: %w", err)
	}
	s.started = append(s.started, x.Stop)
	program := os.Getenv("FD_PROG")
	if program == "" {
		if path, err := exec.LookPath("xterm"); err == nil {
			program = path
		}
	}
	if program != "" {
		p, err := startProgram("/bin/sh", []string{"sh", "-c", program}, x.Env())
		if err != nil {
			return "", "", fmt.Errorf("-create: %s: %w", program, err)
		}
		s.started = append(s.started, func() { p.kill(x.Pid()) })
	}
	s.log.Info("started Xvfb", "display", x.Display())
	return x.Display(), x.AuthFile(), nil
}

// parseScreen reads WIDTHxHEIGHT[xDEPTH].
func parseScreen(v string) (w, h, depth int, err error) {
	sides := strings.Split(v, "x")
	depth = 24
	n := [3]int{0, 0, depth}
	for i, side := range sides {
		if i > 2 {
			break
		}
		if n[i], err = strconv.Atoi(side); err != nil {
			break
		}
	}
	if err != nil || len(sides) < 2 || len(sides) > 3 || n[0] < 1 || n[1] < 1 || n[0] > maxGeometry || n[1] > maxGeometry ||
		!slices.Contains([]int{8, 15, 16, 24, 30}, n[2]) {
		return 0, 0, 0, errors.New("want WIDTHxHEIGHTxDEPTH, such as 1280x1024x24")
	}
	return n[0], n[1], n[2], nil
}

// findDisplays returns the displays of this machine that let us in: the one named
// first, then $DISPLAY, then the others.
func findDisplays(ctx context.Context, first, auth string) []string {
	var names []string
	if first != "" {
		names = append(names, first)
	}
	if d := os.Getenv("DISPLAY"); d != "" {
		names = append(names, d)
	}
	var numbers []int
	add := func(path string) {
		if n, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(path), "X")); err == nil {
			numbers = append(numbers, n)
		}
	}
	paths, _ := filepath.Glob("/tmp/.X11-unix/X*")
	for _, p := range paths {
		add(p)
	}
	if b, err := os.ReadFile("/proc/net/unix"); err == nil {
		for f := range strings.FieldsSeq(string(b)) {
			if strings.HasPrefix(f, "@/tmp/.X11-unix/X") {
				add(f)
			}
		}
	}
	slices.Sort(numbers)
	for _, n := range slices.Compact(numbers) {
		names = append(names, ":"+strconv.Itoa(n))
	}
	var found []string
	for _, d := range names {
		if slices.Contains(found, d) {
			continue
		}
		dctx, cancel := context.WithTimeout(ctx, probeLimit)
		file := auth
		if file == "guess" {
			file = guessAuth(d)
		}
		if x, err := x11.Dial(dctx, x11.Options{Display: d, AuthFile: file}); err == nil {
			x.Close()
			found = append(found, d)
		}
		cancel()
	}
	return found
}

// probeLimit is how long a display may take to answer a connection when many are
// tried.
const probeLimit = time.Second

// guessAuth looks for the cookie of a display: where its X server was told that it
// is, in the user's file, and where display managers keep theirs. It returns ""
// for the usual place.
func guessAuth(display string) string {
	d, err := x11.ParseDisplay(display)
	if err != nil {
		return ""
	}
	number := ":" + strconv.Itoa(d.Number)
	candidates := serverAuth(number)
	if v := os.Getenv("XAUTHORITY"); v != "" {
		candidates = append(candidates, v)
	}
	uid := strconv.Itoa(os.Getuid())
	patterns := []string{
		"/run/user/" + uid + "/gdm/Xauthority", "/run/user/" + uid + "/.mutter-Xwaylandauth.*",
		"/var/run/lightdm/root/" + number, "/run/lightdm/root/" + number, "/run/lightdm/*/xauthority",
		"/run/sddm/xauth_*", "/var/run/sddm/*", "/var/lib/gdm*/" + number + ".Xauth", "/var/gdm/" + number + ".Xauth",
		"/run/gdm*/auth-for-*/database", "/var/run/xauth/A" + number + "-*", "/var/lib/xdm/authdir/authfiles/A" + number + "-*",
		"/run/user/*/gdm/Xauthority",
	}
	if home, err := os.UserHomeDir(); err == nil {
		patterns = append([]string{filepath.Join(home, ".Xauthority")}, patterns...)
	}
	for _, p := range patterns {
		found, _ := filepath.Glob(p)
		candidates = append(candidates, found...)
	}
	for _, f := range candidates {
		ctx, cancel := context.WithTimeout(context.Background(), probeLimit)
		x, err := x11.Dial(ctx, x11.Options{Display: display, AuthFile: f})
		cancel()
		if err == nil {
			x.Close()
			return f
		}
	}
	return ""
}

// serverAuth returns the files that X servers of this number were started with
// (-auth FILE). A server without a number has 0, or one that it chose itself.
func serverAuth(number string) []string {
	var exact, others []string
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, l := range lines {
		b, err := os.ReadFile(l)
		if err != nil {
			continue
		}
		args := strings.Split(string(b), "\x00")
		if base := filepath.Base(args[0]); !strings.HasPrefix(base, "X") {
			continue
		}
		i := slices.Index(args, "-auth")
		if i < 0 || i+1 >= len(args) {
			continue
		}
		if slices.Contains(args, number) {
			exact = append(exact, args[i+1])
		} else {
			others = append(others, args[i+1])
		}
	}
	return append(exact, others...)
}

// awaitDisplay connects to a display, trying again while it is not there.
func (s *x11vncServer) awaitDisplay(ctx context.Context, display string) (*x11.Conn, error) {
	begin := time.Now()
	logged := begin.Add(-logEvery + 300*time.Millisecond)
	for {
		if s.cfg.Auth == "guess" {
			s.auth = guessAuth(display)
		}
		x, err := x11.Dial(ctx, x11.Options{Display: display, AuthFile: s.auth, Logger: s.log})
		if err == nil || ctx.Err() != nil || !worthWaiting(err) || time.Since(begin) > displayWait {
			return x, err
		}
		if now := time.Now(); now.Sub(logged) >= logEvery {
			logged = now
			s.log.Info("waiting for the display", "display", display)
		}
		select {
		case <-time.After(firstDial):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
