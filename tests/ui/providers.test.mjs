// Accounts: added, tried out, changed, switched off and deleted. Items 4, 5, 8, 11 to 15 of the list.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { DESKTOP, PHONE, axe, login, open, picture, start, stop, until } from './setup.mjs';
import { fail, models, serve } from './upstream.mjs';

let running;
before(async () => { running = await start(); });
beforeEach(() => running.upstream.heal());
after(() => stop(running));

const NARROW = { width: 320, height: 640 };
const LOOKS = [[DESKTOP, 'light'], [DESKTOP, 'dark'], [PHONE, 'light'], [PHONE, 'dark'], [NARROW, 'light']];

/** Everything that holds for a page whatever it shows. */
async function check(page, name) {
  await picture(page, name);
  assert.deepEqual(await axe(page), [], name);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `${name} is ${wide} px wider than the screen`);
}

async function everywhere(state, visit) {
  for (const [viewport, theme] of LOOKS) {
    const page = await open(running, { viewport, theme });
    await visit(page, `${state}-${viewport.width}-${theme}`);
    await page.context().close();
  }
}

/** The form for a new provider, of a service that is not in the list. */
async function other(page, { name = 'Example', key = 'sk-0123456789abcdefother', url = `${running.upstream.url}/other/v1` } = {}) {
  await login(running, page, '/ui/providers/new?preset=other');
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('ID', { exact: true }).fill('');
  await page.getByLabel('API key', { exact: true }).fill(key);
  await page.getByLabel('Base URL').fill(url);
}

test('4, 8: every page of providers, in every look', () => everywhere('providers', async (page, name) => {
  page.expected.push(/422/);
  await login(running, page, '/ui/providers');
  await check(page, `${name}-list`);
  await page.goto(`${running.proxy.url}/ui/providers/new`);
  await check(page, `${name}-choice`);
  await page.getByRole('link', { name: 'Groq' }).click();
  await check(page, `${name}-new`);
  await page.getByLabel('Base URL').fill('ftp://nowhere');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alert').waitFor();
  await check(page, `${name}-wrong`);
  await page.goto(`${running.proxy.url}/ui/providers/groq`);
  await page.getByRole('button', { name: /list/ }).click();
  await page.getByText('model-b').waitFor();
  await page.getByRole('button', { name: 'Test connection' }).click();
  await page.getByText('2 models listed').waitFor();
  await check(page, `${name}-one`);
  await page.getByRole('link', { name: 'Delete…' }).click();
  await page.getByRole('dialog').waitFor();
  await check(page, `${name}-question`);
}));

test('12: what is wrong is told at its field, and nothing is lost but the key', async () => {
  const page = await open(running);
  page.expected.push(/422/);
  await other(page, { url: 'htp://example' });
  const answered = page.waitForResponse((response) => response.request().method() === 'POST');
  await page.getByRole('button', { name: 'Save' }).click();
  const answer = await answered;
  assert.equal(answer.status(), 422);
  assert.doesNotMatch(await answer.text(), /sk-0123456789abcdefother/);
  await page.getByRole('alert').getByRole('link').first().click();
  const url = page.getByLabel('Base URL');
  assert.ok(await url.evaluate((field) => field === document.activeElement));
  assert.equal(await url.getAttribute('aria-invalid'), 'true');
  assert.match(await page.locator(`#${await url.getAttribute('aria-describedby')}`).textContent(), /http/);
  assert.equal(await page.getByLabel('Name').inputValue(), 'Example');
  assert.equal(await page.getByLabel('API key', { exact: true }).inputValue(), 'sk-0123456789abcdefother');
  // And now it is right.
  await url.fill(`${running.upstream.url}/other/v1`);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Added, and in use.').waitFor();
  assert.equal(new URL(page.url()).pathname, '/ui/providers/example');
  assert.match(await running.proxy.file(), /- id: example\n/);
  assert.doesNotMatch(await page.content(), /sk-0123456789abcdefother/);
  await page.context().close();
});

test('13: a test tells of the list and of an answer', async () => {
  const page = await open(running);
  await other(page, { name: 'Tried' });
  const press = () => page.getByRole('button', { name: 'Test connection' }).click();
  running.upstream.script('other', serve({ headers: { 'x-ratelimit-limit-requests': '30', 'x-ratelimit-remaining-requests': '29', 'x-ratelimit-reset-requests': '60s' } }));
  running.upstream.lists('other', models('one', 'two', 'three'));
  await press();
  await page.getByText(/3 models listed \(/).waitFor();
  await page.getByText(/answered \(/).waitFor();
  assert.equal(running.upstream.calls.at(-1).body.model, 'one');
  assert.equal(running.upstream.calls.at(-1).body.max_tokens, 1);
  // A list that everybody may read says nothing about the key.
  running.upstream.script('other', fail(401, 'Incorrect API key provided'));
  await press();
  await page.getByText(/auth error: key rejected \(401/).waitFor();
  assert.equal(await page.locator('#tried .sign.ready').count(), 1);
  await page.getByText('Time-out', { exact: true }).click();
  await page.getByLabel('Milliseconds').fill('300');
  running.upstream.script('other', serve({ after: 5_000 }));
  await press();
  await page.getByText(/timeout: no answer.* \(300 ms|timeout.*0\.3 s|no answer/).waitFor();
  await page.context().close();
});

test('14: models are listed when they were asked for, and found by their names', async () => {
  const page = await open(running);
  running.upstream.lists('groq', models(...Array.from({ length: 130 }, (_, at) => `model-${at}`)));
  await login(running, page, '/ui/providers/groq');
  await page.getByRole('button', { name: 'Ask for the list' }).or(page.getByRole('button', { name: 'Refresh list' })).click();
  await page.getByText(/It listed 130 models \d+ s ago/).waitFor();
  assert.equal(await page.locator('#models tbody tr').count(), 100);
  await page.getByText(/And 31 more/).waitFor();
  await page.getByPlaceholder('Find models').fill('model-12');
  await until(async () => await page.locator('#models tbody tr').count() === 11, 'those with 12 in their names');
  assert.ok(await page.getByPlaceholder('Find models').evaluate((field) => field === document.activeElement));
  await page.getByLabel('Add to chain').selectOption('coding');
  await page.getByRole('button', { name: 'Add model-129 to the chain' }).click();
  await page.getByText('Added, and in use.').waitFor();
  await page.getByText('coding #3').waitFor();
  assert.match(await running.proxy.file(), /provider: groq, model: model-129/);
  await page.context().close();
});

test('15: who is used is deleted with its entries, or not at all', async () => {
  const page = await open(running);
  await login(running, page, '/ui/providers');
  const before = await running.proxy.file();
  const ask = (name) => page.getByRole('link', { name: `Delete ${name}…` }).click();
  await ask('openrouter');
  const dialog = page.getByRole('dialog');
  await dialog.getByText(/is used in default \(#2\)/).waitFor();
  await dialog.getByRole('link', { name: 'Cancel' }).click();
  await dialog.waitFor({ state: 'hidden' });
  assert.ok(await page.getByRole('link', { name: 'Delete openrouter…' }).evaluate((link) => link === document.activeElement));
  assert.equal(await running.proxy.file(), before);
  await ask('byhand');
  await dialog.getByText(/would be left with nothing/).waitFor();
  assert.equal(await dialog.getByRole('button').count(), 0);
  await page.keyboard.press('Escape');
  await ask('openrouter');
  await dialog.getByRole('button', { name: 'Delete it and remove this entry' }).click();
  await page.getByText('Deleted.').waitFor();
  const after = await running.proxy.file();
  assert.equal(after, before.split('\n').filter((line) => !line.includes('openrouter')).join('\n'));
  await page.context().close();
});

test('on and off', async () => {
  const page = await open(running);
  await login(running, page, '/ui/providers');
  await page.getByRole('button', { name: 'Switch nokey off' }).click();
  await page.getByText('Switched off.').waitFor();
  await page.locator('#p-nokey .sign.off').waitFor();
  await page.getByRole('link', { name: 'off', exact: true }).click();
  assert.equal(await page.locator('tbody tr').count(), 1);
  await page.getByRole('button', { name: 'Switch nokey on' }).click();
  await page.getByText('Switched on.').waitFor();
  await page.context().close();
});

test('11: without scripts a provider is added, changed, tested and deleted', async () => {
  const page = await open(running, { scripts: false });
  await other(page, { name: 'Plain' });
  await page.getByRole('button', { name: 'Test connection' }).click();
  await page.getByText('2 models listed').waitFor();
  assert.equal(await page.getByLabel('Base URL').inputValue(), `${running.upstream.url}/other/v1`);
  await page.getByLabel('API key', { exact: true }).fill('sk-0123456789abcdefplain');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Added, and in use.').waitFor();
  await page.getByLabel('Name').fill('Plainer');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved, and in use.').waitFor();
  await page.getByRole('heading', { name: 'Plainer' }).waitFor();
  await page.getByRole('link', { name: 'Delete…' }).click();
  await page.getByRole('heading', { name: 'Delete Plainer?' }).waitFor();
  await page.getByRole('button', { name: 'Delete it' }).click();
  await page.getByText('Deleted.').waitFor();
  assert.doesNotMatch(await running.proxy.file(), /plain/i);
  await page.context().close();
});
