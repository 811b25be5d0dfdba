import assert from 'node:assert/strict';
import test from 'node:test';
import { Gestures } from '../page/gestures.js';
import { buttonsOf, Wheel } from '../page/pointer.js';
import { lines } from '../page/stats.js';
import { pictureSize } from '../page/view.js';

function fingers(t) {
  try {
    t.mock.timers.enable({ apis: ['setTimeout'] });
  } catch {
    t.mock.timers.enable(['setTimeout']); // as Node.js 18 wants it
  }
  const did = [];
  let now = 0;
  const g = new Gestures({
    now: () => now,
    pointer: (x, y, buttons) => did.push(`${x},${y}:${buttons}`),
    zoom: (f, x, y, dx, dy) => did.push(`zoom ${f.toFixed(2)} at ${x},${y} by ${dx},${dy}`),
    longPress: () => did.push('long'),
  });
  const wait = ms => {
    now += ms;
    t.mock.timers.tick(ms);
  };
  return { g, wait, take: () => did.splice(0).join(' ') };
}

test('tap, double tap', t => {
  const { g, wait, take } = fingers(t);
  g.down(1, 100, 100);
  g.move(1, 104, 103);
  wait(80);
  g.up(1);
  assert.equal(take(), '100,100:0 100,100:1 100,100:0');
  wait(100);
  g.down(1, 120, 110);
  g.up(1);
  assert.equal(take(), '100,100:0 100,100:1 100,100:0', 'at the same place');
  wait(1000);
  g.down(1, 120, 110);
  g.up(1);
  assert.equal(take(), '120,110:0 120,110:1 120,110:0', 'another');
});

test('drag', t => {
  const { g, take, wait } = fingers(t);
  g.down(1, 10, 10);
  g.move(1, 40, 10);
  wait(1000);
  g.move(1, 50, 20);
  g.up(1);
  assert.equal(take(), '10,10:0 10,10:1 40,10:1 50,20:1 50,20:0');
  g.down(2, 10, 10);
  g.move(2, 40, 10);
  take();
  g.cancel();
  assert.equal(take(), '40,10:0');
});

test('long press', t => {
  const { g, take, wait } = fingers(t);
  g.down(1, 10, 10);
  wait(499);
  assert.equal(take(), '');
  wait(1);
  assert.equal(take(), '10,10:0 10,10:4 long');
  g.move(1, 12, 30);
  g.up(1);
  assert.equal(take(), '12,30:4 12,30:0');
});

test('taps with two and three fingers', t => {
  const { g, take } = fingers(t);
  g.down(1, 10, 10);
  g.down(2, 30, 10);
  g.up(1);
  g.up(2);
  assert.equal(take(), '20,10:0 20,10:4 20,10:0');
  g.down(1, 10, 10);
  g.down(2, 30, 10);
  g.down(3, 50, 10);
  g.up(2);
  g.up(1);
  g.up(3);
  assert.equal(take(), '20,10:0 20,10:2 20,10:0');
});

test('two fingers turn the wheel', t => {
  const { g, take, wait } = fingers(t);
  g.down(1, 100, 200);
  g.down(2, 140, 200);
  for (let y = 199; y >= 140; y--) {
    g.move(1, 100, y);
    g.move(2, 140, y);
  }
  assert.equal(take(), '120,200:0 120,200:16 120,200:0 120,200:16 120,200:0'); // 60 px are two steps down
  for (let y = 140; y <= 230; y++) {
    g.move(1, 100, y);
    g.move(2, 140, y);
  }
  assert.equal(take().match(/:8/g).length, 3);
  wait(1000);
  g.up(1);
  g.move(2, 300, 300);
  g.up(2);
  assert.equal(take(), '', 'the last finger leaves without a click');
});

test('two fingers zoom', t => {
  const { g, take } = fingers(t);
  g.down(1, 100, 100);
  g.down(2, 140, 100);
  g.move(2, 170, 100);
  assert.equal(take(), '');
  g.move(2, 240, 100);
  assert.equal(take(), 'zoom 2.00 at 170,100 by 35,0');
  g.move(1, 30, 100);
  assert.equal(take(), 'zoom 1.50 at 135,100 by -35,0');
});

test('buttons of the mouse', () => {
  assert.deepEqual([0, 1, 2, 4, 8, 16, 31].map(buttonsOf), [0, 1, 4, 2, 1 << 7, 1 << 8, 0x187]);
});

test('steps of the wheel', () => {
  const w = new Wheel();
  const e = o => ({ deltaX: 0, deltaY: 0, deltaMode: 0, shiftKey: false, ...o });
  assert.deepEqual(w.steps(e({ deltaY: 100, wheelDeltaY: -120 })), { x: 0, y: 1 });
  assert.deepEqual(w.steps(e({ deltaY: -53, wheelDeltaY: 240 })), { x: 0, y: -2 });
  assert.deepEqual(w.steps(e({ deltaY: 3, deltaMode: 1 })), { x: 0, y: 1 });
  let n = 0;
  for (let i = 0; i < 60; i++) n += w.steps(e({ deltaY: 4, wheelDeltaY: -12 })).y;
  assert.equal(n, 4, 'a touchpad');
  assert.deepEqual(w.steps(e({ deltaX: 120, wheelDeltaX: -120, shiftKey: true })), { x: 0, y: 1 }, 'the desktop sees Shift itself');
  assert.deepEqual(w.steps(e({ deltaX: 120, wheelDeltaX: -120 })), { x: 1, y: 0 });
});

test('size of the picture', () => {
  const picture = { width: 1280, height: 800 };
  const size = (mode, width, height, ratio = 1, zoom = 1) => {
    const s = pictureSize(mode, { width, height }, picture, ratio, zoom);
    return [Math.round(s.width), Math.round(s.height)];
  };
  assert.deepEqual(size('fit', 640, 800), [640, 400]);
  assert.deepEqual(size('fit', 2560, 1600), [2560, 1600]);
  assert.deepEqual(size('fit', 1290, 806), [1280, 800], 'nearly 1:1 is 1:1');
  assert.deepEqual(size('actual', 640, 800), [1280, 800]);
  assert.deepEqual(size('actual', 640, 800, 2), [640, 400], 'pixels of the device');
  assert.deepEqual(size('fit', 360, 640, 3, 2), [720, 450]);
  assert.deepEqual(size('resize', 1280, 800), [1280, 800]);
});

test('statistics', () => {
  const page = { frames: 60, bytes: 125000, rtt: 4, age: 3, encode: 2, decode: 1.25, draw: 0.25 };
  const l = Object.fromEntries(lines({ transport: 'WebSocket', picture: { width: 1280, height: 800 }, page, server: { frames: 60, queueMs: 0, quant: 20 }, viewers: 2 }));
  assert.equal(l.Frames, '60 /s');
  assert.equal(l.Data, '1000 kbit/s');
  assert.equal(l.Encode, '2.0 ms');
  assert.equal(l['Network, there and back'], '4.0 ms');
  assert.equal(l['Decode and draw'], '1.5 ms');
  assert.equal(l['Capture to picture'], '6.5 ms');
  assert.equal(l.Viewers, '2');
  const idle = Object.fromEntries(lines({ transport: 'x', picture: { width: 0, height: 0 }, page: { frames: 0, bytes: 0, rtt: 1, age: null, encode: null, decode: null, draw: null }, server: null, viewers: 0 }));
  assert.equal(idle['Capture to picture'], '–');
});
