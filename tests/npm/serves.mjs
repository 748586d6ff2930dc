// What was installed serves, the UI included, wherever it is started, and a signal ends it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Starts the demo in a folder, and looks at it. */
export async function serves(command, cwd) {
  const demo = spawn(command, ['demo', '--port', '0'], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(demo, 'exit');
  const url = await new Promise((done, fail) => {
    const read = (line) => { const found = /http:\/\/127\.0\.0\.1:\d+/.exec(line); if (found) done(found[0]); };
    createInterface({ input: demo.stderr }).on('line', read);
    createInterface({ input: demo.stdout }).on('line', read);
    ended.then(([code]) => fail(new Error(`the demo ended with ${code}`)), fail);
  });
  try {
    await look(url);
  } finally {
    demo.kill('SIGTERM');
  }
  assert.deepEqual(await ended, [0, null]);
}

async function look(url) {
  assert.equal((await fetch(`${url}/health`)).status, 200);
  const page = await fetch(`${url}/ui`);
  assert.equal(page.status, 200);
  const parts = [...(await page.text()).matchAll(/(?:href|src)="(\/ui\/static\/[^"]+)"/g)].map(([, path]) => path);
  assert.ok(parts.length >= 3, `styles and scripts of ${page.url}: ${parts}`);
  for (const part of parts) assert.equal((await fetch(`${url}${part}`)).status, 200, part);
}
