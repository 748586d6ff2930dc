// Each error arrives as the SDK's own class for it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { firstChain } from './proxy.mjs';
import { start, stop } from './setup.mjs';

const messages = [{ role: 'user', content: 'Schöne Grüße, 世界 👋' }];

let running, client;

before(async () => {
  running = await start({ demo: true });
  client = running.served.client();
});
after(() => stop(running));

async function refusal(kind, client, request) {
  let refused;
  await assert.rejects(client.chat.completions.create(request), (error) => {
    refused = error;
    return error instanceof kind;
  });
  return refused;
}

test('a wrong key is an authentication error', async () => {
  const stranger = running.served.client('wrong');
  const error = await refusal(OpenAI.AuthenticationError, stranger, { model: 'default', messages });
  assert.deepEqual([error.status, error.code], [401, 'invalid_api_key']);
});

test('no messages is a bad request', async () => {
  const demoClient = running.demo.client();
  const model = await firstChain(demoClient);
  const error = await refusal(OpenAI.BadRequestError, demoClient, { model, messages: [] });
  assert.equal(error.status, 400);
});

test('a model that is not there is not found', async () => {
  const error = await refusal(OpenAI.NotFoundError, client, { model: 'no-such-model', messages });
  assert.deepEqual([error.status, error.code], [404, 'model_not_found']);
});

test('a body beyond the cap is too large', async () => {
  const long = [{ role: 'user', content: 'x'.repeat(100_000) }];
  const error = await refusal(OpenAI.APIError, client, { model: 'default', messages: long });
  assert.deepEqual([error.status, error.code], [413, 'request_too_large']);
});

for (const stream of [false, true]) {
  test(`an exhausted chain says when to come back (stream: ${stream})`, async () => {
    const error = await refusal(OpenAI.InternalServerError, client, { model: 'exhausted', messages, stream });
    assert.deepEqual([error.status, error.code], [503, 'all_providers_exhausted']);
    const wait = Number(error.headers.get('retry-after'));
    assert.ok(wait >= 1 && wait <= 60, `retry-after ${wait}`);
    assert.match(error.message, /dry\/small.*dry\/large/s);
    assert.ok(error.error.trail);
  });
}

test("a provider's own 400 comes back as it came", async () => {
  const error = await refusal(OpenAI.BadRequestError, client, { model: 'refused', messages });
  assert.equal(error.error.message, "'top_p' must lie between 0 and 1");
});

test("a provider's own 422 comes back as it came", async () => {
  const error = await refusal(OpenAI.UnprocessableEntityError, client, { model: 'unprocessable', messages });
  assert.equal(error.error.message, "'messages[0].content' has the wrong type");
});
