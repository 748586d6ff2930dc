// Requests by hand. Item 28 of the list, and 10, 11 and 30 where they are about this page.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, beforeEach, test } from 'node:test';
import { login, open, start, stop } from './setup.mjs';
import { fail, gated, serve } from './upstream.mjs';

let running, page;
before(async () => { running = await start(); });
beforeEach(async () => {
  running.upstream.heal();
  await page?.context().close();
  page = await open(running);
  await login(running, page, '/ui/playground');
});
after(() => stop(running));

test('28: text is seen as it comes, with its trail, and is text', async () => {
  let release;
  const gate = new Promise((done) => { release = done; });
  running.upstream.script('groq', fail(500, 'upstream error'));
  running.upstream.script('openrouter', gated(['Hello <img src=x onerror=alert(1)>\n', '  world', ' & end'], gate));
  await page.getByLabel('Message', { exact: true }).fill('Say hello');
  await page.keyboard.press('Control+Enter');
  const out = page.locator('#pg-out');
  await page.waitForFunction(() => document.querySelector('#pg-out').textContent.includes('world'));
  assert.equal(await out.textContent(), 'Hello <img src=x onerror=alert(1)>\n  world');
  assert.equal(await out.locator('img').count(), 0);
  assert.equal(await out.getAttribute('aria-busy'), 'true');
  assert.ok(await page.getByRole('button', { name: 'Send' }).isDisabled());
  const trail = page.locator('#pg-trail li');
  assert.match(await trail.first().textContent(), /failed\s+groq/);
  assert.match(await trail.last().textContent(), /trying openrouter/);
  release();
  await page.locator('#pg-meta').waitFor();
  assert.equal(await out.textContent(), 'Hello <img src=x onerror=alert(1)>\n  world & end');
  assert.match(await page.locator('#pg-meta').textContent(), /served by openrouter \/ deepseek-r1\s*2 tries\s*first token .* ms\s*total .*12 \+ 40 tokens/);
  assert.match(await trail.last().textContent(), /served\s+openrouter/);
  assert.equal(await page.locator('#announce').textContent(), 'Answer complete, served by openrouter / deepseek-r1');
  assert.ok(await page.getByRole('button', { name: 'Send' }).isEnabled());
  await page.getByText('Raw response').click();
  assert.match(await page.locator('pre', { hasText: 'data: [DONE]' }).textContent(), /chat.completion.chunk/);
  await page.getByRole('link', { name: 'Open in log' }).click();
  assert.match(await page.locator('main').textContent(), /by ui/);
});

test('28: Escape stops, and the provider sees the connection closed', async () => {
  running.upstream.script('byhand', gated(['one', 'never'], new Promise(() => {})));
  await page.getByLabel('Send to').selectOption('hand');
  await page.getByRole('button', { name: 'Send' }).click();
  await page.waitForFunction(() => document.querySelector('#pg-out').textContent === 'one');
  const aborted = once(running.upstream, 'aborted', { signal: AbortSignal.timeout(1_000) });
  await page.keyboard.press('Escape');
  assert.deepEqual(await aborted, ['byhand']);
  await page.getByText('stopped by you').waitFor();
  assert.equal(await page.locator('#pg-out').textContent(), 'one');
  await page.waitForFunction(() => !document.querySelector('button.send').disabled);
});

test('a whole answer has a trail as well, and one that fails says why', async () => {
  await page.getByLabel('Stream').uncheck();
  await page.getByRole('button', { name: 'Send' }).click();
  await page.locator('#pg-meta').waitFor();
  assert.equal(await page.locator('#pg-out').textContent(), 'Hello from the upstream');
  running.upstream.script('nokey', fail(401, 'Invalid API key'));
  running.upstream.script('groq', fail(429, 'Rate limit reached', { 'retry-after': '600' }));
  await page.getByLabel('Send to').selectOption('broken');
  await page.getByRole('button', { name: 'Send' }).click();
  assert.match(await page.getByRole('alert').textContent(), /Tried 2 providers: nokey\/some-model \(key rejected, 401/);
  assert.equal(await page.locator('#pg-out').textContent(), '');
});

test('what is wrong with the form is said, and nothing is sent', async () => {
  const before = running.upstream.calls.length;
  page.expected.push(/422/);
  await page.getByText('System, temperature').click();
  await page.getByLabel('Temperature').fill('hot');
  await page.getByRole('button', { name: 'Send' }).click();
  assert.match(await page.getByRole('alert').textContent(), /Temperature must be a number/);
  await page.getByLabel('Temperature').fill('0.5');
  await page.getByText('As a command').click();
  await page.getByLabel('Message', { exact: true }).fill("It's me");
  await page.waitForFunction(() => document.querySelector('#pg-command').textContent.includes("It'\\''s me"));
  assert.equal(running.upstream.calls.length, before);
  await page.getByRole('button', { name: 'Send' }).click();
  await page.locator('#pg-meta').waitFor();
  assert.equal(await page.getByRole('alert').count(), 0);
  assert.equal(running.upstream.calls.at(-1).body.temperature, 0.5);
});

test('10: by keys alone, and what has the focus is seen', async () => {
  await page.goto(`${running.proxy.url}/ui`);
  const reached = [];
  const focused = () => page.evaluate(() => {
    const one = document.activeElement, style = getComputedStyle(one);
    return { tag: one.tagName, text: (one.textContent || one.name || '').trim().slice(0, 30), width: parseFloat(style.outlineWidth), style: style.outlineStyle };
  });
  for (let count = 0; count < 30; count += 1) {
    await page.keyboard.press('Tab');
    const now = await focused();
    if (now.tag === 'BODY') break;
    assert.ok(now.style !== 'none' && now.width >= 2, JSON.stringify(now));
    reached.push(now.text);
    if (now.text === 'Playground') break;
  }
  assert.equal(reached[0], 'Skip to content');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/ui/playground');
  await page.locator('#pg-message').focus();
  await page.keyboard.press('Control+Enter');
  await page.locator('#pg-meta').waitFor();
  assert.notEqual((await focused()).tag, 'BODY');
});

test('11: without scripts a prompt is answered as a page, and the log can be read', async () => {
  const plain = await open(running, { scripts: false });
  await login(running, plain, '/ui/playground');
  await plain.getByLabel('Message', { exact: true }).fill('Without scripts');
  await plain.getByRole('button', { name: 'Send' }).click();
  await plain.locator('#pg-meta').waitFor();
  assert.equal(await plain.locator('#pg-out').textContent(), 'Hello from the upstream');
  assert.equal(await plain.getByLabel('Message', { exact: true }).inputValue(), 'Without scripts');
  assert.equal(await plain.getByRole('button', { name: 'Stop' }).count(), 0);
  await plain.goto(`${running.proxy.url}/ui`);
  await plain.locator('.opener').first().click();
  await plain.locator('.trail').waitFor();
  await plain.goBack();
  await plain.getByLabel('Outcome').selectOption('served');
  await plain.getByRole('button', { name: 'Filter' }).click();
  assert.ok((await plain.locator('#log .req').count()) > 0);
  await plain.getByRole('button', { name: 'Log out' }).click();
  await plain.waitForURL('**/ui/login');
  await plain.context().close();
});

test('30: an answer of somebody else, or none, is one message, and the page stays', async () => {
  page.expected.push(/50[02]|ERR_|Failed to fetch/);
  for (const answer of [
    (route) => route.fulfill({ status: 500, contentType: 'text/html', body: '<h1>Foreign</h1>' }),
    (route) => route.fulfill({ status: 502, contentType: 'text/html', body: '<main id="main">Foreign</main>' }),
    (route) => route.abort('connectionrefused'),
  ]) {
    await page.route('**/ui/playground/send', answer);
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('#toasts [role=alert]').waitFor();
    assert.equal(await page.getByRole('alert').count(), 1);
    assert.ok(!(await page.locator('body').textContent()).includes('Foreign'));
    await page.waitForFunction(() => !document.querySelector('button.send').disabled);
    await page.unroute('**/ui/playground/send');
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.locator('#pg-meta').waitFor();
    assert.equal(await page.locator('#toasts [role=alert]').count(), 0);
  }
  running.upstream.script('groq', serve());
});
