// Mouse, pen and fingers on the picture become X's pointer.

import { Gestures, wheelDown, wheelLeft, wheelRight, wheelUp } from './gestures.js';

/** PointerEvent.buttons (left, right, middle, back, forward) as the server counts. */
export const buttonsOf = b => (b & 1) | (b & 4) >> 1 | (b & 2) << 1 | (b & 8) << 4 | (b & 16) << 4;

const moveInterval = 4; // ms: mice report up to 8000 times a second
const pixelStep = 60; // px of a touchpad for a step of the wheel
const lineStep = 3; // lines that a notch of a wheel scrolls

/** Counts a wheel's steps from its events, which come in pixels, lines or pages. */
export class Wheel {
  x = 0;
  y = 0;

  /** @returns {{x: number, y: number}} whole steps, down and right positive */
  steps(e) {
    // Notches of real wheels are told apart from touchpads where the browser can.
    let { deltaX, deltaY } = e;
    if (e.shiftKey && deltaX && !deltaY) [deltaX, deltaY] = [0, deltaX]; // the desktop sees Shift itself
    const count = (axis, delta, notch) => {
      if (!delta) return 0;
      if (e.deltaMode === 0 && notch && notch % 120 === 0) {
        this[axis] = 0;
        return -notch / 120;
      }
      const step = e.deltaMode === 0 ? pixelStep : e.deltaMode === 1 ? lineStep : 1;
      if (this[axis] * delta < 0) this[axis] = 0; // turned round
      this[axis] += delta;
      const whole = Math.trunc(this[axis] / step);
      this[axis] -= whole * step;
      return whole;
    };
    const swapped = deltaX !== e.deltaX;
    return {
      x: count('x', deltaX, e.wheelDeltaX),
      y: count('y', deltaY, swapped ? e.wheelDeltaX : e.wheelDeltaY),
    };
  }
}

export class Pointer {
  /**
   * @param {object} o
   * @param {HTMLElement} o.stage what the picture lies on
   * @param {import('./view.js').View} o.view
   * @param {(x: number, y: number, buttons: number) => void} o.send
   * @param {() => boolean} o.active whether the pointer is wanted
   * @param {(e: PointerEvent) => void} o.pressed a button or finger went down on the picture
   * @param {(e: PointerEvent) => void} o.seen each event of the mouse, for its modifiers
   * @param {(x: number, y: number, touch: boolean) => void} o.moved in pixels of the picture
   */
  constructor(o) {
    Object.assign(this, o);
    this.x = this.y = this.buttons = 0;
    this.last = 0;
    this.wheel = new Wheel();
    this.gestures = new Gestures({
      pointer: (x, y, buttons) => this.at(x, y, buttons, true),
      zoom: (...how) => this.view.zoomBy(...how),
      longPress: () => navigator.vibrate?.(15),
    });
    const on = (type, f, options) => this.stage.addEventListener(type, f, options);
    on('pointerdown', e => this.down(e));
    on('pointerup', e => this.up(e));
    on('pointercancel', e => this.cancel(e));
    on('pointermove', e => this.move(e));
    // Not held back to the next frame of the page, where browsers have it.
    if ('onpointerrawupdate' in globalThis) on('pointerrawupdate', e => this.raw(e));
    on('wheel', e => this.turned(e), { passive: false });
    // The browser's own uses of buttons and fingers: its menu, back and forward, selection.
    for (const type of ['contextmenu', 'mousedown', 'mouseup', 'auxclick', 'dragstart', 'selectstart']) on(type, e => this.onPicture(e) && e.preventDefault());
    for (const type of ['touchstart', 'touchmove', 'touchend']) on(type, e => e.preventDefault(), { passive: false });
  }

  // Scroll bars belong to the page.
  onPicture(e) {
    const r = this.stage.getBoundingClientRect();
    return e.clientX < r.left + this.stage.clientWidth && e.clientY < r.top + this.stage.clientHeight;
  }

  down(e) {
    if (!this.onPicture(e)) return;
    if (e.pointerType === 'touch') {
      this.pressed(e);
      this.gestures.down(e.pointerId, e.clientX, e.clientY);
      return;
    }
    this.stage.setPointerCapture(e.pointerId);
    this.captured = true;
    this.pressed(e);
    this.mouse(e);
  }

  up(e) {
    if (e.pointerType === 'touch') this.gestures.up(e.pointerId);
    else this.mouse(e);
    if (!e.buttons) this.captured = false;
  }

  cancel(e) {
    if (e.pointerType === 'touch') this.gestures.cancel();
    else this.releaseAll();
  }

  move(e) {
    if (e.pointerType === 'touch') this.gestures.move(e.pointerId, e.clientX, e.clientY);
    else this.mouse(e);
  }

  raw(e) {
    if (e.pointerType === 'touch' || e.timeStamp - this.last < moveInterval) return;
    this.last = e.timeStamp;
    this.mouse(e);
  }

  mouse(e) {
    if (!this.captured && !this.onPicture(e)) return;
    this.seen(e);
    // A press that began elsewhere on the page is not the picture's.
    this.at(e.clientX, e.clientY, this.captured ? buttonsOf(e.buttons) : 0, false);
  }

  at(clientX, clientY, buttons, touch) {
    const p = this.view.toPicture(clientX, clientY);
    if (!p || !this.active()) return;
    if (touch) this.view.keepInSight(clientX, clientY);
    if (p.x === this.x && p.y === this.y && buttons === this.buttons) return;
    [this.x, this.y, this.buttons] = [p.x, p.y, buttons];
    this.send(p.x, p.y, buttons);
    this.moved(p.x, p.y, touch);
  }

  turned(e) {
    if (!this.onPicture(e)) return;
    e.preventDefault();
    if (!this.active()) return;
    const s = this.wheel.steps(e);
    const turn = (n, bit) => {
      for (let i = 0; i < Math.min(Math.abs(n), 20); i++) {
        this.send(this.x, this.y, this.buttons | bit);
        this.send(this.x, this.y, this.buttons);
      }
    };
    if (s.x || s.y) this.mouse(e);
    turn(s.y, s.y < 0 ? wheelUp : wheelDown);
    turn(s.x, s.x < 0 ? wheelLeft : wheelRight);
  }

  /** Forgets buttons that are down; the caller tells the server. */
  releaseAll() {
    this.gestures.cancel();
    this.captured = false;
    if (this.buttons) {
      this.buttons = 0;
      this.send(this.x, this.y, 0);
    }
  }
}
