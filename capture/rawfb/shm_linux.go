package rawfb

import "golang.org/x/sys/unix"

// attach attaches a System V segment for reading.
func attach(id int) ([]byte, error) { return unix.SysvShmAttach(id, 0, unix.SHM_RDONLY) }

func detach(b []byte) {
	if b != nil {
		unix.SysvShmDetach(b) //nolint:errcheck // it was attached
	}
}
