// The desktop's pointer: the browser draws it as the mouse's own, without a round
// trip. Where there is no mouse (fingers, or only looking on) it is drawn into the
// picture's place.

const largest = 128; // px: browsers show no larger cursor

export class Cursor {
  /**
   * @param {HTMLElement} stage gets the CSS cursor
   * @param {HTMLCanvasElement} drawn lies over the picture
   * @param {import('./view.js').View} view
   */
  constructor(stage, drawn, view) {
    Object.assign(this, { stage, drawn, view });
    this.shape = null;
    this.at = null;
    this.visible = false;
    this.own = true;
  }

  /** @param {{x, y, width, height, rgba}} shape of the server; width 0: none */
  set(shape) {
    this.shape = shape;
    const { width, height } = shape;
    const { drawn } = this;
    drawn.width = Math.max(1, width);
    drawn.height = Math.max(1, height);
    if (width && height) drawn.getContext('2d').putImageData(new ImageData(shape.rgba, width, height), 0, 0);
    this.apply();
  }

  /** Whether the mouse here is the desktop's pointer; else its own shape stays. */
  setOwn(own) {
    this.own = own;
    this.apply();
  }

  apply() {
    const { shape, stage, drawn } = this;
    if (!shape || !this.own) {
      stage.style.cursor = '';
    } else if (!shape.width || !shape.height) {
      stage.style.cursor = 'none';
    } else {
      let canvas = drawn, f = 1;
      if (Math.max(shape.width, shape.height) > largest) {
        f = largest / Math.max(shape.width, shape.height);
        canvas = document.createElement('canvas');
        canvas.width = Math.max(1, Math.round(shape.width * f));
        canvas.height = Math.max(1, Math.round(shape.height * f));
        canvas.getContext('2d').drawImage(drawn, 0, 0, canvas.width, canvas.height);
      }
      const hot = v => Math.min(Math.floor(v * f), largest - 1);
      stage.style.cursor = `url(${canvas.toDataURL()}) ${hot(shape.x)} ${hot(shape.y)}, default`;
    }
    this.place();
  }

  /** Draws the pointer at a pixel of the picture, until hide. */
  show(x, y) {
    this.at = { x, y };
    this.visible = true;
    this.place();
  }

  hide() {
    if (!this.visible) return;
    this.visible = false;
    this.place();
  }

  place() {
    const { drawn, shape, view } = this;
    drawn.hidden = !(this.visible && shape?.width && view.picture.width);
    if (drawn.hidden) return;
    // In parts of the picture, so that it stays right at every scale; on a phone the
    // picture is small, and the pointer would be too small to see.
    const { width, height } = view.picture;
    const grow = Math.max(1, 0.75 / view.scale);
    drawn.style.left = `${100 * (this.at.x + 0.5 - shape.x * grow) / width}%`;
    drawn.style.top = `${100 * (this.at.y + 0.5 - shape.y * grow) / height}%`;
    drawn.style.width = `${100 * shape.width * grow / width}%`;
    drawn.style.height = `${100 * shape.height * grow / height}%`;
  }
}
