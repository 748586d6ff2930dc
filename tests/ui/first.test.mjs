// A proxy with nothing in its file: the dashboard says what to do, and goes on by itself when it is done. Items 8 and 9 of the list.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ADMIN_KEY, CLIENT_KEY } from './proxy.mjs';
import { DESKTOP, PHONE, check, live, login, open, start, stop, until } from './setup.mjs';

const NOTHING = `version: 1
settings:
  host: 127.0.0.1
  apiKeys: [${CLIENT_KEY}]
  adminKeys: [${ADMIN_KEY}]
  dbPath: \${DATA}/usage.redb
`;

let running;
before(async () => { running = await start(NOTHING); });
after(() => stop(running));

/** A change by the admin API, made from the file as it is. */
async function change(method, path, body = {}) {
  const headers = { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' };
  const url = `${running.proxy.url}/v1/admin`;
  const { revision } = await (await fetch(`${url}/config`, { headers })).json();
  const response = await fetch(`${url}${path}`, { method, headers, body: JSON.stringify({ revision, ...body }) });
  assert.equal(response.status, 200, await response.text());
}

const addProvider = () => change('PUT', '/providers/groq', { type: 'openai', apiKey: 'sk-0123456789abcdef', baseUrl: `${running.upstream.url}/groq/v1` });
const addChain = () => change('PUT', '/chains/default', { entries: [{ provider: 'groq', model: 'm' }] });
const primary = (page) => page.locator('main :is(a, button).primary:visible:not([disabled])').allInnerTexts();

for (const [viewport, theme] of [[DESKTOP, 'light'], [PHONE, 'dark'], [{ width: 320, height: 640 }, 'light']]) {
  test(`8, 9: three steps and one thing to do, ${viewport.width} px wide`, async () => {
    const page = await open(running, { viewport, theme });
    await login(running, page);
    await live(page);
    await page.getByRole('heading', { name: 'Get started – 0 of 3' }).waitFor();
    assert.deepEqual(await primary(page), ['Add provider']);
    assert.equal(await page.getByRole('link', { name: 'Add provider' }).getAttribute('href'), '/ui/providers/new');
    assert.equal(await page.getByText('Chains now').count(), 0);
    await check(page, `first-${viewport.width}-${theme}`);
    await page.context().close();
  });
}

test('an open page follows from nothing to a chain and back', async () => {
  const page = await open(running);
  await login(running, page);
  await live(page);
  await addProvider();
  await page.getByRole('heading', { name: 'Get started – 1 of 3' }).waitFor();
  await live(page);
  assert.deepEqual(await primary(page), ['Make chain default from these providers']);
  await check(page, 'first-chain');
  const form = page.locator('form[action="/ui/start/chain"]');
  assert.match(await form.locator('[name=rev]').inputValue(), /^[0-9a-f]{16}$/);
  assert.equal((await form.locator('[name=_csrf]').inputValue()).length, 64);

  await addChain();
  await page.getByRole('heading', { name: 'Chains now' }).waitFor();
  await live(page);
  await page.getByRole('heading', { name: 'Get started' }).waitFor();
  assert.match(await page.locator('#c-base').innerText(), /^http:\/\/127\.0\.0\.1:\d+\/v1$/);
  assert.equal((await running.proxy.chat()).status, 200);
  await page.locator('#log .req').waitFor();
  assert.equal(await page.getByRole('heading', { name: 'Get started' }).count(), 0);

  assert.match(await running.proxy.file(), /provider: groq, model: m/);
  await change('DELETE', '/chains/default');
  await page.getByRole('heading', { name: 'Get started – 1 of 3' }).waitFor();
  await change('DELETE', '/providers/groq');
  await page.getByRole('heading', { name: 'Get started – 0 of 3' }).waitFor();
  const refused = await running.proxy.chat();
  assert.equal(refused.status, 503);
  assert.match(refused.text, /no_chain/);
  await page.context().close();
});

test('11: without scripts the steps are links and forms', async () => {
  const page = await open(running, { scripts: false });
  await login(running, page);
  assert.deepEqual(await primary(page), ['Add provider']);
  await addProvider();
  await page.goto(`${running.proxy.url}/ui`);
  assert.deepEqual(await primary(page), ['Make chain default from these providers']);
  await change('DELETE', '/providers/groq');
  await page.context().close();
});

test('the playground says that there is nobody to ask', async () => {
  const page = await open(running);
  await login(running, page, '/ui/playground');
  await page.getByText('There is nobody to ask yet').waitFor();
  await check(page, 'first-playground');
  await page.getByRole('button', { name: 'Send' }).click();
  await until(async () => /No chain is configured yet/.test(await page.locator('#pg-outcome').innerText()));
  await page.context().close();
});

test('10: from the login to an answer by keys alone', async () => {
  const page = await open(running);
  const told = () => page.evaluate(() => {
    const one = document.activeElement, style = getComputedStyle(one);
    const name = one.getAttribute('aria-label') ?? one.labels?.[0]?.textContent ?? one.textContent;
    return { tag: one.tagName, name: name.trim(), seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 };
  });
  /** Goes on with Tab until something of this name has the focus. Each stop is seen. */
  const reach = async (name, tag = /./) => {
    for (let count = 0; count < 80; count += 1) {
      await page.keyboard.press('Tab');
      const now = await told();
      if (now.tag === 'BODY') continue;
      assert.ok(now.seen, `${now.tag} ${now.name} has the focus and does not show it`);
      if (now.name.startsWith(name) && tag.test(now.tag)) return;
    }
    assert.fail(`${name} is not reached by Tab`);
  };
  await page.goto(`${running.proxy.url}/ui`);
  await page.keyboard.type(ADMIN_KEY);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/ui');
  await live(page);
  await reach('Add provider', /^A$/);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/ui/providers/new');
  await reach('Other OpenAI-compatible');
  await page.keyboard.press('Enter');
  await page.waitForURL('**preset=other');
  await reach('API key', /INPUT/);
  await page.keyboard.type('sk-0123456789abcdef');
  await reach('Base URL', /INPUT/);
  await page.keyboard.type('ftp://nowhere');
  page.expected.push(/422/);
  await page.keyboard.press('Enter');
  await page.locator('#wrongs').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'wrongs', 'the focus is where it is told');
  await reach('Base URL', /INPUT/);
  await page.keyboard.press('Control+A');
  await page.keyboard.type(`${running.upstream.url}/other/v1`);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/ui/providers/other**');
  await page.goto(`${running.proxy.url}/ui`);
  await live(page);
  await reach('Make chain', /BUTTON/);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/ui/chains/default**');
  await page.goto(`${running.proxy.url}/ui/playground`);
  await reach('Message', /TEXTAREA/);
  await page.keyboard.press('Control+Enter');
  await page.getByText('served by other', { exact: false }).first().waitFor();
  assert.notEqual((await told()).tag, 'BODY');
  await page.context().close();
});
