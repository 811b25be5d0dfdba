// The clipboard, both ways. Browsers give it away only with permission, or while
// a key or button of the user is being handled; so
//   to the desktop    on paste (the browser's own event), when the window gets the focus
//                     where reading was allowed, and from the text field of the panel;
//   to this computer  at once where the browser allows, else with the next key or click.

export class Clipboard {
  /**
   * @param {object} o
   * @param {HTMLTextAreaElement} o.input has the focus while keys go to the desktop
   * @param {HTMLTextAreaElement} o.field shows and takes the text
   * @param {(text: string) => void} o.send
   * @param {() => void} o.pasted the desktop has the text of a paste, or there was none
   * @param {(what: string) => void} o.tell a few words for the user
   */
  constructor(o) {
    Object.assign(this, o);
    this.canSend = this.canReceive = false;
    this.limit = 1 << 20; // bytes of UTF-8
    this.known = null; // what both sides have
    this.pending = null; // text of the desktop that this computer does not have yet
    this.input.addEventListener('paste', e => {
      e.preventDefault();
      // What is still on its way here is newer than what is here.
      if (this.pending === null) this.offer(e.clipboardData.getData('text/plain'));
      this.pasted();
    });
    this.field.addEventListener('input', () => this.offer(this.field.value));
    addEventListener('copy', e => {
      if (this.copying === undefined) return;
      e.clipboardData.setData('text/plain', this.copying);
      e.preventDefault();
    });
    for (const type of ['keydown', 'pointerdown', 'pointerup', 'keyup']) addEventListener(type, () => this.deliver(), true);
    addEventListener('focus', () => this.look());
  }

  /** Another server, or the same again: it has nothing of ours. */
  begin(limit = this.limit) {
    this.limit = limit;
    this.known = null;
    this.look();
  }

  /** Sends text to the desktop, unless it has it. */
  offer(text) {
    if (!this.canSend || !text || text === this.known) return;
    const lines = text.replaceAll('\r\n', '\n');
    this.known = text;
    if (new TextEncoder().encode(lines).length > this.limit) {
      this.tell('The clipboard holds more text than the server takes: it was not sent.');
      return;
    }
    this.pending = null;
    if (this.field.value !== text) this.field.value = text;
    this.send(lines);
  }

  /** Takes text that was copied on the desktop. */
  receive(text) {
    if (!this.canReceive) return;
    this.known = this.pending = text;
    this.field.value = text;
    this.deliver();
  }

  /** Gives the text to this computer, as far as the browser lets us. */
  async deliver() {
    const text = this.pending;
    if (text === null || this.delivering) return;
    this.delivering = true;
    try {
      const active = navigator.userActivation?.isActive; // if not even now, then never
      if ((await this.write(text) || active) && this.pending === text) this.pending = null;
    } finally {
      this.delivering = false;
    }
  }

  async write(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      if (!navigator.userActivation?.isActive) return false;
    }
    // Pages from http:// have no navigator.clipboard.
    this.copying = text;
    try {
      return document.execCommand('copy');
    } finally {
      this.copying = undefined;
    }
  }

  /** Reads this computer's clipboard, where the user has allowed that before. */
  async look() {
    if (!this.canSend || this.pending !== null || !document.hasFocus()) return;
    try {
      const { state } = await navigator.permissions.query({ name: 'clipboard-read' });
      if (state === 'granted') this.offer(await navigator.clipboard.readText());
    } catch {
      // The browser has no such permission: paste and the panel are left.
    }
  }

  /** Whether a button that reads the clipboard, with the browser's question, makes sense. */
  get canRead() {
    return Boolean(navigator.clipboard?.readText);
  }

  async read() {
    try {
      this.known = null;
      this.offer(await navigator.clipboard.readText());
      return true;
    } catch {
      this.tell('The browser does not let this page read the clipboard. Paste into the text field.');
      return false;
    }
  }
}
