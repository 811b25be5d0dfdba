// The bar at the top: panels, keys, and how it gets out of the way.

import { keyOf } from './keysyms.js';

const $ = id => document.getElementById(id);
const panels = ['keys', 'clipboard', 'settings'];
const tuckAway = 6000; // ms that the bar is shown to somebody who has not said whether it shall be

// The keys of the menus, by KeyboardEvent.code: [key, location].
const keyNames = {
  ControlLeft: ['Control', 1], AltLeft: ['Alt', 1], ShiftLeft: ['Shift', 1], MetaLeft: ['Meta', 1],
  KeyT: ['t', 0], KeyW: ['w', 0], KeyN: ['n', 0],
};

/** [keysym, scancode] of a key that a menu names. */
function keyNamed(code) {
  const [key, location] = keyNames[code] ?? [code, 0];
  const k = keyOf({ key, code, location, shiftKey: false });
  return [k.keysym, k.code];
}

export class Menu {
  /**
   * @param {object} o
   * @param {import('./keyboard.js').Keyboard} o.keyboard
   * @param {import('./prefs.js').Prefs} o.prefs
   * @param {(name: string, value: any) => void} o.set a setting was changed
   * @param {() => void} o.back gives the focus to the picture
   * @param {() => void} o.full toggles full screen
   * @param {() => void} o.typing toggles the on-screen keyboard
   */
  constructor(o) {
    Object.assign(this, o);
    this.bar = $('bar');
    this.handle = $('handle');
    for (const name of panels) $(name).addEventListener('click', () => this.toggle(name));
    $('collapse').addEventListener('click', () => {
      this.collapse(true);
      this.back();
    });
    this.handle.addEventListener('click', () => this.open());
    $('full').addEventListener('click', () => this.full());
    $('typing').addEventListener('click', () => this.typing());
    for (const b of document.querySelectorAll('[data-keys]')) {
      b.addEventListener('click', () => this.keyboard.tapAndSpend(...b.dataset.keys.split(' ').map(keyNamed)));
    }
    for (const b of document.querySelectorAll('[data-sticky]')) {
      const key = keyNamed(b.dataset.sticky);
      b.addEventListener('click', () => this.keyboard.toggleSticky(...key));
      b.keysym = key[0];
    }
    this.keyboard.onsticky = () => {
      for (const b of document.querySelectorAll('[data-sticky]')) b.setAttribute('aria-pressed', this.keyboard.sticky.has(b.keysym));
    };
    // Buttons of the key bar must not take the focus from the on-screen keyboard.
    $('keybar').addEventListener('mousedown', e => e.preventDefault());
    for (const name of ['mode', 'quality', 'how', 'transport']) {
      for (const input of document.getElementsByName(name)) input.addEventListener('change', () => this.set(name, input.value));
    }
    $('view-only').addEventListener('change', e => this.set('viewOnly', e.target.checked));
    $('stats-on').addEventListener('change', e => this.set('stats', e.target.checked));
    $('controls').addEventListener('keydown', e => this.keydown(e));
    this.collapse(this.prefs.get('collapsed') === true, false);
  }

  /** Shows what a setting is. */
  reflect(name, value) {
    if (name === 'viewOnly') $('view-only').checked = value;
    else if (name === 'stats') $('stats-on').checked = value;
    else for (const input of document.getElementsByName(name)) input.checked = input.value === value;
  }

  /** What this viewer may do: without, controls for it make no sense. */
  allow({ control, resize, clipboard }) {
    for (const input of document.getElementsByName('mode')) if (input.value === 'resize') input.disabled = !resize;
    $('mode-resize').hidden = !resize;
    $('view-only').disabled = !control;
    $('clipboard').hidden = !clipboard;
    this.allowKeys(control);
  }

  allowKeys(on) {
    $('keys').hidden = !on;
    $('typing').hidden = !on;
    if (!on) this.close('keys');
  }

  /**
   * The picture is there: the bar was seen, and goes, unless it is being used or somebody
   * wanted it.
   */
  settle() {
    if (this.settled || this.prefs.get('collapsed') !== undefined) return;
    this.settled = true;
    const look = () => {
      if (this.prefs.get('collapsed') !== undefined) return;
      if (this.isOpen || $('controls').matches(':hover') || $('controls').contains(document.activeElement)) setTimeout(look, 1000);
      else this.collapse(true, false);
    };
    setTimeout(look, tuckAway);
  }

  /** Shows the bar and goes there. */
  open() {
    this.collapse(false);
    this.buttons()[0]?.focus();
  }

  /** The bar's buttons that are shown. */
  buttons() {
    return [...this.bar.querySelectorAll('button')].filter(b => b.offsetParent);
  }

  collapse(yes, remember = true) {
    this.close();
    this.bar.hidden = yes;
    this.handle.hidden = !yes;
    if (remember) this.prefs.set('collapsed', yes);
  }

  toggle(name) {
    const open = $(name).getAttribute('aria-expanded') === 'true';
    this.close();
    if (open) return this.back();
    $(`${name}-panel`).hidden = false;
    $(name).setAttribute('aria-expanded', 'true');
  }

  /** Closes a panel, or all. */
  close(only) {
    for (const name of only ? [only] : panels) {
      $(`${name}-panel`).hidden = true;
      $(name).setAttribute('aria-expanded', 'false');
    }
  }

  get isOpen() {
    return panels.some(name => !$(`${name}-panel`).hidden);
  }

  keydown(e) {
    if (e.key === 'Escape') {
      e.preventDefault();
      const open = panels.find(name => !$(`${name}-panel`).hidden);
      this.close();
      if (open && $(`${open}-panel`).contains(e.target)) $(open).focus();
      else this.back();
      return;
    }
    // A toolbar's buttons are a row for the arrow keys.
    if (!this.bar.contains(e.target)) return;
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!step) return;
    const list = this.buttons();
    list[(list.indexOf(e.target) + step + list.length) % list.length]?.focus();
    e.preventDefault();
  }
}
