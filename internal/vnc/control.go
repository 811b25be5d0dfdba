package vnc

import (
	"cmp"
	"image"
	"slices"

	"framebridge/internal/pix"
)

// What the owner of a Server can do to its viewers while it runs.

// Peers returns the viewers that are in, guests included, in the order in which they came.
func (s *Server) Peers() []Peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Peer
	for se := range s.sessions {
		list = append(list, se.peer)
	}
	for g := range s.guests {
		list = append(list, g.peer)
	}
	slices.SortFunc(list, func(a, b Peer) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// Disconnect ends the viewers that match, and returns how many those are. It does
// not wait for their end.
func (s *Server) Disconnect(match func(Peer) bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for se := range s.sessions {
		if match(se.peer) {
			se.log.Info("viewer is disconnected")
			se.stop()
			n++
		}
	}
	for g := range s.guests {
		if match(g.peer) {
			g.stop()
			n++
		}
	}
	return n
}

// SetSharing changes what becomes of other viewers when one comes.
func (s *Server) SetSharing(how Sharing) error {
	how, err := ParseSharing(string(how))
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.cfg.Sharing = how
	s.mu.Unlock()
	return nil
}

// Refresh sends all viewers the whole picture with their next updates, whatever
// they have of it.
func (s *Server) Refresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for se := range s.sessions {
		se.wish(func(w *wishes) { w.whole = pix.RegionOf(image.Rectangle{Max: s.cfg.Screen.Size()}) })
	}
}
