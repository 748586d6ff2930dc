// What was installed from the tarballs: it runs, serves, passes signals and exit codes on, and says what is missing.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

const app = process.argv[2];
const command = join(app, 'node_modules/.bin/429chain');
const run = (...args) => spawnSync(command, args, { cwd: app, encoding: 'utf8' });
const version = /^version = "([^"]+)"/m.exec(readFileSync('Cargo.toml', 'utf8'))[1];

const told = run('--version');
assert.equal(told.status, 0, told.stderr);
assert.match(told.stdout, new RegExp(`^429chain ${version.replaceAll('.', '\\.')}`));
assert.equal(spawnSync('npx', ['--no-install', '429chain', '--version'], { cwd: app, encoding: 'utf8' }).stdout, told.stdout);
assert.equal(run('--no-such-option').status, 2);
assert.equal(run('check', '--config', 'nothing.yaml').status, 2);

// The documents are there, and all that they lead to.
const home = join(app, 'node_modules/429chain');
const documents = readdirSync(home, { recursive: true }).filter((name) => name.endsWith('.md'));
assert.ok(documents.length > 10, String(documents));
for (const document of documents) {
  const text = readFileSync(join(home, document), 'utf8').replaceAll(/^```.*?^```$/gms, '');
  for (const [, target] of text.matchAll(/(?:\]\(|src(?:set)?=")(?!https?:|#|mailto:)([^)"#]+)/g)) {
    assert.ok(existsSync(join(home, dirname(document), target)), `${document} leads to ${target}`);
  }
}

// It serves, and a signal to the launcher ends the program with the code that it has.
const demo = spawn(command, ['demo', '--port', '0'], { cwd: app, stdio: ['ignore', 'pipe', 'pipe'] });
const ended = once(demo, 'exit');
const url = await new Promise((done, fail) => {
  const look = (line) => { const found = /http:\/\/127\.0\.0\.1:\d+/.exec(line); if (found) done(found[0]); };
  createInterface({ input: demo.stderr }).on('line', look);
  createInterface({ input: demo.stdout }).on('line', look);
  ended.then(([code]) => fail(new Error(`the demo ended with ${code}`)), fail);
});
assert.equal((await fetch(`${url}/health`)).status, 200);
demo.kill('SIGTERM');
assert.deepEqual(await ended, [0, null]);

// Without the package of its platform it says what to do.
rmSync(join(app, 'node_modules/@429chain'), { recursive: true });
const missing = run('--version');
assert.equal(missing.status, 1);
assert.match(missing.stderr, /optional dependencies/);
console.log('npm: the packages install and run');
