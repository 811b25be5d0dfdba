// The overlay with figures of the last second.

const ms = v => (v == null ? '–' : `${v < 10 ? v.toFixed(1) : Math.round(v)} ms`);

/**
 * The overlay's lines.
 * @param {object} o
 * @param {string} o.transport
 * @param {{width: number, height: number}} o.picture
 * @param {object|null} o.page figures of the transport: frames, bytes, rtt, age (capture to
 *   sending), encode, decode, draw; times in ms, null without frames
 * @param {object|null} o.server Stats of internal/stream
 * @param {number} o.viewers
 * @returns {Array<[string, string]>}
 */
export function lines({ transport, picture, page, server, viewers }) {
  const p = page ?? {};
  const out = [
    ['Transport', transport],
    ['Picture', picture.width ? `${picture.width} × ${picture.height}` : '–'],
    ['Frames', `${p.frames ?? 0} /s`],
    ['Data', `${Math.round((p.bytes ?? 0) * 8 / 1000)} kbit/s`],
    ['Encode', ms(p.encode ?? (server?.frames ? server.encodeMs : null))],
    ['Network, there and back', ms(p.rtt)],
    ['Decode and draw', ms(p.decode == null ? null : p.decode + p.draw)],
    ['Capture to picture', ms(p.age == null ? null : p.age + p.rtt / 2 + p.decode + p.draw)],
  ];
  if (server) {
    if (server.queueMs >= 1) out.push(['Held back by the link', ms(server.queueMs)]);
    out.push(['Coarseness', `${server.quant} of 127`]);
  }
  if (viewers) out.push(['Viewers', String(viewers)]);
  return out;
}

export class StatsOverlay {
  constructor(element) {
    this.element = element;
    this.page = this.server = null;
  }

  show(on) {
    this.element.hidden = !on;
    this.page = this.server = null;
  }

  get shown() {
    return !this.element.hidden;
  }

  render(facts) {
    if (!this.shown) return;
    const dl = this.element.querySelector('dl');
    const rows = lines({ ...facts, page: this.page, server: this.server });
    dl.replaceChildren(...rows.flatMap(([name, value]) => {
      const dt = document.createElement('dt'), dd = document.createElement('dd');
      dt.textContent = name;
      dd.textContent = value;
      return [dt, dd];
    }));
  }
}
