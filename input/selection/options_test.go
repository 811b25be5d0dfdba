package selection

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOneWay: each selection can be left out in each direction.
func TestOneWay(t *testing.T) {
	t.Parallel()
	s := start(t)
	d := open(t, s, Options{IgnorePrimary: true})
	d.copy("selected", "xclip", "-i", "-selection", "primary")
	d.copy("copied", "xclip", "-i", "-selection", "clipboard")
	require.Equal(t, "copied", d.next())
	d.quiet()
	require.NoError(t, d.Close())

	d = open(t, s, Options{IgnoreClipboard: true})
	require.Equal(t, "selected", d.next())
	d.quiet()
	require.NoError(t, d.Close())

	d = open(t, s, Options{IgnorePrimary: true, IgnoreClipboard: true, KeepPrimary: true})
	require.NoError(t, d.SetText("from a viewer"))
	require.Equal(t, "selected", d.paste("xclip", append([]string{"-o"}, xclip("primary", "UTF8_STRING")...)...))
	require.Equal(t, "from a viewer", d.paste("xclip", append([]string{"-o"}, xclip("clipboard", "UTF8_STRING")...)...))
	d.quiet()
	require.NoError(t, d.Close())

	d = open(t, s, Options{KeepPrimary: true, KeepClipboard: true})
	require.NoError(t, d.SetText("for nobody"))
	require.Equal(t, "selected", d.paste("xclip", append([]string{"-o"}, xclip("primary", "UTF8_STRING")...)...))
}
