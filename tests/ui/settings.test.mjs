// The page Settings: keys made by keyboard, revoked after a question, and the way back to an earlier file.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { ADMIN_KEY, CLIENT_KEY } from './proxy.mjs';
import { DESKTOP, PHONE, axe, login, open, picture, start, stop, until } from './setup.mjs';

let running;
before(async () => { running = await start(); });
after(() => stop(running));

const LOOKS = [[DESKTOP, 'desk'], [PHONE, 'phone'], [{ width: 320, height: 640 }, 'narrow']]
  .flatMap(([viewport, size]) => ['light', 'dark'].map((theme) => ({ viewport, theme, name: `${size}-${theme}` })));

/** What holds for every state of the page. */
async function check(page, name) {
  await picture(page, name);
  assert.deepEqual(await axe(page), [], name);
  const found = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    small: [...document.querySelectorAll('main a, main button, main input, dialog a, dialog button')].filter((one) => {
      const { width, height } = one.getBoundingClientRect();
      return one.checkVisibility() && getComputedStyle(one).display !== 'inline' && one.type !== 'hidden' && (width < 24 || height < 24);
    }).map((one) => one.outerHTML),
    text: document.body.innerText,
  }));
  assert.ok(found.wide <= 0, `${name} is wider than the screen`);
  assert.deepEqual(found.small, [], `${name}: too small to be hit`);
  for (const secret of [ADMIN_KEY, CLIENT_KEY]) assert.ok(!found.text.includes(secret), name);
}

/** Tabs on until something has the focus. */
async function tabTo(page, what, selector) {
  for (let count = 0; count < 40; count += 1) {
    await page.keyboard.press('Tab');
    const there = await page.evaluate((one) => {
      const at = document.activeElement;
      return at.matches(one) && (getComputedStyle(at).outlineWidth >= '2px' ? 'seen' : 'not seen');
    }, selector);
    if (there) return assert.equal(there, 'seen', `${what} has the focus, and shows it`);
  }
  throw new Error(`${what} is not reached by keyboard`);
}

const works = async (key) => {
  const response = await fetch(`${running.proxy.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
  return response.status === 200;
};

test('a key is made by keyboard, shown once, and copied', async () => {
  const page = await open(running, { permissions: ['clipboard-read', 'clipboard-write'] });
  page.expected.push(/409/);
  await login(running, page, '/ui/settings');
  await tabTo(page, 'the label', '#f-label');
  await page.keyboard.type('laptop');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'The new client key laptop' }).waitFor();
  const key = await page.locator('#once').textContent();
  assert.match(key, /^sk-429-[0-9a-f]{48}$/);
  assert.equal(await page.evaluate(() => document.activeElement.dataset.copy), 'once');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), key);
  assert.equal(await page.locator('#base').textContent(), `${running.proxy.url}/v1`);
  assert.ok(await works(key));
  const before = await running.proxy.file();
  assert.ok(before.includes('label: laptop') && !before.includes(key));
  // The page loaded again is the form sent again.
  await page.reload();
  await page.getByRole('alert').getByText('no key was made this time').waitFor();
  assert.ok(!(await page.content()).includes(key));
  assert.equal(await running.proxy.file(), before);
  await page.goto(`${running.proxy.url}/ui/settings`);
  await page.getByLabel('Label of a new key').fill('phone');
  await page.getByRole('button', { name: 'New key' }).dblclick();
  const second = await page.locator('#once').textContent();
  await page.getByRole('link', { name: 'back to the settings' }).click();
  await page.waitForURL('**/ui/settings');
  // A browser that does not keep the page asks whether to send the form again.
  await page.goBack().catch(() => {});
  const there = await until(() => page.content().catch(() => null));
  assert.ok(!there.includes(second), 'the way back does not show it again');
  const output = running.proxy.output.join('\n');
  assert.ok(output.includes('a client key was made') && !output.includes(key) && !output.includes(second));
  await page.context().close();
});

test('a key is revoked in a dialog, and Cancel changes nothing', async () => {
  const page = await open(running);
  await login(running, page, '/ui/settings');
  await page.getByLabel('Label of a new key').fill('tablet');
  await page.keyboard.press('Enter');
  const key = await page.locator('#once').textContent();
  await page.getByRole('link', { name: 'back to the settings' }).click();
  const before = await running.proxy.file();
  const opener = page.getByRole('link', { name: 'Revoke tablet' });
  await opener.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('heading', { name: 'Revoke the key tablet?' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Cancel');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  assert.equal(await running.proxy.file(), before);
  assert.ok(await opener.evaluate((one) => one === document.activeElement), 'the focus is back where it was');
  await opener.click();
  // A key pressed before the question is there is none of the dialog's.
  await dialog.getByRole('heading').waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  assert.ok(await works(key));
  await opener.click();
  await dialog.getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('status').getByText('The key opens nothing any more').waitFor();
  assert.ok(!await works(key));
  assert.ok(!(await running.proxy.file()).includes('tablet'));
  assert.equal(await page.getByRole('link', { name: 'Revoke tablet' }).count(), 0);
  await page.context().close();
});

test('a page that is out of date says so and revokes nothing', async () => {
  const page = await open(running);
  page.expected.push(/409/);
  await login(running, page, '/ui/settings');
  const other = await page.context().newPage();
  await other.goto(`${running.proxy.url}/ui/settings`);
  await other.getByLabel('Label of a new key').fill('meanwhile');
  await other.keyboard.press('Enter');
  await other.locator('#once').waitFor();
  const before = await running.proxy.file();
  await page.getByRole('link', { name: 'Revoke' }).last().click();
  await page.getByRole('alert').getByText('Load this page again').waitFor();
  assert.equal(await page.getByRole('dialog').count(), 0);
  assert.equal(await running.proxy.file(), before);
  await page.context().close();
});

test('an earlier file is looked at and brought back', async () => {
  const page = await open(running);
  await login(running, page, '/ui/settings');
  const before = await running.proxy.file();
  await page.getByLabel('Label of a new key').fill('car');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'back to the settings' }).click();
  assert.ok((await page.locator('#text').textContent()).includes('label: car'));
  await page.locator('.versions tbody tr').nth(1).getByRole('link', { name: 'Look' }).click();
  await page.getByRole('heading', { name: 'What going back would change' }).waitFor();
  assert.match(await page.locator('.diff').innerText(), /^- .*label: car/m);
  await page.getByText('Client keys that open nothing any more: car.').waitFor();
  await page.getByRole('button', { name: 'Restore this version' }).click();
  await page.getByRole('status').getByText('The earlier version is back').waitFor();
  assert.equal(await running.proxy.file(), before);
  await page.context().close();
});

test('without scripts everything works as well', async () => {
  const page = await open(running, { scripts: false });
  page.expected.push(/422/);
  await login(running, page, '/ui/settings');
  await page.getByLabel('Label of a new key').fill('ui');
  await page.getByRole('button', { name: 'New key' }).click();
  await page.getByRole('link', { name: 'is what requests of the admin pages are labelled' }).waitFor();
  await page.getByLabel('Label of a new key').fill('plain');
  await page.getByRole('button', { name: 'New key' }).click();
  const key = await page.locator('#once').textContent();
  assert.ok(await works(key));
  await page.getByRole('link', { name: 'back to the settings' }).click();
  const before = await running.proxy.file();
  await page.getByRole('link', { name: 'Revoke plain' }).click();
  await page.getByRole('heading', { name: 'Revoke the key plain?', level: 1 }).waitFor();
  await page.getByRole('link', { name: 'Cancel' }).click();
  assert.equal(await running.proxy.file(), before);
  await page.getByRole('link', { name: 'Revoke plain' }).click();
  await page.getByRole('button', { name: 'Revoke' }).click();
  await page.locator('#did').waitFor();
  assert.ok(!await works(key));
  await page.getByRole('button', { name: 'Read again' }).click();
  await page.getByText('Nothing was different').waitFor();
  await page.getByRole('button', { name: 'dark', exact: true }).click();
  await page.waitForSelector('html[data-theme=dark]');
  assert.equal(await page.getByRole('button', { name: 'dark', exact: true }).getAttribute('aria-pressed'), 'true');
  await page.getByRole('button', { name: 'system', exact: true }).click();
  await page.waitForSelector('html:not([data-theme])');
  await page.context().close();
});

test('in every state and both themes, on a desk and on a phone', async () => {
  for (let count = 0; count < 5; count += 1) await running.proxy.chat();
  await until(async () => (await running.proxy.get('/v1/stats/clients')).clients?.some?.(({ totalRequests }) => totalRequests >= 5), 'five requests are counted');
  const right = await running.proxy.file();
  for (const { viewport, theme, name } of LOOKS) {
    const page = await open(running, { viewport, theme });
    page.expected.push(/422/);
    const at = (path) => page.goto(`${running.proxy.url}${path}`);
    await login(running, page, '/ui/settings');
    await check(page, `settings-${name}`);
    await page.getByRole('link', { name: 'Revoke' }).last().click();
    await page.getByRole('dialog').getByRole('heading').waitFor();
    await check(page, `settings-${name}-revoke`);
    await at('/ui/settings/admin-key');
    await check(page, `settings-${name}-admin-key`);
    await at('/ui/settings');
    await page.getByLabel('Label of a new key').fill('key-1');
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByRole('alert').waitFor();
    await check(page, `settings-${name}-taken`);
    await page.getByLabel('Label of a new key').fill(`a rather long label of a key for ${name}`);
    await page.getByRole('button', { name: 'New key' }).click();
    await page.locator('#once').waitFor();
    await check(page, `settings-${name}-once`);
    await at('/ui/settings');
    await page.locator('.versions tbody tr').nth(1).getByRole('link', { name: 'Look' }).click();
    await page.locator('.diff').waitFor();
    await check(page, `settings-${name}-version`);
    await page.getByRole('button', { name: 'Restore this version' }).click();
    await page.locator('#did').waitFor();
    await writeFile(running.proxy.config, right.replace('queueMode: false', 'queueMode: perhaps'));
    await page.getByRole('button', { name: 'Read again' }).click();
    await page.getByRole('alert').first().waitFor();
    await check(page, `settings-${name}-refused`);
    await writeFile(running.proxy.config, right);
    await page.getByRole('button', { name: 'Read again' }).click();
    await page.locator('#did').waitFor();
    await page.context().close();
  }
});

test('a new admin key leaves only this session, and the old key outside', async () => {
  const [page, other] = [await open(running), await open(running)];
  other.expected.push(/401/);
  await login(running, page, '/ui/settings');
  await login(running, other);
  await page.getByRole('link', { name: 'Make a new admin key' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Make a new admin key' }).click();
  const key = await page.locator('#once').textContent();
  assert.match(key, /^ak-429-/);
  await other.waitForURL('**/ui/login**');
  await other.getByLabel('Admin key').fill(ADMIN_KEY);
  await other.keyboard.press('Enter');
  await other.getByRole('alert').waitFor();
  await other.getByLabel('Admin key').fill(key);
  await other.keyboard.press('Enter');
  await other.waitForURL((url) => url.pathname === '/ui');
  await page.getByRole('link', { name: 'back to the settings' }).click();
  await page.getByRole('heading', { name: 'Settings' }).waitFor();
  assert.ok(!running.proxy.output.join('\n').includes(key));
  for (const one of [page, other]) await one.context().close();
});
