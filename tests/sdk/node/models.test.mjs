// `GET /v1/models`: chains first, then every entry; each id selects what it names.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { start, stop } from './setup.mjs';

let running, client;

before(async () => {
  running = await start();
  client = running.served.client();
});
after(() => stop(running));

test('the list has every chain before every entry', async () => {
  const models = [];
  for await (const model of client.models.list()) models.push(model);
  const chains = models.filter((model) => model.owned_by === '429chain');
  assert.deepEqual(models.slice(0, chains.length), chains);
  const expected = ['default', 'crowd', 'failover', 'exhausted', 'refused', 'unprocessable', 'torn', 'vectors'];
  assert.deepEqual(chains.map((model) => model.id), expected);
  const entries = models.slice(chains.length).map((model) => model.id);
  for (const entry of ['steady/small', 'limited/crowded', 'dry/large']) assert.ok(entries.includes(entry), entry);
});

test('a chain and an entry can be retrieved', async () => {
  assert.equal((await client.models.retrieve('crowd')).id, 'crowd');
  // The SDK sends the slash as %2F.
  assert.equal((await client.models.retrieve('steady/small')).id, 'steady/small');
});
