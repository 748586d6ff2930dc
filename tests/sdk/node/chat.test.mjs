// Answers that do not stream: words, documents, vectors, tool calls, and the headers that say who gave them.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { firstChain } from './proxy.mjs';
import { start, stop } from './setup.mjs';

const messages = [{ role: 'user', content: 'Schöne Grüße, 世界 👋' }];
const Place = z.object({
  city: z.string(),
  population: z.number().int(),
  rivers: z.array(z.string()),
  coastal: z.boolean(),
});
const Weather = z.object({ city: z.string(), days: z.number().int(), unit: z.enum(['celsius', 'fahrenheit']) });
const tools = [{ type: 'function', function: { name: 'weather', parameters: z.toJSONSchema(Weather) } }];

let running, client, model;

before(async () => {
  running = await start({ demo: true });
  client = running.demo.client();
  model = await firstChain(client);
});
after(() => stop(running));

test('the demo answers in words', async () => {
  const answer = await client.chat.completions.create({ model, messages });
  assert.equal(answer.object, 'chat.completion');
  assert.equal(answer.choices[0].finish_reason, 'stop');
  assert.ok(answer.choices[0].message.content.includes('Schöne Grüße, 世界 👋'));
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
});

test("the demo answers with a document of the client's schema", async () => {
  const response_format = zodResponseFormat(Place, 'place');
  const answer = await client.chat.completions.parse({ model, messages, response_format });
  Place.parse(answer.choices[0].message.parsed);
});

test('a tool is called', async () => {
  const answer = await client.chat.completions.create({ model, messages, tools });
  assert.equal(answer.choices[0].finish_reason, 'tool_calls');
  const [call] = answer.choices[0].message.tool_calls;
  assert.equal(call.function.name, 'weather');
  Weather.parse(JSON.parse(call.function.arguments));
});

test('headers say who answered', async () => {
  const { data, response } = await client.chat.completions.create({ model, messages }).withResponse();
  assert.match(response.headers.get('x-429chain-provider'), /^[^/]+\/.+$/);
  assert.match(response.headers.get('x-429chain-attempts'), /^[1-9]\d*$/);
  assert.equal(response.headers.get('x-429chain-chain'), model);
  assert.ok(response.headers.get('x-request-id'));
  assert.ok(data.choices[0].message.content);
});

test('embeddings walk their chain', async () => {
  const asked = running.served.client().embeddings.create({ model: 'vectors', input: ['eins', 'zwei'] });
  const { data, response } = await asked.withResponse();
  assert.deepEqual(data.data.map((entry) => Array.from(entry.embedding)), [[0.5, -0.5, 0.25], [0.5, -0.5, 0.25]]);
  assert.equal(response.headers.get('x-429chain-provider'), 'steady/vectors');
});
