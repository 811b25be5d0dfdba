package screen

import (
	"image"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMisses: searches are left out where they found nothing again and again, never
// for more than maxWait changes, and nowhere else.
func TestMisses(t *testing.T) {
	var m misses
	video, frayed := image.Rect(100, 100, 740, 460), image.Rect(101, 103, 740, 459)
	window := image.Rect(100, 100, 500, 460)
	looked, pause, longest := 0, 0, 0
	for i := range 200 {
		area := video
		if i%3 == 0 {
			area = frayed
		}
		if m.skip(area) {
			pause++
			longest = max(longest, pause)
			require.False(t, m.skip(window), "another area")
			continue
		}
		if looked < freeMisses {
			require.Zero(t, pause, "the first changes may be scrolls")
		}
		looked++
		pause = 0
		m.add(area)
	}
	require.Equal(t, maxWait, longest)
	require.Less(t, looked, 20)
	m.add(window)
	require.False(t, m.skip(window), "it is a new area")
	require.False(t, m.skip(video))
}
