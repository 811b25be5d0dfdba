package web

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"net/http"
	"strconv"
	"time"

	"framebridge/internal/pix"
)

const (
	// snapshotLimit is how long the screen may take to have a picture.
	snapshotLimit = 10 * time.Second
	// snapshotNews is how long drawing that is under way is waited for when the
	// picture is there already.
	snapshotNews = 50 * time.Millisecond
)

// snapshot answers with the screen's picture, in its size and without the pointer,
// for those who may look: by the cookie, or by the password as HTTP's Basic
// authentication, with any user name.
func (s *Server) snapshot(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.rights(r); !ok {
		_, password, given := r.BasicAuth()
		if !given {
			w.Header().Set("WWW-Authenticate", `Basic realm="framebridge"`)
			http.Error(w, "a password is needed", http.StatusUnauthorized)
			return
		}
		if _, err := s.authenticate(r, password); err != nil {
			s.refuse(w, err)
			return
		}
	}
	select {
	case s.snapshots <- struct{}{}:
		defer func() { <-s.snapshots }()
	case <-r.Context().Done():
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), snapshotLimit)
	defer cancel()
	m, ok := s.picture(ctx)
	if !ok {
		w.Header().Set("Retry-After", "1")
		text(w, http.StatusServiceUnavailable, "waiting for the display")
		return
	}
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := enc.Encode(&b, m); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "image/png")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Set("Cache-Control", "no-store")
	w.Write(b.Bytes()) //nolint:errcheck // the client has gone
}

// picture returns the screen as it is now.
func (s *Server) picture(ctx context.Context) (*image.RGBA, bool) {
	if s.cfg.Screen.Lost() {
		return nil, false
	}
	v := s.cfg.Screen.View()
	defer v.Close()
	v.Want(true)
	for !v.Synced() {
		select {
		case <-v.Wake():
		case <-ctx.Done():
			return nil, false
		}
	}
	// Where nobody could take an update the store may be behind: what is wanted is
	// captured now. That nothing was drawn is not told.
	all := image.Rectangle{Max: s.cfg.Screen.Size()}
	v.Take(all, false)
	v.Want(true)
	news := time.NewTimer(snapshotNews)
	defer news.Stop()
	select {
	case <-v.Wake():
	case <-news.C:
	case <-ctx.Done():
		return nil, false
	}
	var m pix.Image
	all = image.Rectangle{Max: s.cfg.Screen.Size()}
	s.cfg.Screen.Copy(&m, all)
	return rgba(&m), !all.Empty()
}

// rgba converts BGRX, whose fourth byte means nothing, to opaque RGBA.
func rgba(m *pix.Image) *image.RGBA {
	out := image.NewRGBA(image.Rectangle{Max: m.Rect.Size()})
	for i := 0; i+3 < len(m.Pix); i += pix.BytesPerPixel {
		out.Pix[i], out.Pix[i+1], out.Pix[i+2], out.Pix[i+3] = m.Pix[i+2], m.Pix[i+1], m.Pix[i], 0xff
	}
	return out
}
