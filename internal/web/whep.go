package web

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"framebridge/internal/rtc"
	"framebridge/internal/stream"
	"framebridge/internal/vnc"
)

// WHEP (draft-ietf-wish-whep) is how a player asks for WebRTC: it POSTs an offer
// and gets the answer, and the address of a session, which it DELETEs at the end.
// Candidates that it finds later come in PATCHes; ICE does not start anew. Players
// that are no pages of ours show the password as a bearer token (RFC 6750).

const (
	typeSDP      = "application/sdp"
	typeFragment = "application/trickle-ice-sdpfrag"
)

// maxOffers bounds the offers that are being answered. Each takes a millisecond of
// the CPU and some memory.
const maxOffers = 16

// whep answers requests to whep and, with an ID, to a session below.
func (s *Server) whep(w http.ResponseWriter, r *http.Request, id string) {
	if s.cfg.RTC == nil {
		http.Error(w, "this server has no WebRTC", http.StatusNotFound)
		return
	}
	if !s.checkOrigin(w, r) {
		return
	}
	allow := "OPTIONS, POST"
	if id != "" {
		allow = "DELETE, OPTIONS, PATCH"
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	switch {
	case r.Method == http.MethodOptions:
		h.Set("Allow", allow)
		h.Set("Accept-Post", typeSDP)
		if id != "" {
			h.Set("Accept-Patch", typeFragment)
		}
		w.WriteHeader(http.StatusNoContent)
		return
	case id == "" && r.Method == http.MethodPost, id != "" && (r.Method == http.MethodDelete || r.Method == http.MethodPatch):
	default:
		h.Set("Allow", allow)
		http.Error(w, "only "+allow, http.StatusMethodNotAllowed)
		return
	}
	rights, ok := s.bearer(w, r)
	if !ok {
		return
	}
	switch r.Method {
	case http.MethodPost:
		s.offer(w, r, rights)
	case http.MethodPatch:
		s.trickle(w, r, id)
	default:
		if err := s.cfg.RTC.End(id); err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		w.WriteHeader(http.StatusOK)
	}
}

// bearer returns the rights of the request's cookie, or of the password that it
// brings; without either it answers.
func (s *Server) bearer(w http.ResponseWriter, r *http.Request) (vnc.Rights, bool) {
	rights, ok := s.rights(r)
	if ok {
		return rights, true
	}
	w.Header().Set("WWW-Authenticate", "Bearer")
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		http.Error(w, "log in first, or send the password as a bearer token", http.StatusUnauthorized)
		return rights, false
	}
	rights, err := s.authenticate(r, strings.TrimSpace(token))
	if err != nil {
		s.refuse(w, err)
		return rights, false
	}
	w.Header().Del("WWW-Authenticate")
	return rights, true
}

// body reads a request's body of a media type; it answers where there is none.
func body(w http.ResponseWriter, r *http.Request, kind string) ([]byte, bool) {
	if k, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || k != kind {
		http.Error(w, "want "+kind, http.StatusUnsupportedMediaType)
		return nil, false
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, rtc.MaxSDP))
	if err != nil {
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			http.Error(w, "too long", http.StatusRequestEntityTooLarge)
		} else {
			http.Error(w, "the request broke off", http.StatusBadRequest)
		}
		return nil, false
	}
	return b, true
}

func (s *Server) offer(w http.ResponseWriter, r *http.Request, rights vnc.Rights) {
	b, ok := body(w, r, typeSDP)
	if !ok {
		return
	}
	select {
	case s.offers <- struct{}{}:
		defer func() { <-s.offers }()
	default:
		busy(w)
		return
	}
	remote := remoteAddr(r).String()
	answer, err := s.cfg.RTC.Offer(r.Context(), rtc.Request{
		SDP: b, Remote: remote,
		Page: func(ctx context.Context, t rtc.Transport, v stream.Video) {
			s.cfg.Stream.Serve(ctx, t, stream.Peer{Remote: remote, Kind: "webrtc", Rights: pageRights(rights), Video: v})
		},
	})
	switch {
	case errors.Is(err, rtc.ErrOffer):
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	case errors.Is(err, rtc.ErrBusy):
		busy(w)
		return
	case err != nil:
		s.log.Debug("no answer to a WHEP offer", "remote", remote, "error", err)
		http.Error(w, "the server cannot answer now", http.StatusServiceUnavailable)
		return
	}
	h := w.Header()
	h.Set("Content-Type", typeSDP)
	h.Set("Location", "whep/"+answer.ID) // beside us: it holds below a path prefix
	h.Set("ETag", `"`+answer.Tag+`"`)
	h.Set("Accept-Patch", typeFragment)
	w.WriteHeader(http.StatusCreated)
	w.Write(answer.SDP) //nolint:errcheck // the player has gone: its session ends by itself
}

func busy(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "5")
	http.Error(w, "too many viewers: try again", http.StatusServiceUnavailable)
}

func (s *Server) trickle(w http.ResponseWriter, r *http.Request, id string) {
	b, ok := body(w, r, typeFragment)
	if !ok {
		return
	}
	// A fragment without a tag, or with any, may be for every start of ICE; there is
	// only one.
	tag := strings.Trim(r.Header.Get("If-Match"), `"`)
	if tag == "*" {
		tag = ""
	}
	err := s.cfg.RTC.Trickle(id, tag, b)
	switch {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.Is(err, rtc.ErrUnknown):
		http.Error(w, err.Error(), http.StatusNotFound)
	case errors.Is(err, rtc.ErrTag):
		http.Error(w, err.Error(), http.StatusPreconditionFailed)
	case errors.Is(err, rtc.ErrRestart):
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
	default:
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}
