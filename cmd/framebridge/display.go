package main

import (
	"context"
	"io"

	"framebridge/capture"
	"framebridge/capture/fbdir"
	"framebridge/capture/xshm"
	"framebridge/input/selection"
	"framebridge/input/xtest"
)

// open connects to the display: one connection for pixels, one for input, one
// for the clipboard, so that none waits behind another's megabytes.
func (b *bridge) open(ctx context.Context) (*display, error) {
	if b.other != nil {
		return b.other(ctx)
	}
	o := b.opts
	d := &display{}
	ok := false
	defer func() {
		if !ok {
			d.close()
		}
	}()

	kb := b.keyboard
	kb.Display, kb.AuthFile, kb.Logger = o.display, o.auth, b.log
	sink, err := xtest.Open(ctx, kb)
	if err != nil {
		return nil, err
	}
	d.injector = sink
	d.sink, d.gone, d.closers = sink, sink.Done(), append(d.closers, sink)

	so := b.selection
	so.Display, so.AuthFile, so.Logger = o.display, o.auth, b.log
	so.MaxBytes, so.OnText, so.Idle = o.maxCutText, b.clips.copied, true
	sel, err := selection.Open(ctx, so)
	if err != nil {
		return nil, err
	}
	d.clipboard, d.closers = sel, append(d.closers, sel)

	d.source, err = openSource(ctx, b)
	if err != nil {
		select {
		case <-sink.Done():
		default:
			if ctx.Err() == nil {
				err = permanent{err} // the display is there: what failed will fail again
			}
		}
		return nil, err
	}
	if b.wrap != nil {
		d.source = b.wrap(d.source)
	}
	// Pixels first: nothing is worth capturing once input is going down.
	d.closers = append([]io.Closer{d.source}, d.closers...)
	ok = true
	return d, nil
}

func openSource(ctx context.Context, b *bridge) (capture.Source, error) {
	o := b.opts
	if o.capture == "fbdir" {
		return fbdir.Open(ctx, fbdir.Options{Dir: o.fbdir, Display: o.display, AuthFile: o.auth, Logger: b.log})
	}
	return xshm.Open(ctx, xshm.Options{
		Display: o.display, AuthFile: o.auth, Method: xshm.Method(o.capture), Logger: b.log,
	})
}
