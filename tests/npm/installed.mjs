// What was installed from the tarballs: it runs, serves, passes signals and exit codes on, and says what is missing.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { serves } from './serves.mjs';

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

// A signal to the launcher ends the program with the code that it has.
await serves(command, app);

// Without the package of its platform it says what to do.
rmSync(join(app, 'node_modules/@429chain'), { recursive: true });
const missing = run('--version');
assert.equal(missing.status, 1);
assert.match(missing.stderr, /optional dependencies/);
console.log('npm: the packages install and run');
