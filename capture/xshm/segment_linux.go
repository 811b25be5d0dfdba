package xshm

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"
)

// attachFd makes memory of our own and passes it to the server.
func (g *grabber) attachFd(ctx context.Context, n int) error {
	fd, err := unix.MemfdCreate("framebridge", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return fmt.Errorf("memfd: %w", err)
	}
	// Both sides have mapped it when this returns.
	defer unix.Close(fd)
	if err := unix.Ftruncate(fd, int64(n)); err != nil {
		return fmt.Errorf("memfd of %d bytes: %w", n, err)
	}
	// Nobody can make it shorter under our feet: that would be a SIGBUS.
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW); err != nil {
		return fmt.Errorf("memfd: %w", err)
	}
	mem, err := unix.Mmap(fd, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("memfd: %w", err)
	}
	*g.mapping = mapping{mem, func(b []byte) { unix.Munmap(b) }}
	return g.conn.CallFd(ctx, g.attachRequest(shmAttachFd), fd)
}

// attachSysV makes a System V segment and tells the server its id.
func (g *grabber) attachSysV(ctx context.Context, n int) error {
	// Others must not read the screen: 0600. The server checks our user, and
	// attaches it as itself.
	id, err := unix.SysvShmGet(unix.IPC_PRIVATE, n, unix.IPC_CREAT|0o600)
	if err != nil {
		return fmt.Errorf("shmget of %d bytes: %w", n, err)
	}
	// A segment outlives its users unless marked: it then goes with the last.
	defer unix.SysvShmCtl(id, unix.IPC_RMID, nil)
	mem, err := unix.SysvShmAttach(id, 0, 0)
	if err != nil {
		return fmt.Errorf("shmat: %w", err)
	}
	*g.mapping = mapping{mem, func(b []byte) { unix.SysvShmDetach(b) }}
	return g.conn.Call(ctx, g.attachRequest(shmAttach, uint32(id)))
}
