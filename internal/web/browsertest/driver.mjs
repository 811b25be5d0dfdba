// A browser for tests in Go: reads JSON strings, one a line, each the body of an async
// function of page, context and lib; writes what it returns as {"value": ...}, or
// {"error": "..."}. The page's own errors are in lib.problems. Ends with its input.

import { createInterface } from 'node:readline';
import { launch } from './browser.mjs';

const AsyncFunction = (async () => {}).constructor;
const reply = o => process.stdout.write(JSON.stringify(o) + '\n');

const context = await launch(JSON.parse(process.argv[2] ?? '{}') ?? {});
const page = context.pages()[0];
page.setDefaultTimeout(50_000);
const lib = {
  problems: [],
  /** Pixels of the picture as the page sees it: lists of red, green and blue. */
  pixels: (...at) => page.evaluate(at => {
    const source = document.querySelector('#frame > canvas, #frame > video, #novnc canvas');
    const c = document.createElement('canvas');
    const g = c.getContext('2d', { willReadFrequently: true });
    [c.width, c.height] = [source.videoWidth || source.width, source.videoHeight || source.height];
    g.drawImage(source, 0, 0);
    return at.map(([x, y]) => [...g.getImageData(x, y, 1, 1).data.slice(0, 3)]);
  }, at),
  /** Where in the window a pixel of the picture is. */
  at: async (x, y, selector = '#frame') => {
    const r = await page.locator(selector).boundingBox();
    const [w, h] = await page.evaluate(() => {
      const e = document.querySelector('#frame > canvas, #frame > video, #novnc canvas');
      return [e.videoWidth || e.width, e.videoHeight || e.height];
    });
    return [r.x + (x + 0.5) * r.width / w, r.y + (y + 0.5) * r.height / h];
  },
};
page.on('pageerror', err => lib.problems.push(err.message));
page.on('console', m => m.type() === 'error' && lib.problems.push(m.text()));
reply({ value: context.browser()?.version() ?? '' });

for await (const line of createInterface({ input: process.stdin })) {
  try {
    reply({ value: await new AsyncFunction('page', 'context', 'lib', JSON.parse(line))(page, context, lib) ?? null });
  } catch (err) {
    reply({ error: String(err.message ?? err) });
  }
}
await context.close();
