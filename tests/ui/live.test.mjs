// What an open page is told, and when. Items 16 to 19 and 23 to 25 of the list.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { live, login, open, start, stop, until } from './setup.mjs';
import { fail, serve } from './upstream.mjs';

// A second is what is promised; a machine with more to do than this may take a little longer.
const SOON = { timeout: 2_500 };

let running, page;
before(async () => { running = await start(); });
beforeEach(async () => {
  running.upstream.heal();
  await page?.context().close();
  page = await open(running);
  await login(running, page);
  await live(page);
});
after(async () => { await stop(running); });

const row = (name) => page.locator('#limits tr', { hasText: name });

test('16: a rate limit is seen within a second, counts down, and is over when it is over', async () => {
  running.upstream.script('groq', fail(429, 'Rate limit reached', { 'retry-after': '5' }));
  await running.proxy.chat();
  const said = Date.now();
  await row('groq').getByText('cooling', { exact: true }).waitFor(SOON);
  const clock = row('groq').locator('.back time');
  const seen = [];
  while (Date.now() - said < 4_000) {
    seen.push(Number((await clock.textContent()).split(':')[1]));
    await page.waitForTimeout(250);
  }
  assert.ok(seen[0] >= 4 && seen.at(-1) <= 2 && seen.every((now, at) => at === 0 || seen[at - 1] - now <= 2), seen.join(' '));
  assert.ok(seen.every((now, at) => at === 0 || now <= seen[at - 1] + 1), seen.join(' '));
  const spoken = await page.locator('#announce').textContent();
  assert.match(spoken, /groq llama-3.3-70b is cooling/);
  await until(async () => (await row('groq').getAttribute('data-state')) !== 'cooling', 'still cooling', 6_000 - (Date.now() - said) + 1_000);
});

test('17: who has only refused a key is never ready, and each state has a word and a sign', async () => {
  running.upstream.script('nokey', fail(401, 'Invalid API key'));
  await running.proxy.chat('broken');
  await row('nokey').getByText('auth error').waitFor();
  assert.equal(await row('byhand').getAttribute('data-state'), 'untried');
  for (const state of await page.locator('#limits .sign').all()) {
    assert.match(await state.textContent(), /\w/);
    assert.equal(await state.locator('svg path').count(), 1);
  }
  const auth = page.locator('.chains li', { hasText: 'broken' });
  assert.match(await auth.textContent(), /nokey: key rejected \(401\)/);
});

test('18: what is left is what the provider has said last', async () => {
  const limits = (left) => ({ 'x-ratelimit-limit-requests': '500', 'x-ratelimit-remaining-requests': String(left), 'x-ratelimit-reset-requests': '50s' });
  for (const left of [400, 333]) {
    running.upstream.script('cerebras', serve({ headers: limits(left) }));
    await running.proxy.chat('cerebras/gpt-oss-120b');
    await row('cerebras').getByText(`${500 - left} / 500`).waitFor(SOON);
  }
});

test('19: a request is seen at once, and nothing moves under the pointer unless somebody follows', async () => {
  const { id: older } = await running.proxy.chat('hand');
  await page.locator(`#r-${older}`).waitFor({ state: 'attached' });
  if (await page.locator('#log-fresh').isVisible()) await page.locator('#log-fresh').click();
  // A table above that gets its first row of a provider is no matter of the log.
  await page.locator('#by-provider tr[data-name=byhand]').waitFor();
  const { totalRequests } = await running.proxy.get('/v1/stats/summary');
  await page.locator('#totals .big').first().getByText(String(totalRequests), { exact: true }).waitFor();
  const first = page.locator('#log .req').first();
  await first.scrollIntoViewIfNeeded();
  const [id, before] = [await first.getAttribute('id'), await first.boundingBox()];
  const { id: newest } = await running.proxy.chat('hand');
  await page.getByRole('button', { name: '1 new' }).waitFor(SOON);
  assert.deepEqual([await page.locator('#log .req').first().getAttribute('id'), await first.boundingBox()], [id, before]);
  await page.getByRole('button', { name: '1 new' }).click();
  assert.equal(await page.locator('#log .req').first().getAttribute('id'), `r-${newest}`);
  await page.getByLabel('Follow').check();
  const { id: followed } = await running.proxy.chat('hand');
  await page.locator(`#log #r-${followed}`).waitFor(SOON);
  assert.equal(await page.locator('#log .req').first().getAttribute('id'), `r-${followed}`);
});

test('23: what somebody has opened, typed and focused stays so while news come', async () => {
  await running.proxy.chat('hand');
  await page.reload();
  await live(page);
  await page.locator('.opener').first().click();
  await page.locator('.detail').waitFor();
  await page.locator('figure summary').first().click();
  await page.getByRole('searchbox').fill('typed');
  const messages = page.evaluate(() => new Promise((done) => {
    let count = 0;
    document.addEventListener('htmx:sse:after:message', () => { count += 1; if (count === 10) done(count); });
  }));
  let over = false;
  messages.finally(() => { over = true; });
  while (!over) await running.proxy.chat('hand');
  assert.equal(await page.getByRole('searchbox').inputValue(), 'typed');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'log-q');
  assert.ok(await page.locator('.detail').isVisible() && await page.locator('figure details').first().evaluate((one) => one.open));
});

test('24: a server that is gone is said, and found again; a session that is gone leads to the login', async () => {
  page.expected.push(/ERR_CONNECTION|ERR_INCOMPLETE|401|Failed to fetch|network error/i);
  await running.proxy.end('SIGKILL');
  await page.waitForSelector('#live-chip[data-state=lost]', { timeout: 5_000 });
  assert.equal((await page.locator('#live-chip').textContent()).trim(), 'reconnecting…');
  await running.proxy.run();
  // Sessions live as long as the process.
  await page.waitForURL('**/ui/login?next=%2Fui', { timeout: 10_000 });
});

test('24: a stream that breaks is taken up again without a reload', async () => {
  page.expected.push(/ERR_|Failed to fetch|network error/i);
  await page.context().setOffline(true);
  await page.evaluate(() => document.querySelector('#live')._htmx.sse.reader.cancel());
  await page.waitForSelector('#live-chip[data-state=lost]', { timeout: 5_000 });
  const { id } = await running.proxy.chat('hand');
  await page.context().setOffline(false);
  await page.waitForSelector('#live-chip[data-state=live]', { timeout: 10_000 });
  await page.locator(`#r-${id}`).waitFor({ state: 'attached' });
});

test('25: tabs that nobody sees hold no stream', async () => {
  const tabs = [page];
  for (let count = 0; count < 5; count += 1) {
    const tab = await page.context().newPage();
    await tab.goto(`${running.proxy.url}/ui`);
    tabs.push(tab);
    await live(tab);
    await hide(tab, true);
  }
  await hide(page, true);
  const seen = await page.context().newPage();
  const began = Date.now();
  await seen.goto(`${running.proxy.url}/ui`);
  await live(seen);
  await seen.locator('.ranges a').first().click();
  await seen.waitForURL('**/ui?range=1h');
  await live(seen);
  assert.ok(Date.now() - began < 3_000, `${Date.now() - began} ms`);
  const streams = async () => Number(/chain429_ui_streams (\d+)/.exec(await running.proxy.get('/metrics'))?.[1]);
  await until(async () => (await streams()) === 1, 'more than one stream');
  await hide(page, false);
  await live(page);
  await until(async () => (await streams()) === 2, 'the tab that is seen again has no stream');
});

async function hide(tab, hidden) {
  await tab.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => value });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
}
