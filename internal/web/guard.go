package web

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Two things keep other sites' pages away from a server that their visitors'
// browsers can reach.
//
// The Origin of WebSockets and of POST must be the site itself: browsers tell it,
// pages cannot change it. Clients that are no browsers send none.
//
// A site may also let its own name point at our address (DNS rebinding): then it
// has the same origin. Where a password is asked for that gains nothing, since the
// cookie belongs to the name it was given to. Where none is, the Host must be a
// name that nobody can register: an address, localhost, a name without dots or of a
// private domain, our host's name, or one of Config.Hosts.

// privateDomains end names that are not in public DNS: RFC 6761, RFC 6762, RFC
// 8375, ICANN's .internal, and Kubernetes' services.
var privateDomains = []string{".localhost", ".local", ".internal", ".home.arpa", ".svc"}

// checkHost refuses requests to a name that might be somebody else's.
func (s *Server) checkHost(w http.ResponseWriter, r *http.Request) bool {
	if _, open := s.cfg.VNC.Open(); !open || s.ownName(hostname(r.Host)) {
		return true
	}
	http.Error(w, "this server does not know itself by this name: start framebridge with --web-host "+
		printable(hostname(r.Host))+" or with FRAMEBRIDGE_WEB_HOST set to it", http.StatusMisdirectedRequest)
	return false
}

func (s *Server) ownName(name string) bool {
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	if name == "" || !strings.Contains(name, ".") || strings.EqualFold(name, s.hostname) || s.configured(name) {
		return true
	}
	for _, d := range privateDomains {
		if strings.HasSuffix(strings.ToLower(name), d) {
			return true
		}
	}
	return false
}

func (s *Server) configured(name string) bool {
	return slices.ContainsFunc(s.cfg.Hosts, func(h string) bool { return h == "*" || strings.EqualFold(h, name) })
}

// hostname strips the port and IPv6's brackets.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.TrimSuffix(strings.Trim(host, "[]"), ".")
}

// printable keeps what a name can have, for messages.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f && !strings.ContainsRune("<>&\"'`", r) {
			return r
		}
		return '?'
	}, s[:min(len(s), 255)])
}

// checkOrigin refuses requests that a page of another site makes.
func (s *Server) checkOrigin(w http.ResponseWriter, r *http.Request) bool {
	if s.sameOrigin(r) {
		return true
	}
	http.Error(w, "not for pages of other sites", http.StatusForbidden)
	return false
}

func (s *Server) sameOrigin(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	o, err := url.Parse(origins[0])
	if err != nil || len(origins) > 1 || o.Host == "" || o.Scheme != "http" && o.Scheme != "https" {
		return false
	}
	if s.configured(o.Hostname()) {
		return true
	}
	want := authority(o.Host, o.Scheme)
	// A proxy that changes Host tells the old one here. Pages cannot set it.
	for _, host := range []string{r.Host, r.Header.Get("X-Forwarded-Host")} {
		if host != "" && strings.EqualFold(authority(host, o.Scheme), want) {
			return true
		}
	}
	return false
}

// authority strips the scheme's own port.
func authority(host, scheme string) string {
	if scheme == "https" {
		return strings.TrimSuffix(host, ":443")
	}
	return strings.TrimSuffix(host, ":80")
}

// secure reports whether the browser's side of the connection is encrypted.
func secure(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// toHTTPS leads a browser that asks for a page in the clear to https, where that is
// served. Not those on this machine, who mostly come through a forwarded port, to
// which no certificate belongs; and not a proxy's, which has its own.
func (s *Server) toHTTPS(w http.ResponseWriter, r *http.Request) bool {
	if !s.cfg.TLS || r.TLS != nil || r.Method != http.MethodGet || r.Header.Get("X-Forwarded-Proto") != "" || r.Host == "" {
		return false
	}
	host, _, _ := net.SplitHostPort(remoteAddr(r).String())
	if a, err := netip.ParseAddr(host); err != nil || a.Unmap().IsLoopback() {
		return false
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, "https://"+r.Host+r.URL.RequestURI(), http.StatusTemporaryRedirect)
	return true
}
