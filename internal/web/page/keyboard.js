// Keys: from KeyboardEvents, input methods and on-screen keyboards to keysyms
// and scancodes. What goes down is remembered by the place of its key, and
// exactly that goes up again, whatever modifiers changed in between.

import { keyOf, keysymOfChar, XK } from './keysyms.js';

const modifiers = [
  ['ctrlKey', [XK.ControlL, XK.ControlR], ['ControlLeft', 'ControlRight']],
  ['shiftKey', [XK.ShiftL, XK.ShiftR], ['ShiftLeft', 'ShiftRight']],
  ['altKey', [XK.AltL, XK.AltR, XK.Level3Shift], ['AltLeft', 'AltRight']],
  ['metaKey', [XK.SuperL, XK.SuperR], ['MetaLeft', 'MetaRight', 'OSLeft', 'OSRight']],
];
const modifierCodes = new Set(modifiers.flatMap(([, , codes]) => codes));

const altGrWait = 50; // ms: on Windows the right Alt comes as Ctrl and, at once, AltGraph

export class Keyboard {
  /**
   * @param {object} o
   * @param {HTMLTextAreaElement} o.input has the focus while keys go to the desktop
   * @param {(down: boolean, keysym: number, code: number) => void} o.send
   * @param {() => void} o.release lets go of everything at the server
   * @param {() => boolean} o.active whether keys are wanted
   * @param {() => Promise<void>|null} o.beforePaste see paste below
   * @param {() => void} o.leave the keys to leave the picture were pressed
   * @param {string} o.platform of the navigator
   */
  constructor(o) {
    Object.assign(this, o);
    this.mac = /mac|iphone|ipad/i.test(o.platform);
    this.windows = /win/i.test(o.platform);
    this.how = 'auto';
    this.held = new Map(); // KeyboardEvent.code -> {keysym, code}
    this.lock = false;
    this.control = null; // a Ctrl of Windows that may be half of an AltGr
    this.pasting = null; // the key of a paste that waits for the text
    this.sticky = new Map(); // modifiers of the key bar: keysym -> code
    this.leaving = false;
    this.touchKeyboard = false; // the text comes from an on-screen keyboard
    this.text = '';
    const on = (type, f) => this.input.addEventListener(type, f);
    on('keydown', e => this.keydown(e));
    on('keyup', e => this.keyup(e));
    on('blur', () => this.releaseAll());
    on('input', e => this.typed(e));
    on('compositionend', e => this.composed(e));
    on('beforeinput', e => this.beforeInput(e));
    this.clearText();
  }

  press(place, key) {
    this.held.set(place, key);
    this.send(true, key.keysym, key.code);
  }

  lift(place) {
    const key = this.held.get(place);
    if (!key) return;
    this.held.delete(place);
    this.send(false, key.keysym, key.code);
  }

  /** Lets go of everything, here and at the server. */
  releaseAll() {
    const any = this.held.size > 0 || this.sticky.size > 0;
    this.held.clear();
    this.sticky.clear();
    clearTimeout(this.control?.timer);
    this.control = this.pasting = null;
    this.leaving = false;
    this.onsticky?.();
    if (any) this.release();
  }

  keydown(e) {
    if (!this.active()) return;
    if (e.isComposing || e.keyCode === 229 || e.key === 'Process' || e.key === 'Dead') return; // the text comes later
    if (e.key === 'Unidentified' && !e.code) return; // on-screen keyboards
    this.syncModifiers(e);
    this.watchLeave(e);
    if (this.control && e.key === 'AltGraph') this.dropControl();
    else this.flushControl();
    if (e.key === 'CapsLock' || e.getModifierState?.('CapsLock')) this.lock = true;
    const key = keyOf(e, this);
    if (!key) return;

    if (this.mac && e.metaKey && ['c', 'x', 'v', 'a', 'z'].includes(e.key)) {
      this.macCommand(e);
      return;
    }
    const paste = e.key === 'Paste' || (e.key === 'Insert' && e.shiftKey) || (e.code === 'KeyV' && e.ctrlKey && !e.altKey && !e.metaKey);
    if (paste && this.beforePaste()) {
      // The browser's paste event brings the text: then the desktop has it before the key.
      if (!e.repeat) this.pasting = { place: e.code, key };
      return;
    }
    e.preventDefault();
    if (e.code === 'ControlLeft' && this.windows && !this.held.has(e.code) && !e.repeat) {
      this.control = { place: e.code, key, timer: setTimeout(() => this.flushControl(), altGrWait) };
      return;
    }
    // A repeat is the X server's business while the key is down.
    if (this.held.has(e.code)) {
      if (e.repeat) return;
      this.lift(e.code);
    }
    this.press(e.code || e.key, key);
    this.spendSticky(e.code);
  }

  keyup(e) {
    if (e.code === 'ControlLeft' && this.control) this.flushControl();
    if (this.pasting?.place === e.code) this.pasteDone(); // no paste event came: nothing to paste
    if (this.leaving && modifierCodes.has(e.code)) {
      this.leaving = false;
      this.releaseAll();
      this.leave();
      return;
    }
    if (!this.held.has(e.code || e.key)) return;
    e.preventDefault();
    this.lift(e.code || e.key);
    // macOS does not tell of keys that go up while Command is down.
    if (this.mac && e.key === 'Meta') for (const place of [...this.held.keys()]) if (!modifierCodes.has(place)) this.lift(place);
    // Windows tells of one Shift only when both were down.
    if (e.key === 'Shift' && !e.shiftKey) for (const place of ['ShiftLeft', 'ShiftRight']) this.lift(place);
  }

  /** The clipboard's text is at the server, or there is none: now the key. */
  pasteDone() {
    const p = this.pasting;
    this.pasting = null;
    if (p) {
      this.press(p.place, p.key);
      this.lift(p.place);
    }
  }

  // Command+C and friends are Ctrl+C and friends on the desktop.
  macCommand(e) {
    for (const place of ['MetaLeft', 'MetaRight']) this.lift(place);
    const key = { ...keyOf({ key: e.key, code: e.code, location: 0 }, this) };
    const chord = () => this.tap([XK.ControlL, 0x1d], [key.keysym, key.code]);
    if (e.key === 'v' && this.beforePaste()) {
      this.pasting = { place: e.code, key };
      this.pasteDone = () => {
        delete this.pasteDone; // the class's again
        if (this.pasting) chord();
        this.pasting = null;
      };
      return;
    }
    e.preventDefault();
    if (!e.repeat) chord();
  }

  /** Presses keys in order, and releases them backwards: Ctrl+Alt+Del. */
  tap(...keys) {
    for (const [keysym, code] of keys) this.send(true, keysym, code ?? 0);
    for (const [keysym, code] of [...keys].reverse()) this.send(false, keysym, code ?? 0);
  }

  /** Presses keys from a menu; held modifiers of the key bar have then done their part. */
  tapAndSpend(...keys) {
    this.tap(...keys);
    this.spendSticky();
  }

  /** Types text, character by character. */
  type(text) {
    for (const c of text.replaceAll('\r\n', '\n')) {
      const keysym = keysymOfChar(c);
      if (keysym) this.tap([keysym, 0]);
    }
    this.spendSticky();
  }

  // Alt+Tab and the like take the focus, and the key's way up goes elsewhere: any
  // event that says that a modifier is up is believed. Pointer events come here, too.
  syncModifiers(e) {
    for (const [flag, keysyms, codes] of modifiers) {
      if (e[flag] || codes.includes(e.code)) continue;
      if (flag === 'altKey' && e.getModifierState?.('AltGraph')) continue;
      for (const [place, key] of this.held) {
        if (codes.includes(place) && keysyms.includes(key.keysym)) this.lift(place);
      }
      if (flag === 'ctrlKey' && this.control) this.dropControl();
    }
  }

  flushControl() {
    const c = this.control;
    if (!c) return;
    this.dropControl();
    this.press(c.place, c.key);
  }

  dropControl() {
    clearTimeout(this.control?.timer);
    this.control = null;
  }

  // Ctrl+Alt+Shift, and then let go without another key: to the page's own controls.
  watchLeave(e) {
    this.leaving = e.ctrlKey && e.altKey && e.shiftKey && modifierCodes.has(e.code);
  }

  /** Holds a modifier of the key bar until the next key; again: lets go. */
  toggleSticky(keysym, code) {
    if (this.sticky.has(keysym)) {
      this.sticky.delete(keysym);
      this.send(false, keysym, code);
    } else {
      this.sticky.set(keysym, code);
      this.send(true, keysym, code);
    }
    this.onsticky?.();
  }

  spendSticky(code) {
    if (!this.sticky.size || modifierCodes.has(code)) return;
    // The key itself must be up first: it may be held here for long.
    for (const place of [...this.held.keys()]) if (!modifierCodes.has(place)) this.lift(place);
    for (const [keysym, scan] of this.sticky) this.send(false, keysym, scan);
    this.sticky.clear();
    this.onsticky?.();
  }

  // Text that comes without keys: dead keys, input methods, on-screen keyboards,
  // dictation. A textarea with a few characters in it gets it; an on-screen keyboard can
  // then delete, and say so by the difference.

  clearText() {
    this.text = this.touchKeyboard ? filler : '';
    if (this.input.value !== this.text) this.input.value = this.text;
    this.input.setSelectionRange?.(this.text.length, this.text.length);
  }

  beforeInput(e) {
    if (!this.active()) return;
    // Some on-screen keyboards have no key event for Enter.
    if (e.inputType === 'insertLineBreak' || e.inputType === 'insertParagraph') {
      e.preventDefault();
      this.tap([XK.Return, 0]);
      this.clearText();
    } else if (e.inputType === 'insertFromPaste' || e.inputType === 'insertFromDrop') {
      e.preventDefault(); // clipboard.js has it
    }
  }

  typed(e) {
    if (!this.active()) return this.clearText();
    // A word that is being composed changes until its end; an on-screen keyboard composes
    // every word, and there each letter counts at once.
    if (e.isComposing && !this.touchKeyboard) return;
    if (this.touchKeyboard) {
      const { back, text } = difference(this.text, this.input.value);
      for (let i = 0; i < back; i++) this.tap([XK.BackSpace, 0x0e]);
      this.type(text);
      this.text = this.input.value;
      if (!e.isComposing && (this.text.length > 200 || this.text.length < filler.length / 2)) this.clearText();
      return;
    }
    if (!/Composition/.test(e.inputType)) this.type(this.input.value); // that text comes with compositionend
    this.clearText();
  }

  composed(e) {
    if (!this.touchKeyboard && this.active()) this.type(e.data);
    // The value may still change in this event's wake.
    setTimeout(() => this.clearText(), 0);
  }
}

const filler = '          ';

/** How to get from one text to another at the cursor: deletions, then characters. */
export function difference(before, after) {
  const a = Array.from(before), b = Array.from(after);
  let same = 0;
  while (same < a.length && same < b.length && a[same] === b[same]) same++;
  return { back: a.length - same, text: b.slice(same).join('') };
}
