// The worker owns the socket, the decoder and the canvas: a frame goes from the
// network to the canvas without a stop on the page's main thread, which may be
// busy. A frame is drawn when it is decoded and acknowledged when it is drawn;
// the server has at most two frames on the way, so a slow page gets fewer and
// never old ones.

import * as m from './messages.js';

// VP8 says nothing of colours. The server converts with BT.601 in limited range;
// the primaries and the transfer function are the screen's own, so that nothing
// but the matrix is applied.
const decoderConfig = {
  codec: 'vp8',
  optimizeForLatency: true,
  // Decoding a frame takes about a millisecond; the way to a GPU and back is
  // longer, and not all of them give frames out one by one.
  hardwareAcceleration: 'prefer-software',
  colorSpace: { primaries: 'bt709', transfer: 'iec61966-2-1', matrix: 'smpte170m', fullRange: false },
};

const silence = 25_000; // ms without a word from the server: it sends pings every 15 s
const connectTimeout = 15_000; // ms
const hiddenAck = 1000; // ms: a page that nobody sees takes a frame a second
const pingInterval = 1000; // ms, while statistics are shown

let canvas, ctx;
let socket = null;
let decoder = null;
let waitingForKey = true;
let decoding = new Map(); // timestamp -> what is known of the frame
let timestamp = 0;
let hidden = false;
let lateAck = null; // {seq, timer}
let lastHeard = 0;
let watchdog = 0;
let bye = null; // the server's last words
let heldMove = null; // a pointer movement that waits for the socket
let lastButtons = 0;
let shown = false;

const post = (op, fields) => self.postMessage({ op, ...fields });

self.onmessage = ({ data }) => {
  switch (data.op) {
    case 'canvas':
      canvas = data.canvas;
      ctx = canvas.getContext('2d', { alpha: false, desynchronized: true });
      break;
    case 'open':
      open(data.url);
      break;
    case 'send':
      send(data.data);
      break;
    case 'hidden':
      hidden = data.hidden;
      if (!hidden) flushAck();
      break;
    case 'stats':
      stats.enable(data.on);
      break;
    case 'close':
      close();
      break;
  }
};

function open(url) {
  close();
  bye = null;
  shown = false;
  const s = new WebSocket(url);
  socket = s;
  s.binaryType = 'arraybuffer';
  lastHeard = performance.now();
  s.onmessage = ({ data }) => {
    if (s === socket) receive(data);
  };
  s.onclose = ({ reason }) => {
    if (s !== socket) return;
    close();
    post('closed', { reason, bye });
  };
  watchdog = setInterval(() => {
    const limit = s.readyState === WebSocket.CONNECTING ? connectTimeout : silence;
    if (performance.now() - lastHeard < limit) return;
    close();
    post('closed', { reason: 'the server is silent', bye });
  }, 1000);
}

function close() {
  const s = socket;
  socket = null;
  clearInterval(watchdog);
  clearTimeout(lateAck?.timer);
  lateAck = heldMove = null;
  lastButtons = 0;
  s?.close();
  resetDecoder();
}

// A movement of the pointer is worth nothing once there is a newer one: while
// the socket has not sent what it has, only the last is kept. A message that changes
// the buttons is no movement: it says where they were pressed.
function send(data) {
  if (socket?.readyState !== WebSocket.OPEN) return;
  const buttons = m.pointerButtons(data);
  if (buttons !== null && buttons === lastButtons && socket.bufferedAmount > 0) {
    if (!heldMove) setTimeout(flushMove, 4);
    heldMove = data;
    return;
  }
  flushMove();
  socket.send(data);
  lastButtons = buttons ?? lastButtons;
}

function flushMove() {
  if (heldMove && socket?.readyState === WebSocket.OPEN) socket.send(heldMove);
  heldMove = null;
}

function receive(data) {
  const now = performance.now();
  lastHeard = now;
  let msg;
  try {
    msg = m.parse(data);
  } catch (err) {
    post('closed', { reason: `message of the server: ${err.message}`, bye });
    close();
    return;
  }
  switch (msg?.type) {
    case 'frame':
      stats.received(data.byteLength);
      decode(msg, now);
      return;
    case 'ping':
      send(m.pong(msg.n));
      return;
    case 'pong':
      stats.pong(msg.n, now);
      return;
    case 'bye':
      bye = msg;
      return;
  }
  if (msg) post('message', { msg });
}

function resetDecoder() {
  if (decoder && decoder.state !== 'closed') decoder.close();
  decoder = null;
  decoding.clear();
  waitingForKey = true;
}

function decode(f, received) {
  if (waitingForKey && !f.key) {
    // Frames that were on their way when a key frame was asked for.
    ackNow(f.seq);
    return;
  }
  try {
    if (!decoder) {
      const d = new VideoDecoder({
        output: frame => (d === decoder ? show(frame) : frame.close()),
        error: err => d === decoder && fail(err),
      });
      decoder = d;
      decoder.configure(decoderConfig);
    }
    waitingForKey = false;
    timestamp += 1000;
    decoding.set(timestamp, { f, received });
    decoder.decode(new EncodedVideoChunk({ type: f.key ? 'key' : 'delta', timestamp, data: f.data }));
  } catch (err) {
    fail(err);
  }
}

function fail(err) {
  if (err.name === 'NotSupportedError') {
    close();
    post('unsupported', { reason: err.message });
    return;
  }
  console.warn('decoder:', err.message);
  let last = null;
  for (const { f } of decoding.values()) last = f.seq;
  resetDecoder();
  send(m.rekey());
  if (last !== null) ackNow(last); // what cannot be shown must not hold up what comes
}

function show(frame) {
  const d = decoding.get(frame.timestamp);
  decoding.delete(frame.timestamp);
  const decoded = performance.now();
  const width = frame.displayWidth, height = frame.displayHeight;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
    post('size', { width, height });
  }
  ctx.drawImage(frame, 0, 0);
  frame.close();
  if (!d) return;
  if (hidden) ackLater(d.f.seq);
  else ackNow(d.f.seq);
  stats.shown(d, decoded, performance.now());
  if (!shown) {
    shown = true;
    post('shown');
  }
}

function ackNow(seq) {
  if (lateAck) clearTimeout(lateAck.timer);
  lateAck = null;
  if (socket?.readyState === WebSocket.OPEN) socket.send(m.ack(seq));
}

function ackLater(seq) {
  if (lateAck) lateAck.seq = seq;
  else lateAck = { seq, timer: setTimeout(flushAck, hiddenAck) };
}

function flushAck() {
  if (lateAck) ackNow(lateAck.seq);
}

// The figures of the last second, for the overlay.
const stats = {
  timer: 0, n: 0, pings: new Map(), rtt: 0,
  frames: 0, bytes: 0, age: 0, encode: 0, decode: 0, draw: 0,

  enable(on) {
    clearInterval(this.timer);
    this.timer = 0;
    this.pings.clear();
    this.clear();
    if (on) {
      this.timer = setInterval(() => this.tick(), pingInterval);
      this.ping();
    }
  },
  clear() {
    this.frames = this.bytes = this.age = this.encode = this.decode = this.draw = 0;
  },
  ping() {
    this.n = (this.n + 1) >>> 0;
    this.pings.set(this.n, performance.now());
    send(m.ping(this.n));
  },
  pong(n, now) {
    const sent = this.pings.get(n);
    if (sent === undefined) return;
    this.pings.clear();
    this.rtt = now - sent;
  },
  received(bytes) {
    this.bytes += bytes;
  },
  shown(d, decoded, drawn) {
    this.frames++;
    this.age += d.f.age;
    this.encode += d.f.encode;
    this.decode += decoded - d.received;
    this.draw += drawn - decoded;
  },
  tick() {
    const per = total => (this.frames ? total / this.frames : null);
    post('figures', {
      figures: {
        frames: this.frames, bytes: this.bytes, rtt: this.rtt, age: per(this.age),
        encode: per(this.encode), decode: per(this.decode), draw: per(this.draw),
      },
    });
    this.clear();
    this.ping();
  },
};
