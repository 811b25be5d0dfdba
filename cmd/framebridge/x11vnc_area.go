package main

import (
	"context"
	"fmt"
	"image"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"framebridge/capture/view"
	"framebridge/capture/xshm"
)

// -id, -sid and -clip xineramaN: the picture is where a window or monitor is.
// Both options for windows show that part of the screen; what lies over the
// window is seen, too.

// area returns the part of the display that the options name.
func (s *x11vncServer) area() (o xshm.AreaOptions, ok bool) {
	p := s.cfg.Picture
	o = xshm.AreaOptions{Display: s.display(), AuthFile: s.bridge.opts.auth, Logger: s.log}
	for _, id := range []string{p.SID, p.ID} {
		if n, err := strconv.ParseUint(id, 0, 32); err == nil && n != 0 {
			o.Window = uint32(n)
			return o, true
		}
	}
	if n, found := strings.CutPrefix(p.Clip, monitorPrefix); found {
		o.Monitor, _ = strconv.Atoi(n) // it was checked when it was read
		return o, true
	}
	return o, false
}

// followArea shows the area until ctx is done or it is gone, which ends the
// server. known is called when something can be shown, or never will.
func (s *x11vncServer) followArea(ctx context.Context, o xshm.AreaOptions, known func()) {
	defer known()
	clip := view.Geometry{}
	if c := s.cfg.Picture.Clip; o.Window != 0 && c != "" && !strings.HasPrefix(c, monitorPrefix) {
		clip, _ = view.ParseGeometry(c) // within the window; checked before
	}
	err := xshm.FollowArea(ctx, o, func(r image.Rectangle) {
		full := r
		if clip != (view.Geometry{}) {
			r = clip.In(full.Size()).Add(full.Min).Intersect(full)
		}
		err := s.setView(func(v *view.Options) error {
			if v.Blank = r.Empty() || s.now().Picture.NoPicture; !r.Empty() {
				v.Clip = view.GeometryOf(r)
			}
			return nil
		})
		if err != nil {
			s.log.Warn("cannot show the area", "area", r, "error", err)
		}
		known()
	})
	switch {
	case ctx.Err() != nil || err == nil:
	case o.Window != 0:
		s.stop(fmt.Errorf("subwin 0x%x went away: %w", o.Window, err))
	default:
		s.stop(fmt.Errorf("-clip %s: %w", s.cfg.Picture.Clip, err))
	}
}

// windowLine is where xwininfo says which window was clicked on.
var windowLine = regexp.MustCompile(`Window id: (0x[0-9a-fA-F]+)`)

// pickWindow has the user click on a window.
func pickWindow(ctx context.Context, display, auth string) (string, error) {
	cmd := exec.CommandContext(ctx, "xwininfo", "-display", display)
	cmd.Env = os.Environ()
	if auth != "" {
		cmd.Env = append(cmd.Env, "XAUTHORITY="+auth)
	}
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("pick: xwininfo: %w", err)
	}
	m := windowLine.FindSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("pick: xwininfo names no window")
	}
	return string(m[1]), nil
}
