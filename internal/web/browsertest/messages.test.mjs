import assert from 'node:assert/strict';
import test from 'node:test';
import * as m from '../page/messages.js';
import { out, parsePage } from './server.mjs';

const buffer = b => b.buffer.slice(b.byteOffset, b.byteOffset + b.length);
const parse = b => m.parse(buffer(b));
const back = b => parsePage(Buffer.from(b));

test('messages of the server', () => {
  const hello = parse(out.hello({ name: 'näme' }));
  assert.equal(hello.type, 'hello');
  assert.equal(hello.name, 'näme');
  assert.equal(hello.version, m.version);

  const f = parse(out.frame(0xfffffffe, { data: Buffer.from([1, 2, 3]), key: true }, 1280, 800));
  assert.deepEqual({ ...f, data: [...f.data] }, { type: 'frame', key: true, seq: 0xfffffffe, width: 1280, height: 800, age: 1.5, encode: 1.2, data: [1, 2, 3] });

  const c = parse(out.cursor(1, 2, 2, 1, Buffer.from([255, 0, 0, 255, 0, 0, 0, 0])));
  assert.deepEqual({ ...c, rgba: [...c.rgba] }, { type: 'cursor', x: 1, y: 2, width: 2, height: 1, rgba: [255, 0, 0, 255, 0, 0, 0, 0] });
  assert.equal(parse(out.cursor(0, 0, 0, 0, Buffer.alloc(0))).width, 0);

  assert.deepEqual(parse(out.pointer(258, 3)), { type: 'pointer', x: 258, y: 3 });
  assert.deepEqual(parse(out.clip('grüße\n€')), { type: 'clip', text: 'grüße\n€' });
  assert.deepEqual(parse(out.bell()), { type: 'bell' });
  assert.deepEqual(parse(out.ping(7)), { type: 'ping', n: 7 });
  assert.deepEqual(parse(out.state({ display: 'waiting', message: 'm' })), { type: 'state', display: 'waiting', message: 'm', viewers: 1 });
  assert.deepEqual(parse(out.bye('why', true)), { type: 'bye', final: true, text: 'why' });
  assert.equal(parse(Buffer.from([99, 1])), null, 'a type of a later version');
});

test('what is cut off is an error, never a wrong value', () => {
  const whole = [
    out.frame(1, { data: Buffer.alloc(0), key: false }, 1, 1),
    out.cursor(0, 0, 2, 2, Buffer.alloc(16)),
    out.pointer(1, 2), out.ping(1), out.hello({}), out.state({}), out.bye(''),
  ];
  for (const b of whole) {
    parse(b);
    for (let n = 0; n < b.length; n++) assert.throws(() => parse(b.subarray(0, n)), `type ${b[0]}, ${n} of ${b.length} bytes`);
  }
});

test('messages of the page', () => {
  assert.deepEqual(back(m.ack(0xffffffff)), { type: 'ack', seq: 0xffffffff });
  assert.deepEqual(back(m.key(true, 0x01000416, 0xb8)), { type: 'key', down: true, keysym: 0x01000416, code: 0xb8 });
  assert.deepEqual(back(m.key(false, 0xffe1, 0)), { type: 'key', down: false, keysym: 0xffe1, code: 0 });
  assert.deepEqual(back(m.pointer(65535, 0, 0x1ff)), { type: 'pointer', x: 65535, y: 0, buttons: 0x1ff });
  assert.deepEqual(back(m.clip('ä€')), { type: 'clip', text: 'ä€' });
  assert.deepEqual(back(m.ping(1)), { type: 'ping', n: 1 });
  assert.deepEqual(back(m.pong(2)), { type: 'pong', n: 2 });
  assert.deepEqual(back(m.settings({ quality: 'fast', stats: false })), { type: 'settings', quality: 'fast', stats: false });
  assert.deepEqual(back(m.rekey()), { type: 'rekey' });
  assert.deepEqual(back(m.release()), { type: 'release' });
  assert.equal(m.pointerButtons(m.pointer(1, 1, 5)), 5);
  assert.equal(m.pointerButtons(m.key(true, 1, 1)), null);
});
