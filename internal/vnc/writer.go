package vnc

import (
	"context"
	"image"
	"time"

	"framebridge/encode"
	"framebridge/internal/pix"
	"framebridge/internal/screen"
	"framebridge/rfb"
)

// writer is what the writer goroutine knows of its viewer.
type writer struct {
	caps   caps
	format pix.Format
	conv   *pix.Converter
	enc    encoders

	size   image.Point // of the viewer's framebuffer
	source image.Point // of the screen when the viewer's size was decided
	blank  pix.Region  // of the viewer's framebuffer: lies off the screen and was not yet cleared

	cursorSent  uint64 // serial of the cursor shape that the viewer has
	pointerSent image.Point
	nameSent    bool
	buttonsSent bool
	painted     paintedCursor

	continuous   continuous
	continuousOK bool // the viewer knows that we can
	fenceOK      bool

	backlog pix.Region // what the last update left, a part of what the view lacks
	recipe  recipe     // counted in the workshop
	lossy   lossyAreas
	pace    *time.Timer // wakes the writer
	out     output      // not yet written
	sent    int64       // bytes
	updates int64
	snap    pix.Image
	split   []image.Rectangle
	fills   fills
	making  []*product
	large   []image.Rectangle
}

// flushAt is how many bytes of a large update are collected before they are
// written, so that the viewer decodes the first rectangles while the others are
// encoded. What is smaller goes out in one write.
const flushAt = 64 << 10

// collectAt bounds what is collected of rectangles that need not be waited for.
const collectAt = 512 << 10

// write sends what the wishes and the screen call for until ctx is done.
func (se *session) write(ctx context.Context) error {
	se.format = pix.BGRX
	se.conv = pix.NewConverter(se.format)
	se.caps = newCaps(nil)
	se.source = se.size
	se.takeRecipe()
	defer func() { se.srv.shop.leave(se.recipe) }()
	later := time.NewTimer(time.Hour)
	defer later.Stop()
	se.pace = later
	var ping <-chan time.Time
	if every := se.srv.cfg.Ping; every > 0 {
		t := time.NewTicker(every)
		defer t.Stop()
		ping = t.C
	}
	for {
		if err := se.serve(); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-se.kick:
		case <-se.view.Wake():
		case <-later.C:
		case <-ping:
			se.view.Add(image.Rect(0, 0, 1, 1))
		}
	}
}

// serve does everything that can be done now.
func (se *session) serve() error {
	se.mu.Lock()
	w := se.w
	se.w.newForm, se.w.newCaps = false, false
	se.w.asked, se.w.area, se.w.whole, se.w.init = false, image.Rectangle{}, pix.Region{}, false
	se.w.newCut, se.w.cut, se.w.bell, se.w.fences, se.w.resizes = false, "", false, nil, 0
	se.w.newContinuous = false
	se.mu.Unlock()

	if w.newForm || w.newCaps {
		se.configure(w)
	}
	se.control(w)
	se.steer(w)
	for _, r := range w.whole.Clip(image.Rectangle{Max: se.source}).Rects() {
		se.view.Add(r)
	}
	if !se.due(&w) {
		se.view.Want(false)
		if w.asked {
			se.putBack(w)
		}
		return se.flush()
	}
	done, err := se.update(w)
	if err != nil {
		return err
	}
	if !done {
		if done = se.refresh(); done && se.continuous.on {
			se.wish(func(*wishes) {}) // the link may take more at once
		}
	}
	if !done && w.asked {
		se.putBack(w)
	}
	se.view.Want(!done || se.continuous.on)
	return se.flush()
}

// putBack lets a request stand that was not answered. What was asked for without
// regard is the view's now.
func (se *session) putBack(w wishes) {
	se.mu.Lock()
	se.w.asked = true
	se.w.area = se.w.area.Union(w.area)
	se.mu.Unlock()
}

// takeRecipe tells the workshop how this viewer's rectangles are made.
func (se *session) takeRecipe() {
	p := encode.Params{Format: se.format, Compress: se.caps.compress, Quality: min(se.caps.quality, se.srv.cfg.MaxQuality)}
	if se.srv.cfg.Lossless {
		p.Quality = -1
	}
	se.enc.setParams(p)
	r := recipe{encoding: se.caps.encoding, params: p, parts: se.caps.encoding == rfb.EncodingTight && se.caps.lastRect}
	if r != se.recipe {
		se.srv.shop.leave(se.recipe)
		se.srv.shop.enter(r)
		se.recipe = r
	}
}

// configure takes over a new pixel format or list of encodings.
func (se *session) configure(w wishes) {
	se.caps = w.caps
	if w.newForm {
		se.format = w.format
		se.conv = pix.NewConverter(w.format)
		se.cursorSent = 0 // its pixels are in the viewer's format
		if !w.format.TrueColour {
			m := rfb.SetColourMapEntries{Colours: make([]rfb.Colour, len(pix.ColourMap))}
			for i, c := range pix.ColourMap {
				m.Colours[i] = rfb.ColourOf(c)
			}
			se.out.buf = m.Append(se.out.buf)
		}
	}
	if w.newCaps {
		se.cursorSent = 0
		switch se.srv.cfg.Cursor {
		case CursorPainted:
			se.caps.cursor = 0
		case CursorHidden:
			se.caps.cursor, se.caps.pointerPos = 0, false
		}
		se.caps.pointerPos = se.caps.pointerPos && !se.srv.cfg.NoPointerPos
		se.painted.enabled = se.caps.cursor == 0 && se.srv.cfg.Cursor != CursorHidden
	}
	se.takeRecipe()
}

// control appends the messages that need no request.
func (se *session) control(w wishes) {
	for _, f := range w.fences {
		se.out.buf = f.Append(se.out.buf)
	}
	if w.bell {
		se.out.buf = rfb.Bell{}.Append(se.out.buf)
	}
	if w.newCut {
		se.out.buf = rfb.ServerCutText{Data: utf8ToLatin1(w.cut)}.Append(se.out.buf)
	}
	if se.caps.extDesktopSize {
		// Resizing is not on offer: each wish is answered, none fulfilled.
		for range min(w.resizes, maxFences) {
			se.appendLayout(rfb.ResizeByClient, rfb.ResizeProhibited)
		}
	}
}

// appendLayout appends an update that tells the framebuffer's size and screens.
func (se *session) appendLayout(reason rfb.ResizeReason, status rfb.ResizeStatus) {
	w, h := uint16(se.size.X), uint16(se.size.Y)
	se.out.buf = rfb.FramebufferUpdate{Rects: 1}.Append(se.out.buf)
	se.out.buf = rfb.ExtendedDesktopSize{
		Reason: reason, Status: status, Width: w, Height: h,
		Screens: []rfb.Screen{{Width: w, Height: h}},
	}.Append(se.out.buf)
}

// update answers a request if there is anything to answer it with; done says
// whether there was.
func (se *session) update(w wishes) (done bool, err error) {
	if w.init && se.caps.extDesktopSize {
		se.appendLayout(rfb.ResizeByServer, rfb.ResizeOK)
	}
	shown := se.painted.at
	if se.painted.enabled {
		se.painted.follow(se)
	}
	area := w.area.Intersect(image.Rectangle{Max: se.size})
	if se.size != se.source {
		// Moves may cross the border of what the viewer can show.
		area = area.Intersect(image.Rectangle{Max: se.source})
	}
	u := se.view.Take(area, se.caps.copyRect)
	if u.Size == (image.Point{}) {
		return false, nil
	}
	if u.Size != se.source {
		se.source = u.Size
		if u.Size.X <= rfbMax && u.Size.Y <= rfbMax && (se.caps.extDesktopSize || se.caps.desktopSize) {
			return true, se.resize(u)
		}
		// This viewer keeps its size: it sees the part that fits, and nothing
		// beside a smaller screen.
		bounds := image.Rectangle{Max: se.size}
		se.blank = pix.RegionOf(bounds).Subtract(pix.RegionOf(image.Rectangle{Max: u.Size}))
		u.Damage = u.Damage.Clip(bounds)
	}
	damage := u.Damage
	if se.painted.enabled && len(u.Moves) > 0 {
		damage = damage.Union(smeared(shown, u.Moves)).Union(pix.RegionOf(se.painted.at))
	}
	if !se.blank.Empty() {
		damage = damage.Union(se.blank)
		se.blank = pix.Region{}
	}

	var pseudo []byte
	n := se.appendPseudo(&pseudo, w)
	rects := se.plan(se.fills.find(se, damage))
	if n+len(u.Moves)+len(se.fills.found)+len(rects) == 0 {
		return false, nil
	}
	return true, se.sendUpdate(pseudo, n, u.Moves, rects)
}

// resize tells the viewer its framebuffer's new size: an update of its own
// (RFC 6143, section 7.8.2). The viewer asks anew.
func (se *session) resize(u screen.Update) error {
	se.view.Return(u.Damage)
	se.size = u.Size
	se.blank = pix.Region{}
	if se.caps.extDesktopSize {
		se.appendLayout(rfb.ResizeByServer, rfb.ResizeOK)
		return nil
	}
	se.out.buf = rfb.FramebufferUpdate{Rects: 1}.Append(se.out.buf)
	se.out.buf = rfb.DesktopSize{Width: uint16(u.Size.X), Height: uint16(u.Size.Y)}.Append(se.out.buf)
	return nil
}

// appendPseudo appends the pseudo-rectangles that are due and returns their
// number.
func (se *session) appendPseudo(b *[]byte, w wishes) (n int) {
	if se.caps.extendedButtons && !se.buttonsSent {
		se.buttonsSent = true
		*b = rfb.ExtendedMouseButtonsAck.Append(*b)
		n++
	}
	if se.caps.desktopName && !se.nameSent {
		se.nameSent = true
		*b = rfb.DesktopName{Name: se.srv.cfg.DesktopName}.Append(*b)
		n++
	}
	if se.caps.cursor != 0 {
		if c, serial := se.srv.cfg.Screen.Cursor(); c != nil && serial != se.cursorSent {
			se.cursorSent = serial
			*b = appendCursor(*b, c, se.caps.cursor, se.conv)
			n++
		}
	}
	if se.caps.pointerPos {
		// Where the viewer itself put the pointer it knows better than we do: its
		// own movements are still on their way when the report of one arrives.
		p, known := se.srv.cfg.Screen.Pointer()
		if known && p != se.pointerSent {
			se.pointerSent = p
			if !w.hasPointer || p != w.pointer {
				*b = rfb.PointerPos{X: uint16(max(0, p.X)), Y: uint16(max(0, p.Y))}.Append(*b)
				n++
			}
		}
	}
	return n
}

// plan cuts the damage into the rectangles to encode: what is new first, then what
// the update before had to leave.
func (se *session) plan(damage pix.Region) []image.Rectangle {
	w, h, area := limits(se.caps.encoding)
	se.split = se.split[:0]
	parts := [2]pix.Region{damage}
	if !se.backlog.Empty() {
		parts = [2]pix.Region{damage.Subtract(se.backlog), damage.Intersect(se.backlog)}
	}
	for _, part := range parts {
		for _, r := range part.Rects() {
			se.split = appendSplit(se.split, r, w, h, area)
		}
	}
	return se.split
}

// appendSplit cuts r into rectangles within the limits.
func appendSplit(dst []image.Rectangle, r image.Rectangle, w, h, area int) []image.Rectangle {
	for y := r.Min.Y; y < r.Max.Y; y += h {
		strip := image.Rect(r.Min.X, y, r.Max.X, min(y+h, r.Max.Y))
		dst = encode.AppendSplit(dst, strip, w, area)
	}
	return dst
}
