import assert from 'node:assert/strict';
import test from 'node:test';
import { difference, Keyboard } from '../page/keyboard.js';

// A text area as far as the keyboard sees it.
class Area extends EventTarget {
  value = '';
  setSelectionRange() {}
}

function keyboard(o = {}) {
  const sent = [];
  const k = new Keyboard({
    input: new Area(), platform: 'Linux x86_64', active: () => true,
    send: (down, keysym) => sent.push((down ? '+' : '-') + keysym.toString(16)),
    release: () => sent.push('release'),
    beforePaste: () => true,
    leave: () => sent.push('leave'),
    ...o,
  });
  const event = (type, key, code, fields = {}) => {
    const e = new Event(type, { cancelable: true });
    Object.assign(e, { key, code, location: 0, ctrlKey: false, altKey: false, shiftKey: false, metaKey: false, repeat: false, isComposing: false, getModifierState: () => false, ...fields });
    k.input.dispatchEvent(e);
    return e;
  };
  const take = () => sent.splice(0).join(' ');
  return { k, take, down: (...a) => event('keydown', ...a), up: (...a) => event('keyup', ...a), event };
}

const ctrl = ['Control', 'ControlLeft'], alt = ['Alt', 'AltLeft'], shift = ['Shift', 'ShiftLeft'];

test('what went down goes up, though modifiers changed', () => {
  const { down, up, take } = keyboard();
  down(...shift, { shiftKey: true, location: 1 });
  down('A', 'KeyA', { shiftKey: true });
  down('A', 'KeyA', { shiftKey: true, repeat: true });
  up(...shift, { location: 1 });
  up('a', 'KeyA');
  assert.equal(take(), '+ffe1 +41 -ffe1 -41');
  up('b', 'KeyB');
  assert.equal(take(), '', 'a key that went down elsewhere');
});

test('modifiers whose way up was not seen', () => {
  const { k, down, take } = keyboard();
  down(...alt, { altKey: true, location: 1 });
  take();
  down('x', 'KeyX'); // Alt+Tab went elsewhere, and Alt came up there
  assert.equal(take(), '-ffe9 +78');
  down(...ctrl, { ctrlKey: true, location: 1 });
  k.syncModifiers({ ctrlKey: false, altKey: false, shiftKey: false, metaKey: false, code: '' }); // a mouse event
  assert.equal(take(), '+ffe3 -ffe3');
});

test('all is let go when the focus leaves', () => {
  const { k, down, up, take } = keyboard();
  down(...alt, { altKey: true, location: 1 });
  down('Tab', 'Tab', { altKey: true });
  k.input.dispatchEvent(new Event('blur'));
  assert.equal(take(), '+ffe9 +ff09 release');
  up(...alt);
  k.input.dispatchEvent(new Event('blur'));
  assert.equal(take(), '');
});

test('AltGr on Windows is not Ctrl', async () => {
  const { down, up, take } = keyboard({ platform: 'Windows' });
  down(...ctrl, { ctrlKey: true, location: 1 });
  down('AltGraph', 'AltRight', { location: 2, ctrlKey: true, altKey: true, getModifierState: m => m === 'AltGraph' });
  down('@', 'KeyQ', { ctrlKey: true, altKey: true, getModifierState: m => m === 'AltGraph' });
  up('@', 'KeyQ', { ctrlKey: true, altKey: true });
  up(...ctrl, { location: 1 });
  up('AltGraph', 'AltRight', { location: 2 });
  assert.equal(take(), '+fe03 +40 -40 -fe03');
  down(...ctrl, { ctrlKey: true, location: 1 });
  down('c', 'KeyC', { ctrlKey: true });
  up('c', 'KeyC', { ctrlKey: true });
  up(...ctrl, { location: 1 });
  assert.equal(take(), '+ffe3 +63 -63 -ffe3');
  down(...ctrl, { ctrlKey: true, location: 1 });
  up(...ctrl, { location: 1 });
  assert.equal(take(), '+ffe3 -ffe3', 'Ctrl alone');
});

test('a paste waits for its text', () => {
  const { k, down, up, take } = keyboard();
  down(...ctrl, { ctrlKey: true, location: 1 });
  const e = down('v', 'KeyV', { ctrlKey: true });
  assert.equal(e.defaultPrevented, false);
  assert.equal(take(), '+ffe3');
  k.pasteDone(); // the paste event came
  assert.equal(take(), '+76 -76');
  up('v', 'KeyV', { ctrlKey: true });
  assert.equal(take(), '');
  down('v', 'KeyV', { ctrlKey: true });
  up('v', 'KeyV', { ctrlKey: true });
  assert.equal(take(), '+76 -76', 'there was nothing to paste');
});

test('dead keys and input methods', async () => {
  const { k, down, event, take } = keyboard();
  assert.equal(down('Dead', 'BracketLeft').defaultPrevented, false);
  assert.equal(down('Process', 'KeyN', { keyCode: 229 }).defaultPrevented, false);
  down('n', 'KeyN', { isComposing: true });
  event('compositionend', '', '', { data: '日本' });
  assert.equal(take(), '+10065e5 -10065e5 +100672c -100672c');
  k.input.value = '日本';
  event('input', '', '', { inputType: 'insertFromComposition' }); // Safari
  assert.equal(take(), '');
  k.input.value = 'é';
  event('input', '', '', { inputType: 'insertText' });
  assert.equal(take(), '+e9 -e9');
  assert.equal(k.input.value, '');
});

test('on-screen keyboards change text', () => {
  const { k, event, take } = keyboard();
  k.touchKeyboard = true;
  k.clearText();
  const set = v => {
    k.input.value = v;
    event('input', '', '', { inputType: 'insertCompositionText', isComposing: true });
  };
  const base = k.input.value;
  set(base + 'h');
  set(base + 'ht');
  set(base + 'he'); // corrected
  assert.equal(take(), '+68 -68 +74 -74 +ff08 -ff08 +65 -65');
  set(base.slice(1));
  assert.match(take(), /^(\+ff08 -ff08 ?){3}$/);
  const e = event('beforeinput', '', '', { inputType: 'insertLineBreak' });
  assert.ok(e.defaultPrevented);
  assert.equal(take(), '+ff0d -ff0d');
  assert.deepEqual(difference('teh', 'the '), { back: 2, text: 'he ' });
  assert.deepEqual(difference('a😀', 'a😁'), { back: 1, text: '😁' });
});

test('modifiers of the key bar hold for one key', () => {
  const { k, down, up, take } = keyboard();
  k.toggleSticky(0xffe3, 0x1d);
  k.type('c');
  k.type('d');
  assert.equal(take(), '+ffe3 +63 -63 -ffe3 +64 -64');
  k.toggleSticky(0xffe3, 0x1d);
  down('c', 'KeyC');
  up('c', 'KeyC');
  assert.equal(take(), '+ffe3 +63 -63 -ffe3');
  k.toggleSticky(0xffe9, 0x38);
  k.toggleSticky(0xffe9, 0x38);
  assert.equal(take(), '+ffe9 -ffe9');
});

test('Ctrl+Alt+Shift leads to the controls', () => {
  const { down, up, take } = keyboard();
  const all = { ctrlKey: true, altKey: true, shiftKey: true, location: 1 };
  down(...ctrl, { ctrlKey: true, location: 1 });
  down(...alt, { ctrlKey: true, altKey: true, location: 1 });
  down(...shift, all);
  take();
  up(...shift, { ...all, shiftKey: false });
  assert.equal(take(), 'release leave');
  down(...ctrl, { ctrlKey: true, location: 1 });
  down(...alt, { ctrlKey: true, altKey: true, location: 1 });
  down(...shift, all);
  down('T', 'KeyT', all);
  take();
  up('T', 'KeyT', all);
  up(...shift, { ...all, shiftKey: false });
  assert.equal(take(), '-54 -ffe1', 'a shortcut of the desktop');
});

test('nothing while nothing is wanted', () => {
  const { down, take } = keyboard({ active: () => false });
  assert.equal(down('a', 'KeyA').defaultPrevented, false);
  assert.equal(take(), '');
});

test('Command on a Mac', () => {
  const { k, down, take } = keyboard({ platform: 'macOS' });
  down('Meta', 'MetaLeft', { metaKey: true, location: 1 });
  down('c', 'KeyC', { metaKey: true });
  assert.equal(take(), '+ffe9 -ffe9 +ffe3 +63 -63 -ffe3');
  down('v', 'KeyV', { metaKey: true });
  assert.equal(take(), '');
  k.pasteDone();
  assert.equal(take(), '+ffe3 +76 -76 -ffe3');
});
