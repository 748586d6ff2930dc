// Which entries the limits show: chosen with and without scripts, kept beside all else, and kept by news.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { live, login, open, start, stop } from './setup.mjs';
import { fail } from './upstream.mjs';

let running;
before(async () => {
  running = await start();
  running.upstream.script('groq', fail(429, 'Rate limit reached', { 'retry-after': '600' }));
  await running.proxy.chat();
});
after(() => stop(running));

const states = (page) => page.locator('#limits tr[data-state]').evaluateAll((rows) => rows.map((row) => row.dataset.state));

test('entries of one state are chosen, and news keep to them', async () => {
  const page = await open(running);
  await login(running, page, '/ui?range=7d&q=hello');
  await live(page);
  assert.equal((await states(page)).length, 5);
  await page.getByLabel('Show').selectOption('untried');
  await page.waitForURL('**/ui?range=7d&q=hello&show=untried');
  await live(page);
  assert.deepEqual([...new Set(await states(page))], ['untried']);
  assert.equal(await page.locator('#log-q').inputValue(), 'hello');
  const before = (await states(page)).length;
  await running.proxy.chat('hand');
  await page.waitForFunction((count) => document.querySelectorAll('#limits tr[data-state]').length === count - 1, before);
  await page.locator('.filters').filter({ has: page.locator('#log-q') }).getByRole('link', { name: 'Clear' }).click();
  await page.waitForURL('**/ui?range=7d&show=untried#requests');
  await page.getByRole('link', { name: '1h' }).click();
  await page.waitForURL('**/ui?range=1h&show=untried');
  await page.goBack();
  await page.waitForURL('**/ui?range=7d&show=untried#requests');
  await page.context().close();
});

test('11: without scripts there is a button', async () => {
  const page = await open(running, { scripts: false });
  await login(running, page);
  await page.getByLabel('Show').selectOption('cooling');
  await page.getByRole('button', { name: 'Show' }).click();
  await page.waitForURL('**/ui?show=cooling');
  assert.deepEqual(await states(page), ['cooling']);
  await page.context().close();
});
