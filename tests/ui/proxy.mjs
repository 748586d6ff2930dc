// A 429chain process: started, awaited by what it prints, ended by its id, and started again at the same place.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const CONFIG = fileURLToPath(new URL('proxy.yaml', import.meta.url));
export const CLIENT_KEY = 'ui-client-key-of-the-tests';
export const ADMIN_KEY = 'ui-admin-key-of-the-tests';

export class Proxy {
  /** With the configuration of all tests, or with this text. It is a copy that pages may change. */
  static async start(upstream, text) {
    const proxy = new Proxy();
    proxy.directory = await mkdtemp(join(tmpdir(), '429chain-ui-'));
    proxy.config = join(proxy.directory, 'config.yaml');
    await writeFile(proxy.config, text ?? await readFile(CONFIG, 'utf8'));
    proxy.upstream = upstream;
    await proxy.run(0);
    return proxy;
  }

  /** The configuration file as it is now. */
  file() { return readFile(this.config, 'utf8'); }

  /** Starts the process, at the port that it had before. */
  async run(port = new URL(this.url).port) {
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CHAIN429_')));
    const args = ['serve', '-c', this.config, '--port', String(port)];
    if (process.env.CHAIN429_STATIC) args.push('--static-dir', resolve(process.env.CHAIN429_STATIC));
    this.process = spawn(resolve(process.env.CHAIN429_BIN ?? 'target/debug/429chain'), args, {
      cwd: this.directory,
      env: { ...inherited, DATA: this.directory, UPSTREAM: this.upstream },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.ended = once(this.process, 'close');
    this.output = [];
    this.url = await new Promise((done, fail) => {
      createInterface({ input: this.process.stderr }).on('line', (line) => {
        this.output.push(line);
        const found = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(line);
        if (found) done(found[1]);
      });
      this.ended.then(([code]) => fail(new Error(`429chain ended with ${code}:\n${this.output.join('\n')}`)), fail);
    });
  }

  /** A request of a client. */
  async chat(model = 'default', more = {}) {
    const response = await fetch(`${this.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${CLIENT_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }], ...more }),
    });
    return { status: response.status, id: response.headers.get('x-request-id'), text: await response.text() };
  }

  async get(path) {
    const response = await fetch(`${this.url}${path}`, { headers: { authorization: `Bearer ${CLIENT_KEY}` } });
    return response.headers.get('content-type')?.includes('json') ? response.json() : response.text();
  }

  /** Ends the process. */
  async end(signal = 'SIGTERM') {
    this.process.kill(signal);
    const killer = setTimeout(() => this.process.kill('SIGKILL'), 30_000);
    await this.ended;
    clearTimeout(killer);
  }

  async stop() {
    await this.end();
    await rm(this.directory, { recursive: true, force: true });
  }
}
