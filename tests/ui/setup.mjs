// What the tests of a file run against: a scripted upstream, a proxy in front of it, and a browser that notes whatever a
// page does that it must not.

import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { ADMIN_KEY, Proxy } from './proxy.mjs';
import { Upstream } from './upstream.mjs';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };
const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Whatever a page must not do, noted over all pages of a file. */
const offences = [];

export async function start(text) {
  const upstream = await Upstream.start();
  const proxy = await Proxy.start(upstream.url, text);
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
  return { upstream, proxy, browser };
}

export async function stop({ upstream, proxy, browser }) {
  await browser?.close();
  await proxy?.stop();
  upstream?.stop();
  assert.deepEqual(offences, [], 'policy violations, errors in the console, foreign requests');
}

/** A page in a context of its own. */
export async function open(running, { viewport = DESKTOP, theme = 'light', scripts = true, ...more } = {}) {
  const context = await running.browser.newContext({
    viewport, colorScheme: theme, javaScriptEnabled: scripts, locale: 'en-GB', timezoneId: 'UTC', ...more,
  });
  if (process.env.SLOW) await slow(context, Number(process.env.SLOW));
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  watch(page, running);
  return page;
}

/** Answers that scripts ask for come later by so many ms: a test that does not wait for what it is about fails then. */
async function slow(context, ms) {
  await context.route((url) => url.pathname.startsWith('/ui'), async (route) => {
    if (route.request().headers()['hx-request']) await new Promise((done) => setTimeout(done, ms));
    await route.continue().catch(() => {});
  });
}

/** Notes what the page must not do. */
export function watch(page, running) {
  page.expected = [];
  page.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return;
    const text = `${message.text()} ${message.location().url}`;
    // What a test provokes, such as a 401, is said in the console as well.
    if (!page.expected.some((pattern) => pattern.test(text))) offences.push(text);
  });
  page.on('pageerror', (error) => offences.push(String(error.stack)));
  page.on('request', (request) => {
    if (!request.url().startsWith(running.proxy.url) && !request.url().startsWith('data:')) offences.push(`asks ${request.url()}`);
  });
  page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
  });
}

/** Logs in and goes there. */
export async function login(running, page, path = '/ui') {
  await page.goto(`${running.proxy.url}${path}`);
  await page.getByLabel('Admin key').fill(ADMIN_KEY);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.waitForURL((url) => url.pathname + url.search + url.hash === path);
}

/** Waits until the page is told what is new. */
export async function live(page) {
  await page.waitForSelector('#live-chip[data-state=live]');
}

/** What axe has against the page. */
export async function axe(page) {
  await page.evaluate(AXE);
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
  const { violations } = await page.evaluate((values) => window.axe.run(document, { runOnly: { type: 'tag', values } }), tags);
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join(' | ')}`);
}

/** Keeps a picture, when somebody wants to look. */
export async function picture(page, name) {
  if (!process.env.PICTURES) return;
  await mkdir(process.env.PICTURES, { recursive: true });
  await page.screenshot({ path: join(process.env.PICTURES, `${name}.png`), fullPage: true });
}

/** Everything that holds for a page whatever it shows. */
export async function check(page, name) {
  // What the header of a page covers just now is no matter.
  await page.evaluate(() => window.scrollTo(0, 0));
  await picture(page, name);
  assert.deepEqual(await axe(page), [], name);
  const found = await page.evaluate(() => {
    const [scroll, client] = [document.documentElement.scrollWidth, document.documentElement.clientWidth];
    const small = [...document.querySelectorAll('a, button, input, select, textarea, summary')].filter((one) => {
      const { width, height } = one.getBoundingClientRect();
      const inText = one.tagName === 'A' && getComputedStyle(one).display === 'inline';
      return one.checkVisibility() && !one.closest('.hidden') && !one.matches('.skip, .hidden, [type=checkbox]') && !inText && (width < 24 || height < 24);
    });
    // What a provider has sent is shown as it came.
    const text = [...document.querySelectorAll('pre')].reduce((all, one) => all.replace(one.innerText, ''), document.body.innerText);
    return { wide: scroll > client ? scroll : 0, small: small.map((one) => one.outerHTML), text };
  });
  assert.equal(found.wide, 0, `${name} is wider than the screen`);
  assert.deepEqual(found.small, [], `${name}: too small to be hit`);
  assert.doesNotMatch(found.text, /(?<![\d.,])0 (%|ms)|NaN|null|undefined|\[object Object\]/, name);
}

const LOOKS = [[DESKTOP, 'desk'], [PHONE, 'phone'], [{ width: 320, height: 640 }, 'narrow']]
  .flatMap(([viewport, size]) => ['light', 'dark'].map((theme) => ({ viewport, theme, name: `${size}-${theme}` })))
  .filter(({ name }) => name !== 'narrow-dark');

/** Visits a state of a page on a desk and on a phone, light and dark. */
export async function everywhere(running, state, visit) {
  for (const { viewport, theme, name } of LOOKS) {
    const page = await open(running, { viewport, theme });
    await visit(page, `${state}-${name}`);
    await page.context().close();
  }
}

/** Waits until `look` gives something that holds. */
export async function until(look, what = 'it did not happen', ms = 10_000) {
  const end = Date.now() + ms;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(what);
    await new Promise((done) => setTimeout(done, 25));
  }
}
