package rfb

import (
	"crypto/cipher"
	"crypto/des"
	"crypto/subtle"
	"errors"
	"fmt"
	"math/bits"
)

// VNC Authentication (RFC 6143, section 7.2.2): the server sends 16 random
// bytes, the viewer returns them encrypted with DES, the password being the
// key. It keeps out who does not know the password, and that is all: 56 bits
// can be searched, and nothing after it is protected.

// challengeSize is the size of challenge and response.
const challengeSize = 16

// passwordSize is what DES takes of a password; the rest does not count.
const passwordSize = 8

// errNoPassword says that a password has no characters.
var errNoPassword = errors.New("password is empty")

// passwordCipher returns DES with a password for its key: the first eight
// bytes, padded with zero bytes, the bits of each in reverse order (RFC 6143
// does not say so; the first implementation did it, and all others since).
func passwordCipher(password []byte) cipher.Block {
	var key [passwordSize]byte
	copy(key[:], password)
	for i := range key {
		key[i] = bits.Reverse8(key[i])
	}
	c, err := des.NewCipher(key[:])
	if err != nil {
		panic(fmt.Sprintf("rfb: DES with a key of eight bytes: %v", err))
	}
	return c
}

// Response returns the answer of a viewer that knows password to a challenge.
func Response(password []byte, challenge [challengeSize]byte) (r [challengeSize]byte) {
	c := passwordCipher(password)
	c.Encrypt(r[:8], challenge[:8])
	c.Encrypt(r[8:], challenge[8:])
	return r
}

// Password is one of the passwords of a server.
type Password struct {
	Secret []byte // the first eight bytes count; must not be empty
	Grant  any    // what knowing it allows: returned in Handshake.Grant
}

// Match returns the first of the passwords that VNC Authentication would take
// password for, in a time that tells nothing: for other ways in than RFB's.
func Match(passwords []Password, password []byte) (p Password, ok bool) {
	if len(password) == 0 {
		return Password{}, false
	}
	var challenge [challengeSize]byte
	return MatchResponse(passwords, challenge, Response(password, challenge))
}

// MatchResponse returns the first of the passwords that gives this response. The time
// it takes tells nothing about which, or how much of it, was right.
func MatchResponse(passwords []Password, challenge, response [challengeSize]byte) (p Password, ok bool) {
	found := -1
	for i := range passwords {
		want := Response(passwords[i].Secret, challenge)
		equal := subtle.ConstantTimeCompare(want[:], response[:])
		first := subtle.ConstantTimeEq(int32(found), -1)
		found = subtle.ConstantTimeSelect(equal&first, i, found)
	}
	if found < 0 {
		return Password{}, false
	}
	return passwords[found], true
}
