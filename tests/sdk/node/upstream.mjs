// A scripted provider on a real socket. What it does depends on the first part of the path; see ../proxy.yaml.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';

export const TEXT = ['Grüße ', 'aus ', 'dem ', 'Speicher ✓'];
const USAGE = { prompt_tokens: 5, completion_tokens: 4, total_tokens: 9 };

export class Upstream {
  /** What reached the server, as `{ provider, body }`. */
  calls = [];

  static async start() {
    const upstream = new Upstream();
    upstream.server = createServer((request, response) => upstream.#answer(request, response));
    upstream.server.listen(0, '127.0.0.1');
    await once(upstream.server, 'listening');
    upstream.url = `http://127.0.0.1:${upstream.server.address().port}`;
    return upstream;
  }

  /** How often an entry was called. */
  count(provider, model) {
    return this.calls.filter((call) => call.provider === provider && call.body.model === model).length;
  }

  stop() {
    this.server.close();
    this.server.closeAllConnections();
  }

  async #answer(request, response) {
    const body = await json(request);
    const [, provider, , ...rest] = request.url.split('/');
    this.calls.push({ provider, body });
    if (request.headers.authorization !== `Bearer ${provider}-key`) {
      fail(response, 401, 'Incorrect API key provided', 'invalid_api_key');
    } else if (provider === 'limited') {
      fail(response, 429, 'Rate limit reached', 'rate_limit_exceeded', { 'retry-after': '60' });
    } else if (provider === 'dry') {
      fail(response, 429, 'Rate limit reached', 'rate_limit_exceeded', { 'retry-after': '40' });
    } else if (provider === 'fussy') {
      fail(response, 400, "'top_p' must lie between 0 and 1", null);
    } else if (provider === 'picky') {
      fail(response, 422, "'messages[0].content' has the wrong type", null);
    } else if (rest[0] === 'embeddings') {
      send(response, 200, vectors(body));
    } else if (body.stream) {
      stream(response, body, provider === 'torn');
    } else {
      send(response, 200, completion(body.model));
    }
  }
}

function send(response, status, document, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(document));
}

function fail(response, status, message, code, headers) {
  const type = status === 429 ? 'rate_limit_error' : 'invalid_request_error';
  send(response, status, { error: { message, type, param: null, code } }, headers);
}

function stream(response, body, torn) {
  const event = (document) => response.write(`data: ${JSON.stringify(document)}\n\n`);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const content of torn ? TEXT.slice(0, 2) : TEXT) event(chunk(body.model, { content }));
  if (torn) {
    // Neither a finish reason nor the end of the chunked body: the connection goes once the bytes are out.
    response.write(': torn\n\n', () => response.socket.end());
    return;
  }
  event(chunk(body.model, {}, 'stop'));
  if (body.stream_options?.include_usage) event({ ...chunk(body.model, null), usage: USAGE });
  response.end('data: [DONE]\n\n');
}

function completion(model) {
  const message = { role: 'assistant', content: TEXT.join('') };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: 'stop' }];
  return { id: 'chatcmpl-1', object: 'chat.completion', created: 1, model, choices, usage: USAGE };
}

function chunk(model, delta, finish_reason = null) {
  const choices = delta === null ? [] : [{ index: 0, delta, logprobs: null, finish_reason }];
  return { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model, choices };
}

function vectors(body) {
  const numbers = [0.5, -0.5, 0.25];
  const packed = Buffer.from(Float32Array.from(numbers).buffer).toString('base64');
  const embedding = body.encoding_format === 'base64' ? packed : numbers;
  const data = [body.input].flat().map((_, index) => ({ object: 'embedding', index, embedding }));
  return { object: 'list', model: body.model, data, usage: { prompt_tokens: 1, total_tokens: 1 } };
}
