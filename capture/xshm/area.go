package xshm

import (
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"slices"

	"github.com/BurntSushi/xgb"
	"github.com/BurntSushi/xgb/randr"
	"github.com/BurntSushi/xgb/xproto"

	"framebridge/internal/x11"
)

// AreaOptions say which part of a display is meant: a window's or a monitor's.
type AreaOptions struct {
	Display  string       // display name; default $DISPLAY
	AuthFile string       // Xauthority file; default $XAUTHORITY, then ~/.Xauthority
	Logger   *slog.Logger // default slog.Default()
	Window   uint32       // 0: a monitor
	// Monitor counts from 0, by the distance of the upper left corner from the
	// screen's.
	Monitor int
}

// ErrWindowGone says that the window was destroyed, or never was.
var ErrWindowGone = errors.New("the window has gone")

// FollowArea calls f with the place of a window or monitor on the screen, at
// once and whenever it has changed; a window that is not shown, and a monitor
// that is switched off, have an empty place. It returns nil when ctx is done, and else why it cannot go on:
// ErrWindowGone, or the display has.
func FollowArea(ctx context.Context, o AreaOptions, f func(r image.Rectangle)) error {
	c, err := x11.Dial(ctx, x11.Options{Display: o.Display, AuthFile: o.AuthFile, Logger: o.Logger})
	if err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, c.Abort)()
	wake := make(chan struct{}, 1)
	defer c.Handle(func(e xgb.Event) {
		switch e.(type) {
		case xproto.ConfigureNotifyEvent, xproto.ReparentNotifyEvent, xproto.MapNotifyEvent, xproto.UnmapNotifyEvent,
			xproto.DestroyNotifyEvent, xproto.GravityNotifyEvent, randr.ScreenChangeNotifyEvent, randr.NotifyEvent:
			select {
			case wake <- struct{}{}:
			default:
			}
		}
	})()
	a := &area{c: c, o: o}
	var last image.Rectangle
	for first := true; ; first = false {
		r, err := a.now(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if first || r != last {
			last = r
			f(r)
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return nil
		case <-c.Done():
			if ctx.Err() != nil {
				return nil
			}
			return c.Err()
		}
	}
}

type area struct {
	c        *x11.Conn
	o        AreaOptions
	watched  []xproto.Window // the window and its ancestors below the root
	selected bool            // RANDR's events
	seen     bool            // the monitor was there
}

func (a *area) now(ctx context.Context) (image.Rectangle, error) {
	if a.o.Window == 0 {
		return a.monitor(ctx)
	}
	r, err := a.window()
	var xerr xgb.Error
	if errors.As(err, &xerr) {
		return r, fmt.Errorf("%w: 0x%x", ErrWindowGone, a.o.Window)
	}
	return r, err
}

// window returns where the window is now.
func (a *area) window() (r image.Rectangle, err error) {
	x, root := a.c.X(), a.c.Root()
	// A window moves on the screen when an ancestor does, such as the window
	// manager's frame: they are all listened to, before they are asked.
	var chain []xproto.Window
	shown := true
	for w := xproto.Window(a.o.Window); w != root; {
		if !slices.Contains(a.watched, w) {
			if err := xproto.ChangeWindowAttributesChecked(x, w, xproto.CwEventMask,
				[]uint32{xproto.EventMaskStructureNotify}).Check(); err != nil {
				return r, err
			}
		}
		chain = append(chain, w)
		attr, err := xproto.GetWindowAttributes(x, w).Reply()
		if err != nil {
			return r, err
		}
		shown = shown && attr.MapState != xproto.MapStateUnmapped
		tree, err := xproto.QueryTree(x, w).Reply()
		if err != nil {
			return r, err
		}
		if w = tree.Parent; w == 0 || len(chain) > maxDepth {
			return r, ErrWindowGone // of another screen
		}
	}
	a.watched = chain
	if a.o.Window != uint32(root) && !shown {
		return r, nil
	}
	g, err := xproto.GetGeometry(x, xproto.Drawable(a.o.Window)).Reply()
	if err != nil {
		return r, err
	}
	p, err := xproto.TranslateCoordinates(x, xproto.Window(a.o.Window), root, 0, 0).Reply()
	if err != nil {
		return r, err
	}
	min := image.Pt(int(p.DstX), int(p.DstY))
	return image.Rectangle{Min: min, Max: min.Add(image.Pt(int(g.Width), int(g.Height)))}, nil
}

// maxDepth bounds how deep a window is inside others: real ones are not 20.
const maxDepth = 1000

// monitor returns where the monitor is now.
func (a *area) monitor(ctx context.Context) (r image.Rectangle, err error) {
	x, root := a.c.X(), a.c.Root()
	if !a.selected {
		if _, err := a.c.Extension(ctx, x11.RandR); err != nil {
			return r, err
		}
		if err := randr.SelectInputChecked(x, root, randr.NotifyMaskScreenChange|randr.NotifyMaskCrtcChange).Check(); err != nil {
			return r, err
		}
		a.selected = true
	}
	list, err := x11.Monitors(a.c)
	if err != nil {
		return r, err
	}
	if a.o.Monitor < 0 || a.o.Monitor >= len(list) {
		if a.seen {
			return r, nil // switched off, perhaps while the mode changes
		}
		return r, fmt.Errorf("there is no monitor %d: the display has %d, counted from 0", a.o.Monitor, len(list))
	}
	a.seen = true
	return list[a.o.Monitor], nil
}
