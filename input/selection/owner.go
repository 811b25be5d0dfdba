package selection

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/BurntSushi/xgb/xproto"
)

// transferTimeout bounds the wait for a requestor to take the next part of a
// text. A requestor that has gone sends nothing.
const transferTimeout = 10 * time.Second

// maxTransfers bounds the texts under way at a time. More requestors than a few
// at once is a program gone wild.
const maxTransfers = 32

// partSize is the size of the parts that a long text is sent in: the server
// does other things between them.
const partSize = 64 << 10

// owner is what run knows as the owner of selections.
type owner struct {
	text      string
	since     xproto.Timestamp // when we became the owner
	owned     map[xproto.Atom]bool
	claims    []*claim // waiting for the time
	transfers map[transferKey]*transfer
}

// claim is a text to be offered.
type claim struct {
	text string
	done chan error // capacity 1
}

// transferKey names a transfer as requestors do.
type transferKey struct {
	window   xproto.Window
	property xproto.Atom
}

// transfer is a text sent in parts (ICCCM, section 2.7.2, "INCR Properties").
type transfer struct {
	kind    xproto.Atom
	rest    []byte
	last    bool // the empty part that ends it has been sent
	expires time.Time
}

// startClaim begins to become the owner. That needs a time of the server's
// (ICCCM, section 2.1): one comes with the event that a property has changed.
func (s *Selection) startClaim(c *claim) {
	s.own.claims = append(s.own.claims, c)
	// A change that appends nothing.
	xproto.ChangeProperty(s.c.X(), xproto.PropModeAppend, s.win, s.atoms.time, xproto.AtomInteger, 32, 0, nil)
}

// finishClaim becomes the owner.
func (s *Selection) finishClaim(now xproto.Timestamp) {
	claims := s.own.claims
	if len(claims) == 0 {
		return
	}
	s.own.claims = nil
	text := claims[len(claims)-1].text
	err := s.become(text, now)
	for _, c := range claims {
		c.done <- err
	}
}

func (s *Selection) become(text string, now xproto.Timestamp) error {
	s.own.text, s.own.since = text, now
	s.cancelFetch() // what owners have is older
	s.watch.last = text
	var taken bool
	for _, sel := range s.claimed {
		xproto.SetSelectionOwner(s.c.X(), s.win, sel, now)
		// Someone with a later time may have been faster.
		r, err := xproto.GetSelectionOwner(s.c.X(), sel).Reply()
		if err != nil {
			return err
		}
		s.own.owned[sel] = r.Owner == s.win
		if r.Owner == s.win {
			delete(s.watch.changes, sel)
			taken = true
		}
	}
	if !taken {
		return errors.New("selection: another program took the clipboard at the same moment")
	}
	return nil
}

// lost notes that another program has become the owner.
func (s *Selection) lost(sel xproto.Atom) {
	if r, err := xproto.GetSelectionOwner(s.c.X(), sel).Reply(); err == nil && r.Owner == s.win {
		return // and we again since
	}
	delete(s.own.owned, sel)
	if len(s.own.owned) == 0 {
		s.own.text = ""
	}
}

// request answers a program that pastes (ICCCM, section 2.2). Requests are not
// refused for their time: many programs send one that is none.
func (s *Selection) request(e xproto.SelectionRequestEvent) {
	property := e.Property
	if property == 0 {
		property = e.Target // an obsolete client (ICCCM, section 2.2)
	}
	if !s.own.owned[e.Selection] || e.Owner != s.win || !s.answer(e.Requestor, property, e.Target) {
		property = 0
	}
	ev := xproto.SelectionNotifyEvent{
		Time: e.Time, Requestor: e.Requestor, Selection: e.Selection, Target: e.Target, Property: property,
	}
	xproto.SendEvent(s.c.X(), false, e.Requestor, 0, string(ev.Bytes()))
}

// answer puts our text into a property as the target wants it, and reports
// whether it could.
func (s *Selection) answer(w xproto.Window, property, target xproto.Atom) bool {
	a := &s.atoms
	switch target {
	case a.targets:
		list := []xproto.Atom{a.targets, a.timestamp, a.utf8, a.plainUTF8, xproto.AtomString, a.text}
		var b []byte
		for _, t := range list {
			b = binary.LittleEndian.AppendUint32(b, uint32(t))
		}
		xproto.ChangeProperty(s.c.X(), xproto.PropModeReplace, w, property, xproto.AtomAtom, 32, uint32(len(list)), b)
		return true
	case a.timestamp:
		b := binary.LittleEndian.AppendUint32(nil, uint32(s.own.since))
		xproto.ChangeProperty(s.c.X(), xproto.PropModeReplace, w, property, xproto.AtomInteger, 32, 1, b)
		return true
	case a.utf8, a.plainUTF8:
		return s.put(w, property, target, []byte(s.own.text))
	case xproto.AtomString:
		b, _ := latin1(s.own.text)
		return s.put(w, property, xproto.AtomString, b)
	case a.text:
		// The owner chooses the encoding.
		if b, exact := latin1(s.own.text); exact {
			return s.put(w, property, xproto.AtomString, b)
		}
		return s.put(w, property, a.utf8, []byte(s.own.text))
	}
	return false
}

// maxDirect returns how long a text can be in a single request: requests have
// a length of 16 bits in units of 4 bytes, and a ChangeProperty a head of 24.
func (s *Selection) maxDirect() int {
	return int(s.c.Setup().MaximumRequestLength)*4 - 24
}

// put gives a text to a requestor, at once or in parts.
func (s *Selection) put(w xproto.Window, property, kind xproto.Atom, b []byte) bool {
	x, key := s.c.X(), transferKey{w, property}
	if len(b) <= s.maxDirect() {
		s.endTransfer(key)
		xproto.ChangeProperty(x, xproto.PropModeReplace, w, property, kind, 8, uint32(len(b)), b)
		return true
	}
	if _, again := s.own.transfers[key]; !again && len(s.own.transfers) >= maxTransfers {
		s.log.Warn("clipboard request refused: too many at a time", "transfers", maxTransfers)
		return false
	}
	s.own.transfers[key] = &transfer{kind: kind, rest: b, expires: time.Now().Add(transferTimeout)}
	// The requestor deletes the property to ask for each part.
	xproto.ChangeWindowAttributes(x, w, xproto.CwEventMask, []uint32{xproto.EventMaskPropertyChange})
	size := binary.LittleEndian.AppendUint32(nil, uint32(len(b)))
	xproto.ChangeProperty(x, xproto.PropModeReplace, w, property, s.atoms.incr, 32, 1, size)
	return true
}

// continueTransfer sends the next part; an empty one is the end.
func (s *Selection) continueTransfer(w xproto.Window, property xproto.Atom) {
	key := transferKey{w, property}
	t := s.own.transfers[key]
	if t == nil {
		return
	}
	if t.last {
		s.endTransfer(key)
		return
	}
	part := t.rest[:min(len(t.rest), partSize)]
	t.rest = t.rest[len(part):]
	t.last = len(part) == 0
	t.expires = time.Now().Add(transferTimeout)
	xproto.ChangeProperty(s.c.X(), xproto.PropModeReplace, w, property, t.kind, 8, uint32(len(part)), part)
}

// endTransfer forgets a transfer.
func (s *Selection) endTransfer(key transferKey) {
	if s.own.transfers[key] == nil {
		return
	}
	delete(s.own.transfers, key)
	for k := range s.own.transfers {
		if k.window == key.window {
			return
		}
	}
	xproto.ChangeWindowAttributes(s.c.X(), key.window, xproto.CwEventMask, []uint32{xproto.EventMaskNoEvent})
}

func (s *Selection) expireTransfers(now time.Time) {
	for key, t := range s.own.transfers {
		if !now.Before(t.expires) {
			s.endTransfer(key)
		}
	}
}
