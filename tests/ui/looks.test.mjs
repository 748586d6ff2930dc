// How pages look and what they load, in every state and both themes, on a desk and on a phone. Items 4 to 9 of the list.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { check, everywhere as look, live, login, open, start, stop, until } from './setup.mjs';
import { fail, serve } from './upstream.mjs';

let running;
before(async () => { running = await start(); });
after(() => stop(running));

const everywhere = (state, visit) => look(running, state, visit);

test('4, 8: the login, with and without an error', () => everywhere('login', async (page, name) => {
  page.expected.push(/401|429/);
  await page.goto(`${running.proxy.url}/ui/login`);
  await check(page, name);
  await page.getByLabel('Admin key').fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').waitFor();
  await check(page, `${name}-error`);
}));

test('4, 8, 9: before the first request', async () => {
  // The sessions of the test before have made many wrong tries.
  await running.proxy.end();
  await running.proxy.run();
  await everywhere('empty', async (page, name) => {
    await login(running, page);
    await live(page);
    await page.getByText('No requests in the last 24 h.').waitFor();
    await page.getByRole('heading', { name: 'Get started' }).waitFor();
    assert.equal(await page.locator('#limits .sign.untried').count(), 5);
    await check(page, name);
  });
});

test('4, 8: with data of every kind', async () => {
  const { proxy, upstream } = running;
  const limits = { 'x-ratelimit-limit-requests': '30', 'x-ratelimit-remaining-requests': '4', 'x-ratelimit-reset-requests': '40s' };
  upstream.script('groq', serve({ headers: limits }));
  for (let count = 0; count < 6; count += 1) await proxy.chat();
  upstream.script('groq', fail(429, 'Rate limit reached', { 'retry-after': '600' }));
  upstream.script('nokey', fail(401, 'Invalid API key'));
  for (let count = 0; count < 8; count += 1) await proxy.chat('default', { stream: count % 2 === 0 });
  for (const model of ['broken', 'coding', 'hand', 'hand']) await proxy.chat(model);
  await until(async () => (await proxy.get('/v1/stats/summary')).totalRequests >= 18);
  await everywhere('dashboard', async (page, name) => {
    await login(running, page);
    await live(page);
    await page.locator('.opener').first().click();
    await page.locator('.detail').waitFor();
    for (const summary of await page.locator('figure summary').all()) await summary.click();
    await check(page, name);
    await page.goto(`${proxy.url}/ui?outcome=failed&q=nokey`);
    await live(page);
    await check(page, `${name}-filtered`);
    await page.goto(`${proxy.url}${await page.locator('.opener').first().getAttribute('href')}`);
    await check(page, `${name}-request`);
  });
});

test('4, 8: the playground, before, after, and failed', async () => {
  running.upstream.script('groq', fail(429, 'Rate limit reached', { 'retry-after': '600' }));
  running.upstream.script('nokey', fail(401, 'Invalid API key'));
  await everywhere('playground', async (page, name) => {
    await login(running, page, '/ui/playground');
    await check(page, name);
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('#pg-meta').waitFor();
    for (const summary of await page.locator('summary').all()) await summary.click();
    await check(page, `${name}-answer`);
    await page.getByLabel('Send to').selectOption('broken');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('alert').waitFor();
    await check(page, `${name}-failed`);
  });
});

test('4: a page that is not there', () => everywhere('nothing', async (page, name) => {
  page.expected.push(/404/);
  await login(running, page);
  await page.goto(`${running.proxy.url}/ui/nothing`);
  await check(page, name);
}));

test('7: a cold dashboard is small', async () => {
  const page = await open(running);
  await page.goto(`${running.proxy.url}/ui/login`);
  await login(running, page);
  const loaded = [];
  const fresh = await page.context().newPage();
  const session = await page.context().newCDPSession(fresh);
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  fresh.on('response', (response) => loaded.push(response));
  await fresh.goto(`${running.proxy.url}/ui`);
  await live(fresh);
  const files = loaded.filter((one) => one.url().includes('/ui/static/') && !one.url().includes('icon'));
  const sizes = await Promise.all(files.map(async (one) => (await one.body()).length));
  const sum = sizes.reduce((all, size) => all + size, 0);
  assert.ok(files.length <= 5 && sum <= 90_000, `${files.length} files, ${sum} bytes`);
  const html = await loaded.find((one) => new URL(one.url()).pathname === '/ui').text();
  assert.ok(html.length <= 60_000, `${html.length} bytes`);
  await page.context().close();
});

test('the theme is chosen by a button, kept, and known before anything is drawn', async () => {
  const page = await open(running, { theme: 'light' });
  await login(running, page);
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await ground();
  await page.getByRole('button', { name: 'theme' }).click();
  assert.notEqual(await ground(), light);
  await page.reload();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await page.context().close();
  const plain = await open(running, { scripts: false });
  await login(running, plain);
  await plain.getByRole('button', { name: 'theme' }).click();
  await plain.waitForSelector('html[data-theme=dark]');
  await plain.context().close();
});
