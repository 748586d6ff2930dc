// A scripted provider on a real socket: each answers as the test last told it to, named by the first part of the path.

import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';

export class Upstream extends EventEmitter {
  /** What reached the server, as `{ provider, body }`. */
  calls = [];
  #does = new Map();
  #lists = new Map();

  static async start() {
    const upstream = new Upstream();
    upstream.server = createServer((request, response) => upstream.#answer(request, response));
    upstream.server.listen(0, '127.0.0.1');
    await once(upstream.server, 'listening');
    upstream.url = `http://127.0.0.1:${upstream.server.address().port}`;
    return upstream;
  }

  /** From now on this provider answers by calling `answer(response, body)`. */
  script(provider, answer) {
    this.#does.set(provider, answer);
  }

  /** From now on this provider answers `GET /models` by calling `answer(response)`. */
  lists(provider, answer) {
    this.#lists.set(provider, answer);
  }

  /** All providers are well again. */
  heal() {
    this.#does.clear();
    this.#lists.clear();
  }

  stop() {
    this.server.close();
    this.server.closeAllConnections();
  }

  async #answer(request, response) {
    const provider = request.url.split('/')[1];
    if (request.method === 'GET') return (this.#lists.get(provider) ?? models('model-a', 'model-b'))(response);
    const body = await json(request);
    this.calls.push({ provider, body });
    response.on('close', () => { if (!response.writableFinished) this.emit('aborted', provider); });
    (this.#does.get(provider) ?? serve())(response, body);
    this.emit('called', provider);
  }
}

const USAGE = { prompt_tokens: 12, completion_tokens: 40, total_tokens: 52 };

function send(response, status, document, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(document));
}

/** Lists these models. */
export function models(...ids) {
  return (response) => send(response, 200, { object: 'list', data: ids.map((id) => ({ id, object: 'model' })) });
}

/** Serves, with these headers. */
export function serve({ text = 'Hello from the upstream', headers = {}, pieces = null, after = 0 } = {}) {
  return (response, body) => {
    const answer = () => (body.stream ? stream(response, body, pieces ?? text.match(/\S+\s*/g) ?? []) : send(response, 200, completion(body.model, text), headers));
    after ? setTimeout(answer, after) : answer();
  };
}

/** Refuses. */
export function fail(status, message, headers = {}, code = null) {
  return (response) => send(response, status, { error: { message, type: 'error', param: null, code } }, headers);
}

/** Streams its pieces; `gate` is a promise that the last one waits for. */
export function gated(pieces, gate) {
  return async (response, body) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const last = pieces.length - 1;
    for (const [at, content] of pieces.entries()) {
      if (at === last) await gate;
      event(response, chunk(body.model, { content }));
    }
    finish(response, body);
  };
}

function event(response, document) {
  response.write(`data: ${JSON.stringify(document)}\n\n`);
}

function finish(response, body) {
  event(response, chunk(body.model, {}, 'stop'));
  if (body.stream_options?.include_usage) event(response, { ...chunk(body.model, null), usage: USAGE });
  response.end('data: [DONE]\n\n');
}

function stream(response, body, pieces) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const content of pieces) event(response, chunk(body.model, { content }));
  finish(response, body);
}

function completion(model, text) {
  const choices = [{ index: 0, message: { role: 'assistant', content: text }, logprobs: null, finish_reason: 'stop' }];
  return { id: 'chatcmpl-1', object: 'chat.completion', created: 1, model, choices, usage: USAGE };
}

function chunk(model, delta, finish_reason = null) {
  const choices = delta === null ? [] : [{ index: 0, delta, logprobs: null, finish_reason }];
  return { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model, choices };
}
