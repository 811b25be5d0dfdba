package rfb

import "strconv"

// ClientMessageType is the first byte of a message from the viewer.
type ClientMessageType uint8

// Client-to-server messages (RFC 6143, section 7.5, and rfbproto).
const (
	ClientSetPixelFormat          ClientMessageType = 0
	ClientFixColourMapEntries     ClientMessageType = 1 // obsolete since 3.3
	ClientSetEncodings            ClientMessageType = 2
	ClientUpdateRequest           ClientMessageType = 3
	ClientKeyEvent                ClientMessageType = 4
	ClientPointerEvent            ClientMessageType = 5
	ClientCutTextType             ClientMessageType = 6
	ClientEnableContinuousUpdates ClientMessageType = 150
	ClientFence                   ClientMessageType = 248
	ClientXvp                     ClientMessageType = 250
	ClientSetDesktopSize          ClientMessageType = 251
	ClientQEMU                    ClientMessageType = 255
)

var clientMessageNames = map[ClientMessageType]string{
	ClientSetPixelFormat:          "SetPixelFormat",
	ClientFixColourMapEntries:     "FixColourMapEntries",
	ClientSetEncodings:            "SetEncodings",
	ClientUpdateRequest:           "FramebufferUpdateRequest",
	ClientKeyEvent:                "KeyEvent",
	ClientPointerEvent:            "PointerEvent",
	ClientCutTextType:             "ClientCutText",
	ClientEnableContinuousUpdates: "EnableContinuousUpdates",
	ClientFence:                   "ClientFence",
	ClientXvp:                     "xvp",
	ClientSetDesktopSize:          "SetDesktopSize",
	ClientQEMU:                    "QEMU",
}

// String returns the name rfbproto gives t, else its number.
func (t ClientMessageType) String() string {
	if s, ok := clientMessageNames[t]; ok {
		return s
	}
	return strconv.Itoa(int(t))
}

// ServerMessageType is the first byte of a message to the viewer.
type ServerMessageType uint8

// Server-to-client messages (RFC 6143, section 7.6, and rfbproto).
const (
	ServerFramebufferUpdate      ServerMessageType = 0
	ServerSetColourMapEntries    ServerMessageType = 1
	ServerBell                   ServerMessageType = 2
	ServerCutTextType            ServerMessageType = 3
	ServerEndOfContinuousUpdates ServerMessageType = 150
	ServerFence                  ServerMessageType = 248
	ServerXvp                    ServerMessageType = 250
	ServerQEMU                   ServerMessageType = 255
)

var serverMessageNames = map[ServerMessageType]string{
	ServerFramebufferUpdate:      "FramebufferUpdate",
	ServerSetColourMapEntries:    "SetColourMapEntries",
	ServerBell:                   "Bell",
	ServerCutTextType:            "ServerCutText",
	ServerEndOfContinuousUpdates: "EndOfContinuousUpdates",
	ServerFence:                  "ServerFence",
	ServerXvp:                    "xvp",
	ServerQEMU:                   "QEMU",
}

// String returns the name rfbproto gives t, else its number.
func (t ServerMessageType) String() string {
	if s, ok := serverMessageNames[t]; ok {
		return s
	}
	return strconv.Itoa(int(t))
}

// ClientMessage is one of the messages a viewer sends: SetPixelFormat,
// FixColourMapEntries, SetEncodings, UpdateRequest, KeyEvent, PointerEvent,
// ClientCutText, EnableContinuousUpdates, Fence, Xvp, SetDesktopSize or
// QEMUKeyEvent.
type ClientMessage interface {
	// Type returns the message's first byte.
	Type() ClientMessageType
}
