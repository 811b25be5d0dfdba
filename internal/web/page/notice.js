// What the page says about the connection, in the middle of the window.

const $ = id => document.getElementById(id);

export class Notice {
  constructor() {
    this.button = $('notice-button');
    this.button.addEventListener('click', () => this.action?.());
  }

  /**
   * @param {string} title
   * @param {string} [text]
   * @param {{busy?: boolean, button?: string, action?: () => void}} [o]
   */
  show(title, text = '', { busy = true, button = '', action } = {}) {
    // Only what changes is written: screen readers say it.
    const put = (e, t) => e.textContent !== t && (e.textContent = t);
    put($('notice-title'), title);
    put($('notice-text'), text.trim());
    put(this.button, button);
    this.button.hidden = !button;
    this.action = action;
    $('notice').classList.toggle('still', !busy);
    $('notice').hidden = false;
  }

  hide() {
    $('notice').hidden = true;
  }
}

let timer;

/** Says something that needs no answer. */
export function toast(text) {
  const t = $('toast');
  t.textContent = text;
  t.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(() => (t.hidden = true), 5000);
}
