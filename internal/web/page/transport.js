// A transport carries the messages and the picture. The page knows it by this
// interface, and leaves to it what element the picture is in:
//
//   name      what the statistics call it
//   element   the canvas or video with the picture
//   open(url) connects; again after closed
//   send(ArrayBuffer)   a message; dropped when there is no connection
//   setHidden(bool)     nobody sees the page
//   setStats(bool)      whether figures are wanted
//   close()   ends the connection without a word to the page
//
// and calls what the page puts into handlers:
//
//   message(msg)        a message of the server that is not the transport's own
//   size(width, height) the picture has this size from now on
//   shown()             the first picture of a connection is shown
//   closed({reason, bye})   the connection ended; bye: the server's last words, or null
//   unsupported(reason) this browser cannot show the video this way
//   figures(object)     once a second: see stats.js

/** VP8 over a WebSocket, decoded by WebCodecs in a worker. */
export class WebSocketTransport {
  name = 'WebSocket';

  /** Says why this browser, or this way to the page, cannot do it; '' if it can. */
  static missing() {
    if (!globalThis.isSecureContext) {
      return 'Browsers decode video only on pages from https:// or from localhost. ' +
        'Open this page through https, or forward its port to your machine ' +
        '(kubectl port-forward, ssh -L) and open it as http://localhost.';
    }
    if (!('VideoDecoder' in globalThis)) return 'This browser has no WebCodecs. Chrome, Edge, Firefox and Safari of the last years do.';
    if (!('OffscreenCanvas' in globalThis)) return 'This browser cannot draw outside the page (OffscreenCanvas).';
    return '';
  }

  constructor(handlers) {
    this.element = document.createElement('canvas');
    this.element.width = this.element.height = 1;
    this.worker = new Worker(new URL('worker.js', import.meta.url), { type: 'module' });
    this.worker.onmessage = ({ data }) => this.#receive(data, handlers);
    this.worker.onerror = err => handlers.unsupported(`The video worker failed: ${err.message ?? 'it could not be loaded'}.`);
    const canvas = this.element.transferControlToOffscreen();
    this.worker.postMessage({ op: 'canvas', canvas }, [canvas]);
  }

  #receive(data, handlers) {
    switch (data.op) {
      case 'message': return handlers.message(data.msg);
      case 'size': return handlers.size(data.width, data.height);
      case 'shown': return handlers.shown();
      case 'closed': return handlers.closed(data);
      case 'unsupported': return handlers.unsupported(data.reason);
      case 'figures': return handlers.figures(data.figures);
    }
  }

  open(url) {
    this.worker.postMessage({ op: 'open', url });
  }

  send(data) {
    this.worker.postMessage({ op: 'send', data }, [data]);
  }

  setHidden(hidden) {
    this.worker.postMessage({ op: 'hidden', hidden });
  }

  setStats(on) {
    this.worker.postMessage({ op: 'stats', on });
  }

  close() {
    this.worker.postMessage({ op: 'close' });
  }
}
