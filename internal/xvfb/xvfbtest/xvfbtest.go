// Package xvfbtest gives tests an X server.
package xvfbtest

import (
	"errors"
	"os"
	"testing"

	"framebridge/internal/xvfb"
)

// Start starts a server that is stopped when the test ends. Where no X server
// is installed the test is skipped, but fails in CI.
func Start(tb testing.TB, o xvfb.Options) *xvfb.Server {
	tb.Helper()
	s, err := xvfb.Start(tb.Context(), o)
	if errors.Is(err, xvfb.ErrNotInstalled) && os.Getenv("CI") != "true" {
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Stop)
	return s
}
