package x11

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// Families of an Xauthority entry's address (Xauth.h, X.h).
const (
	familyInternet  = 0
	familyInternet6 = 6
	familyLocal     = 256
	familyWild      = 65535
)

// maxAuthFile bounds an Xauthority file. An entry takes some 50 bytes, so this
// is thousands of displays; a bigger file is something else.
const maxAuthFile = 1 << 20

// cookieName is the only authorization protocol that framebridge speaks, and
// the only one in use.
const cookieName = "MIT-MAGIC-COOKIE-1"

// authEntry is an entry of an Xauthority file.
type authEntry struct {
	family  uint16
	address string
	number  string // display number; empty matches all
	name    string
	data    []byte
}

// parseAuth reads the entries of an Xauthority file. What is wrong with the
// file is an error, with the entries before the fault.
func parseAuth(b []byte) ([]authEntry, error) {
	var entries []authEntry
	for len(b) > 0 {
		e, n, err := parseAuthEntry(b)
		if err != nil {
			return entries, fmt.Errorf("entry %d: %w", len(entries), err)
		}
		entries = append(entries, e)
		b = b[n:]
	}
	return entries, nil
}

// parseAuthEntry reads one entry: the family, then four byte strings, each
// with its length; numbers are 16 bits, big-endian (libXau, AuRead.c's format).
func parseAuthEntry(b []byte) (e authEntry, n int, err error) {
	if len(b) < 2 {
		return e, 0, io.ErrUnexpectedEOF
	}
	e.family = binary.BigEndian.Uint16(b)
	n = 2
	var field [4][]byte
	for i := range field {
		if len(b) < n+2 {
			return authEntry{}, 0, io.ErrUnexpectedEOF
		}
		size := int(binary.BigEndian.Uint16(b[n:]))
		n += 2
		if len(b) < n+size {
			return authEntry{}, 0, io.ErrUnexpectedEOF
		}
		field[i] = b[n : n+size]
		n += size
	}
	e.address, e.number, e.name = string(field[0]), string(field[1]), string(field[2])
	e.data = append([]byte(nil), field[3]...)
	return e, n, nil
}

// append adds the entry in the file's format to b.
func (e authEntry) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, e.family)
	for _, f := range []string{e.address, e.number, e.name, string(e.data)} {
		b = binary.BigEndian.AppendUint16(b, uint16(len(f)))
		b = append(b, f...)
	}
	return b
}

// AppendWildCookie appends an Xauthority entry that gives cookie for every
// display on every host: right for a file made for one server only.
func AppendWildCookie(b, cookie []byte) []byte {
	return authEntry{family: familyWild, name: cookieName, data: cookie}.append(b)
}

// authFile returns the Xauthority file to read: the one given, $XAUTHORITY or
// ~/.Xauthority; "" when there is none to look for.
func authFile(given string) string {
	if given != "" {
		return given
	}
	if s := os.Getenv("XAUTHORITY"); s != "" {
		return s
	}
	if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, ".Xauthority")
	}
	return ""
}

// readAuth returns the entries of the Xauthority file. A missing file is an
// error only when the user named it.
func readAuth(given string) ([]authEntry, error) {
	path := authFile(given)
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		if given == "" && errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		return nil, fmt.Errorf("x authority: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxAuthFile+1))
	if err != nil {
		return nil, fmt.Errorf("x authority %s: %w", path, err)
	}
	if len(b) > maxAuthFile {
		return nil, fmt.Errorf("x authority %s: longer than %d bytes", path, maxAuthFile)
	}
	entries, err := parseAuth(b)
	if err != nil && len(entries) == 0 {
		return nil, fmt.Errorf("x authority %s: %w", path, err)
	}
	return entries, nil
}

// chooseCookies returns the cookies to try for display number at the address
// remote, best first and without repeats: an entry for this very address, a
// wildcard entry, and at last any entry with the display's number. The last
// is for files that came from elsewhere: in a container the host name differs
// from the one that the server's file was written with.
func chooseCookies(entries []authEntry, remote net.Addr, hostname string, number int) [][]byte {
	family, address := authAddress(remote, hostname)
	const ranks = 3
	var found [ranks][][]byte
	for _, e := range entries {
		if e.name != cookieName || len(e.data) == 0 || e.number != "" && e.number != strconv.Itoa(number) {
			continue
		}
		rank := ranks - 1
		switch {
		case e.family == family && e.address == address:
			rank = 0
		case e.family == familyWild:
			rank = 1
		}
		found[rank] = append(found[rank], e.data)
	}
	var cookies [][]byte
	seen := map[string]bool{}
	for _, list := range found {
		for _, c := range list {
			if !seen[string(c)] {
				seen[string(c)] = true
				cookies = append(cookies, c)
			}
		}
	}
	return cookies
}

// authAddress returns the family and address under which Xauthority files list
// the peer of a connection. Loopback counts as local, as in Xlib and XCB.
func authAddress(remote net.Addr, hostname string) (uint16, string) {
	tcp, ok := remote.(*net.TCPAddr)
	if !ok || tcp.IP.IsLoopback() {
		return familyLocal, hostname
	}
	if ip := tcp.IP.To4(); ip != nil {
		return familyInternet, string(ip)
	}
	return familyInternet6, string(tcp.IP.To16())
}
