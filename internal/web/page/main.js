// The page: puts the parts together.

import * as m from './messages.js';
import { Clipboard } from './clipboard.js';
import { Connection } from './connection.js';
import { Cursor } from './cursor.js';
import { Keyboard } from './keyboard.js';
import { tokenFromAddress } from './login.js';
import { Menu } from './menu.js';
import { Notice, toast } from './notice.js';
import { Pointer } from './pointer.js';
import { Prefs } from './prefs.js';
import { StatsOverlay } from './stats.js';
import { WebRTCTransport } from './rtc.js';
import { WebSocketTransport } from './transport.js';
import { canFullScreen, isFullScreen, toggleFullScreen, View } from './view.js';

const $ = id => document.getElementById(id);
const stage = $('stage'), frame = $('frame'), input = $('input');
const body = document.body;
const token = tokenFromAddress(); // before anything that may fail

const prefs = new Prefs();
const notice = new Notice();
const overlay = new StatsOverlay($('stats'));

let rights = { control: false, clipboardIn: false, clipboardOut: false, resize: false };
let viewOnly = false;
let viewers = 0;
let quality = 'auto';

const live = () => connection.state === 'live';
const mayControl = () => live() && rights.control && !viewOnly;
const send = data => transport.send(data);
const touchOnly = matchMedia('not (any-pointer: fine)');

// WebRTC is what there is without a secure context; with one it is the user's choice.
const wanted = prefs.get('transport', ['auto', 'websocket', 'webrtc']) ?? 'auto';
const Transport = wanted === 'webrtc' || wanted === 'auto' && WebSocketTransport.missing() && !WebRTCTransport.missing()
  ? WebRTCTransport : WebSocketTransport;

const transport = new Transport({
  message: receive,
  size: (width, height) => {
    view.setPicture(width, height);
    cursor.place();
  },
  shown: () => {
    body.classList.add('pictured');
    menu.settle();
    if (live()) showState('live');
  },
  closed: how => {
    letGo();
    connection.closed(how);
  },
  unsupported: reason => connection.end(reason, 'No picture'),
  figures: figures => {
    overlay.page = figures;
    renderStats();
  },
});
frame.prepend(transport.element);

const view = new View({
  stage, frame,
  resize: (width, height) => {
    // An on-screen keyboard makes the window smaller, not the wish.
    if (live() && rights.resize && !viewOnly && !keyboard.touchKeyboard) send(m.settings({ width, height }));
  },
});

const cursor = new Cursor(stage, $('pointer'), view);

const keyboard = new Keyboard({
  input,
  platform: navigator.userAgentData?.platform ?? navigator.platform,
  active: mayControl,
  send: (down, keysym, code) => mayControl() && send(m.key(down, keysym, code)),
  release: () => live() && send(m.release()),
  beforePaste: () => rights.clipboardIn,
  leave: () => menu.open(),
});

const clipboard = new Clipboard({
  input, field: $('clipboard-text'),
  send: text => mayControl() && send(m.clip(text)),
  pasted: () => keyboard.pasteDone(),
  tell: toast,
});

const pointer = new Pointer({
  stage, view,
  active: mayControl,
  send: (x, y, buttons) => send(m.pointer(x, y, buttons)),
  seen: e => keyboard.syncModifiers(e),
  pressed: e => {
    menu.close();
    if (e.pointerType !== 'touch') {
      // Input methods show their windows where the text goes.
      input.style.left = `${e.clientX}px`;
      input.style.bottom = `${innerHeight - e.clientY}px`;
      focusPicture();
    }
  },
  moved: (x, y, touch) => (touch ? cursor.show(x, y) : cursor.hide()),
});

const menu = new Menu({
  keyboard, prefs,
  set: setting,
  back: focusPicture,
  full: () => toggleFullScreen().then(focusPicture, () => toast('The browser does not allow full screen here.')),
  typing: () => showTouchKeyboard(!keyboard.touchKeyboard),
});

const connection = new Connection({ transport, token, changed: showState, ask: askPassword });

function receive(msg) {
  switch (msg.type) {
    case 'hello':
      if (!connection.hello(msg)) return;
      rights = msg;
      $('name').textContent = msg.name;
      document.title = msg.name || 'framebridge';
      menu.allow({ control: rights.control, resize: rights.resize, clipboard: rights.clipboardIn || rights.clipboardOut });
      applyRights();
      if (quality !== 'auto') send(m.settings({ quality }));
      if (overlay.shown) askStats(true);
      view.askSize();
      clipboard.begin(msg.maxClipboard);
      break;
    case 'state':
      viewers = msg.viewers;
      connection.display(msg);
      break;
    case 'cursor':
      cursor.set(msg);
      break;
    case 'pointer':
      // Somebody else moved it: it is not where the mouse is.
      cursor.show(msg.x, msg.y);
      break;
    case 'clip':
      clipboard.receive(msg.text);
      break;
    case 'bell':
      ring();
      break;
    case 'stats':
      overlay.server = msg;
      break;
  }
}

// What the page says of the connection.
function showState(state, facts = {}) {
  viewers = facts.viewers ?? viewers;
  const pictured = body.classList.contains('pictured');
  body.dataset.state = state;
  body.classList.toggle('stale', state !== 'live');
  if (state !== 'connecting') $('login').hidden = true;
  if (state !== 'live') letGo();
  applyRights();
  switch (state) {
    case 'connecting':
      if (!facts.again || !pictured) notice.show('Connecting…');
      else notice.show('Connection lost', 'Connecting again…');
      break;
    case 'live':
      if (pictured) notice.hide();
      else notice.show('Waiting for the picture…');
      break;
    case 'waiting':
      notice.show('Waiting for the display…', sentence(facts.message));
      break;
    case 'lost':
      notice.show(pictured ? 'Connection lost' : 'No connection', `${sentence(facts.why)}Retrying in ${facts.seconds} s.`, { button: 'Retry now', action: () => connection.connect() });
      break;
    case 'ended':
      // What this browser cannot do it cannot do the next time either.
      if (facts.title) notice.show(facts.title, sentence(facts.text), { busy: false });
      else notice.show('Disconnected', sentence(facts.text), { busy: false, button: 'Connect again', action: () => connection.connect() });
      break;
  }
}

// sentence makes one of what a server or browser says; nothing stays nothing.
function sentence(words) {
  return words ? `${words[0].toUpperCase()}${words.slice(1).replace(/\.$/, '')}. ` : '';
}

function applyRights() {
  const control = mayControl();
  body.classList.toggle('controlled', control);
  cursor.setOwn(control);
  menu.allowKeys(rights.control && !viewOnly);
  clipboard.canSend = rights.clipboardIn && !viewOnly;
  clipboard.canReceive = rights.clipboardOut;
  $('clipboard-text').readOnly = !clipboard.canSend;
  $('clipboard-read').hidden = !clipboard.canSend || !clipboard.canRead;
  if (!control && keyboard.touchKeyboard) showTouchKeyboard(false);
}

// letGo forgets what is held; the server does so by itself when the connection ends.
function letGo() {
  pointer.releaseAll();
  keyboard.releaseAll();
}

function setting(name, value) {
  menu.reflect(name, value);
  if (name !== 'viewOnly') prefs.set(name, value);
  switch (name) {
    case 'mode':
      view.setMode(value);
      break;
    case 'quality':
      quality = value;
      if (live()) send(m.settings({ quality }));
      break;
    case 'how':
      keyboard.how = value;
      break;
    case 'transport':
      location.reload();
      break;
    case 'viewOnly':
      letGo();
      viewOnly = value;
      menu.reflect(name, value);
      applyRights();
      break;
    case 'stats':
      overlay.show(value);
      askStats(value);
      renderStats();
      break;
  }
}

function askStats(on) {
  transport.setStats(on);
  if (connection.state === 'live' || connection.state === 'waiting') send(m.settings({ stats: on }));
}

function renderStats() {
  overlay.render({ transport: transport.name, picture: view.picture, viewers });
}

function focusPicture() {
  if (!touchOnly.matches || keyboard.touchKeyboard) input.focus({ preventScroll: true });
}

function showTouchKeyboard(on) {
  keyboard.touchKeyboard = on;
  input.inputMode = on ? 'text' : 'none';
  $('keybar').hidden = !on;
  $('typing').setAttribute('aria-pressed', on);
  keyboard.clearText();
  measure();
  if (on) input.focus({ preventScroll: true });
  else if (touchOnly.matches) input.blur();
}

// On-screen keyboards cover the window's lower part.
function measure() {
  const { style } = document.documentElement;
  style.setProperty('--visible-height', `${visualViewport?.height ?? innerHeight}px`);
  style.setProperty('--keybar', keyboard.touchKeyboard ? '46px' : '0px');
}
visualViewport?.addEventListener('resize', measure);
addEventListener('resize', measure);

let audio;
function ring() {
  try {
    audio ??= new AudioContext();
    if (audio.state !== 'running') return; // until the user has touched the page
    const tone = audio.createOscillator(), volume = audio.createGain(), t = audio.currentTime;
    tone.frequency.value = 660;
    volume.gain.setValueAtTime(0.08, t);
    volume.gain.exponentialRampToValueAtTime(0.001, t + 0.15);
    tone.connect(volume).connect(audio.destination);
    tone.start(t);
    tone.stop(t + 0.15);
  } catch {
    // A page without sound is silent.
  }
}

function askPassword(error) {
  const form = $('login'), field = $('password');
  notice.hide();
  form.hidden = false;
  $('login-error').textContent = error;
  field.value = '';
  field.focus();
  const button = form.querySelector('button');
  button.disabled = false;
  return new Promise(resolve => {
    form.onsubmit = e => {
      e.preventDefault();
      if (button.disabled) return;
      button.disabled = true;
      resolve(field.value);
    };
  });
}

document.addEventListener('visibilitychange', () => {
  transport.setHidden(document.hidden);
  if (document.hidden) letGo();
});
addEventListener('blur', letGo);
addEventListener('pagehide', () => transport.close());
addEventListener('pageshow', e => e.persisted && connection.connect());
// Keys that are pressed with the focus nowhere are the picture's.
addEventListener('focus', () => document.activeElement === body && live() && focusPicture());
addEventListener('keydown', e => {
  if (e.target === body && mayControl() && !menu.isOpen) {
    input.focus({ preventScroll: true });
    keyboard.keydown(e);
  }
});
for (const type of ['fullscreenchange', 'webkitfullscreenchange']) {
  document.addEventListener(type, () => {
    const on = isFullScreen();
    const label = on ? 'Leave full screen' : 'Full screen';
    Object.assign($('full'), { title: label, ariaLabel: label, ariaPressed: String(on) });
    if (!on) navigator.keyboard?.unlock?.();
  });
}
$('full').hidden = !canFullScreen();
$('clipboard-read').addEventListener('click', async () => {
  if (await clipboard.read()) toast('The desktop has this computer’s clipboard.');
});

setting('mode', prefs.get('mode', ['fit', 'actual', 'resize']) ?? 'fit');
setting('quality', prefs.get('quality', ['auto', 'sharp', 'fast']) ?? 'auto');
setting('how', prefs.get('how', ['auto', 'position', 'character']) ?? 'auto');
setting('stats', prefs.get('stats') === true);
showTouchKeyboard(false);
menu.reflect('transport', wanted);
transport.setHidden(document.hidden);
const missing = Transport.missing();
if (missing) connection.end(missing, 'No picture');
else connection.connect().then(focusPicture);
