// Chains: their order on the page, in the file and in the next request, by keys, without scripts, and by two people at
// once. Items 4 to 6, 8, 10, 11, 26, 27 and 30 of the list.

import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { after, before, beforeEach, test } from 'node:test';
import { ADMIN_KEY } from './proxy.mjs';
import { check, everywhere, login, open, start, stop, until } from './setup.mjs';
import { fail, serve } from './upstream.mjs';

let running, page, yaml;
before(async () => {
  running = await start();
  yaml = await running.proxy.file();
});
beforeEach(async () => {
  await begin();
  await page?.context().close();
  page = await open(running);
  await login(running, page, '/ui/chains/default');
});
after(async () => { await stop(running); });

/** Everything as it was at first. */
async function begin() {
  running.upstream.heal();
  await writeFile(running.proxy.config, yaml);
  await admin('reload');
  for (const provider of ['groq', 'openrouter', 'cerebras', 'nokey']) await admin('entries/thaw', { provider });
}

async function admin(path, body = {}) {
  const response = await fetch(`${running.proxy.url}/v1/admin/${path}`, { method: 'POST', headers: { authorization: `Bearer ${ADMIN_KEY}` }, body: JSON.stringify(body) });
  assert.equal(response.status, 200, await response.text());
}

const shown = (on = page) => on.locator('#entries .entry').allTextContents();
const focused = (on = page) => on.evaluate(() => document.activeElement.id);
const said = (words, on = page) => on.locator('#said', { hasText: words }).waitFor();

/** The entries of the chain in the file. */
async function filed(chain = 'default') {
  const text = (await running.proxy.file()).split(`- name: ${chain}\n`)[1].split('- name:')[0];
  return [...text.matchAll(/provider: (\S+), model: ([^\s}]+)/g)].map(([, provider, model]) => `${provider} / ${model}`);
}

/** Whom the next request asks, in this order. */
async function asked() {
  for (const provider of ['groq', 'openrouter', 'cerebras']) running.upstream.script(provider, fail(500, 'upstream error'));
  const before = running.upstream.calls.length;
  await running.proxy.chat();
  running.upstream.heal();
  const calls = running.upstream.calls.slice(before).map(({ provider }) => provider);
  return [...new Set(calls)];
}

const GROQ = 'groq / llama-3.3-70b', OPEN = 'openrouter / deepseek-r1', CEREBRAS = 'cerebras / gpt-oss-120b';

test('26: an order made by keys is that of the page, the file, and the next request', async () => {
  const up = page.getByRole('button', { name: 'Move cerebras gpt-oss-120b up' });
  await up.focus();
  const id = await focused();
  await page.keyboard.press('Enter');
  await said('Moved to 2 of 3.');
  assert.equal(await focused(), id);
  await page.keyboard.press('Enter');
  await said('Moved to 1 of 3.');
  assert.deepEqual([await focused(), await up.getAttribute('aria-disabled')], [id, 'true']);
  assert.equal(await up.getAttribute('aria-label'), 'Move cerebras gpt-oss-120b up, now 1 of 3');
  const order = [CEREBRAS, GROQ, OPEN];
  assert.deepEqual([await shown(), await filed()], [order, order]);
  assert.deepEqual(await asked(), ['cerebras', 'groq', 'openrouter']);
  const file = await running.proxy.file();
  await page.keyboard.press('Enter');
  await said('It is the first one already.');
  assert.deepEqual([await focused(), await running.proxy.file()], [id, file]);
});

test('26: Alt and arrows move the row that has the focus', async () => {
  const remove = page.getByRole('button', { name: 'Remove groq' });
  await remove.focus();
  const id = await focused();
  await page.keyboard.press('Alt+ArrowDown');
  await said('Moved to 2 of 3.');
  await page.keyboard.press('Alt+ArrowDown');
  await said('Moved to 3 of 3.');
  await page.keyboard.press('Alt+ArrowDown');
  assert.deepEqual([await focused(), await shown(), await filed()], [id, [OPEN, CEREBRAS, GROQ], [OPEN, CEREBRAS, GROQ]]);
  await page.keyboard.press('Alt+ArrowUp');
  await said('Moved to 2 of 3.');
  assert.deepEqual(await asked(), ['openrouter', 'groq', 'cerebras']);
});

test('26: a place is chosen from a list', async () => {
  const place = page.getByLabel('Place of groq llama-3.3-70b');
  await place.focus();
  await place.selectOption('3');
  await said('Moved to 3 of 3.');
  assert.deepEqual([await filed(), await place.inputValue()], [[OPEN, CEREBRAS, GROQ], '3']);
  assert.equal(await page.getByLabel('Place of openrouter').inputValue(), '1');
  await page.getByLabel('Place of cerebras').selectOption('1');
  await said('Moved to 1 of 3.');
  assert.deepEqual([await filed(), await place.inputValue()], [[CEREBRAS, OPEN, GROQ], '3']);
});

test('27: of two editors the second is told, and shown what there is', async () => {
  const other = await page.context().newPage();
  await other.goto(page.url());
  await other.getByRole('button', { name: 'Move cerebras gpt-oss-120b up' }).click();
  await said('Moved to 2 of 3.', other);
  page.expected.push(/409/);
  await page.getByRole('button', { name: 'Move groq llama-3.3-70b down' }).click();
  const alert = page.getByRole('alert');
  await alert.waitFor();
  assert.equal(await alert.textContent(), 'Changed elsewhere meanwhile; shown as it is now. Your move was not applied.');
  assert.deepEqual([await shown(), await filed()], [[GROQ, CEREBRAS, OPEN], [GROQ, CEREBRAS, OPEN]]);
  await page.getByRole('button', { name: 'Move groq llama-3.3-70b down' }).click();
  await said('Moved to 2 of 3.');
  assert.deepEqual([await alert.count(), await filed()], [0, [CEREBRAS, GROQ, OPEN]]);
});

test('27: what was removed comes back to its place, by keys alone', async () => {
  const before = await running.proxy.file();
  await page.getByRole('button', { name: 'Remove openrouter' }).focus();
  await page.keyboard.press('Enter');
  await said('openrouter / deepseek-r1 was removed.');
  assert.deepEqual([await focused(), await filed()], ['h-entries', [GROQ, CEREBRAS]]);
  const undo = page.getByRole('button', { name: 'Undo' });
  await undo.waitFor();
  for (let count = 0; count < 60 && !(await undo.evaluate((one) => one === document.activeElement)); count += 1) await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await said('openrouter / deepseek-r1 is back at 2 of 3.');
  assert.equal(await page.locator('.toast').count(), 0);
  assert.equal(await focused(), 'h-entries');
  assert.equal(await running.proxy.file(), before);
  assert.deepEqual(await shown(), [GROQ, OPEN, CEREBRAS]);
});

test('what can be undone can be for ten seconds, from when nobody is on the way there', async () => {
  await page.clock.install();
  await page.reload();
  await page.getByRole('button', { name: 'Remove openrouter' }).click();
  const toast = page.locator('.toast');
  await toast.waitFor();
  await page.clock.runFor(9_000);
  await page.keyboard.press('Tab');
  await page.clock.runFor(9_000);
  assert.equal(await toast.count(), 1);
  await page.getByRole('button', { name: 'Undo' }).focus();
  await page.clock.runFor(60_000);
  assert.equal(await toast.count(), 1);
  await page.locator('#f-model').focus();
  await page.clock.runFor(12_000);
  assert.equal(await toast.count(), 0);
});

test('an entry is added at its place, and what is wrong stands at its field', async () => {
  page.expected.push(/422/);
  await page.getByLabel('Provider').selectOption('groq');
  await page.getByLabel('Model').fill('llama-3.3-70b');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.locator('#wrongs').waitFor();
  assert.deepEqual([await focused(), await page.getByLabel('Model').getAttribute('aria-invalid')], ['wrongs', 'true']);
  assert.match(await page.locator('#f-model-wrong').textContent(), /in this chain already, at 1/);
  assert.equal(await page.getByLabel('Model').inputValue(), 'llama-3.3-70b');
  await page.getByLabel('Model').fill('llama-3.1-8b');
  await page.locator('#f-at').selectOption('2');
  await page.keyboard.press('Tab');
  await page.getByRole('button', { name: 'Add', exact: true }).press('Enter');
  await said('groq / llama-3.1-8b was added at 2 of 4.');
  assert.deepEqual(await shown(), [GROQ, 'groq / llama-3.1-8b', OPEN, CEREBRAS]);
  assert.deepEqual([await page.getByLabel('Model').inputValue(), await page.locator('#cost').textContent(), await focused()], ['', '4 requests', 'add-it']);
  await page.getByRole('button', { name: 'Remove groq llama-3.1-8b' }).click();
  await said('was removed');
});

test('30: an answer of somebody else, or none, is one message, and the list stays', async () => {
  page.expected.push(/50[02]|ERR_|Failed to fetch/);
  const down = page.getByRole('button', { name: 'Move groq llama-3.3-70b down' });
  const file = await running.proxy.file();
  for (const answer of [
    (route) => route.fulfill({ status: 500, contentType: 'text/html', body: '<h1>Foreign</h1>' }),
    (route) => route.fulfill({ status: 502, contentType: 'text/html', body: '<ol id="entries">Foreign</ol>' }),
    (route) => route.abort('connectionrefused'),
  ]) {
    await page.route('**/move', answer);
    await down.click();
    await page.locator('#toasts [role=alert]').waitFor();
    assert.equal(await page.getByRole('alert').count(), 1);
    assert.deepEqual([await shown(), await running.proxy.file()], [[GROQ, OPEN, CEREBRAS], file]);
    assert.equal(await page.locator('main button:disabled').count(), 0);
    await page.unroute('**/move');
    await page.getByRole('button', { name: 'Dismiss' }).click();
  }
  await page.route('**/move', (route) => route.fulfill({ status: 500 }));
  await page.getByLabel('Place of groq').selectOption('2');
  await page.locator('#toasts [role=alert]').waitFor();
  assert.equal(await page.getByLabel('Place of groq').inputValue(), '1');
  await page.unroute('**/move');
  await down.click();
  await said('Moved to 2 of 3.');
});

test('every entry is tested, and told as it comes', async () => {
  const first = running.upstream.calls.length;
  let release;
  const gate = new Promise((done) => { release = done; });
  running.upstream.script('groq', fail(429, 'Rate limit reached', { 'retry-after': '600' }));
  running.upstream.script('openrouter', async (response, body) => { await gate; serve()(response, body); });
  await page.getByRole('button', { name: 'Test all entries' }).click();
  const row = (at) => page.locator('#tried li').nth(at);
  await row(1).getByText('trying').waitFor();
  assert.match((await row(0).textContent()).replace(/\s+/g, ' '), /failed groq \/ llama-3.3-70b 429/);
  assert.match(await row(2).textContent(), /waits/);
  release();
  await page.locator('#tried-sum', { hasText: '2 of 3 answered' }).waitFor();
  assert.match((await row(2).textContent()).replace(/\s+/g, ' '), /answered cerebras \/ gpt-oss-120b.*52 tokens.*ms/);
  await page.locator('#entries .sign.cooling').waitFor();
  assert.deepEqual(running.upstream.calls.slice(first).map(({ provider, body }) => [provider, body.max_tokens]), [['groq', 1], ['openrouter', 1], ['cerebras', 1]]);

  const before = running.upstream.calls.length;
  await page.getByRole('button', { name: 'Test all entries' }).click();
  await page.locator('#tried-sum', { hasText: '2 of 3 answered, 1 not asked' }).waitFor();
  assert.match(await row(0).textContent(), /not asked.*429.*again at \d\d:\d\d:\d\d/s);
  assert.equal(running.upstream.calls.length, before + 2);
  running.upstream.heal();
  await page.getByLabel('End cooldowns first').check();
  await page.getByRole('button', { name: 'Test all entries' }).click();
  await page.locator('#tried-sum', { hasText: '3 of 3 answered' }).waitFor();
  await page.locator('#entries .sign.cooling').waitFor({ state: 'detached' });
  const link = row(0).getByRole('link', { name: 'log' });
  const id = (await link.getAttribute('href')).split('/').at(-1);
  await until(async () => (await running.proxy.get(`/v1/stats/requests?q=${id}`)).requests?.length === 1, 'not recorded');
  await link.click();
  assert.match(await page.locator('main').textContent(), /by ui/);
});

test('a countdown that is over is looked after', async () => {
  running.upstream.script('groq', fail(429, 'Rate limit reached', { 'retry-after': '2' }));
  await running.proxy.chat();
  await page.reload();
  await page.locator('#entries .sign.cooling').waitFor();
  await page.getByLabel('Model').fill('typed');
  await page.locator('#entries .sign.cooling').waitFor({ state: 'detached' });
  assert.equal(await page.getByLabel('Model').inputValue(), 'typed');
});

test('10: a chain is made, copied, made the default and deleted by keys alone', async () => {
  await page.goto(`${running.proxy.url}/ui/chains`);
  await page.getByRole('link', { name: 'New chain' }).press('Enter');
  await until(async () => (await focused()) === 'f-name', 'the form is not opened');
  await page.keyboard.type('quick');
  const wanted = page.getByRole('checkbox', { name: 'gpt-oss-120b' });
  for (let count = 0; count < 40 && !(await wanted.evaluate((one) => one === document.activeElement)); count += 1) await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/ui/chains/quick?did=added');
  assert.deepEqual(await filed('quick'), [CEREBRAS]);
  await page.getByRole('link', { name: 'Duplicate' }).press('Enter');
  await page.getByRole('button', { name: 'Make copy' }).press('Enter');
  await page.waitForURL('**/ui/chains/quick-copy?did=added');
  await page.getByRole('button', { name: 'Make it the default chain' }).press('Enter');
  await page.waitForURL('**/ui/chains/quick-copy?did=default');
  await page.getByRole('link', { name: 'Delete…' }).press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Delete…');
  await page.keyboard.press('Enter');
  await dialog.getByLabel('New default chain').selectOption('default');
  await dialog.getByRole('button', { name: 'Delete' }).press('Enter');
  await page.waitForURL('**/ui/chains?did=deleted');
  const text = await running.proxy.file();
  assert.ok(text.includes('defaultChain: default\n') && !text.includes('quick-copy') && text.includes('name: quick\n'));
});

test('11: without scripts', async () => {
  const plain = await open(running, { scripts: false });
  await login(running, plain, '/ui/chains/default');
  await plain.getByRole('button', { name: 'Move groq llama-3.3-70b down' }).click();
  await plain.getByText('Saved, and in use.').waitFor();
  await plain.getByLabel('Place of groq').selectOption('3');
  await plain.locator('li', { hasText: 'groq' }).getByRole('button', { name: 'Move', exact: true }).click();
  assert.deepEqual([await shown(plain), await filed()], [[OPEN, CEREBRAS, GROQ], [OPEN, CEREBRAS, GROQ]]);
  const before = await running.proxy.file();
  await plain.getByRole('button', { name: 'Remove cerebras' }).click();
  await plain.getByText('cerebras / gpt-oss-120b was removed.').waitFor();
  await plain.getByRole('button', { name: 'Undo' }).click();
  await plain.waitForURL('**/ui/chains/default?did=added');
  assert.equal(await running.proxy.file(), before);
  await plain.getByRole('button', { name: 'Test all entries' }).click();
  await plain.getByText('3 of 3 answered').waitFor();
  await plain.getByRole('link', { name: 'Chains' }).last().click();
  await plain.locator('#new summary').click();
  await plain.locator('#f-name').fill('plain');
  await plain.getByRole('checkbox', { name: 'deepseek-r1' }).check();
  await plain.getByRole('button', { name: 'Make chain' }).click();
  await plain.waitForURL('**/ui/chains/plain?did=added');
  await plain.getByRole('link', { name: 'Delete…' }).click();
  await plain.waitForURL('**/ui/chains/plain/delete');
  await plain.getByRole('button', { name: 'Delete' }).click();
  await plain.waitForURL('**/ui/chains?did=deleted');
  assert.deepEqual(await plain.locator('.chain-cards h2 a').allTextContents(), ['default', 'coding', 'broken', 'hand']);
  await plain.context().close();
});

test('4, 8, 9: in every look', async () => {
  const limits = { 'x-ratelimit-limit-requests': '30', 'x-ratelimit-remaining-requests': '2', 'x-ratelimit-reset-requests': '40s' };
  running.upstream.script('openrouter', serve({ headers: limits }));
  running.upstream.script('groq', fail(429, 'Rate limit reached', { 'retry-after': '600' }));
  running.upstream.script('nokey', fail(401, 'Invalid API key'));
  for (const model of ['default', 'default', 'broken']) await running.proxy.chat(model);
  await everywhere(running, 'chains', async (one, name) => {
    one.expected.push(/422|409/);
    await login(running, one, '/ui/chains');
    await check(one, name);
    await one.goto(`${running.proxy.url}/ui/chains?copy=default#new`);
    await check(one, `${name}-copy`);
    await one.goto(`${running.proxy.url}/ui/chains`);
    await one.locator('#new summary').click();
    await one.locator('#f-name').fill('default');
    await one.getByRole('button', { name: 'Make chain' }).click();
    await one.locator('#f-name-wrong').waitFor();
    await check(one, `${name}-new-wrong`);
    await one.goto(`${running.proxy.url}/ui/chains/default`);
    await one.getByLabel('Model').fill('llama-3.3-70b');
    await one.getByRole('button', { name: 'Add', exact: true }).click();
    await one.locator('#wrongs').waitFor();
    await check(one, `${name}-wrong`);
    await one.getByRole('button', { name: 'Test all entries' }).click();
    await one.locator('#tried-sum', { hasText: 'answered' }).waitFor();
    await one.getByRole('button', { name: 'Remove cerebras' }).click();
    await one.locator('.toast').waitFor();
    await check(one, `${name}-removed`);
    await one.getByRole('button', { name: 'Undo' }).click();
    await one.getByText('is back at').waitFor();
    await check(one, `${name}-edit`);
    await one.getByRole('link', { name: 'Delete…' }).click();
    await one.getByRole('dialog').waitFor();
    await check(one, `${name}-delete`);
    await one.goto(`${running.proxy.url}/ui/chains/coding/delete`);
    await check(one, `${name}-delete-page`);
  });
});

test('4, 8, 9: without chains, and where nothing can be changed', async () => {
  const bare = yaml.split('chains:')[0];
  await everywhere(running, 'chains-bare', async (one, name) => {
    one.expected.push(/422/);
    await writeFile(running.proxy.config, bare);
    await login(running, one, '/ui/chains');
    await one.getByText('Chain default is what requests use whose model names no chain and no entry.').waitFor();
    await check(one, name);
    await writeFile(running.proxy.config, yaml);
    await chmod(running.proxy.config, 0o444);
    await one.goto(`${running.proxy.url}/ui/chains/default`);
    await one.locator('#locked').waitFor();
    assert.equal(await one.locator('#entries :is(button, select):enabled, #add :is(button, select, input:not([type=hidden])):enabled, #name button:enabled').count(), 0);
    await check(one, `${name}-locked`);
    await chmod(running.proxy.config, 0o644);
  });
});
