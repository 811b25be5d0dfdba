// Keeps a connection: logs in where that is wanted, connects, connects again when
// it is lost, and says how it stands.
//
//   connecting -> live <-> waiting (the display is not there)
//        ^          |
//        +- lost <--+-> ended (by the server's word, until the user wants it again)

import * as m from './messages.js';
import { login, session } from './login.js';

const delays = [250, 500, 1000, 2000, 3000, 5000]; // ms before the next attempt
const steady = 10_000; // ms after which a connection counts as good

export class Connection {
  /**
   * @param {object} o
   * @param {object} o.transport see transport.js
   * @param {string|null} o.token a password from the address bar
   * @param {(state: string, facts: object) => void} o.changed
   * @param {(error: string) => Promise<string>} o.ask for a password
   */
  constructor(o) {
    Object.assign(this, o);
    this.state = '';
    this.failures = 0;
    this.password = o.token;
    this.url = new URL('stream', document.baseURI);
    this.url.protocol = this.url.protocol === 'https:' ? 'wss:' : 'ws:';
    this.url.hash = this.url.search = '';
    addEventListener('online', () => this.state === 'lost' && this.connect());
  }

  enter(state, facts = {}) {
    this.state = state;
    this.changed(state, facts);
  }

  async connect() {
    clearTimeout(this.timer);
    this.transport.close();
    const attempt = this.attempt = {};
    this.enter('connecting', { again: this.failures > 0 });
    try {
      const s = await session();
      if (attempt !== this.attempt) return;
      if (s.auth === 'needed' && !await this.logIn(attempt)) return;
    } catch (err) {
      // The browser's own words are for developers: 'Failed to fetch'.
      const words = err instanceof TypeError || err.name === 'TimeoutError' ? 'the server cannot be reached' : err.message;
      if (attempt === this.attempt) this.lose(words);
      return;
    }
    this.transport.open(this.url.href);
  }

  async logIn(attempt) {
    let error = '';
    for (;;) {
      // A password that was right before is used again: servers restart.
      if (this.password === null) {
        const answer = await this.ask(error);
        if (attempt !== this.attempt) return false;
        this.password = answer;
      }
      error = await login(this.password);
      if (attempt !== this.attempt) return false;
      if (!error) return true;
      this.password = null;
    }
  }

  /** The server's first words. */
  hello(msg) {
    if (msg.version !== m.version) {
      // The server was replaced by another version: so must this page be, but not for ever.
      const key = 'framebridge-reloaded';
      if (sessionStorage.getItem(key) !== String(msg.version)) {
        sessionStorage.setItem(key, msg.version);
        location.reload();
        return false;
      }
      this.end(`The server speaks version ${msg.version} of the protocol, this page version ${m.version}. Reload the page.`);
      return false;
    }
    sessionStorage.removeItem('framebridge-reloaded');
    this.since = performance.now();
    this.enter('live');
    return true;
  }

  display({ display, message, viewers }) {
    if (this.state !== 'live' && this.state !== 'waiting') return;
    this.enter(display === 'up' ? 'live' : 'waiting', { message, viewers });
  }

  closed({ reason, bye }) {
    if (this.state === 'ended') return;
    if (this.since && performance.now() - this.since > steady) this.failures = 0;
    this.since = 0;
    if (bye?.final) this.end(bye.text);
    else this.lose(bye?.text || reason);
  }

  lose(why) {
    const delay = delays[Math.min(this.failures, delays.length - 1)];
    this.failures++;
    const at = performance.now() + delay;
    this.attempt = null;
    const tick = () => {
      const left = at - performance.now();
      if (left <= 0) return this.connect();
      this.enter('lost', { why, seconds: Math.ceil(left / 1000), failures: this.failures });
      this.timer = setTimeout(tick, Math.min(left, 1000));
    };
    clearTimeout(this.timer);
    tick();
  }

  /** Ends it until the user wants it again; with a title, for good. */
  end(text, title = '') {
    clearTimeout(this.timer);
    this.attempt = null;
    this.transport.close();
    this.enter('ended', { text, title });
  }
}
