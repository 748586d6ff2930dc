// The promise: a limited entry is the proxy's business and never the client's.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { firstChain } from './proxy.mjs';
import { start, stop } from './setup.mjs';

const messages = [{ role: 'user', content: 'Schöne Grüße, 世界 👋' }];

let running;

before(async () => {
  running = await start({ demo: true });
});
after(() => stop(running));

const atOnce = (count, client, model) =>
  Promise.all(Array.from({ length: count }, () => client.chat.completions.create({ model, messages }).withResponse()));

test('twenty at once pass a limited entry', async () => {
  for (const { response } of await atOnce(20, running.served.client(), 'crowd')) {
    assert.equal(response.headers.get('x-429chain-provider'), 'steady/small');
  }
  const met = running.upstream.count('limited', 'crowded');
  assert.ok(met >= 1);
  await atOnce(20, running.served.client(), 'crowd');
  assert.equal(running.upstream.count('limited', 'crowded'), met, 'a cooling entry was called');
});

test('twenty at once are served by the demo', async () => {
  const client = running.demo.client();
  const answers = await atOnce(20, client, await firstChain(client));
  for (const { data } of answers) assert.ok(data.choices[0].message.content);
  assert.equal(new Set(answers.map(({ response }) => response.headers.get('x-request-id'))).size, 20);
});

test('a limited entry is tried once and then left alone', async () => {
  const attempts = [];
  for (let round = 0; round < 3; round += 1) {
    const [{ response }] = await atOnce(1, running.served.client(), 'failover');
    assert.equal(response.headers.get('x-429chain-provider'), 'steady/small');
    assert.equal(response.headers.get('x-429chain-chain'), 'failover');
    attempts.push(response.headers.get('x-429chain-attempts'));
  }
  assert.deepEqual(attempts, ['2', '1', '1']);
  assert.equal(running.upstream.count('limited', 'small'), 1);
});
