// Fingers to a pointer with buttons and a wheel:
//
//   tap                       left click; again at once: double click
//   drag                      drag with the left button
//   long press                right button, down until the finger leaves
//   tap with two, three       right, middle click
//   two fingers, side by side the wheel
//   two fingers, apart        zoom, and move the zoomed picture
//
// It knows fingers by number and where they are, in CSS pixels, and nothing of
// the page.

const slop = 10; // px that a finger may move and still rest
const longPress = 500; // ms
const tapTime = 350; // ms within which taps of several fingers end
const again = 400; // ms and
const near = 40; // px within which a second tap is meant for the same place
const pinchSlop = 24; // px of distance between fingers that begin to zoom
const wheelStep = 28; // px of movement for a step of the wheel

export const left = 1, middle = 2, right = 4, wheelUp = 8, wheelDown = 16, wheelLeft = 32, wheelRight = 64;

const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);

export class Gestures {
  /**
   * @param {object} o
   * @param {(x: number, y: number, buttons: number) => void} o.pointer
   * @param {(factor: number, x: number, y: number, dx: number, dy: number) => void} o.zoom by factor
   *   around x, y, and move by dx, dy
   * @param {() => void} [o.longPress] was recognised
   * @param {() => number} [o.now] ms
   */
  constructor(o) {
    this.o = { now: () => performance.now(), ...o };
    this.fingers = new Map();
    this.state = 'idle'; // one, drag, held, several, scroll, pinch, done
    this.most = 0;
    this.lastTap = null;
  }

  down(id, x, y) {
    this.fingers.set(id, { x, y, startX: x, startY: y });
    this.most = Math.max(this.most, this.fingers.size);
    if (this.state === 'idle') {
      this.state = 'one';
      this.began = this.o.now();
      this.timer = setTimeout(() => this.hold(), longPress);
    } else if (this.state === 'one' || this.state === 'several') {
      clearTimeout(this.timer);
      this.state = 'several';
      this.mark();
    }
  }

  move(id, x, y) {
    const f = this.fingers.get(id);
    if (!f) return;
    f.x = x;
    f.y = y;
    switch (this.state) {
      case 'one':
        if (Math.hypot(x - f.startX, y - f.startY) <= slop) return;
        clearTimeout(this.timer);
        this.state = 'drag';
        this.o.pointer(f.startX, f.startY, 0);
        this.o.pointer(f.startX, f.startY, left);
        this.o.pointer(x, y, left);
        return;
      case 'drag':
        return this.o.pointer(x, y, left);
      case 'held':
        return this.o.pointer(x, y, right);
      case 'several':
        return this.decide();
      case 'scroll':
        return this.scroll();
      case 'pinch':
        return this.pinch();
    }
  }

  up(id) {
    const f = this.fingers.get(id);
    if (!f) return;
    this.fingers.delete(id);
    clearTimeout(this.timer);
    switch (this.state) {
      case 'one':
        this.tap(f);
        this.state = 'done';
        break;
      case 'drag':
      case 'held':
        this.o.pointer(f.x, f.y, 0);
        this.state = 'done';
        break;
      case 'several':
        if (this.fingers.size) break;
        if (this.o.now() - this.began <= tapTime) this.click(this.at.x, this.at.y, this.most === 2 ? right : middle);
        break;
      case 'scroll':
      case 'pinch':
        this.state = 'done'; // the finger that is left does nothing new
    }
    if (!this.fingers.size) {
      this.state = 'idle';
      this.most = 0;
    }
  }

  /** The system took the fingers away: nothing that they began is finished. */
  cancel() {
    clearTimeout(this.timer);
    if (this.state === 'drag' || this.state === 'held') {
      const [f] = this.fingers.values();
      this.o.pointer(f.x, f.y, 0);
    }
    this.fingers.clear();
    this.state = 'idle';
    this.most = 0;
  }

  tap(f) {
    const now = this.o.now(), last = this.lastTap;
    // A double click has to be at one place; fingers are not.
    const at = last && now - last.time < again && distance(last, { x: f.startX, y: f.startY }) < near ? last : { x: f.startX, y: f.startY };
    this.click(at.x, at.y, left);
    this.lastTap = { x: at.x, y: at.y, time: now };
  }

  click(x, y, button) {
    this.o.pointer(x, y, 0);
    this.o.pointer(x, y, button);
    this.o.pointer(x, y, 0);
  }

  hold() {
    const [f] = this.fingers.values();
    this.state = 'held';
    this.o.pointer(f.x, f.y, 0);
    this.o.pointer(f.x, f.y, right);
    this.o.longPress?.();
  }

  // middleOf and spread describe the first two fingers.
  middleOf() {
    const [a, b = a] = this.fingers.values();
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  }

  spread() {
    const [a, b = a] = this.fingers.values();
    return distance(a, b);
  }

  mark() {
    this.at = this.middleOf();
    this.apart = this.spread();
  }

  decide() {
    if (this.fingers.size !== 2) return;
    const moved = distance(this.middleOf(), this.at);
    const grown = Math.abs(this.spread() - this.apart);
    if (grown > pinchSlop && grown > moved) {
      this.state = 'pinch';
      this.mark();
    } else if (moved > slop * 1.5 && grown < pinchSlop) {
      this.state = 'scroll';
      this.from = this.at; // what was moved until now counts
      this.o.pointer(this.at.x, this.at.y, 0);
      this.scroll();
    }
  }

  // The page under the fingers follows them: fingers up, wheel down.
  scroll() {
    const m = this.middleOf();
    const step = (delta, less, more) => {
      const n = Math.trunc(delta / wheelStep);
      for (let i = 0; i < Math.abs(n); i++) {
        this.o.pointer(this.at.x, this.at.y, n < 0 ? less : more);
        this.o.pointer(this.at.x, this.at.y, 0);
      }
      return n * wheelStep;
    };
    this.from = {
      x: this.from.x + step(m.x - this.from.x, wheelRight, wheelLeft),
      y: this.from.y + step(m.y - this.from.y, wheelDown, wheelUp),
    };
  }

  pinch() {
    const m = this.middleOf(), d = Math.max(1, this.spread());
    this.o.zoom(d / Math.max(1, this.apart), m.x, m.y, m.x - this.at.x, m.y - this.at.y);
    this.at = m;
    this.apart = d;
  }
}
