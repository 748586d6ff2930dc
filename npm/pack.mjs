// Makes the packages of a release: one with the program for each platform, and the one that picks among them.
//
//   node npm/pack.mjs OUT PLATFORM=BINARY [PLATFORM=BINARY...]
//
// PLATFORM is as Node calls it (linux-x64, darwin-arm64 ...). OUT gets a folder and a tarball for each package. Versions are
// those of Cargo.toml, so that no two places have to be changed together.

import { execFileSync } from 'node:child_process';
import { chmod, copyFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [out, ...binaries] = process.argv.slice(2);
if (!out || !binaries.length || !binaries.every((one) => /^[a-z0-9]+-[a-z0-9]+=./.test(one))) {
  console.error('usage: node npm/pack.mjs OUT PLATFORM=BINARY...');
  process.exit(2);
}
const cargo = await readFile(join(root, 'Cargo.toml'), 'utf8');
const version = /^version = "([^"]+)"/m.exec(cargo)[1];
const main = JSON.parse(await readFile(join(root, 'npm/429chain/package.json'), 'utf8'));

// With `--provenance` npm wants to know where a package comes from.
const from = process.env.GITHUB_REPOSITORY;
const repository = from ? { repository: { type: 'git', url: `git+https://github.com/${from}.git` } } : {};

async function write(folder, about) {
  await writeFile(join(folder, 'package.json'), `${JSON.stringify({ ...about, ...repository }, null, 2)}\n`);
  await copyFile(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', resolve(out), resolve(folder)], { encoding: 'utf8' });
  console.log(join(out, JSON.parse(packed)[0].filename));
}

await mkdir(out, { recursive: true });
for (const [platform, binary] of binaries.map((one) => one.split(/=(.*)/s))) {
  const [os, cpu] = platform.split('-');
  const name = os === 'win32' ? '429chain.exe' : '429chain';
  const folder = join(out, platform);
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'bin'), { recursive: true });
  await copyFile(binary, join(folder, 'bin', name));
  await chmod(join(folder, 'bin', name), 0o755);
  const { license } = main;
  const description = `The 429chain program for ${platform}. Install the package 429chain.`;
  await write(folder, { name: `@429chain/${platform}`, version, description, license, os: [os], cpu: [cpu], ...(os === 'linux' ? { libc: ['glibc'] } : {}), files: ['bin'], preferUnplugged: true });
}
const folder = join(out, '429chain');
await rm(folder, { recursive: true, force: true });
await cp(join(root, 'npm/429chain'), folder, { recursive: true });
// The README leads to the other documents, and they to each other and to the example.
for (const document of main.files.filter((one) => !['bin', 'LICENSE'].includes(one))) {
  await cp(join(root, document), join(folder, document), { recursive: true });
}
const optionalDependencies = Object.fromEntries(Object.keys(main.optionalDependencies).map((name) => [name, version]));
await write(folder, { ...main, version, optionalDependencies });
