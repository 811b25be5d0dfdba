// Starts the browser that is installed.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

export const path = process.env.CHROMIUM ?? '/usr/bin/chromium';

export async function launch(options = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'framebridge-browser-'));
  const context = await chromium.launchPersistentContext(dir, {
    executablePath: path,
    headless: true,
    viewport: { width: 1280, height: 800 },
    ...options,
    args: ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required', ...(options.args ?? [])],
  });
  // Tests use the controls whenever they like: they stay.
  await context.addInitScript(() => location.origin !== 'null' && (localStorage.framebridge ??= '{"collapsed":false}'));
  const close = context.close.bind(context);
  context.close = async () => {
    await close();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  return context;
}
