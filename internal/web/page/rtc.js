// WebRTC, for pages that have no WebCodecs because they are neither https nor
// localhost, and for ways that UDP can go: the picture comes as RTP into a video
// element, the messages over data channels. Signalling is WHEP.

import * as m from './messages.js';

const silence = 25_000; // ms without a word from the server: it sends pings every 15 s
const connectTimeout = 20_000; // ms: the server gives up after 15 s
const settle = 60; // ms after which the pointer's last place is sent for certain
const pingInterval = 1000; // ms, while statistics are shown

/**
 * The candidate of the server at the address that the page came from: whatever
 * forwards there forwards this, too. The server's own addresses may lead nowhere.
 */
export function ownCandidate({ protocol, hostname, port }) {
  let host = hostname.replace(/^\[|\]$/g, '');
  if (host === 'localhost' || host.endsWith('.localhost')) host = '127.0.0.1';
  return `candidate:1 1 tcp 1671430143 ${host} ${port || (protocol === 'https:' ? 443 : 80)} typ host tcptype passive`;
}

const canAck = 'requestVideoFrameCallback' in (globalThis.HTMLVideoElement?.prototype ?? {});

export class WebRTCTransport {
  name = 'WebRTC';

  /** Says why this browser cannot do it; '' if it can. */
  static missing() {
    return 'RTCPeerConnection' in globalThis ? '' : 'This browser has no WebRTC.';
  }

  constructor(handlers) {
    this.handlers = handlers;
    this.acks = canAck;
    const v = this.element = document.createElement('video');
    Object.assign(v, { muted: true, autoplay: true, playsInline: true, disablePictureInPicture: true });
    v.addEventListener('resize', () => v.videoWidth && handlers.size(v.videoWidth, v.videoHeight));
    v.addEventListener('loadeddata', () => this.#shown());
    this.stats = { on: false, timer: 0, n: 0, pings: new Map(), rtt: null, last: null };
  }

  async open() {
    this.close();
    const pc = this.pc = new RTCPeerConnection();
    const ours = f => (...args) => pc === this.pc && f(...args);
    this.bye = null;
    this.lastButtons = 0;
    this.pictured = false;
    this.heard = performance.now();
    this.control = pc.createDataChannel('control', { protocol: this.acks ? 'ack' : '' });
    this.pointer = pc.createDataChannel('pointer', { ordered: false, maxRetransmits: 0 });
    this.control.binaryType = 'arraybuffer';
    this.control.onmessage = ours(({ data }) => this.#receive(data));
    this.control.onclose = ours(() => this.#lose('the server closed the connection'));
    pc.onconnectionstatechange = ours(() => pc.connectionState === 'failed' && this.#lose('the WebRTC connection failed'));
    pc.addTransceiver('video', { direction: 'recvonly' });
    pc.ontrack = ours(({ track, receiver }) => {
      // No waiting for what might come late: a desktop is no film.
      if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
      if ('playoutDelayHint' in receiver) receiver.playoutDelayHint = 0;
      this.element.srcObject = new MediaStream([track]);
      this.element.play().catch(() => {}); // muted video may play; else it begins with the next click
      this.#follow(pc);
    });
    this.watchdog = setInterval(() => {
      const limit = this.control?.readyState === 'open' ? silence : connectTimeout;
      if (performance.now() - this.heard > limit) this.#lose('the server is silent');
    }, 1000);
    try {
      await pc.setLocalDescription();
      const answer = await fetch(new URL('whep', document.baseURI), {
        method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: pc.localDescription.sdp,
      });
      const text = await answer.text();
      if (pc !== this.pc) return;
      if (answer.status === 404) {
        this.close();
        this.handlers.unsupported('This server has WebRTC switched off (--webrtc).');
        return;
      }
      if (!answer.ok) throw new Error(text.trim() || `status ${answer.status}`);
      await pc.setRemoteDescription({ type: 'answer', sdp: text });
      // Browsers that do not take a name, or the address, have the server's own.
      await pc.addIceCandidate({ candidate: ownCandidate(location), sdpMLineIndex: 0 }).catch(err => console.info('candidate:', err.message));
    } catch (err) {
      if (pc === this.pc) this.#lose(err.message);
    }
  }

  // Acknowledges frames when they are shown, by their RTP timestamps.
  #follow(pc) {
    if (!this.acks) return;
    const shown = (_, facts) => {
      if (pc !== this.pc) return;
      this.#shown();
      if (facts.rtpTimestamp === undefined) {
        // This browser does not tell which frame it was: without acknowledgements, then.
        this.acks = false;
        this.open();
        return;
      }
      this.#put(this.control, m.ack(facts.rtpTimestamp));
      this.element.requestVideoFrameCallback(shown);
    };
    this.element.requestVideoFrameCallback(shown);
  }

  #shown() {
    if (this.pictured || !this.pc) return;
    this.pictured = true;
    this.handlers.shown();
  }

  #receive(data) {
    this.heard = performance.now();
    let msg;
    try {
      msg = m.parse(data);
    } catch (err) {
      this.#lose(`message of the server: ${err.message}`);
      return;
    }
    switch (msg?.type) {
      case 'ping': return this.send(m.pong(msg.n));
      case 'pong': return this.#pong(msg.n);
      case 'bye':
        this.bye = msg;
        return;
    }
    if (msg) this.handlers.message(msg);
  }

  #lose(reason) {
    const { bye } = this;
    this.close();
    this.handlers.closed({ reason, bye });
  }

  #put(channel, data) {
    if (channel?.readyState === 'open') channel.send(data);
  }

  // Movements of the pointer may be lost: the next one says it all. What changes
  // buttons may not, nor the last movement, which is said again.
  send(data) {
    clearTimeout(this.settling);
    const buttons = m.pointerButtons(data);
    if (buttons === null || buttons !== this.lastButtons || this.pointer?.readyState !== 'open') {
      this.lastButtons = buttons ?? this.lastButtons;
      this.#put(this.control, data);
      return;
    }
    if (this.pointer.bufferedAmount === 0) this.#put(this.pointer, data);
    this.settling = setTimeout(() => this.#put(this.control, data), settle);
  }

  setHidden() {} // a video that nobody sees is not shown, hence not acknowledged

  setStats(on) {
    const s = this.stats;
    clearInterval(s.timer);
    Object.assign(s, { on, rtt: null, last: null, timer: on ? setInterval(() => this.#tick(), pingInterval) : 0 });
    s.pings.clear();
    if (on) this.#ping();
  }

  #ping() {
    const s = this.stats;
    s.n = (s.n + 1) >>> 0;
    s.pings.set(s.n, performance.now());
    this.send(m.ping(s.n));
  }

  #pong(n) {
    const sent = this.stats.pings.get(n);
    if (sent === undefined) return;
    this.stats.pings.clear();
    this.stats.rtt = performance.now() - sent;
  }

  async #tick() {
    const { pc, stats: s } = this;
    if (!pc) return;
    const report = await pc.getStats();
    if (pc !== this.pc || !s.on) return;
    let now = null;
    for (const r of report.values()) {
      if (r.type === 'inbound-rtp' && r.kind === 'video') now = r;
      if (r.type === 'transport') {
        const pair = report.get(r.selectedCandidatePairId);
        const how = report.get(pair?.localCandidateId)?.protocol;
        if (how) this.name = `WebRTC (${how.toUpperCase()})`;
      }
    }
    const { last } = s;
    s.last = now;
    if (now && last) {
      const frames = now.framesDecoded - last.framesDecoded;
      const per = name => (frames > 0 && name in now ? (now[name] - last[name]) / frames * 1000 : null);
      this.handlers.figures({
        frames, bytes: now.bytesReceived - last.bytesReceived, rtt: s.rtt, age: null, encode: null,
        decode: per('totalDecodeTime'), draw: 0,
      });
    }
    this.#ping();
  }

  close() {
    const { pc } = this;
    this.pc = this.control = this.pointer = null;
    clearInterval(this.watchdog);
    clearTimeout(this.settling);
    pc?.close();
  }
}
