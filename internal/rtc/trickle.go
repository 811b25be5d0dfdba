package rtc

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/pion/webrtc/v4"
)

// Trickle adds candidates to a session: a fragment as of RFC 8840, section 9. tag is
// what Answer said; empty: not checked. Its error is ErrUnknown, ErrTag, ErrRestart
// or ErrFragment.
func (s *Server) Trickle(id, tag string, fragment []byte) error {
	s.mu.Lock()
	p := s.find(id)
	s.mu.Unlock()
	if p == nil {
		return ErrUnknown
	}
	if tag != "" && tag != p.ufrag {
		return ErrTag
	}
	f, err := parseFragment(fragment)
	if err != nil {
		return err
	}
	if f.ufrag != "" && f.ufrag != p.offered.ufrag {
		return ErrRestart
	}
	p.mu.Lock()
	p.trickled += len(f.candidates)
	many := p.trickled > maxCandidates
	p.mu.Unlock()
	if many {
		return fmt.Errorf("%w: too many candidates", ErrFragment)
	}
	for _, c := range f.candidates {
		if err := p.pc.AddICECandidate(c); err != nil {
			return fmt.Errorf("%w: %v", ErrFragment, err)
		}
	}
	return nil
}

// fragment is the part of a description that is about ICE.
type fragment struct {
	ufrag      string // empty: not said
	candidates []webrtc.ICECandidateInit
}

func parseFragment(b []byte) (f fragment, err error) {
	if len(b) > MaxSDP {
		return f, fmt.Errorf("%w: %d bytes", ErrFragment, len(b))
	}
	var mid *string
	for line := range bytes.Lines(b) {
		key, value, ok := strings.Cut(strings.TrimRight(string(line), "\r\n"), "=")
		if !ok || len(key) != 1 {
			return f, fmt.Errorf("%w: line %.40q", ErrFragment, line)
		}
		if key != "a" {
			continue
		}
		name, value, _ := strings.Cut(value, ":")
		switch name {
		case "mid":
			mid = &value
		case attrUfrag:
			f.ufrag = value
		case "candidate":
			if len(f.candidates) == maxCandidates {
				return f, fmt.Errorf("%w: too many candidates", ErrFragment)
			}
			f.candidates = append(f.candidates, webrtc.ICECandidateInit{Candidate: "candidate:" + value, SDPMid: mid})
		}
	}
	return f, nil
}
