// What the user chose, kept in this browser where it lets us.

const name = 'framebridge';

export class Prefs {
  constructor() {
    try {
      this.values = JSON.parse(localStorage.getItem(name)) ?? {};
    } catch {
      this.values = {}; // no storage, or none of ours in it
    }
  }

  /** The value, if it is one of those allowed. */
  get(key, allowed) {
    const v = this.values[key];
    return !allowed || allowed.includes(v) ? v : undefined;
  }

  set(key, value) {
    this.values[key] = value;
    try {
      localStorage.setItem(name, JSON.stringify(this.values));
    } catch {
      // Then it lasts as long as the page.
    }
  }
}
