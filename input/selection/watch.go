package selection

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/xgb/xfixes"
	"github.com/BurntSushi/xgb/xproto"
)

// While a selection is dragged with the mouse, some programs become the owner
// of PRIMARY anew with every motion. So PRIMARY is asked for when it has not
// changed for a while, and in a long drag now and then. CLIPBOARD changes by a
// deliberate act and is asked for at once, but not arbitrarily often.
const (
	settle    = 100 * time.Millisecond
	settleMax = 500 * time.Millisecond
	copyEvery = 50 * time.Millisecond
)

// An owner has stepTimeout for each thing that is asked of it, and fetchTimeout
// in all. Programs that hang, or are stopped in a debugger, never answer.
const (
	stepTimeout  = 2 * time.Second
	fetchTimeout = 15 * time.Second
)

// pieceSize is how much of a property is read in one reply.
const pieceSize = 256 << 10

// watcher is what run knows of the selections of others.
type watcher struct {
	on, active bool
	step       time.Duration // stepTimeout; tests have another
	changes    map[xproto.Atom]*change
	fetch      *fetch
	fetched    time.Time     // when the last fetch began
	win        xproto.Window // for the owners' answers; 0 until needed
	old        []oldWindow   // that answers may still come to, the oldest first
	last       string        // the last text in either direction
}

// change is a selection of which we do not know the text.
type change struct {
	first, latest time.Time
	at            xproto.Timestamp // when the owner became so
}

// fetch is the conversation with an owner.
type fetch struct {
	selection xproto.Atom
	at        xproto.Timestamp
	target    xproto.Atom
	incr      bool         // the owner sends parts
	text      bytes.Buffer // parts so far
	expires   time.Time    // of this step
	end       time.Time
}

// An owner that answers a fetch that was given up must find its window: a program
// that writes to one that is no more is ended by its X library, as a rule, and the text
// that was copied from it is lost. So windows are kept for oldTimeout, maxOld of them.
const (
	oldTimeout = fetchTimeout
	maxOld     = 16
)

type oldWindow struct {
	win     xproto.Window
	expires time.Time
}

// startWatching asks for events of new owners, and counts those that are there
// already as new.
func (s *Selection) startWatching() error {
	now := time.Now()
	for _, sel := range s.watched {
		if err := xfixes.SelectSelectionInputChecked(s.c.X(), s.win, sel,
			xfixes.SelectionEventMaskSetSelectionOwner).Check(); err != nil {
			return err
		}
		r, err := xproto.GetSelectionOwner(s.c.X(), sel).Reply()
		if err != nil {
			return err
		}
		if r.Owner != 0 {
			s.watch.changes[sel] = &change{first: now, latest: now}
		}
	}
	return nil
}

// ownerChanged notes a new owner.
func (s *Selection) ownerChanged(e xfixes.SelectionNotifyEvent) {
	w := &s.watch
	if w.fetch != nil && w.fetch.selection == e.Selection {
		s.cancelFetch() // the owner that was asked is no more
	}
	if e.Owner == 0 || e.Owner == s.win {
		delete(w.changes, e.Selection)
		return
	}
	now := time.Now()
	c := w.changes[e.Selection]
	if c == nil {
		c = &change{first: now}
		w.changes[e.Selection] = c
	}
	c.latest, c.at = now, e.SelectionTimestamp
}

// due returns when a change is to be asked for.
func (s *Selection) due(sel xproto.Atom, c *change) time.Time {
	if sel == s.atoms.clipboard {
		if t := s.watch.fetched.Add(copyEvery); t.After(c.latest) {
			return t
		}
		return c.latest
	}
	t := c.latest.Add(settle)
	if limit := c.first.Add(settleMax); t.After(limit) {
		t = limit
	}
	return t
}

// nextFetch returns when the watcher has something to do; zero for never.
func (s *Selection) nextFetch() time.Time {
	w := &s.watch
	if w.fetch != nil {
		return w.fetch.expires
	}
	if !w.active {
		return time.Time{}
	}
	_, t := s.nextChange()
	return t
}

// nextChange returns the change that is due first.
func (s *Selection) nextChange() (sel xproto.Atom, at time.Time) {
	for k, c := range s.watch.changes {
		if t := s.due(k, c); sel == 0 || t.Before(at) {
			sel, at = k, t
		}
	}
	return sel, at
}

// advanceFetch gives up an owner that does not answer, and begins the next
// fetch that is due.
func (s *Selection) advanceFetch(now time.Time) {
	w := &s.watch
	if w.fetch != nil {
		if now.Before(w.fetch.expires) {
			return
		}
		s.log.Info("the owner of the clipboard does not answer", "selection", s.name(w.fetch.selection))
		s.cancelFetch()
	}
	if !w.active {
		return
	}
	sel, at := s.nextChange()
	if sel == 0 || now.Before(at) {
		return
	}
	if w.win == 0 {
		var err error
		if w.win, err = s.newWindow(); err != nil {
			w.win = 0
			delete(w.changes, sel)
			return
		}
	}
	c := w.changes[sel]
	delete(w.changes, sel)
	w.fetched = now
	w.fetch = &fetch{selection: sel, at: c.at, end: now.Add(s.watch.step / stepTimeout * fetchTimeout)}
	s.ask(s.atoms.utf8)
}

func (s *Selection) name(sel xproto.Atom) string {
	if sel == s.atoms.clipboard {
		return "CLIPBOARD"
	}
	return "PRIMARY"
}

// ask asks the owner for its text in the form target (ICCCM, section 2.4).
func (s *Selection) ask(target xproto.Atom) {
	f := s.watch.fetch
	f.target = target
	s.step()
	xproto.ConvertSelection(s.c.X(), s.watch.win, f.selection, target, s.atoms.data, f.at)
}

// step gives the owner time for the next step.
func (s *Selection) step() {
	f := s.watch.fetch
	if f.expires = time.Now().Add(s.watch.step); f.expires.After(f.end) {
		f.expires = f.end
	}
}

// cancelFetch gives a fetch up. Its window is not used again: whatever the owner
// still sends then meets no property of a later fetch.
func (s *Selection) cancelFetch() {
	w := &s.watch
	if w.fetch == nil {
		return
	}
	now := time.Now()
	if len(w.old) == maxOld {
		w.old[0].expires = now
	}
	w.old = append(w.old, oldWindow{w.win, now.Add(oldTimeout)})
	w.fetch, w.win = nil, 0
	s.expireWindows(now)
}

func (s *Selection) expireWindows(now time.Time) {
	w := &s.watch
	for len(w.old) > 0 && !now.Before(w.old[0].expires) {
		xproto.DestroyWindow(s.c.X(), w.old[0].win)
		w.old = slices.Delete(w.old, 0, 1)
	}
}

// converted handles the owner's answer.
func (s *Selection) converted(e xproto.SelectionNotifyEvent) {
	f := s.watch.fetch
	if f == nil || e.Requestor != s.watch.win || e.Selection != f.selection || e.Target != f.target || f.incr {
		return
	}
	if e.Property == 0 { // refused
		if f.target == s.atoms.utf8 {
			s.ask(xproto.AtomString)
			return
		}
		s.watch.fetch = nil // it has no text: a picture
		return
	}
	kind, err := s.read(f)
	switch {
	case err != nil || f.text.Len() > s.maxRaw():
		s.tooLong()
	case kind == s.atoms.incr:
		// Deleting the property, as read has done, asks for the first part.
		f.incr = true
		f.text.Reset()
		s.step()
	default:
		s.finishFetch(kind)
	}
}

// incrReady takes a part of a long text (ICCCM, section 2.7.2).
func (s *Selection) incrReady() {
	f := s.watch.fetch
	if !f.incr {
		return
	}
	before := f.text.Len()
	kind, err := s.read(f)
	switch {
	case err != nil || f.text.Len() > s.maxRaw():
		s.tooLong()
	case kind == 0:
		// Nothing there: an earlier event's read has taken this part too.
	case f.text.Len() == before:
		s.finishFetch(kind)
	default:
		s.step()
	}
}

// maxRaw bounds what is taken of an owner. The bound on the text is checked
// when it is decoded: one more for a terminating zero.
func (s *Selection) maxRaw() int { return s.max + 1 }

func (s *Selection) tooLong() {
	s.log.Info("text too long for the clipboard", "selection", s.name(s.watch.fetch.selection), "max", s.max)
	s.cancelFetch()
}

// read appends the property that the owner has filled to f.text, and deletes
// it. It stops when there is more than allowed.
func (s *Selection) read(f *fetch) (kind xproto.Atom, err error) {
	for offset := uint32(0); ; {
		// The deletion happens with the reply that leaves nothing.
		r, err := xproto.GetProperty(s.c.X(), true, s.watch.win, s.atoms.data,
			xproto.GetPropertyTypeAny, offset/4, pieceSize/4).Reply()
		if err != nil {
			return 0, err
		}
		kind = r.Type
		if r.Format == 8 {
			f.text.Write(r.Value)
		}
		if r.BytesAfter == 0 || f.text.Len() > s.maxRaw() || r.Format != 8 {
			if r.BytesAfter != 0 {
				xproto.DeleteProperty(s.c.X(), s.watch.win, s.atoms.data)
			}
			return kind, nil
		}
		offset += uint32(len(r.Value))
	}
}

// finishFetch passes the text on.
func (s *Selection) finishFetch(kind xproto.Atom) {
	f := s.watch.fetch
	s.watch.fetch = nil
	var text string
	switch {
	case kind == xproto.AtomString:
		text = strings.TrimSuffix(fromLatin1(f.text.Bytes()), "\x00")
	case kind == s.atoms.utf8 || kind == s.atoms.plainUTF8 || f.target == s.atoms.utf8:
		text = fromUTF8(f.text.Bytes())
	default:
		return // such as COMPOUND_TEXT, which nobody should answer STRING with
	}
	if len(text) > s.max {
		s.log.Info("text too long for the clipboard", "selection", s.name(f.selection), "max", s.max)
		return
	}
	// Also what a clipboard manager has taken over from us is no news.
	if text == "" || text == s.watch.last {
		return
	}
	s.watch.last = text
	s.say(text)
}
