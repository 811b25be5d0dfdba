package mdns

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	// hostTTL and otherTTL are how long records hold, in seconds (RFC 6762, section
	// 10). legacyTTL is for resolvers that know nothing of multicast (section 6.7).
	hostTTL   = 120
	otherTTL  = 4500
	legacyTTL = 10

	// flush says that a record replaces others of its name (RFC 6762, section 10.2);
	// unicast that a question wants its answer for itself (section 5.4).
	flush   = 1 << 15
	unicast = 1 << 15

	// maxLabel is the length of a part of a name (RFC 1035, section 2.3.4).
	maxLabel = 63
	// maxQuestions bounds what is answered of one message: an honest one asks for the
	// few records that there are.
	maxQuestions = 64
)

// servicesName lists the types of services that there are (RFC 6763, section 9).
const servicesName = "_services._dns-sd._udp.local."

// records answers for one service.
type records struct {
	kind, instance, host dnsmessage.Name
	services             dnsmessage.Name
	port                 uint16
	text                 []string
	addrs                func() []netip.Addr
}

// label makes a part of a name of any text: what a name cannot have, and dots, which
// this package cannot escape, become spaces.
func label(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == '.' || r == '\\' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	for len(s) > maxLabel {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return strings.TrimSpace(s)
}

func newRecords(s Service, addrs func() []netip.Addr) (*records, error) {
	if s.Port < 1 || s.Port > 65535 {
		return nil, fmt.Errorf("mdns: Service.Port %d: want 1 to 65535", s.Port)
	}
	r := &records{port: uint16(s.Port), text: s.Text, addrs: addrs}
	if len(r.text) == 0 {
		r.text = []string{""} // RFC 6763, section 6.1: never without one
	}
	for _, t := range r.text {
		if len(t) > 255 {
			return nil, errors.New("mdns: Service.Text: more than 255 bytes")
		}
	}
	name, host := label(s.Name), strings.ReplaceAll(label(s.Host), " ", "-")
	if name == "" {
		return nil, fmt.Errorf("mdns: Service.Name %.80q: want a text", s.Name)
	}
	if host == "" {
		return nil, fmt.Errorf("mdns: Service.Host %.80q: want a name", s.Host)
	}
	var err error
	for p, v := range map[*dnsmessage.Name]string{
		&r.kind: s.Type + ".local.", &r.instance: name + "." + s.Type + ".local.", &r.host: host + ".local.", &r.services: servicesName,
	} {
		*p, err = dnsmessage.NewName(v)
		if err != nil {
			return nil, fmt.Errorf("mdns: Service.Type %.80q: %w", s.Type, err)
		}
	}
	return r, nil
}

func (r *records) pointer() dnsmessage.Resource {
	return dnsmessage.Resource{Header: head(r.kind, dnsmessage.TypePTR, otherTTL, 0), Body: &dnsmessage.PTRResource{PTR: r.instance}}
}

// unique are the records that nobody else has.
func (r *records) unique() []dnsmessage.Resource {
	return append([]dnsmessage.Resource{
		{Header: head(r.instance, dnsmessage.TypeSRV, hostTTL, flush), Body: &dnsmessage.SRVResource{Target: r.host, Port: r.port}},
		{Header: head(r.instance, dnsmessage.TypeTXT, otherTTL, flush), Body: &dnsmessage.TXTResource{TXT: r.text}},
	}, r.addresses()...)
}

func (r *records) addresses() (list []dnsmessage.Resource) {
	for _, a := range r.addrs() {
		if a.Is4() {
			list = append(list, dnsmessage.Resource{Header: head(r.host, dnsmessage.TypeA, hostTTL, flush), Body: &dnsmessage.AResource{A: a.As4()}})
		} else {
			list = append(list, dnsmessage.Resource{Header: head(r.host, dnsmessage.TypeAAAA, hostTTL, flush), Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
		}
	}
	return list
}

func head(n dnsmessage.Name, t dnsmessage.Type, ttl uint32, class dnsmessage.Class) dnsmessage.ResourceHeader {
	return dnsmessage.ResourceHeader{Name: n, Type: t, Class: dnsmessage.ClassINET | class, TTL: ttl}
}

// announcement tells everybody of the service; with the end that it has gone (RFC
// 6762, sections 8.3 and 10.1).
func (r *records) announcement(end bool) ([]byte, error) {
	m := dnsmessage.Message{Header: dnsmessage.Header{Response: true, Authoritative: true}}
	m.Answers = append([]dnsmessage.Resource{r.pointer()}, r.unique()...)
	if end {
		for i := range m.Answers {
			m.Answers[i].Header.TTL = 0
		}
	}
	return m.Pack()
}

// answer answers a query; nil where there is nothing to say. legacy is for a client
// that does not speak multicast DNS; alone reports that the answer is for the one
// who asked.
func (r *records) answer(query []byte, legacy bool) (b []byte, alone bool) {
	var p dnsmessage.Parser
	h, err := p.Start(query)
	if err != nil || h.Response || h.OpCode != 0 {
		return nil, false
	}
	questions, err := p.AllQuestions()
	if err != nil || len(questions) > maxQuestions {
		return nil, false
	}
	known := r.known(&p)
	m := dnsmessage.Message{Header: dnsmessage.Header{Response: true, Authoritative: true}}
	alone = true
	var asked []dnsmessage.Question
	for _, q := range questions {
		answers, more := r.of(q, known)
		if len(answers) == 0 {
			continue
		}
		alone = alone && q.Class&unicast != 0
		asked = append(asked, q)
		m.Answers = appendNew(m.Answers, answers)
		m.Additionals = appendNew(m.Additionals, more)
	}
	if len(m.Answers) == 0 {
		return nil, false
	}
	if legacy {
		m.Header.ID, m.Questions = h.ID, asked
		for _, list := range [][]dnsmessage.Resource{m.Answers, m.Additionals} {
			for i := range list {
				list[i].Header.Class &^= flush
				list[i].Header.TTL = min(list[i].Header.TTL, legacyTTL)
			}
		}
	}
	if b, err = m.Pack(); err != nil {
		return nil, false
	}
	return b, alone || legacy
}

// known reports whether who asks has our pointer already (RFC 6762, section 7.1).
func (r *records) known(p *dnsmessage.Parser) bool {
	for {
		h, err := p.AnswerHeader()
		if err != nil {
			return false
		}
		if h.Type != dnsmessage.TypePTR || !same(h.Name, r.kind) || h.TTL < otherTTL/2 {
			if p.SkipAnswer() != nil {
				return false
			}
			continue
		}
		ptr, err := p.PTRResource()
		if err != nil {
			return false
		}
		if same(ptr.PTR, r.instance) {
			return true
		}
	}
}

// of returns the answers to a question, and what will be asked next.
func (r *records) of(q dnsmessage.Question, known bool) (answers, more []dnsmessage.Resource) {
	if c := q.Class &^ unicast; c != dnsmessage.ClassINET && c != dnsmessage.ClassANY {
		return nil, nil
	}
	wants := func(t dnsmessage.Type) bool { return q.Type == t || q.Type == dnsmessage.TypeALL }
	switch {
	case same(q.Name, r.kind):
		if wants(dnsmessage.TypePTR) && !known {
			return []dnsmessage.Resource{r.pointer()}, r.unique()
		}
	case same(q.Name, r.services):
		if wants(dnsmessage.TypePTR) {
			return []dnsmessage.Resource{{Header: head(r.services, dnsmessage.TypePTR, otherTTL, 0), Body: &dnsmessage.PTRResource{PTR: r.kind}}}, nil
		}
	case same(q.Name, r.instance), same(q.Name, r.host):
		for _, a := range r.unique() {
			if same(a.Header.Name, q.Name) && wants(a.Header.Type) {
				answers = append(answers, a)
			}
		}
		if same(q.Name, r.instance) && len(answers) > 0 {
			more = r.addresses()
		}
	}
	return answers, more
}

// same compares names as DNS does: without regard to the case of ASCII letters (RFC
// 6762, section 16).
func same(a, b dnsmessage.Name) bool {
	if a.Length != b.Length {
		return false
	}
	for i := range a.Data[:a.Length] {
		if lower(a.Data[i]) != lower(b.Data[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// appendNew appends what is not there yet.
func appendNew(list, more []dnsmessage.Resource) []dnsmessage.Resource {
	for _, m := range more {
		found := false
		for _, l := range list {
			found = found || l.Header.Name == m.Header.Name && l.Header.Type == m.Header.Type && l.Body.GoString() == m.Body.GoString()
		}
		if !found {
			list = append(list, m)
		}
	}
	return list
}
