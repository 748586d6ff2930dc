// Coming in: who is sent where, what the browser keeps, and how often somebody may guess. Items 1 to 3 of the list.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ADMIN_KEY, CLIENT_KEY } from './proxy.mjs';
import { login, open, start, stop } from './setup.mjs';

let running;
before(async () => { running = await start(); });
after(() => stop(running));

test('1: who is not logged in comes to the login, and from there to where it wanted', async () => {
  const page = await open(running);
  page.expected.push(/401/);
  await page.goto(`${running.proxy.url}/`);
  assert.equal(new URL(page.url()).pathname, '/ui/login');
  await page.goto(`${running.proxy.url}/ui?range=7d`);
  assert.equal(new URL(page.url()).searchParams.get('next'), '/ui?range=7d');
  await page.getByLabel('Admin key').fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').waitFor();
  assert.match(await page.getByRole('alert').textContent(), /not valid. \(1 of 5\)/);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'key');
  assert.equal(await page.getByLabel('Admin key').getAttribute('aria-invalid'), 'true');
  await page.getByLabel('Admin key').fill(ADMIN_KEY);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/ui?range=7d');
  assert.equal(await page.locator('.ranges [aria-current]').textContent(), '7d');
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.waitForURL('**/ui/login');
  await page.context().close();
});

test('2: the key is nowhere but in the field, and the cookie is out of reach', async () => {
  const page = await open(running);
  await login(running, page);
  const [cookie] = (await page.context().cookies()).filter(({ name }) => name === 'sid');
  assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, 'Strict', '/ui']);
  assert.equal(await page.evaluate(() => document.cookie), '');
  for (const path of ['/ui', '/ui/playground', '/ui/nothing']) {
    if (path === '/ui/nothing') page.expected.push(/404/);
    await page.goto(`${running.proxy.url}${path}`);
    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.documentElement.outerHTML]));
    for (const key of [ADMIN_KEY, CLIENT_KEY, '0123456789abcdef', cookie.value]) assert.ok(!kept.includes(key), path);
  }
  await page.context().close();
});

test('the key is shown only while somebody wants to see it', async () => {
  const page = await open(running);
  await page.goto(`${running.proxy.url}/ui/login`);
  await page.getByLabel('Admin key').fill('abc');
  await page.getByRole('button', { name: 'Show' }).click();
  assert.equal(await page.locator('#key').getAttribute('type'), 'text');
  await page.getByRole('button', { name: 'Hide' }).click();
  assert.equal(await page.locator('#key').getAttribute('type'), 'password');
  await page.context().close();
});

test('3: the sixth wrong key in a minute is answered with 429 and a time', async () => {
  const page = await open(running);
  page.expected.push(/401|429/);
  await page.goto(`${running.proxy.url}/ui/login`);
  let response;
  for (let count = 0; count < 6; count += 1) {
    await page.getByLabel('Admin key').fill('wrong');
    const answered = page.waitForResponse((one) => one.request().method() === 'POST');
    await page.keyboard.press('Enter');
    response = await answered;
    if (response.status() === 429) break;
    await page.waitForFunction((n) => document.querySelector('#wrong')?.textContent.includes(`(${n} of 5)`), count + 1);
  }
  assert.equal(response.status(), 429);
  assert.ok(Number(response.headers()['retry-after']) > 50);
  await page.getByRole('alert').filter({ hasText: 'Too many wrong keys' }).waitFor();
  await page.waitForFunction(() => document.querySelector('button[data-wait]').disabled);
  await page.context().close();
});
