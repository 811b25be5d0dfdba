package vnc

import (
	"image"
	"time"

	"framebridge/encode/tight"
	"framebridge/internal/pix"
	"framebridge/internal/screen"
	"framebridge/rfb"
)

// maxRects is the largest count in an update's header that does not mean "until
// LastRect".
const maxRects = rfb.RectsUntilLast - 1

// sendUpdate encodes and writes one update.
func (se *session) sendUpdate(pseudo []byte, n int, moves []screen.Move, rects []image.Rectangle) error {
	n += len(se.fills.found)
	total := n + len(moves) + len(rects)
	if total > maxRects {
		// Never reached by sane screens: what is over waits for the next request.
		over := total - maxRects
		se.view.Return(pix.RegionOf(rects[len(rects)-over:]...))
		rects = rects[:len(rects)-over]
		total = maxRects
	}
	// An update that can be cut short is: when the link has enough, what remains
	// waits, and something newer and smaller can go before it.
	cut := se.continuous.on && se.caps.lastRect && len(rects) > 1
	// So is the number of those in Tight, as long as they may fall into parts.
	how := se.recipeFor(rects)
	open := cut
	for _, r := range rects {
		open = open || how.parts && r.Dx()*r.Dy() > tight.MinParts
	}
	if open {
		total = rfb.RectsUntilLast
	}
	se.out.buf = rfb.FramebufferUpdate{Rects: uint16(total)}.Append(se.out.buf)
	se.out.buf = append(se.out.buf, pseudo...)
	for _, m := range moves {
		se.out.buf = rfb.CopyRectOf(m.To(), m.Src.Min).Append(se.out.buf)
		se.lossy.move(m)
	}
	se.appendFills()
	sent, err := se.sendRects(rects, how, cut)
	if err != nil {
		return err
	}
	if open {
		se.out.buf = rfb.LastRect.Append(se.out.buf)
	}
	se.backlog = pix.RegionOf(rects[sent:]...)
	se.view.Return(se.backlog)
	se.updates++
	se.mark()
	return nil
}

const (
	// slowUpdate is from which time on the link that an update is large for it:
	// bytes count more than CPU time then.
	slowUpdate = 60 * time.Millisecond
	// slowBytes is how many bytes in that time make a link that is not slow.
	slowBytes = 256 << 10
	// pixelsPerByte is about how many pixels a byte holds after encoding.
	pixelsPerByte = 6
	// slowLevel is the compression level of such updates: the best of package deflate,
	// which makes less of text in colours than the slower ones above.
	slowLevel = 5
	// slowQuality is by how much their JPEG quality level is lower: the picture is
	// there in half the time, and what was lost follows as soon as it is still.
	slowQuality = 3
)

// recipeFor returns how to make an update of rects for this link.
func (se *session) recipeFor(rects []image.Rectangle) recipe {
	r := se.recipe
	total := 0
	for _, q := range rects {
		total += q.Dx() * q.Dy()
	}
	if n := se.link.bytesIn(slowUpdate); n == 0 || total/pixelsPerByte < n {
		return r
	}
	r.params.Compress = max(r.params.Compress, slowLevel)
	if q := r.params.Quality; q > 0 {
		r.params.Quality = max(1, q-slowQuality)
	}
	r.rounded = r.params.Quality >= 0 && r.encoding == rfb.EncodingTight
	return r
}

// inlineArea is up to how many pixels an update is encoded by the writer itself:
// less than it takes to wake another core, and with the stream's own history,
// which small rectangles profit from.
const inlineArea = 16 << 10

// Small rectangles of a large update are encoded by the writer, too, before the
// others: alone they take three times the bytes, as their tables cost more than
// their pixels.
const (
	smallArea  = 4 << 10  // pixels of one
	smallAreas = 64 << 10 // of all together
)

// smallFirst puts the small ones of rects first and returns how many they are.
func smallFirst(rects, scratch []image.Rectangle) (n int, _ []image.Rectangle) {
	scratch = scratch[:0]
	left := smallAreas
	for _, r := range rects {
		if area := r.Dx() * r.Dy(); area <= min(smallArea, left) {
			left -= area
			rects[n] = r
			n++
		} else {
			scratch = append(scratch, r)
		}
	}
	copy(rects[n:], scratch)
	return n, scratch
}

// sendRects encodes and writes rectangles: small ones here, large ones on all
// cores, those that other viewers want too from what was made for the first. With
// cut it stops when the link is congested. It returns how many were sent, which are
// the first of rects in their order then.
func (se *session) sendRects(rects []image.Rectangle, r recipe, cut bool) (sent int, err error) {
	shop := se.srv.shop
	total := 0
	for _, q := range rects {
		total += q.Dx() * q.Dy()
	}
	share := r == se.recipe && shop.shared(r)
	inline := 0
	switch {
	case !producible(r.encoding) || !share && total <= inlineArea:
		inline = len(rects)
	case !share:
		inline, se.large = smallFirst(rects, se.large)
	}
	for _, q := range rects[:inline] {
		if err := se.appendRect(q, r); err != nil {
			return 0, err
		}
		if err := se.flushSome(); err != nil {
			return 0, err
		}
	}
	if inline == len(rects) || cut && inline > 0 && se.link.congested(se.sent+int64(se.out.len())) {
		return inline, nil
	}

	// Some are in the making while the first are sent. Whatever happens, what was
	// begun is waited for: it reads the screen.
	ahead := 2 * cap(shop.cores)
	if cut {
		ahead = cap(shop.cores) // what is not sent was made for nothing
	}
	se.making = append(se.making[:0], make([]*product, len(rects))...)
	next, i := inline, inline
	defer func() {
		for ; i < next; i++ {
			if p := se.making[i]; p != nil {
				<-p.ready
				shop.done(p)
			}
		}
		clear(se.making)
	}()
	for ; i < len(rects); i++ {
		for ; next < min(len(rects), i+ahead); next++ {
			if !se.special(rects[next]) {
				se.making[next] = shop.make(r, rects[next], share)
			}
		}
		p := se.making[i]
		if p == nil {
			if err := se.appendRect(rects[i], r); err != nil {
				return 0, err
			}
		} else {
			p = shop.wait(p, se.view.Gen())
			se.making[i] = p
			if p.err != nil {
				return 0, p.err
			}
			se.making[i] = nil
			borrowed, err := se.appendProduct(p)
			if !borrowed {
				shop.done(p)
			}
			if err != nil {
				return 0, err
			}
		}
		// What is there already goes out with this: other viewers' rectangles, mostly.
		if i+1 >= next || !se.making[i+1].there() || se.out.len() >= collectAt {
			if err := se.flushSome(); err != nil {
				return 0, err
			}
		}
		if cut && se.link.congested(se.sent+int64(se.out.len())) {
			i++
			return i, nil
		}
	}
	return len(rects), nil
}

// special reports whether r holds something of this viewer alone: the painted
// pointer, or the outside of the screen.
func (se *session) special(r image.Rectangle) bool {
	return se.painted.enabled && se.painted.at.Overlaps(r) || !r.In(image.Rectangle{Max: se.source})
}

// appendProduct appends a rectangle that the workshop made, and says whether the
// output has taken p over.
func (se *session) appendProduct(p *product) (borrowed bool, err error) {
	if stateless(p.encoding) && len(p.bytes) > p.rect.Dx()*p.rect.Dy()*se.format.Bytes() {
		return false, se.appendRect(p.rect, recipe{encoding: rfb.EncodingRaw, params: p.params})
	}
	se.view.Took(p.rect, p.gen)
	if p.encoding == rfb.EncodingTight {
		_, enc := se.enc.get(p.encoding)
		for i := range p.tight {
			t := &p.tight[i]
			se.lossy.sent(t.Rectangle, t.Class == tight.JPEG || p.inexact)
			var rest []byte
			se.out.buf = rfb.RectangleOf(t.Rectangle, p.encoding).Append(se.out.buf)
			se.out.buf, rest = enc.(*tight.Encoder).AppendHead(se.out.buf, &t.Prepared)
			if se.out.add(rest, p) {
				if borrowed {
					p.uses.Add(1) // the output gives each part back
				}
				borrowed = true
			}
		}
		return borrowed, nil
	}
	se.lossy.sent(p.rect, false)
	var rest []byte
	se.out.buf = rfb.RectangleOf(p.rect, p.encoding).Append(se.out.buf)
	se.out.buf, rest = se.enc.appendProduct(se.out.buf, p)
	return se.out.add(rest, p), nil
}

// appendRect encodes the pixels of r as they are now.
func (se *session) appendRect(r image.Rectangle, how recipe) error {
	se.view.Snapshot(&se.snap, r)
	if screen := (image.Rectangle{Max: se.source}); !r.In(screen) {
		clearOutside(&se.snap, screen)
	}
	if se.painted.enabled {
		se.painted.draw(&se.snap)
	}
	e, enc := se.enc.get(how.encoding)
	if how.params != se.recipe.params {
		enc.SetParams(how.params)
		defer enc.SetParams(se.recipe.params)
	}
	head := len(se.out.buf)
	se.out.buf = rfb.RectangleOf(r, e).Append(se.out.buf)
	body := len(se.out.buf)
	var err error
	se.out.buf, err = enc.AppendRect(se.out.buf, &se.snap, r)
	if err != nil {
		return err
	}
	if stateless(e) && len(se.out.buf)-body > r.Dx()*r.Dy()*se.format.Bytes() {
		// Raw may always be sent, and here it is smaller.
		e, enc = se.enc.get(rfb.EncodingRaw)
		se.out.buf = rfb.RectangleOf(r, e).Append(se.out.buf[:head])
		se.out.buf, err = enc.AppendRect(se.out.buf, &se.snap, r)
	}
	t, ok := enc.(*tight.Encoder)
	se.lossy.sent(r, ok && t.Class() == tight.JPEG)
	return err
}

// clearOutside makes the pixels of m black that do not lie in r.
func clearOutside(m *pix.Image, r image.Rectangle) {
	for _, q := range pix.RegionOf(m.Rect).Subtract(pix.RegionOf(r)).Rects() {
		m.Fill(q, 0)
	}
}

// flushSome writes what was collected if that is enough to be worth it.
func (se *session) flushSome() error {
	if se.out.len() < flushAt {
		return nil
	}
	return se.flush()
}

// refreshAfter is how long an area that was sent as JPEG must have been still
// before it is sent again without loss, if nothing more is to be expected.
const refreshAfter = 100 * time.Millisecond

// A fresh change waits for the refresh that is on its way, so that must be small:
// what the link takes in refreshTime, within these bounds in pixels.
const (
	refreshTime    = 15 * time.Millisecond
	minRefreshArea = 4 << 10
	maxRefreshArea = 64 << 10
)

// refreshArea returns how many pixels to refresh at a time. Photographs, which is
// what is sent as JPEG, take three bytes a pixel without loss.
func (se *session) refreshArea() int {
	n := se.link.bytesIn(refreshTime)
	if n == 0 {
		return maxRefreshArea / 4 // a link that nothing is known of
	}
	return min(max(n/3, minRefreshArea), maxRefreshArea)
}

// refresh sends a part of what the viewer has only approximately, if that has
// been still for a while. It is called when there is nothing else to send.
func (se *session) refresh() (done bool) {
	// Where the screen is no more, or never was, nothing will be sent.
	se.lossy.clip(image.Rectangle{Max: se.source}.Intersect(image.Rectangle{Max: se.size}))
	if se.lossy.empty() {
		return false
	}
	now := time.Now()
	rects, wait := se.lossy.take(now, se.refreshArea())
	if len(rects) == 0 {
		se.pace.Reset(wait)
		return false
	}
	how := se.recipe
	how.params.Quality = -1
	how.parts = false
	how.rounded = false
	// Deflate takes a tenth off a photograph, and more time than all else here.
	n := se.link.bytesIn(slowUpdate)
	how.params.Fast = n == 0 || n > slowBytes
	w, h, area := limits(how.encoding)
	var cut []image.Rectangle
	for _, r := range rects {
		cut = appendSplit(cut, r, w, h, area)
	}
	se.out.buf = rfb.FramebufferUpdate{Rects: uint16(len(cut))}.Append(se.out.buf)
	if _, err := se.sendRects(cut, how, false); err != nil {
		se.log.Debug("refresh", "error", err)
		se.stop()
		return true
	}
	se.updates++
	se.mark()
	return true
}
