// Package stream is what the page and the server say to each other: video one
// way, input the other, and the pointer's shape, the clipboard and the state of
// the display between them. A message is one binary WebSocket message (/stream)
// or one data channel message (WebRTC); its first byte is its type, numbers are
// big-endian, text is UTF-8 and fills the rest of the message.
//
// From the server:
//
//	1 hello    JSON Hello: the first message, once
//	2 frame    u8 flags (1: key frame), u32 sequence number, u16 width, u16 height,
//	           u32 age: microseconds from capture to sending, u32 encode: microseconds,
//	           VP8 frame (RFC 6386). Not on data channels: there it is RTP.
//	3 cursor   u16 hot x, u16 hot y, u16 width, u16 height, width*height*4 bytes RGBA,
//	           not premultiplied; width 0: no pointer is shown
//	4 pointer  u16 x, u16 y: where a program, or another viewer, put the pointer
//	5 clip     text that a program copied
//	6 bell
//	7 state    JSON State: at the start, and when it changes
//	8 ping     u32 any: answered by pong; after 15 s in which nothing was sent, or
//	           nothing heard
//	9 pong     u32 the ping's number
//	10 stats   JSON Stats, once a second to a page that asked for them
//	11 bye     u8 final, text: why the server closes the connection, to be shown; final 1: the
//	           page does not come back by itself, since another viewer took its place
//
// From the page:
//
//	129 ack       u32 sequence number of the frame that is now shown (and of all before it)
//	130 key       u8 down, u32 keysym, u32 XT scancode as of QEMU's extended key event,
//	              0 if unknown
//	131 pointer   u16 x, u16 y in pixels of the picture, u16 buttons: bit 0 left, 1 middle,
//	              2 right, 3 to 6 wheel up, down, left, right, 7 back, 8 forward
//	132 clip      text for the X server's clipboard
//	133 ping      u32 any
//	134 pong      u32 the ping's number
//	135 settings  JSON Settings: any time
//	136 rekey     the page cannot decode: start again with a key frame
//	137 release   let go of all keys and buttons (the page lost the focus)
//
// A server drops a page that breaks these rules, that sends more than 8000
// messages at once or 2000 a second for long, that leaves a frame unacknowledged
// for 30 s, or says nothing for 45 s: after a bye.
package stream
