package x11vnc

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReadme: README has the table of options as it is. "make readme" writes it.
func TestReadme(t *testing.T) {
	const file, from, to = "../../README.md", "<!-- options -->\n", "<!-- /options -->\n"
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(b), from)
	require.True(t, ok)
	table, after, ok := strings.Cut(rest, to)
	require.True(t, ok)
	want := "\n" + Markdown() + "\n"
	if os.Getenv("UPDATE_README") != "" {
		require.NoError(t, os.WriteFile(file, []byte(before+from+want+to+after), 0o644))
		return
	}
	assert.True(t, table == want, "the table of x11vnc's options is out of date: make readme")
	for _, n := range Spellings() {
		assert.True(t, n == "--help" || strings.Contains(table, "`"+n+"`"), n)
	}
}
