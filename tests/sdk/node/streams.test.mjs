// Streams: every chunk arrives, usage comes when asked for and only then, a cut is never a clean end.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { z } from 'zod';
import { firstChain } from './proxy.mjs';
import { start, stop } from './setup.mjs';
import { TEXT } from './upstream.mjs';

const messages = [{ role: 'user', content: 'Schöne Grüße, 世界 👋' }];

let running, client, demoClient, chain;

before(async () => {
  running = await start({ demo: true });
  [client, demoClient] = [running.served.client(), running.demo.client()];
  chain = await firstChain(demoClient);
});
after(() => stop(running));

async function collect(stream, chunks = []) {
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}
const text = (chunks) => chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
const finishes = (chunks) => chunks.flatMap((chunk) => chunk.choices.map((one) => one.finish_reason)).filter(Boolean);

test('chunks arrive in order', async () => {
  const chunks = await collect(await client.chat.completions.create({ model: 'default', messages, stream: true }));
  assert.equal(text(chunks), TEXT.join(''));
  assert.deepEqual(finishes(chunks), ['stop']);
});

for (const asked of [true, false]) {
  test(`usage comes ${asked ? 'once when asked for' : 'never when not asked for'}`, async () => {
    const options = asked ? { stream_options: { include_usage: true } } : {};
    for (const [proxy, model] of [[client, 'default'], [demoClient, chain], [demoClient, chain]]) {
      const stream = await proxy.chat.completions.create({ model, messages, stream: true, ...options });
      const chunks = await collect(stream);
      const withUsage = chunks.filter((chunk) => chunk.usage);
      assert.equal(withUsage.length, Number(asked));
      for (const chunk of withUsage) assert.deepEqual([chunk.choices, chunk.usage.total_tokens > 0], [[], true]);
      assert.deepEqual(finishes(chunks), ['stop']);
    }
  });
}

test('a stream moves past a limited entry', async () => {
  const asked = client.chat.completions.create({ model: 'crowd', messages, stream: true });
  const { data, response } = await asked.withResponse();
  assert.equal(response.headers.get('x-429chain-provider'), 'steady/small');
  assert.equal(text(await collect(data)), TEXT.join(''));
});

test('a streamed tool call joins to its arguments', async () => {
  const Weather = z.object({ city: z.string(), unit: z.enum(['celsius', 'fahrenheit']) });
  const tools = [{ type: 'function', function: { name: 'weather', parameters: z.toJSONSchema(Weather) } }];
  const answer = await demoClient.chat.completions.stream({ model: chain, messages, tools }).finalChatCompletion();
  assert.equal(answer.choices[0].finish_reason, 'tool_calls');
  const [call] = answer.choices[0].message.tool_calls;
  assert.ok(call.id);
  assert.equal(call.function.name, 'weather');
  Weather.parse(JSON.parse(call.function.arguments));
});

test('a cut stream throws while it is read', async () => {
  const stream = await client.chat.completions.create({ model: 'torn', messages, stream: true });
  const read = [];
  await assert.rejects(collect(stream, read), OpenAI.APIError);
  assert.equal(text(read), TEXT.slice(0, 2).join(''));
  assert.deepEqual(finishes(read), []);
});
