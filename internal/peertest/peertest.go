// Package peertest finds the programs of others that tests compare with.
package peertest

import (
	"os"
	"os/exec"
	"testing"
)

// Program returns the path of a program. Where it is not installed, it skips the test,
// but fails it with CI=true: there everything is to be tested.
func Program(tb testing.TB, name string) string {
	tb.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(tb, err.Error())
	}
	return path
}

// Missing is for what else a test cannot do without.
func Missing(tb testing.TB, why string) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatal(why)
	}
	tb.Skip(why)
}
