// How large the picture is and where: fitted to the window, pixel by pixel, or
// with the desktop resized to the window; zoomed by fingers; full screen.

const smallest = 1, largest = 8; // zoom by fingers
const edge = 32; // px from the border where a dragging finger moves a zoomed picture
const settled = 300; // ms without another size of the window, before the desktop gets it

/**
 * The size of the picture in CSS pixels.
 * @param {'fit'|'actual'|'resize'} mode
 * @param {{width: number, height: number}} box what there is, in CSS pixels
 * @param {{width: number, height: number}} picture in its own pixels
 * @param {number} ratio device pixels in a CSS pixel
 */
export function pictureSize(mode, box, picture, ratio, zoom = 1) {
  const { width, height } = picture;
  let scale = 1 / ratio; // a pixel of the picture is a pixel of the device
  if (mode !== 'actual') {
    scale = Math.min(box.width / width, box.height / height);
    // Pixel by pixel is sharp: take it when nearly nothing is lost.
    for (const exact of [1, 1 / ratio]) if (scale >= exact && scale < exact * 1.02) scale = exact;
  }
  scale *= zoom;
  return { width: width * scale, height: height * scale, scale };
}

export class View {
  /**
   * @param {object} o
   * @param {HTMLElement} o.stage scrolls
   * @param {HTMLElement} o.frame holds the picture
   * @param {(width: number, height: number) => void} o.resize asks for another size of the desktop
   */
  constructor(o) {
    Object.assign(this, o);
    this.mode = 'fit';
    this.zoom = 1;
    this.picture = { width: 0, height: 0 };
    new ResizeObserver(() => this.changed()).observe(this.stage);
    // The window may come to a screen with other pixels.
    const watchRatio = () => matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener('change', () => {
      this.layout();
      watchRatio();
    }, { once: true });
    watchRatio();
  }

  setMode(mode) {
    this.mode = mode;
    this.zoom = 1;
    this.changed();
  }

  setPicture(width, height) {
    this.picture = { width, height };
    this.layout();
  }

  changed() {
    this.layout();
    clearTimeout(this.timer);
    if (this.mode === 'resize') this.timer = setTimeout(() => this.askSize(), settled);
  }

  /** Asks for the window's size, if it is what is wanted and not there. */
  askSize() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    if (this.mode === 'resize' && width && height && (width !== this.picture.width || height !== this.picture.height)) this.resize(width, height);
  }

  layout() {
    const { width, height } = this.picture;
    if (!width) return;
    const r = this.stage.getBoundingClientRect(); // without scroll bars
    const s = pictureSize(this.mode, r, this.picture, devicePixelRatio, this.zoom);
    const { style } = this.frame;
    style.width = `${s.width}px`;
    style.height = `${s.height}px`;
    const device = s.scale * devicePixelRatio;
    style.imageRendering = device >= 2 && Number.isInteger(Math.round(device * 100) / 100) ? 'pixelated' : 'auto';
    // Only what does not fit needs scroll bars: rounding must not bring them.
    this.stage.classList.toggle('scrolls', s.width > r.width + 1 || s.height > r.height + 1);
    this.scale = s.scale;
  }

  /** The picture's pixel at a place of the window; outside: the nearest. */
  toPicture(clientX, clientY) {
    const { width, height } = this.picture;
    const r = this.frame.getBoundingClientRect();
    if (!width || !r.width) return null;
    const clamp = (v, n) => Math.min(Math.max(Math.floor(v), 0), n - 1);
    return {
      x: clamp((clientX - r.left) * width / r.width, width),
      y: clamp((clientY - r.top) * height / r.height, height),
    };
  }

  /** Zooms around a place of the window, and moves the picture. */
  zoomBy(factor, clientX, clientY, dx, dy) {
    const before = this.frame.getBoundingClientRect();
    const fx = (clientX - dx - before.left) / before.width, fy = (clientY - dy - before.top) / before.height;
    this.zoom = Math.min(Math.max(this.zoom * factor, smallest), largest);
    this.layout();
    const after = this.frame.getBoundingClientRect();
    this.stage.scrollBy(after.left + fx * after.width - clientX, after.top + fy * after.height - clientY);
  }

  /** Moves a picture that is larger than the window when a finger is at the border. */
  keepInSight(clientX, clientY) {
    if (!this.stage.classList.contains('scrolls')) return;
    const r = this.stage.getBoundingClientRect();
    const by = (v, low, high) => (v < low + edge ? v - low - edge : v > high - edge ? v - high + edge : 0) / 2;
    this.stage.scrollBy(by(clientX, r.left, r.right), by(clientY, r.top, r.bottom));
  }
}

export const canFullScreen = () => document.fullscreenEnabled ?? document.webkitFullscreenEnabled ?? false;
export const isFullScreen = () => Boolean(document.fullscreenElement ?? document.webkitFullscreenElement);

/** Goes to full screen, where the browser then also leaves its own shortcuts to us, or back. */
export async function toggleFullScreen() {
  if (isFullScreen()) {
    await (document.exitFullscreen ?? document.webkitExitFullscreen).call(document);
    return;
  }
  const root = document.documentElement;
  await (root.requestFullscreen ?? root.webkitRequestFullscreen).call(root, { navigationUI: 'hide' });
  // Chrome and Edge: Alt+Tab, Ctrl+W, the Windows key and Escape come here (a long Escape ends it).
  await navigator.keyboard?.lock?.().catch(() => {});
}
