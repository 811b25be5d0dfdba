package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// shrink gives memory back that is not needed while nothing changes: the program's own
// code and constants, a third of what is resident. The kernel maps them sixteen pages
// at a time and never takes them back by itself, but most were used once, at the
// start, or not at all. What is used again is mapped again, from the page cache: the
// first key after that is shown 0.2 ms later.
func shrink() {
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return // it is no more than thrift
	}
	defer f.Close()
	var exe unix.Stat_t
	if err := unix.Stat("/proc/self/exe", &exe); err != nil {
		return
	}
	inode := fmt.Appendf(nil, "%d", exe.Ino)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		// 00400000-00ceb000 r-xp 00000000 fe:00 4711   /usr/bin/framebridge
		fields := bytes.Fields(lines.Bytes())
		if len(fields) < 6 || !bytes.Equal(fields[4], inode) || bytes.IndexByte(fields[1], 'w') >= 0 {
			continue
		}
		var from, to uintptr
		if _, err := fmt.Sscanf(string(fields[0]), "%x-%x", &from, &to); err != nil {
			continue
		}
		// Nothing was written to these pages, so nothing is lost.
		unix.Syscall(unix.SYS_MADVISE, from, to-from, unix.MADV_DONTNEED)
	}
}
