package rfb

import (
	"crypto/cipher"
	"errors"
	"fmt"
)

// fileKey is the key with which vncpasswd hides passwords in files. Everybody
// knows it: the file is as secret as its permissions.
var fileKey = []byte{23, 82, 107, 6, 35, 78, 88, 7}

// ObscurePassword returns the eight bytes that vncpasswd writes for a
// password. What exceeds eight bytes is dropped; an empty password is an
// error.
func ObscurePassword(password []byte) ([]byte, error) {
	if len(password) == 0 {
		return nil, errNoPassword
	}
	var plain [passwordSize]byte
	copy(plain[:], password)
	out := make([]byte, passwordSize)
	fileCipher().Encrypt(out, plain[:])
	return out, nil
}

// ParsePasswordFile reads what vncpasswd wrote: eight bytes for the password,
// and optionally eight more for one that may only look; viewOnly is nil where
// there is none. Bytes after these are ignored, as other servers do. A file
// of another length and an empty password are errors.
func ParsePasswordFile(b []byte) (full, viewOnly []byte, err error) {
	if len(b) == 0 {
		return nil, nil, errors.New("password file is empty")
	}
	if full, err = reveal(b); err != nil {
		return nil, nil, fmt.Errorf("password file: %w", err)
	}
	if b = b[passwordSize:]; len(b) == 0 {
		return full, nil, nil
	}
	if viewOnly, err = reveal(b); err != nil {
		return nil, nil, fmt.Errorf("password file: view-only password: %w", err)
	}
	return full, viewOnly, nil
}

// reveal returns the password hidden in b's first eight bytes, up to the first
// zero byte.
func reveal(b []byte) ([]byte, error) {
	if len(b) < passwordSize {
		return nil, fmt.Errorf("%d bytes, want %d", len(b), passwordSize)
	}
	plain := make([]byte, passwordSize)
	fileCipher().Decrypt(plain, b[:passwordSize])
	for i, v := range plain {
		if v == 0 {
			plain = plain[:i]
			break
		}
	}
	if len(plain) == 0 {
		return nil, errNoPassword
	}
	return plain, nil
}

func fileCipher() cipher.Block { return passwordCipher(fileKey) }
