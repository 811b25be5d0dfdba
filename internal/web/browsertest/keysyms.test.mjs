import assert from 'node:assert/strict';
import test from 'node:test';
import { isChar, keyOf, keysymOfChar, scancode } from '../page/keysyms.js';

const event = o => ({ key: '', code: '', location: 0, ctrlKey: false, altKey: false, shiftKey: false, metaKey: false, getModifierState: () => false, ...o });
const of = (o, options) => {
  const k = keyOf(event(o), options);
  return k && [k.keysym, k.code];
};

test('characters', () => {
  for (const [c, want] of [['a', 0x61], ['Z', 0x5a], [' ', 0x20], ['~', 0x7e], ['ä', 0xe4], ['ÿ', 0xff], ['\u00a0', 0xa0],
    ['€', 0x010020ac], ['я', 0x0100044f], ['😀', 0x0101f600], ['\n', 0xff0d], ['\r', 0xff0d], ['\t', 0xff09],
    ['\x00', 0], ['\x7f', 0], ['\x85', 0], ['ab', 0], ['', 0], ['\ud800', 0]]) {
    assert.equal(keysymOfChar(c), want, JSON.stringify(c));
  }
  assert.ok(isChar('😀') && isChar('a'));
  assert.ok(!isChar('Enter') && !isChar(''));
});

test('scancodes are those of the XT keyboard', () => {
  for (const [code, want] of Object.entries({
    Escape: 1, Digit1: 2, Digit0: 11, KeyQ: 16, KeyP: 25, KeyA: 30, KeyL: 38, KeyZ: 44, KeyM: 50, Space: 57, F1: 59, F10: 68, F11: 87, F12: 88,
    Numpad5: 0x4c, IntlBackslash: 0x56, ControlRight: 0x9d, AltRight: 0xb8, ArrowUp: 0xc8, Delete: 0xd3, MetaLeft: 0xdb, NumpadEnter: 0x9c, Nothing: 0,
  })) assert.equal(scancode(code), want, code);
  const seen = new Map();
  for (const code of 'Escape Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0 Minus Equal Backspace Tab KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft BracketRight Enter ControlLeft KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote Backquote ShiftLeft Backslash KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period Slash ShiftRight NumpadMultiply AltLeft Space CapsLock F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 NumLock ScrollLock'.split(' ')) {
    const n = scancode(code);
    assert.equal(n, seen.size + 1, `${code} is in the row of the first keyboard`);
    seen.set(n, code);
  }
});

test('named keys, left, right and keypad', () => {
  assert.deepEqual(of({ key: 'Enter', code: 'Enter' }), [0xff0d, 0x1c]);
  assert.deepEqual(of({ key: 'Enter', code: 'NumpadEnter', location: 3 }), [0xff8d, 0x9c]);
  assert.deepEqual(of({ key: 'Shift', code: 'ShiftLeft', location: 1 }), [0xffe1, 0x2a]);
  assert.deepEqual(of({ key: 'Shift', code: 'ShiftRight', location: 2 }), [0xffe2, 0x36]);
  assert.deepEqual(of({ key: 'Alt', code: 'AltRight', location: 2 }), [0xffea, 0xb8]);
  assert.deepEqual(of({ key: 'Meta', code: 'MetaRight', location: 2 }), [0xffec, 0xdc]);
  assert.deepEqual(of({ key: 'F12', code: 'F12' }), [0xffc9, 0x58]);
  assert.deepEqual(of({ key: 'ArrowUp', code: 'ArrowUp' }), [0xff52, 0xc8]);
  assert.deepEqual(of({ key: 'Delete', code: 'Delete' }), [0xffff, 0xd3]);
  assert.equal(of({ key: 'Unidentified', code: '' }), null);
});

test('the keypad says what Num Lock made of it', () => {
  const seven = { code: 'Numpad7', location: 3 };
  assert.deepEqual(of({ ...seven, key: '7' }), [0xffb7, 0]);
  assert.deepEqual(of({ ...seven, key: 'Home' }), [0xff95, 0]);
  assert.deepEqual(of({ ...seven, key: 'Home' }, { how: 'position' }), [0xff95, 0x47]);
  assert.deepEqual(of({ key: '+', code: 'NumpadAdd', location: 3 }), [0xffab, 0x4e]);
  assert.deepEqual(of({ key: ',', code: 'NumpadDecimal', location: 3 }), [0xffac, 0x53]);
});

test('keys of other layouts are characters, unless asked otherwise', () => {
  const a = { key: 'a', code: 'KeyA' };
  assert.deepEqual(of(a), [0x61, 0x1e]);
  assert.deepEqual(of(a, { how: 'character' }), [0x61, 0]);
  assert.deepEqual(of({ key: 'A', code: 'KeyA', shiftKey: true }), [0x41, 0x1e]);
  assert.deepEqual(of({ key: 'A', code: 'KeyA' }), [0x41, 0], 'Caps Lock');
  assert.deepEqual(of(a, { lock: true }), [0x61, 0], 'Caps Lock was seen');
  const french = { key: 'a', code: 'KeyQ' };
  assert.deepEqual(of(french), [0x61, 0]);
  assert.deepEqual(of(french, { how: 'position' }), [0x61, 0x10]);
  assert.deepEqual(of({ key: 'ß', code: 'Minus' }), [0xdf, 0]);
  assert.deepEqual(of({ key: '@', code: 'KeyQ', getModifierState: m => m === 'AltGraph', ctrlKey: true, altKey: true }), [0x40, 0]);
  assert.deepEqual(of({ key: 'AltGraph', code: 'AltRight', location: 2 }), [0xfe03, 0]);
  assert.deepEqual(of({ key: 'AltGraph', code: 'AltRight', location: 2 }, { how: 'position' }), [0xfe03, 0xb8]);
});

test('shortcuts work on keyboards without Latin letters', () => {
  assert.deepEqual(of({ key: 'с', code: 'KeyC', ctrlKey: true }), [0x63, 0x2e]);
  assert.deepEqual(of({ key: 'с', code: 'KeyC' }), [0x01000441, 0]);
});

test('macOS', () => {
  const mac = { mac: true };
  assert.deepEqual(of({ key: 'Alt', code: 'AltLeft', location: 1 }, mac), [0xfe03, 0]);
  assert.deepEqual(of({ key: 'Meta', code: 'MetaLeft', location: 1 }, mac), [0xffe9, 0x38]);
  assert.deepEqual(of({ key: '∂', code: 'KeyD', altKey: true }, mac), [0x01002202, 0]);
});
