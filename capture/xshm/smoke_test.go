package xshm

import (
	"testing"
	"context"
	"time"
	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
)

func TestSmoke(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 1920, Height: 1080})
	for _, m := range []Method{Auto, ShmFd, Shm, GetImage} {
		src, err := Open(t.Context(), Options{Display: s.Display(), AuthFile: s.AuthFile(), Method: m})
		if err != nil { t.Fatal(err) }
		for range 3 {
		t0 := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		f, err := src.Next(ctx)
		cancel()
		t.Log(src.Method(), err, time.Since(t0))
		if f != nil {
			t.Log(f.Size, len(f.Patches), f.Cursor != nil, f.Pointer, f.HavePointer)
			src.mon.Owe()
		}
		}
		src.Close()
	}
}
