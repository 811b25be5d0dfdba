package rfb

import "encoding/binary"

// DefaultMaxCutText bounds the clipboard, in bytes, where nothing else is
// configured. 1 MiB is what libvncserver came to after CVE-2018-7225: far
// more than people paste by hand, and little enough for a connection to hold.
const DefaultMaxCutText = 1 << 20

// ClientCutText is the viewer's clipboard (RFC 6143, section 7.5.6).
type ClientCutText struct {
	// Extended says that Data is a frame of the Extended Clipboard
	// pseudo-encoding: four bytes of ClipboardFlags and what they announce.
	// On the wire such a frame has a negative length. Else Data is Latin-1
	// text.
	Extended bool
	Data     []byte
}

// Type returns ClientCutTextType.
func (ClientCutText) Type() ClientMessageType { return ClientCutTextType }

func parseClientCutText(b []byte, limit int) (m ClientCutText, n int, err error) {
	m.Extended, m.Data, n, err = parseCutText(b, limit)
	return m, n, err
}

// Append appends the message.
func (m ClientCutText) Append(b []byte) []byte {
	return appendCutText(b, byte(ClientCutTextType), m.Extended, m.Data)
}

// ServerCutText is the server's clipboard (RFC 6143, section 7.6.4); the
// fields are as in ClientCutText.
type ServerCutText struct {
	Extended bool
	Data     []byte
}

func parseServerCutText(b []byte, limit int) (m ServerCutText, n int, err error) {
	m.Extended, m.Data, n, err = parseCutText(b, limit)
	return m, n, err
}

// Append appends the message.
func (m ServerCutText) Append(b []byte) []byte {
	return appendCutText(b, byte(ServerCutTextType), m.Extended, m.Data)
}

// clipboardHeader is the size of the flags that begin an extended frame.
const clipboardHeader = 4

// parseCutText reads the form that both directions share. A length over limit
// is an error before any of the text has come. data is part of b.
func parseCutText(b []byte, limit int) (extended bool, data []byte, n int, err error) {
	const header = 8
	if len(b) < header {
		return false, nil, 0, errShort
	}
	// In 64 bits, as -(-1<<31) does not fit 32.
	size := int64(int32(binary.BigEndian.Uint32(b[4:])))
	if size < 0 {
		extended, size = true, -size
	}
	if size > int64(limit) {
		return false, nil, 0, protocolErrorf("cut text of %d bytes, limit %d", size, limit)
	}
	if extended && size < clipboardHeader {
		return false, nil, 0, protocolErrorf("extended clipboard frame of %d bytes", size)
	}
	n = header + int(size)
	if len(b) < n {
		return false, nil, 0, errShort
	}
	return extended, b[header:n], n, nil
}

func appendCutText(b []byte, kind byte, extended bool, data []byte) []byte {
	size := int32(len(data))
	if extended {
		size = -size
	}
	b = append(b, kind, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(size))
	return append(b, data...)
}

// ClipboardFlags begin a frame of the Extended Clipboard pseudo-encoding:
// formats in the low 16 bits and one action in the high eight.
type ClipboardFlags uint32

// Formats and actions of the extended clipboard (rfbproto, "Extended
// Clipboard Pseudo-Encoding").
const (
	ClipboardText    ClipboardFlags = 1 << 0 // UTF-8, CRLF line ends, ends with a zero byte
	ClipboardRTF     ClipboardFlags = 1 << 1
	ClipboardHTML    ClipboardFlags = 1 << 2
	ClipboardDIB     ClipboardFlags = 1 << 3
	ClipboardFiles   ClipboardFlags = 1 << 4
	ClipboardFormats ClipboardFlags = 0xffff

	ClipboardCaps    ClipboardFlags = 1 << 24
	ClipboardRequest ClipboardFlags = 1 << 25
	ClipboardPeek    ClipboardFlags = 1 << 26
	ClipboardNotify  ClipboardFlags = 1 << 27
	ClipboardProvide ClipboardFlags = 1 << 28
	ClipboardActions ClipboardFlags = 0xff << 24
)

// Clipboard splits an extended frame into its flags and the rest; ok is false
// for plain text.
func (m ClientCutText) Clipboard() (flags ClipboardFlags, rest []byte, ok bool) {
	if !m.Extended || len(m.Data) < clipboardHeader {
		return 0, nil, false
	}
	return ClipboardFlags(binary.BigEndian.Uint32(m.Data)), m.Data[clipboardHeader:], true
}
