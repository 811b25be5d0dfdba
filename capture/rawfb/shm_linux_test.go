package rawfb

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"framebridge/capture/capturetest"
)

func TestShm(t *testing.T) {
	id, err := unix.SysvShmGet(unix.IPC_PRIVATE, 4096, unix.IPC_CREAT|0o600)
	require.NoError(t, err)
	defer unix.SysvShmCtl(id, unix.IPC_RMID, nil)
	mem, err := unix.SysvShmAttach(id, 0, 0)
	require.NoError(t, err)
	defer unix.SysvShmDetach(mem)
	spec := Spec{Shm: id, Width: 8, Height: 4, BitsPerPixel: 32, Offset: 16}
	src, err := Open(spec, time.Millisecond)
	require.NoError(t, err)
	defer src.Close()
	v := capturetest.NewViewer(t, src)
	v.Next()
	mem[16+4*9] = 0xab
	v.Until(func() bool { return v.Image.At(1, 1) == 0xab })
	spec.Height = 4000
	_, err = Open(spec, 0)
	require.ErrorContains(t, err, "are needed")
}
