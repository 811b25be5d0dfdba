package screen

import (
	"image"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
)

func TestQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		s, src := New(Config{Quiet: func() { calls.Add(1) }}), newFake()
		stop := start(t, s, src)
		after := func(d time.Duration, want int) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			require.EqualValues(t, want, calls.Load())
		}
		v := s.View()
		v.Want(true)
		n := uint32(0)
		change := func() {
			n++
			img := pix.New(image.Rect(0, 0, 100, 100))
			img.Fill(img.Rect, n)
			src.frames <- whole(img)
			<-v.Wake()
			v.Take(image.Rect(0, 0, 100, 100), true)
			v.Want(true)
		}
		after(2*quietAfter, 1) // nobody has seen anything: the start is over

		// While something changes, and soon after: not yet.
		for range 10 {
			change()
			after(quietAfter/2, 1)
		}
		after(quietAfter, 2)
		after(time.Hour, 2) // once is enough

		// Soon after the last call, a minute must pass.
		change()
		after(quietPause/2, 2)
		after(quietPause/2+time.Second, 3)
		after(time.Hour, 3)

		change()
		after(2*quietAfter, 3)
		v.Close()
		require.Error(t, stop())
		after(time.Hour, 3) // the screen has ended
	})
}
