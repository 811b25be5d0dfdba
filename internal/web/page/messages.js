// The messages between this page and the server; internal/stream has the rules.
// A message is one binary WebSocket or data channel message: its first byte is
// its type, numbers are big-endian, text is UTF-8 to the end of the message.

/** The version of the rules that this page speaks. */
export const version = 1;

const fromServer = {
  1: 'hello', 2: 'frame', 3: 'cursor', 4: 'pointer', 5: 'clip', 6: 'bell',
  7: 'state', 8: 'ping', 9: 'pong', 10: 'stats', 11: 'bye',
};

const frameHeader = 18; // type, flags, sequence number, width, height, age, encode
const cursorHeader = 9; // type, hot spot, size

const utf8 = new TextDecoder();
const toUTF8 = new TextEncoder();

/**
 * Parses a message of the server.
 * @param {ArrayBuffer} buffer The frame and the cursor refer to its memory.
 * @returns {object|null} With the field type: one of the names above. null for
 *   a type that this page does not know.
 * @throws {RangeError|SyntaxError} where the message breaks the rules.
 */
export function parse(buffer) {
  const v = new DataView(buffer);
  const type = fromServer[v.getUint8(0)];
  const text = (from = 1) => utf8.decode(new Uint8Array(buffer, from));
  switch (type) {
    case 'hello':
    case 'state':
    case 'stats':
      return { type, ...JSON.parse(text()) };
    case 'frame':
      return {
        type,
        key: (v.getUint8(1) & 1) !== 0,
        seq: v.getUint32(2),
        width: v.getUint16(6),
        height: v.getUint16(8),
        age: v.getUint32(10) / 1000, // ms
        encode: v.getUint32(14) / 1000, // ms
        data: new Uint8Array(buffer, frameHeader),
      };
    case 'cursor': {
      const width = v.getUint16(5), height = v.getUint16(7);
      return {
        type,
        x: v.getUint16(1), y: v.getUint16(3), width, height,
        rgba: new Uint8ClampedArray(buffer, cursorHeader, width * height * 4),
      };
    }
    case 'pointer':
      return { type, x: v.getUint16(1), y: v.getUint16(3) };
    case 'clip':
      return { type, text: text() };
    case 'bye':
      return { type, final: v.getUint8(1) === 1, text: text(2) };
    case 'bell':
      return { type };
    case 'ping':
    case 'pong':
      return { type, n: v.getUint32(1) };
  }
  return null;
}

function message(type, size, fill) {
  const b = new ArrayBuffer(1 + size);
  const v = new DataView(b);
  v.setUint8(0, type);
  fill?.(v);
  return b;
}

function textMessage(type, text) {
  const t = toUTF8.encode(text);
  return message(type, t.length, v => new Uint8Array(v.buffer, 1).set(t));
}

/** The frame with this number, and all before it, is shown. */
export const ack = seq => message(129, 4, v => v.setUint32(1, seq));

/** A key goes down or up. code is the XT scancode, 0 if it must not matter. */
export const key = (down, keysym, code) => message(130, 9, v => {
  v.setUint8(1, down ? 1 : 0);
  v.setUint32(2, keysym);
  v.setUint32(6, code);
});

/** The pointer is at x, y in pixels of the picture, with these buttons down. */
export const pointer = (x, y, buttons) => message(131, 6, v => {
  v.setUint16(1, x);
  v.setUint16(3, y);
  v.setUint16(5, buttons);
});

/** Text for the clipboard of the X server. */
export const clip = text => textMessage(132, text);

export const ping = n => message(133, 4, v => v.setUint32(1, n));
export const pong = n => message(134, 4, v => v.setUint32(1, n));

/** Wishes: quality, stats, width and height; what is missing stays. */
export const settings = wishes => textMessage(135, JSON.stringify(wishes));

/** The video cannot be decoded any more: start again with a key frame. */
export const rekey = () => message(136, 0);

/** Let go of all keys and buttons. */
export const release = () => message(137, 0);

/** Reports whether a message moves the pointer, and what buttons it holds. */
export function pointerButtons(buffer) {
  const v = new DataView(buffer);
  return v.getUint8(0) === 131 ? v.getUint16(5) : null;
}
