package main

import (
	"sync"

	"framebridge/input"
)

// The clipboard is shared by three parties: X programs, viewers and pages. What
// one of a kind sets, the servers pass on among their own; clips passes it on
// between the kinds and to X.

// party is a kind of those who look.
type party int

const (
	byViewer party = iota
	byPage
	parties
)

// clips is the clipboard of a display and of all who look at it.
type clips struct {
	x interface { // the X server's
		input.Clipboard
		input.ClipboardWatcher
	}
	mu     sync.Mutex
	active [parties]bool
	tell   [parties]func(text string) // nil: there are none of this kind
}

// copied passes on what an X program copied.
func (c *clips) copied(text string) { c.spread(text, parties) }

func (c *clips) spread(text string, from party) {
	c.mu.Lock()
	tell := c.tell
	c.mu.Unlock()
	for p, f := range tell {
		if f != nil && party(p) != from {
			f(text)
		}
	}
}

// join says how a kind is told.
func (c *clips) join(p party, tell func(text string)) {
	c.mu.Lock()
	c.tell[p] = tell
	c.mu.Unlock()
}

// of is the clipboard as a kind's server sees it.
func (c *clips) of(p party) input.Clipboard { return clipsOf{c, p} }

type clipsOf struct {
	*clips
	party party
}

// SetText passes on what one of the party copied.
func (c clipsOf) SetText(text string) error {
	err := c.x.SetText(text)
	c.spread(text, c.party)
	return err
}

// SetActive lets X's clipboard be watched while any party listens.
func (c clipsOf) SetActive(active bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.active[c.party] = active
	c.x.SetActive(c.active[byViewer] || c.active[byPage])
}
