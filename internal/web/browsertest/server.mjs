// A server of the page that does what a test says: it shows recorded frames, notes
// what the page sends, and can fail in all ways. The rules are internal/stream's; the
// real server is tested with the page in cmd/framebridge.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const root = new URL('../page/', import.meta.url).pathname;
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
export const policy = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/** Server messages, by name. */
export const out = {
  hello: o => json(1, { version: 1, name: 'test desktop', width: 320, height: 240, control: true, clipboardIn: true, clipboardOut: true, resize: true, ...o }),
  frame: (seq, { data, key }, width, height) => {
    const b = Buffer.alloc(18);
    b[0] = 2;
    b[1] = key ? 1 : 0;
    b.writeUInt32BE(seq, 2);
    b.writeUInt16BE(width, 6);
    b.writeUInt16BE(height, 8);
    b.writeUInt32BE(1500, 10);
    b.writeUInt32BE(1200, 14);
    return Buffer.concat([b, data]);
  },
  cursor: (x, y, width, height, rgba) => {
    const b = Buffer.alloc(9);
    b[0] = 3;
    [x, y, width, height].forEach((v, i) => b.writeUInt16BE(v, 1 + 2 * i));
    return Buffer.concat([b, rgba]);
  },
  pointer: (x, y) => Buffer.from([4, x >> 8, x & 255, y >> 8, y & 255]),
  clip: text => Buffer.concat([Buffer.from([5]), Buffer.from(text)]),
  bell: () => Buffer.from([6]),
  state: o => json(7, { display: 'up', viewers: 1, ...o }),
  ping: n => Buffer.from([8, 0, 0, 0, n]),
  pong: n => Buffer.from([9, n >>> 24, n >> 16 & 255, n >> 8 & 255, n & 255]),
  stats: o => json(10, o),
  bye: (text, final = false) => Buffer.concat([Buffer.from([11, final ? 1 : 0]), Buffer.from(text)]),
};

function json(type, o) {
  return Buffer.concat([Buffer.from([type]), Buffer.from(JSON.stringify(o))]);
}

/** A message of the page. */
export function parsePage(b) {
  switch (b[0]) {
    case 129: return { type: 'ack', seq: b.readUInt32BE(1) };
    case 130: return { type: 'key', down: b[1] === 1, keysym: b.readUInt32BE(2), code: b.readUInt32BE(6) };
    case 131: return { type: 'pointer', x: b.readUInt16BE(1), y: b.readUInt16BE(3), buttons: b.readUInt16BE(5) };
    case 132: return { type: 'clip', text: b.toString('utf8', 1) };
    case 133: return { type: 'ping', n: b.readUInt32BE(1) };
    case 134: return { type: 'pong', n: b.readUInt32BE(1) };
    case 135: return { type: 'settings', ...JSON.parse(b.toString('utf8', 1)) };
    case 136: return { type: 'rekey' };
    case 137: return { type: 'release' };
  }
  throw new Error(`message of type ${b[0]} from the page`);
}

/** One page's connection: just enough of RFC 6455. */
class Session {
  constructor(socket, server) {
    this.socket = socket;
    this.server = server;
    this.messages = [];
    this.rest = Buffer.alloc(0);
    this.parts = [];
    socket.setNoDelay(true);
    socket.on('data', d => this.read(d));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      server.wake();
    });
  }

  send(b, opcode = 2) {
    const head = b.length < 126 ? Buffer.from([0x80 | opcode, b.length])
      : b.length < 65536 ? Buffer.from([0x80 | opcode, 126, b.length >> 8, b.length & 255])
        : Buffer.concat([Buffer.from([0x80 | opcode, 127, 0, 0, 0, 0]), Buffer.from(new Uint32Array([b.length]).buffer).reverse()]);
    this.socket.write(Buffer.concat([head, b]));
  }

  close(code) {
    this.send(Buffer.from([code >> 8, code & 255]), 8);
    this.socket.end();
  }

  read(d) {
    this.rest = Buffer.concat([this.rest, d]);
    for (;;) {
      const b = this.rest;
      if (b.length < 2) return;
      let size = b[1] & 127, at = 2;
      if (size === 126) [size, at] = [b.length < 4 ? Infinity : b.readUInt16BE(2), 4];
      else if (size === 127) [size, at] = [b.length < 10 ? Infinity : Number(b.readBigUInt64BE(2)), 10];
      if (b.length < at + 4 + size) return;
      const mask = b.subarray(at, at + 4), data = Buffer.from(b.subarray(at + 4, at + 4 + size));
      for (let i = 0; i < size; i++) data[i] ^= mask[i & 3];
      this.rest = b.subarray(at + 4 + size);
      const opcode = b[0] & 15;
      if (opcode === 8) return this.socket.end();
      if (opcode > 2) continue;
      this.parts.push(data);
      if (!(b[0] & 0x80)) continue;
      const whole = Buffer.concat(this.parts);
      this.parts = [];
      const m = parsePage(whole);
      if (m.type === 'ping') this.send(out.pong(m.n));
      this.messages.push(m);
      this.onmessage?.(m);
      this.server.wake();
    }
  }

  /** The messages of a kind. */
  of(...kinds) {
    return this.messages.filter(m => kinds.includes(m.type));
  }

  /** Shows frames of a film, two ahead of the acknowledgements. */
  play(film, { from = 0, count = Infinity, loop = false, seq = 0 } = {}) {
    let next = from, sent = 0, acked = 0;
    const push = () => {
      while (sent - acked < 2 && sent < count) {
        if (next >= film.frames.length) {
          if (!loop) return;
          next = 0;
        }
        this.send(out.frame(seq++, film.frames[next++], film.width, film.height));
        sent++;
      }
    };
    this.onmessage = m => {
      if (m.type === 'ack') {
        acked = m.seq - (seq - sent) + 1;
        push();
      } else if (m.type === 'rekey') {
        next = 0;
        acked = sent;
        push();
      }
    };
    push();
  }
}

export class PageServer {
  sessions = [];
  requests = [];
  password = null; // asked for when set
  prefix = '/';
  onsession = () => {};
  #waiters = new Set();

  async start(port = 0) {
    this.cookies = new Set();
    this.http = createServer((req, res) => this.#serve(req, res));
    this.http.on('upgrade', (req, socket) => this.#upgrade(req, socket));
    await new Promise(done => this.http.listen(port, '127.0.0.1', done));
    this.port = this.http.address().port;
    this.url = `http://127.0.0.1:${this.port}${this.prefix}`;
    return this;
  }

  async stop() {
    for (const s of this.sessions) s.socket.destroy();
    this.http.closeAllConnections();
    await new Promise(done => this.http.close(done));
  }

  wake() {
    for (const w of this.#waiters) w();
  }

  /** Waits until f returns something true, and returns that. */
  async until(what, f, limit = 15_000) {
    const deadline = Date.now() + limit;
    for (;;) {
      const v = await f();
      if (v) return v;
      if (Date.now() > deadline) throw new Error(`not within ${limit} ms: ${what}`);
      await new Promise(done => {
        const go = () => {
          clearTimeout(timer);
          this.#waiters.delete(go);
          done();
        };
        const timer = setTimeout(go, 30);
        this.#waiters.add(go);
      });
    }
  }

  #allowed(req) {
    return this.password === null || this.cookies.has(/framebridge=(\w+)/.exec(req.headers.cookie ?? '')?.[1]);
  }

  async #serve(req, res) {
    const { pathname } = new URL(req.url, 'http://x');
    this.requests.push(req.url);
    if (!pathname.startsWith(this.prefix)) return res.writeHead(404).end();
    const path = pathname.slice(this.prefix.length);
    const answer = (status, o, headers) => res.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(o));
    if (path === 'session') return answer(200, { auth: this.#allowed(req) ? 'ok' : 'needed' });
    if (path === 'login') {
      let b = '';
      for await (const d of req) b += d;
      if (JSON.parse(b).password !== this.password) return answer(401, {});
      const cookie = String(Math.random()).slice(2);
      this.cookies.add(cookie);
      return answer(200, { control: true }, { 'Set-Cookie': `framebridge=${cookie}; HttpOnly; SameSite=Strict; Path=${this.prefix}` });
    }
    try {
      const file = join(root, normalize('/' + (path || 'index.html')));
      const data = await readFile(file);
      res.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream', 'Content-Security-Policy': policy }).end(data);
    } catch {
      res.writeHead(404).end();
    }
  }

  #upgrade(req, socket) {
    const { pathname } = new URL(req.url, 'http://x');
    if (pathname !== this.prefix + 'stream' || !this.#allowed(req)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const accept = createHash('sha1').update(req.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    const s = new Session(socket, this);
    this.sessions.push(s);
    this.wake();
    this.onsession(s);
  }
}
