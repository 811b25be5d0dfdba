package main

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// stampForm is how x11vnc's log lines begin.
const stampForm = "02/01/2006 15:04:05 "

func logStamp() string { return time.Now().Format(stampForm) }

// stampHandler writes log lines as x11vnc does: date, time, text; attributes
// follow as NAME=VALUE.
type stampHandler struct {
	mu    *sync.Mutex
	w     io.Writer
	level slog.Leveler
	attrs string
}

func newStampHandler(w io.Writer, level slog.Leveler) *stampHandler {
	return &stampHandler{mu: &sync.Mutex{}, w: w, level: level}
}

func (h *stampHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level.Level() }

func (h *stampHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Time.Format(stampForm))
	b.WriteString(oneLine(r.Message))
	b.WriteString(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		appendAttr(&b, a)
		return true
	})
	b.WriteByte('\n')
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := io.WriteString(h.w, b.String())
	return err
}

func (h *stampHandler) WithAttrs(as []slog.Attr) slog.Handler {
	var b strings.Builder
	for _, a := range as {
		appendAttr(&b, a)
	}
	c := *h
	c.attrs += b.String()
	return &c
}

// WithGroup is not used: our log has no groups.
func (h *stampHandler) WithGroup(string) slog.Handler { return h }

func appendAttr(b *strings.Builder, a slog.Attr) {
	b.WriteByte(' ')
	b.WriteString(a.Key)
	b.WriteByte('=')
	b.WriteString(oneLine(a.Value.Resolve().String()))
}

// oneLine keeps what others sent from making lines of their own.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
