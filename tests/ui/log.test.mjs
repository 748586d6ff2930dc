// The log and the sums. Items 20 to 22 of the list.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { live, login, open, start, stop, until } from './setup.mjs';
import { fail } from './upstream.mjs';

let running, page;
before(async () => {
  running = await start();
  page = await open(running);
  await login(running, page);
});
after(() => stop(running));

const recorded = (count) => until(async () => (await running.proxy.get('/v1/stats/summary')).totalRequests >= count, 'not recorded');

test('20: a request tells its whole story', async () => {
  const { proxy, upstream } = running;
  upstream.script('groq', fail(429, 'Rate limit reached', { 'retry-after': '600' }));
  upstream.script('openrouter', fail(500, 'upstream error'));
  const { id } = await proxy.chat();
  const skipped = await proxy.chat();
  upstream.script('nokey', fail(401, 'Invalid API key'));
  const failed = await proxy.chat('broken');
  await recorded(3);
  await page.reload();
  const story = async (of) => {
    await page.locator(`#r-${of} .opener`).click();
    await page.locator(`#r-${of} .trail`).waitFor();
    return page.locator(`#r-${of} .trail li`).allTextContents();
  };
  const three = (await story(id)).map((line) => line.replace(/\s+/g, ' ').trim());
  assert.equal(three.length, 3);
  assert.match(three[0], /^failed groq \/ llama-3.3-70b 429, back in .* ms$/);
  assert.match(three[1], /^failed openrouter \/ deepseek-r1 server error, 500.* ms$/);
  assert.match(three[2], /^served cerebras \/ gpt-oss-120b .*ms$/);
  assert.match((await story(skipped.id))[0].replace(/\s+/g, ' '), /skipped groq \/ llama-3.3-70b 429, back in \d+ (s|min)/);
  await story(failed.id);
  const row = page.locator(`#r-${failed.id}`);
  assert.match(await row.textContent(), /– none/);
  assert.match(await row.locator('.sentence').textContent(), /^Tried 2 providers: nokey\/some-model \(key rejected, 401.*\), groq\/llama/);
  await page.locator(`#r-${id} .opener`).click();
  assert.ok(!(await page.locator(`#r-${id} .detail`).isVisible()));
});

test('22: sums are those of the API, in cards, tables and charts', async () => {
  running.upstream.heal();
  for (let count = 0; count < 20; count += 1) await running.proxy.chat(count % 2 ? 'coding' : 'hand');
  await recorded(23);
  await page.goto(`${running.proxy.url}/ui?range=1h`);
  const cell = async (table, name, at) => Number((await page.locator(`#${table} tr[data-name="${name}"] td`).nth(at).textContent()).replace(/,/g, ''));
  const { providers } = await running.proxy.get('/v1/stats/providers?range=1h');
  for (const one of providers) {
    assert.deepEqual([await cell('by-provider', one.providerId, 0), await cell('by-provider', one.providerId, 1), await cell('by-provider', one.providerId, 4)], [one.attempts, one.totalRequests, one.totalTokens], one.providerId);
  }
  const { chains } = await running.proxy.get('/v1/stats/chains?range=1h');
  for (const one of chains) {
    assert.deepEqual([await cell('by-chain', one.chainName, 0), await cell('by-chain', one.chainName, 1), await cell('by-chain', one.chainName, 2)], [one.totalRequests, one.waterfalledRequests, one.failedRequests], one.chainName);
  }
  const { totalRequests, failedRequests } = await running.proxy.get('/v1/stats/summary?range=1h');
  assert.equal(await page.locator('#totals .big').first().textContent(), String(totalRequests));
  await page.locator('#chart-req summary').click();
  const rows = await page.locator('#chart-req tbody tr').evaluateAll((found) => found.map((one) => [...one.querySelectorAll('td')].map((td) => Number(td.textContent))));
  const sum = rows.flat().reduce((all, one) => all + one, 0);
  assert.deepEqual([sum, rows.reduce((all, one) => all + one[2], 0)], [totalRequests, failedRequests]);
  assert.ok((await page.locator('#chart-req svg title').count()) >= rows.length);
  const logged = await page.locator('#log .req').count();
  assert.equal(logged, totalRequests);
});

test('21: a thousand rows are read in pages, without gaps, while more come', async () => {
  for (let count = 0; count < 1_000; count += 25) {
    await Promise.all(Array.from({ length: 25 }, () => running.proxy.chat('coding').catch(() => {})));
  }
  const all = (await running.proxy.get('/v1/stats/summary')).totalRequests;
  await page.goto(`${running.proxy.url}/ui`);
  await live(page);
  const count = () => page.locator('#log .req').count();
  assert.equal(await count(), 50);
  const [{ id: newest }] = (await running.proxy.get('/v1/stats/requests?limit=1')).requests;
  const firstPage = await page.locator('#log .req').first().getAttribute('id');
  for (let more = 0; more < 20; more += 1) await running.proxy.chat('coding');
  await page.locator('#log-region').evaluate((one) => { one.scrollTop = one.scrollHeight; });
  await page.waitForFunction(() => document.querySelectorAll('#log .req').length === 100);
  for (const expected of [150, 200]) {
    await page.getByRole('link', { name: 'Load older' }).click();
    await page.waitForFunction((n) => document.querySelectorAll('#log .req').length === n, expected);
  }
  const shown = await page.locator('#log .req').evaluateAll((rows) => rows.map((one) => one.id));
  assert.equal(new Set(shown).size, 200);
  assert.deepEqual(shown, [...shown].sort().reverse());
  const api = [];
  let before = '';
  while (api.length < 400) {
    const some = await running.proxy.get(`/v1/stats/requests?limit=200${before && `&before=${before}`}`);
    api.push(...some.requests.map(({ id }) => `r-${id}`));
    before = some.nextBefore;
  }
  const from = api.indexOf(firstPage);
  assert.ok(from >= 0 && newest && all > 500);
  assert.deepEqual(shown, api.slice(from, from + 200));
  // The browser has enough of them: older ones are another page.
  await page.getByRole('link', { name: 'Load older' }).click();
  await page.waitForURL(/before=/);
  assert.equal(await page.locator('#log .req').first().getAttribute('id'), api[from + 200]);
  await page.getByRole('link', { name: 'Back to the newest' }).click();
  await page.waitForURL((url) => !url.search.includes('before'));
});

test('21: filters are in the address, and survive a reload and the way back', async () => {
  await page.goto(`${running.proxy.url}/ui`);
  await page.getByLabel('Outcome').selectOption('failed');
  await page.waitForURL(/outcome=failed/);
  const failed = await page.locator('#log .req').count();
  assert.ok(failed >= 1 && failed < 50);
  await page.reload();
  assert.equal(await page.getByLabel('Outcome').inputValue(), 'failed');
  assert.equal(await page.locator('#log .req').count(), failed);
  await page.getByRole('searchbox').fill('nokey');
  await page.keyboard.press('Enter');
  await page.waitForURL(/q=nokey/);
  assert.equal(await page.getByLabel('Outcome').inputValue(), 'failed');
  assert.equal(await page.locator('#log .req').count(), 1);
  await page.goBack();
  await page.waitForURL((url) => !url.search.includes('q=nokey'));
  assert.equal(await page.locator('#log .req').count(), failed);
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'CSV' }).click()]);
  assert.equal(file.suggestedFilename(), 'requests.csv');
});

test('news of a filtered page are filtered as well', async () => {
  await page.goto(`${running.proxy.url}/ui?chain=coding`);
  await live(page);
  await running.proxy.chat('hand');
  const { id } = await running.proxy.chat('coding');
  await page.getByRole('button', { name: '1 new' }).click();
  assert.equal(await page.locator('#log .req').first().getAttribute('id'), `r-${id}`);
});
