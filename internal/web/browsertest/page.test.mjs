// The page in a browser, against a server that does what a test says.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launch, path } from './browser.mjs';
import { readIVF } from './ivf.mjs';
import { out, PageServer } from './server.mjs';

const film = readIVF(new URL('colours.ivf', import.meta.url).pathname);
assert.ok(film.frames.length >= 10);
const skip = existsSync(path) || process.env.CI ? false : `no browser at ${path}`;

let context, server, page, problems;

before(async () => {
  if (!skip) context = await launch({ args: ['--host-resolver-rules=MAP desktop.test 127.0.0.1'] });
});
after(() => context?.close());

beforeEach(async () => {
  if (skip) return;
  problems = [];
  server = new PageServer();
  server.onsession = s => {
    s.send(out.hello({}));
    s.send(out.state({}));
    s.play(film, { count: 1 });
  };
  await server.start();
  await context.clearPermissions();
  page = await newPage();
});

// Pages must not break their own rules: errors and refused resources fail every test.
async function newPage(from = context) {
  const p = await from.newPage();
  p.on('pageerror', err => problems.push(err.message));
  p.on('console', m => ['error', 'warning'].includes(m.type()) && !/net::ERR|WebSocket connection|status of 401/.test(m.text()) && problems.push(m.text()));
  return p;
}

afterEach(async () => {
  if (skip) return;
  await page.close();
  await server.stop();
  assert.deepEqual(problems, []);
});

const it = (name, f) => test(name, { skip, timeout: 60_000 }, f);

async function open(url = server.url) {
  const n = server.sessions.length;
  await page.goto(url);
  const s = await server.until('a session', () => server.sessions[n]);
  await page.waitForSelector('body.pictured[data-state=live]');
  return s;
}

const noticed = text => page.waitForFunction(t => !document.querySelector('#notice').hidden && document.querySelector('#notice-title').textContent.includes(t), text);

// The picture's pixels, as the page's own eyes see them.
const pixels = (...at) => page.evaluate(at => {
  const c = document.createElement('canvas');
  const g = c.getContext('2d', { willReadFrequently: true });
  const source = document.querySelector('#frame > canvas');
  [c.width, c.height] = [source.width, source.height];
  g.drawImage(source, 0, 0);
  return at.map(([x, y]) => [...g.getImageData(x, y, 1, 1).data.slice(0, 3)]);
}, at);

const near = (got, want, tolerance, what) => got.forEach((v, i) => assert.ok(Math.abs(v - want[i]) <= tolerance, `${what}: ${got}, want ${want}`));

it('shows the right colours', async () => {
  await open();
  const want = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0], [255, 255, 0], [128, 128, 128], [0x12, 0x34, 0x56]];
  const places = want.map((_, i) => [40 + 80 * (i % 4), 30 + 60 * Math.floor(i / 4)]);
  await server.until('the picture', async () => (await pixels(places[3]))[0][0] > 200);
  // Two of 256 are YCbCr's rounding, and the coder's.
  (await pixels(...places)).forEach((got, i) => near(got, want[i], 4, `square ${i}`));
});

it('acknowledges each frame when it is shown', async () => {
  server.onsession = s => {
    s.send(out.hello({}));
    s.play(film, { count: 100, loop: true });
  };
  const s = await open();
  await server.until('all acknowledged', () => s.of('ack').at(-1)?.seq === 99);
  const seqs = s.of('ack').map(m => m.seq);
  assert.deepEqual(seqs, [...seqs].sort((a, b) => a - b));
});

it('asks for a key frame when it cannot decode', async () => {
  let played = false;
  server.onsession = s => {
    s.send(out.hello({}));
    s.send(out.frame(0, { data: Buffer.alloc(50, 0xee), key: true }, 320, 240));
    s.onmessage = m => {
      if (m.type !== 'rekey' || played) return;
      played = true;
      s.play(film, { count: 12, seq: 10 });
    };
  };
  const s = await open();
  await server.until('acknowledged', () => s.of('ack').some(m => m.seq === 21));
  problems = problems.filter(p => !p.startsWith('decoder:'));
});

it('sends the mouse in pixels of the picture', async () => {
  const s = await open();
  const box = await page.locator('#frame').boundingBox();
  assert.ok(box.width > 1000 && box.width <= 1280, `it is fitted: ${box.width}`);
  const at = (x, y) => [box.x + (x + 0.5) * box.width / 320, box.y + (y + 0.5) * box.height / 240];
  const last = () => s.of('pointer').at(-1);
  const is = (x, y, buttons) => server.until(`${x},${y} ${buttons}: have ${JSON.stringify(last())}`, () => {
    const m = last();
    return m && m.x === x && m.y === y && m.buttons === buttons;
  });
  await page.mouse.move(...at(100, 200));
  await is(100, 200, 0);
  for (const [button, bit] of [['left', 1], ['middle', 2], ['right', 4]]) {
    await page.mouse.down({ button });
    await is(100, 200, bit);
    await page.mouse.up({ button });
    await is(100, 200, 0);
  }
  await page.mouse.down();
  await page.mouse.move(...at(0, 0));
  await page.mouse.move(1, 1); // beyond the picture: held at its border
  await is(0, 0, 1);
  await page.mouse.up();
  await is(0, 0, 0);
  const cdp = await context.newCDPSession(page);
  const [x, y] = at(50, 60);
  for (const [button, buttons, bit] of [['back', 8, 128], ['forward', 16, 256]]) {
    await cdp.send('Input.dispatchMouseEvent', { type: 'mousePressed', x, y, button, buttons, clickCount: 1 });
    await is(50, 60, bit);
    await cdp.send('Input.dispatchMouseEvent', { type: 'mouseReleased', x, y, button, buttons: 0, clickCount: 1 });
    await is(50, 60, 0);
  }
  for (const [dx, dy, bit] of [[0, -120, 8], [0, 120, 16], [-120, 0, 32], [120, 0, 64]]) {
    await page.mouse.move(...at(50, 61));
    await is(50, 61, 0);
    s.messages.length = 0;
    await page.mouse.wheel(dx, dy);
    await server.until('the wheel', () => s.of('pointer').length === 2);
    assert.deepEqual(s.of('pointer').map(m => m.buttons), [bit, 0]);
    await page.mouse.move(...at(50, 60));
    await is(50, 60, 0);
  }
  assert.equal(new URL(page.url()).pathname, '/', 'back and forward stay on the desktop');
});

it('sends keys, and lets go of them when it loses the focus', async () => {
  const s = await open();
  await page.mouse.click(640, 400);
  const keys = () => s.of('key', 'release').map(m => (m.type === 'release' ? m.type : `${m.down ? '+' : '-'}${m.keysym.toString(16)}/${m.code.toString(16)}`)).join(' ');
  const fresh = async (what, want) => {
    await server.until(`${what}: ${keys()}`, () => keys() === want).catch(() => assert.equal(keys(), want, what));
    s.messages.length = 0;
  };
  s.messages.length = 0;
  await page.keyboard.type('aB'); // B without Shift: as with Caps Lock
  await fresh('letters', '+61/1e -61/1e +42/0 -42/0');
  await page.keyboard.press('Control+Shift+T');
  await fresh('a shortcut of the browser', '+ffe3/1d +ffe1/2a +54/14 -54/14 -ffe1/2a -ffe3/1d');
  for (const [key, want] of [['F5', 'ffc2/3f'], ['Tab', 'ff09/f'], ['Backspace', 'ff08/e'], ['ArrowLeft', 'ff51/cb'], ['Escape', 'ff1b/1'], ['Delete', 'ffff/d3']]) {
    await page.keyboard.press(key);
    await fresh(key, `+${want} -${want}`);
  }
  await page.keyboard.insertText('é€');
  await fresh('text of an input method', '+e9/0 -e9/0 +10020ac/0 -10020ac/0');
  await page.keyboard.down('Alt');
  await page.keyboard.down('Tab');
  await page.evaluate(() => dispatchEvent(new Event('blur')));
  await fresh('the window loses the focus', '+ffe9/38 +ff09/f release');
  await page.keyboard.up('Tab');
  await page.keyboard.up('Alt');
  await page.keyboard.press('x');
  await fresh('afterwards', '+78/2d -78/2d');
  await page.click('#keys');
  await page.click('text=Ctrl+Alt+Del');
  await fresh('Ctrl+Alt+Del', '+ffe3/1d +ffe9/38 +ffff/d3 -ffff/d3 -ffe9/38 -ffe3/1d');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.keyboard.press('y');
  await fresh('Escape leads back to the picture', '+79/15 -79/15');
});

it('has controls for keyboards alone', async () => {
  const s = await open();
  await page.keyboard.press('q');
  await server.until('the picture has the focus at the start', () => s.of('key').length === 2);
  for (const key of ['Control', 'Alt', 'Shift']) await page.keyboard.down(key);
  for (const key of ['Shift', 'Alt', 'Control']) await page.keyboard.up(key);
  await page.waitForFunction(() => document.activeElement.closest('#bar'));
  await server.until('let go', () => s.of('release').length === 1);
  for (let i = 0; i < 9; i++) {
    if (await page.evaluate(() => document.activeElement.id === 'settings')) break;
    await page.keyboard.press('ArrowRight');
  }
  await page.keyboard.press('Enter');
  await page.waitForSelector('#settings-panel:not([hidden])');
  for (let i = 0; i < 9 && !await page.evaluate(() => document.activeElement.id === 'stats-on'); i++) await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  await server.until('statistics are asked for', () => s.of('settings').some(m => m.stats === true));
  await page.waitForSelector('#stats:not([hidden])');
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'settings');
  await page.keyboard.press('Escape');
  await page.keyboard.press('z');
  await server.until('keys go to the desktop again', () => s.of('key').at(-1).keysym === 0x7a);
  await page.evaluate(() => (localStorage.framebridge = '{"collapsed":false}'));
});

it('puts the controls away, unless they are wanted', async () => {
  await page.addInitScript(() => localStorage.clear());
  await open();
  assert.equal(await page.isVisible('#bar'), true);
  await page.mouse.move(640, 600);
  await page.waitForSelector('#bar', { state: 'hidden' });
  await page.click('#handle');
  await page.waitForSelector('#bar');
  assert.equal(await page.evaluate(() => JSON.parse(localStorage.framebridge).collapsed), false);
  await page.click('#collapse');
  await page.waitForSelector('#bar', { state: 'hidden' });
});

it('has a name for every control', async () => {
  await open();
  await page.evaluate(() => document.querySelectorAll('[hidden]:not(#notice *, [aria-hidden])').forEach(e => (e.hidden = false)));
  const cdp = await context.newCDPSession(page);
  const { nodes } = await cdp.send('Accessibility.getFullAXTree');
  const controls = nodes.filter(n => !n.ignored && ['button', 'textbox', 'radio', 'switch', 'checkbox'].includes(n.role?.value));
  assert.ok(controls.length > 30, `${controls.length} controls`);
  for (const n of controls) assert.ok(n.name?.value?.trim(), `a ${n.role.value} without a name: ${JSON.stringify(n.properties)}`);
});

it('passes the clipboard on, both ways', async () => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: new URL(server.url).origin });
  const s = await open();
  await page.mouse.click(640, 400);
  s.send(out.clip('from the desktop, grüße €'));
  await server.until('the clipboard', async () => await page.evaluate(() => navigator.clipboard.readText()) === 'from the desktop, grüße €');
  assert.equal(await page.inputValue('#clipboard-text'), 'from the desktop, grüße €');
  await page.evaluate(() => navigator.clipboard.writeText('from here, ü'));
  s.messages.length = 0;
  await page.keyboard.press('Control+v');
  await server.until('the paste', () => s.of('key').length === 4);
  assert.deepEqual(s.of('clip', 'key').map(m => m.text ?? (m.down ? '+' : '-') + m.keysym.toString(16)), ['+ffe3', 'from here, ü', '+76', '-76', '-ffe3']);
  await page.evaluate(() => navigator.clipboard.writeText('while away'));
  await page.evaluate(() => dispatchEvent(new Event('focus')));
  await server.until('on focus', () => s.of('clip').at(-1).text === 'while away');
  await page.click('#clipboard');
  await page.fill('#clipboard-text', 'ü'.repeat(600_000)); // too many bytes for the server
  await page.waitForSelector('#toast:not([hidden])');
  await page.fill('#clipboard-text', 'typed');
  await server.until('the field', () => s.of('clip').at(-1).text === 'typed');
  assert.equal(s.of('clip').at(-2).text, 'while away');
});

it('says what the connection does, and connects again', async () => {
  server.onsession = s => {
    s.send(out.hello({}));
    s.send(out.state({ display: 'waiting', message: 'X server :1 is not there' }));
  };
  await page.goto(server.url);
  await noticed('Waiting for the display');
  assert.match(await page.textContent('#notice-text'), /:1 is not there\.$/);
  const [first] = server.sessions;
  first.send(out.state({}));
  first.play(film, { count: 2 });
  await page.waitForSelector('#notice', { state: 'hidden' });

  const { port } = server;
  await server.stop();
  await noticed('Connection lost');
  server = Object.assign(new PageServer(), { onsession: s => (s.send(out.hello({ name: 'again' })), s.play(film, { count: 1 })) });
  await server.start(port);
  await page.click('#notice-button', { timeout: 2000 }).catch(() => {}); // it may be quicker
  await server.until('again', () => server.sessions.length === 1);
  await page.waitForSelector('#notice', { state: 'hidden' });
  assert.equal(await page.title(), 'again');

  server.sessions[0].send(out.bye('another viewer took over', true));
  server.sessions[0].close(1000);
  await noticed('Disconnected');
  assert.match(await page.textContent('#notice-text'), /Another viewer took over\.$/);
  await page.click('text=Connect again');
  await server.until('connected', () => server.sessions.length === 2);
  await page.waitForSelector('#notice', { state: 'hidden' });

  server.sessions[1].send(out.bye('the server ends'));
  server.sessions[1].close(1000);
  await server.until('it comes back by itself', () => server.sessions.length === 3);
});

it('answers pings', async () => {
  const s = await open();
  s.send(out.ping(42));
  await server.until('pong', () => s.of('pong').some(m => m.n === 42));
});

it('asks for the password, or takes it from the address', async () => {
  server.password = 'right';
  await page.goto(server.url);
  await page.fill('#password', 'wrong');
  await page.click('text=Connect >> visible=true');
  await page.waitForFunction(() => document.querySelector('#login-error').textContent.includes('not the password'));
  await page.fill('#password', 'right');
  await page.keyboard.press('Enter');
  await page.waitForSelector('body.pictured');
  assert.equal(await page.isVisible('#login'), false);
  const { port } = server;
  await server.stop(); // its cookies are forgotten, too
  server = Object.assign(new PageServer(), { password: 'right', onsession: s => (s.send(out.hello({})), s.play(film, { count: 1 })) });
  await server.start(port);
  await server.until('it logs in again by itself', () => server.sessions.length === 1);

  await context.clearCookies();
  await page.goto('about:blank');
  await page.goto(`${server.url}#token=right&other=1`);
  await server.until('a session', () => server.sessions.length === 2);
  assert.equal(page.url(), `${server.url}#other=1`);
  assert.ok(!server.requests.some(r => r.includes('right')));
});

it('works below a path prefix', async () => {
  await server.stop();
  server.prefix = '/some/desktop/';
  server.password = 'p';
  await server.start();
  await page.goto(`${server.url}#token=p`);
  await page.waitForSelector('body.pictured');
  assert.deepEqual(server.requests.filter(r => !r.startsWith('/some/desktop/')), []);
});

it('shows and keeps the settings', async () => {
  let s = await open();
  await page.click('#settings');
  await page.check('input[value=fast]');
  await server.until('quality', () => s.of('settings').some(m => m.quality === 'fast'));
  await page.check('input[value=actual]');
  assert.equal((await page.locator('#frame').boundingBox()).width, 320);
  await page.check('input[value=resize]');
  await server.until('resize', () => s.of('settings').some(m => m.width === 1280 && m.height === 800));
  await page.setViewportSize({ width: 1000, height: 700 });
  await server.until('resized', () => s.of('settings').some(m => m.width === 1000 && m.height === 700));
  s = await open();
  await server.until('kept', () => s.of('settings').some(m => m.quality === 'fast'));
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.click('#settings');
  await page.check('#view-only');
  s.messages.length = 0;
  await page.mouse.click(100, 300);
  await page.keyboard.press('a');
  s.send(out.ping(1));
  await server.until('pong', () => s.of('pong').length);
  assert.deepEqual(s.of('key', 'pointer', 'clip'), []);
  assert.equal(await page.isVisible('#keys'), false);
  await page.evaluate(() => (localStorage.framebridge = '{"collapsed":false}'));
});

it('shows figures', async () => {
  server.onsession = s => {
    s.send(out.hello({}));
    s.play(film, { loop: true });
  };
  const s = await open();
  await page.click('#settings');
  await page.check('#stats-on');
  s.send(out.stats({ frames: 30, bytes: 1, encodeMs: 1, rttMs: 2, queueMs: 3, quant: 40 }));
  await page.waitForFunction(() => /Frames\s*[1-9]\d* \/s[\s\S]*Capture to picture\s*[\d.]+ ms/.test(document.querySelector('#stats').innerText));
  await page.waitForFunction(() => /Coarseness\s*40 of 127/.test(document.querySelector('#stats').innerText));
  await page.evaluate(() => (localStorage.framebridge = '{"collapsed":false}'));
});

it('gives the mouse the shape of the desktop\'s pointer', async () => {
  const s = await open();
  const rgba = Buffer.alloc(4 * 4 * 4);
  for (let i = 0; i < 16; i++) rgba.set([255, 128, 0, i % 2 ? 255 : 100], 4 * i);
  s.send(out.cursor(1, 2, 4, 4, rgba));
  await page.waitForFunction(() => /^url\("data:image\/png.*"\) 1 2, default$/.test(document.querySelector('#stage').style.cursor));
  s.send(out.cursor(0, 0, 0, 0, Buffer.alloc(0)));
  await page.waitForFunction(() => document.querySelector('#stage').style.cursor === 'none');
  s.send(out.cursor(100, 150, 200, 200, Buffer.alloc(200 * 200 * 4, 255)));
  await page.waitForFunction(() => /\) 64 96, default$/.test(document.querySelector('#stage').style.cursor));
  s.send(out.cursor(1, 2, 4, 4, rgba));
  s.send(out.pointer(160, 120));
  await page.waitForSelector('#pointer:not([hidden])');
  const [p, f] = [await page.locator('#pointer').boundingBox(), await page.locator('#frame').boundingBox()];
  const scale = f.width / 320;
  assert.ok(Math.abs(p.x - f.x - 159.5 * scale) < 1 && Math.abs(p.y - f.y - 118.5 * scale) < 1, JSON.stringify([p, f]));
  await page.mouse.move(300, 300);
  await page.waitForSelector('#pointer', { state: 'hidden' });
});

it('says why it cannot show video without a secure context', async () => {
  await page.addInitScript(() => delete window.RTCPeerConnection); // else WebRTC is tried
  await page.goto(server.url.replace('127.0.0.1', 'desktop.test'));
  await noticed('No picture');
  assert.match(await page.textContent('#notice-text'), /https:.*localhost/);
  assert.equal(server.sessions.length, 0);
});

it('works on a phone', async t => {
  const phone = await launch({ viewport: { width: 360, height: 640 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true, colorScheme: 'dark' });
  t.after(() => phone.close());
  await page.close();
  page = await newPage(phone);
  const s = await open();
  const size = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.deepEqual(size, [360, 360]);
  for (const panel of ['keys', 'clipboard', 'settings']) {
    await page.tap('#' + panel);
    const box = await page.locator(`#${panel}-panel`).boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= 360 && box.y + box.height <= 640, `${panel}: ${JSON.stringify(box)}`);
  }
  await page.tap('#settings');
  const frame = await page.locator('#frame').boundingBox();
  const at = (x, y) => ({ x: frame.x + (x + 0.5) * frame.width / 320, y: frame.y + (y + 0.5) * frame.height / 240 });
  const cdp = await phone.newCDPSession(page);
  const touch = (type, ...points) => cdp.send('Input.dispatchTouchEvent', { type, touchPoints: points.map((p, id) => ({ ...p, id })) });
  const pointers = () => s.of('pointer').map(m => `${m.x},${m.y}:${m.buttons}`).join(' ');
  const gesture = async (what, want) => {
    await server.until(`${what}: ${pointers()}`, () => (want instanceof RegExp ? want.test(pointers()) : pointers() === want));
    s.messages.length = 0;
  };

  // At once, so that a busy machine does not make long presses of them.
  await Promise.all([touch('touchStart', at(50, 60)), touch('touchEnd')]);
  await gesture('tap', '50,60:0 50,60:1 50,60:0');
  await touch('touchStart', at(200, 60));
  await gesture('long press', '200,60:0 200,60:4');
  await touch('touchEnd');
  await gesture('the finger leaves', '200,60:0');
  await Promise.all([touch('touchStart', at(50, 100)), touch('touchMove', at(100, 100))]);
  await touch('touchEnd');
  await gesture('drag', '50,100:0 50,100:1 100,100:1 100,100:0');
  await touch('touchStart', at(100, 150), at(150, 150));
  for (let y = 148; y >= 90; y -= 2) await touch('touchMove', at(100, y), at(150, y));
  await touch('touchEnd');
  await gesture('two fingers up', /^125,1\d\d:0 125,1\d\d:16 125,1\d\d:0( 125,1\d\d:16 125,1\d\d:0)*$/);
  await touch('touchStart', at(140, 120), at(180, 120));
  for (let d = 0; d <= 100; d += 5) await touch('touchMove', at(140 - d, 120), at(180 + d, 120));
  await touch('touchEnd');
  const zoomed = await page.locator('#frame').boundingBox();
  assert.ok(zoomed.width > 700, `zoomed: ${zoomed.width}`);
  assert.equal(pointers(), '');
  assert.deepEqual(await page.evaluate(() => [document.documentElement.scrollWidth, visualViewport.scale]), [360, 1], 'the page itself is not zoomed');

  await page.tap('#typing');
  await page.waitForSelector('#keybar:not([hidden])');
  s.messages.length = 0;
  await page.tap('#keybar >> text=Ctrl');
  assert.equal(await page.getAttribute('#keybar >> text=Ctrl', 'aria-pressed'), 'true');
  await page.keyboard.insertText('c');
  await server.until('Ctrl+C', () => s.of('key').map(m => (m.down ? '+' : '-') + m.keysym.toString(16)).join(' ') === '+ffe3 +63 -63 -ffe3');
  assert.equal(await page.getAttribute('#keybar >> text=Ctrl', 'aria-pressed'), 'false');
  await page.tap('#typing');
  await page.waitForSelector('#keybar', { state: 'hidden' });
});
