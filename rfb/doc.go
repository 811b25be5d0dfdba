// Package rfb is the wire form of the RFB protocol (RFC 6143 and its
// community edition, rfbproto): the handshake, the security types, every
// message and the pseudo-encodings.
//
// It holds no pixels beyond the bytes of a cursor and starts no goroutine.
// Each message has one small file with its parse function and its Append
// method side by side. Parse functions look at a prefix of the peer's bytes
// and say errShort while the message is not complete; lengths that a peer
// names are compared with a named bound before anything is made of them.
package rfb
