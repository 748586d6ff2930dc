// A 429chain process: started, awaited by what it prints, ended by its id.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import OpenAI from 'openai';

const CONFIG = fileURLToPath(new URL('../proxy.yaml', import.meta.url));
const CLIENT_KEY = 'sdk-client-key-of-the-tests';
const START_MS = 30_000;
const STOP_MS = 30_000;

export class Proxy {
  static async demo() {
    const proxy = await Proxy.#spawn(['demo', '--port', '0']);
    const found = await proxy.#printed(/Base URL:\s*(\S+\/v1)\b/, /Client key:\s*(\S+)/, /Admin key:\s*(\S+)/);
    [proxy.baseURL, proxy.key, proxy.adminKey] = found;
    return proxy;
  }

  static async serve(upstream) {
    const proxy = await Proxy.#spawn(['serve', '-c', CONFIG, '--port', '0'], { UPSTREAM: upstream });
    const [address] = await proxy.#printed(/listening on (http:\/\/127\.0\.0\.1:\d+)/);
    [proxy.baseURL, proxy.key] = [`${address}/v1`, CLIENT_KEY];
    return proxy;
  }

  static async #spawn(args, environment = {}) {
    const proxy = new Proxy();
    proxy.directory = await mkdtemp(join(tmpdir(), '429chain-sdk-'));
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CHAIN429_')));
    proxy.process = spawn(resolve(process.env.CHAIN429_BIN ?? 'target/debug/429chain'), args, {
      cwd: proxy.directory,
      env: { ...inherited, DATA: proxy.directory, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    proxy.output = [];
    proxy.ended = once(proxy.process, 'close');
    proxy.ended.catch(() => {}); // A binary that cannot be started is reported by who waits for its output.
    return proxy;
  }

  /** The first group of each pattern, once every one of them has stood on a line. */
  async #printed(...patterns) {
    const found = new Map();
    let deadline;
    try {
      await new Promise((done, fail) => {
        const giveUp = (why) => fail(new Error(`429chain ${why}; it printed:\n${this.output.join('\n')}`));
        deadline = setTimeout(() => giveUp('was not ready in time'), START_MS);
        this.process.once('close', (code) => giveUp(`ended with ${code}`));
        for (const pipe of [this.process.stdout, this.process.stderr]) {
          createInterface({ input: pipe }).on('line', (line) => {
            this.output.push(line);
            for (const pattern of patterns) {
              const match = found.has(pattern) ? null : pattern.exec(line);
              if (match) found.set(pattern, match[1]);
            }
            if (found.size === patterns.length) done();
          });
        }
      });
    } catch (error) {
      this.process.kill('SIGKILL');
      await rm(this.directory, { recursive: true, force: true });
      throw error;
    } finally {
      clearTimeout(deadline);
    }
    return patterns.map((pattern) => found.get(pattern));
  }

  /**
   * A client that does not retry: a retry of the SDK would hide exactly the failures that the proxy promises to
   * prevent.
   */
  client(apiKey = this.key) {
    return new OpenAI({ baseURL: this.baseURL, apiKey, maxRetries: 0 });
  }

  /** Asks the process to end and holds it to doing so in order. */
  async stop() {
    const killer = setTimeout(() => this.process.kill('SIGKILL'), STOP_MS);
    this.process.kill('SIGTERM');
    const [code, signal] = await this.ended;
    clearTimeout(killer);
    await rm(this.directory, { recursive: true, force: true });
    assert.equal(code, 0, `429chain ended with ${code ?? signal}; it printed:\n${this.output.join('\n')}`);
  }
}

/** The id of the demo's first chain. */
export async function firstChain(client) {
  for await (const model of client.models.list()) {
    if (model.owned_by === '429chain') return model.id;
  }
  throw new Error('the demo has no chain');
}
